"""What real task files do to a list of tasks: whatever is in them, it is a list all the same, and says what is odd."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from archive import Archive, TaskFilter
from archive.indexing import index_pending
from archive.model.base import Json
from archive.model.tasks import AnomalyCode
from tests.tasks.conftest import Project, as_bytes, in_sqlite

ALL = TaskFilter(finished=True)


def task(number: object, title: object = "T", status: object = "pending", *needs: object, **more: object) -> dict[str, object]:
    return {"id": number, "title": title, "status": status, "dependencies": list(needs), **more}


def nested(depth: int) -> dict[str, object]:
    inner = task(depth, f"T{depth}")
    for number in range(depth - 1, 0, -1):
        inner = task(number, f"T{number}", subtasks=[inner])
    return inner


@pytest.mark.parametrize(
    ("records", "available", "odd"),
    [
        pytest.param([task(1), task(1), task(2, "Two")], ["Two"], {"duplicate_id": 2}, id="duplicate ids"),
        pytest.param([task(1, "One", "pending", 99), task(2, "Two")], ["Two"], {}, id="missing dependency"),
        pytest.param([task(1, "A", "pending", 2), task(2, "B", "pending", 1), task(3, "C")], ["C"], {}, id="cycle"),
        pytest.param([task(1, "A", "pending", 1), task(2, "B")], ["B"], {"self_dependency": 1}, id="self-dependency"),
        pytest.param([task(1, "A", "done"), task("2", "B", "pending", "1", 1.0)], ["B"], {}, id="mixed ids"),
        pytest.param([task(5, "Parent", subtasks=[task(5, "Child")])], ["Child"], {}, id="subtask numbered like its parent"),
        pytest.param([task(1, "A", "perhaps"), task(2, "B")], ["B"], {"unknown_status": 1}, id="unknown status"),
        pytest.param([task(1, "A", None), task(2, "B", "")], ["A", "B"], {}, id="no status: Task Master takes it for pending"),
        pytest.param([task(1, ""), task(2, "B")], ["", "B"], {"no_title": 1}, id="no title"),
        pytest.param([task(1, "A", dueDate="soon"), task(2, "B")], ["A", "B"], {"bad_date": 1}, id="a date that is none"),
        pytest.param([nested(50)], ["T50"], {}, id="fifty levels"),
        pytest.param([None, 7, "text", ["list"], task(1, "A")], ["A"], {"wrong_type": 4}, id="records that are none"),
        pytest.param(
            [task(2**70, "Big"), task(-1, "Neg"), task("é\u202e\x00", "Odd")], ["Big", "Neg", "Odd"], {}, id="odd ids"
        ),
        pytest.param(
            [task(1, "A", "pending", {"x": [1]}, None, [])], [], {"bad_dependency": 1}, id="dependencies that are none"
        ),
    ],
)
def test_a_list_all_the_same(project: Project, records: Json, available: list[str], odd: dict[str, int]) -> None:
    project.save({"tasks.json": {"tasks": records}})
    found = project.assert_view_is_library()
    assert sorted(each.title for each in found.tasks) == sorted(available)
    everything = project.archive.tasks(ALL).verdicts
    for verdict in everything:
        assert verdict.available or verdict.reasons
    noted = [anomaly.code for verdict in everything for anomaly in verdict.task.anomalies]
    for code, count in odd.items():
        assert noted.count(AnomalyCode(code)) >= count, code
    (shown,) = in_sqlite(project.archive.path, "SELECT count(*), count(DISTINCT ref), sum(json_valid(anomalies)) FROM tasks")
    assert shown == [len(everything)] * 3


def test_text_files_in_conflict_give_the_lines_of_both_sides(project: Project) -> None:
    both = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n{}\n"
    project.save({
        "todo.txt": both.format("(A) ours", "(B) theirs", "common"),
        "TODO.md": "# Plan\n\n" + both.format("- [x] ours", "- [ ] theirs", "- [ ] common"),
        ".beads/issues.jsonl": both.format(*(
            json.dumps({"id": f"b-{name}", "title": name, "status": "open", "issue_type": "task"})
            for name in ("ours", "theirs", "common")
        )),
    })  # fmt: skip
    found = project.archive.tasks(ALL)
    titles = [(each.path, each.title) for each in found.tasks]
    assert sorted(titles) == sorted((path, title) for path in project.tree for title in ("ours", "theirs", "common"))
    project.assert_view_is_library()


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_a_file_that_is_half_conflict_markers_is_a_list(project: Project, at: float) -> None:
    lines = as_bytes({"tasks": [task(number, f"T{number}") for number in range(1, 21)]}).replace(b"}, {", b"},\n{").split(b"\n")
    cut = int(len(lines) * at)
    ours = [b"<<<<<<< HEAD", *lines[cut:], b"=======", *[line.replace(b"T", b"U") for line in lines[cut:]], b">>>>>>> x"]
    project.save({"tasks.json": b"\n".join([*lines[:cut], *ours])})
    assert len(project.archive.tasks(ALL).tasks) == 20
    assert len(project.assert_view_is_library().tasks) == 20


def test_one_bad_record_hides_none_of_the_others(project: Project) -> None:
    records = [json.dumps(task(number, f"T{number}")) for number in range(1, 31)]
    records[7] = '{"id": 8, "title": "unfinished'
    project.save({"tasks.json": '{"tasks": [' + ",\n".join(records) + "]}"})
    assert len(project.archive.tasks(ALL).tasks) == 29
    assert [problem.message.partition(":")[0] for problem in project.archive.tasks(ALL).problems] == ["syntax"]


@pytest.mark.parametrize("name", [b"t\xe9ches.json", "作業/tasks.json".encode(), b"a\nb.json"])
def test_documents_of_any_name_have_tasks(project: Project, name: bytes) -> None:
    path = os.fsdecode(name)
    project.save({path: {"tasks": [task(1, "One"), task(2, "Two", "pending", 1)]}})
    (only,) = project.archive.available_tasks().tasks
    assert (only.path, only.title) == (path, "One")
    (explanation,) = project.archive.explain_task("2")
    assert explanation.roots[0].task.title == "One"
    assert len(in_sqlite(project.archive.path, "SELECT title FROM available_tasks")) == 1


def test_two_sources_in_one_archive_do_not_meet(project: Project, tmp_path: Path) -> None:
    project.save({"tasks.json": {"tasks": [task(1, "One"), task(2, "Two", "pending", 1)]}})
    other = tmp_path / "other"
    other.mkdir()
    (other / "tasks.json").write_bytes(as_bytes({"tasks": [task(1, "Uno", "done"), task(3, "Tres", "pending", 1)]}))
    with Archive.open(project.archive.path, mode="write", clock=project.clock) as archive:
        archive.backup(other)
        index_pending(archive._database)
    shown = in_sqlite(project.archive.path, "SELECT source, title FROM available_tasks")
    assert sorted(map(tuple, shown)) == [("other", "Tres"), ("project", "One")]
    with Archive.open(project.archive.path, source="other") as archive:
        assert [each.title for each in archive.available_tasks().tasks] == ["Tres"]
