"""Tasks over time: incremental equals made anew, any moment equals a plain reading of it, broken files fall back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import TaskFilter
from archive.clock import to_iso
from archive.errors import SnapshotNotFound
from archive.extract.parse import kind_of, load
from archive.extract.tasks import BUILT_IN, LoadedAdapters
from archive.extract.tasks.documents import TaskReader, TaskReading
from archive.indexing import index_pending
from archive.model.taskviews import TaskProblemKind
from archive.storage import taskread, taskstore
from tests.tasks.conftest import MakeProject, Project, in_sqlite

ALL = TaskFilter(finished=True)


def tasks_json(*tasks: tuple[Any, str], **more: object) -> bytes:
    records = [{"id": number, "title": f"T{number}", "status": status, "dependencies": []} for number, status in tasks]
    return json.dumps({"tasks": records, **more}).encode()


def statuses(project: Project, at: str = "latest") -> dict[str, str]:
    return {task.id: task.status for task in project.archive.tasks(ALL, at=at).tasks}


def test_a_broken_file_keeps_the_tasks_of_its_last_valid_version_and_says_so(project: Project) -> None:
    whole = tasks_json((1, "done"), (2, "pending"))
    project.save({"tasks.json": whole})
    broken = project.save({"tasks.json": whole[:-20]})
    emptied = project.save({"tasks.json": b""})
    found = project.assert_view_is_library()
    assert [(task.id, task.from_last_valid) for task in found.tasks] == [("2", True)]
    assert [(problem.path, problem.kind) for problem in found.problems] == [("tasks.json", TaskProblemKind.LAST_VALID)]
    assert found.problems[0].message.startswith("empty")
    mended = project.save({"tasks.json": tasks_json((1, "done"), (2, "done"))})
    assert statuses(project) == {"1": "done", "2": "done"}
    assert project.archive.tasks(ALL).problems == ()
    assert statuses(project, str(emptied.id)) == {"1": "done", "2": "pending"}
    then = project.archive.tasks(ALL, at=str(broken.id))
    assert {task.from_last_valid for task in then.tasks} == {True}
    assert then.problems[0].message.startswith("truncated")
    (history,) = project.archive.task_history("2")
    assert [(period.status, period.since_snapshot, period.until_snapshot) for period in history.periods] == [
        ("pending", 1, mended.id),
        ("done", mended.id, None),
    ]


def test_a_broken_file_that_is_removed_has_no_tasks_any_more(project: Project) -> None:
    project.save({"tasks.json": tasks_json((1, "pending"))})
    project.save({"tasks.json": b"{"})
    project.save({"tasks.json": None})
    assert statuses(project) == {}
    assert project.archive.tasks(ALL).problems == ()
    assert statuses(project, "latest~1") == {"1": "pending"}
    project.save({"tasks.json": b"{"})
    assert statuses(project) == {}


CONFLICT = b"""{"tasks": [
  {"id": 1, "title": "Both", "status": "done", "dependencies": []},
<<<<<<< HEAD
  {"id": 2, "title": "Ours", "status": "done", "dependencies": []},
  {"id": 3, "title": "Only ours", "status": "pending", "dependencies": []}
=======
  {"id": 2, "title": "Ours", "status": "pending", "dependencies": []},
  {"id": 4, "title": "Only theirs", "status": "pending", "dependencies": [1]}
>>>>>>> other
]}
"""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CONFLICT, {"1": "done", "2": "done", "3": "pending", "4": "pending"}),
        (CONFLICT.partition(b"=======")[0], {"1": "done", "2": "done", "3": "pending"}),
        (tasks_json((1, "done"), (2, "pending"), (3, "pending"))[:-30], {"1": "done", "2": "pending"}),
        (tasks_json((1, "done"), (2, "pending"), (3, "pending")).replace(b'"id": 2', b'"id": '), {"1": "done", "3": "pending"}),
        (tasks_json((1, "done")) + b"garbage", {"1": "done"}),
        (b"\0" * 100, {}),
    ],
)
def test_a_file_that_never_was_whole_gives_the_tasks_that_can_be_read(
    project: Project, content: bytes, expected: dict[str, str]
) -> None:
    project.save({"tasks.json": content})
    assert statuses(project) == expected
    found = project.assert_view_is_library()
    assert [problem.kind for problem in found.problems] == [TaskProblemKind.SALVAGED][: len(expected)]
    # What could be salvaged is no valid version to fall back to.
    project.save({"tasks.json": content.replace(b"done", b"blocked")})
    assert "done" not in statuses(project).values()
    project.save({"tasks.json": tasks_json((7, "pending"))})
    assert statuses(project) == {"7": "pending"}
    assert project.archive.tasks(ALL).problems == ()


def test_what_the_sides_of_a_conflict_disagree_on_is_noted(project: Project) -> None:
    project.save({"tasks.json": CONFLICT})
    (explanation,) = project.archive.explain_task("2")
    assert [anomaly.message for anomaly in explanation.verdict.task.anomalies] == [
        "the other side of the conflict has status pending"
    ]


def test_a_task_that_moves_to_another_document_keeps_its_history(project: Project) -> None:
    task = "---\nid: BACK-7\ntitle: Seven\nstatus: {}\n---\n"
    project.save({"backlog/config.yml": "x: 1\n", "backlog/tasks/back-7 - Seven.md": task.format("To Do")})
    project.save({"backlog/tasks/back-7 - Seven.md": task.format("In Progress")})
    moved = {"backlog/tasks/back-7 - Seven.md": None, "backlog/completed/back-7 - Seven.md": task.format("Done")}
    last = project.save(moved)
    (history,) = project.archive.task_history("back-7")
    assert [period.status for period in history.periods] == ["pending", "in_progress", "done"]
    assert [period.since_snapshot for period in history.periods] == [1, 2, 3]
    assert not history.is_gone
    changes = project.archive.changed_tasks("1", at=str(last.id)).changes
    assert [(change.kind.value, change.before and change.before.status) for change in changes] == [("finished", "pending")]


def test_a_state_that_did_not_change_keeps_its_row(project: Project) -> None:
    project.save({"tasks.json": tasks_json((1, "pending"), (2, "pending"))})
    project.save({"tasks.json": tasks_json((0, "pending"), (1, "pending"), (2, "pending"), note="new")})
    with project.archive._database.reading() as connection:
        rows = connection.execute(
            "SELECT task_id, pointer, first_snapshot_id FROM tasks WHERE until_snapshot_id IS NULL ORDER BY position"
        ).fetchall()
    assert rows == [("0", "/tasks/0", 2), ("1", "/tasks/1", 1), ("2", "/tasks/2", 1)]


PATHS = ["tasks.json", "todo.txt", "TODO.md", ".beads/issues.jsonl"]
STATUSES = ["pending", "in-progress", "done", "cancelled", "blocked"]


@st.composite
def contents(draw: st.DrawFn) -> tuple[str, bytes | None]:
    path = draw(st.sampled_from(PATHS))
    chosen = draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(STATUSES)), max_size=4))
    if draw(st.integers(0, 9)) == 0:
        return path, None
    if path == "tasks.json":
        data = tasks_json(*chosen)
    elif path == "todo.txt":
        data = "".join(f"{'x ' * (status == 'done')}(A) task {number} +p\n" for number, status in chosen).encode()
    elif path == "TODO.md":
        data = "".join(f"- [{'x' if status == 'done' else ' '}] task {number}\n" for number, status in chosen).encode()
    else:
        lines = [{"id": f"b-{number}", "title": "t", "status": status, "issue_type": "task"} for number, status in chosen]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    damage: Callable[[bytes], bytes] = draw(
        st.sampled_from([bytes, bytes, bytes, lambda data: data[: len(data) // 2], lambda data: b"<<<<<<< x\n" + data])
    )
    return path, damage(data)


edits = st.lists(st.lists(contents(), min_size=1, max_size=3), min_size=1, max_size=6)


def plain_reading(history: list[dict[str, bytes]]) -> list[tuple[str, str, str, bool]]:
    """Returns (path, ref, status, from_last_valid) of the tasks of the last tree, by going through all trees."""
    reader = TaskReader(adapters=LoadedAdapters(BUILT_IN))
    basis: dict[str, tuple[TaskReading, bool]] = {}
    for tree in history:
        for path in basis.keys() - tree.keys():
            del basis[path]
        for path, data in tree.items():
            kind = kind_of(path)
            assert kind is not None
            found = reader.read(path, kind, load(kind, data), data)
            old = basis.get(path)
            if found.broken and old is not None and old[0].drafts and not old[0].broken:
                basis[path] = (old[0], True)
            else:
                basis[path] = (found, False)
    return sorted((path, draft.ref, draft.status, stale) for path, (found, stale) in basis.items() for draft in found.drafts)


def assert_time_holds(project: Project, steps: list[list[tuple[str, bytes | None]]], flush_rows: int) -> None:
    trees: list[dict[str, bytes]] = []
    for step in steps:
        changes = {path: data for path, data in step if data is not None or path in project.tree}
        project.save(dict(changes))
        trees.append(dict(project.tree))
    for number in range(1, len(trees) + 1):
        found = project.archive.tasks(ALL, at=str(number)).tasks
        shown = sorted((task.path, task.ref, task.status, task.from_last_valid) for task in found)
        assert shown == plain_reading(trees[:number]), number
    database = project.archive._database
    with database.writing() as connection:
        grown = sorted(taskstore.content(connection), key=repr)
        spans = taskread.spans(connection, 1, len(trees))
        connection.execute("UPDATE _indexing SET derivation = 0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taskstore, "FLUSH_ROWS", flush_rows)
        index_pending(database)
    with database.reading() as connection:
        assert sorted(taskstore.content(connection), key=repr) == grown
        assert sorted(taskread.spans(connection, 1, len(trees)), key=repr) == sorted(spans, key=repr)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(steps=edits, flush_rows=st.integers(1, 5))
def test_any_moment_equals_a_plain_reading_and_growing_equals_making_anew(
    projects: MakeProject, steps: list[list[tuple[str, bytes | None]]], flush_rows: int
) -> None:
    assert_time_holds(projects(), steps, flush_rows)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(steps=edits, flush_rows=st.integers(1, 5))
def test_that_holds_for_many_histories(
    projects: MakeProject, steps: list[list[tuple[str, bytes | None]]], flush_rows: int
) -> None:
    assert_time_holds(projects(), steps, flush_rows)


def test_the_history_of_a_task_is_what_each_snapshot_says_of_it(project: Project) -> None:
    for status in ("pending", "in-progress", "in-progress", "done", None, "pending", "cancelled"):
        project.save({"tasks.json": tasks_json((1, status)) if status else tasks_json()})
    (history,) = project.archive.task_history("1")
    said = {}
    for period in history.periods:
        for number in range(period.since_snapshot, period.until_snapshot or 8):
            said[number] = period.status
    assert said == {number: found for number in range(1, 8) if (found := statuses(project, str(number)).get("1"))}
    (earlier,) = project.archive.task_history("1", at="2")
    assert [(period.status, period.until) for period in earlier.periods][-1] == ("in_progress", None)


def test_changes_and_days_count_the_same_tasks(project: Project) -> None:
    project.save({"tasks.json": tasks_json((1, "pending"), (2, "pending"), (3, "done"))})
    project.save({"tasks.json": tasks_json((1, "done"), (3, "pending"), (4, "cancelled"))}, days=2)
    kinds = {change.kind.value: (change.after or change.before) for change in project.archive.changed_tasks("1").changes}
    assert {kind: state and state.name for kind, state in kinds.items()} == {
        "finished": "1",
        "reopened": "3",
        "cancelled": "4",
        "removed": "2",
    }
    days = project.archive.task_burndown()
    assert [(day.open, day.done, day.cancelled) for day in days] == [(2, 1, 0), (2, 1, 0), (1, 1, 1)]
    assert [day.open for day in project.archive.task_burndown(at="1")] == [2]


def test_the_views_show_what_the_library_tells(project: Project) -> None:
    whole = tasks_json((1, "pending"), (2, "pending"))
    project.save({"tasks.json": whole, "todo.txt": "x done +p @home\n"})
    project.save({"tasks.json": tasks_json((1, "done"), (2, "pending")), "todo.txt": None})
    project.save({"tasks.json": whole[:-5]})
    path = project.archive.path
    current = in_sqlite(path, "SELECT path, task_id, status, is_from_last_valid, first_at FROM current_tasks ORDER BY pointer")
    assert current == [
        [task.path, task.id, task.status, int(task.from_last_valid), task.since and to_iso(task.since)]
        for task in sorted(project.archive.tasks(ALL).tasks, key=lambda task: task.order)
    ]
    shown = in_sqlite(
        path, "SELECT status, first_snapshot_id, until_snapshot_id, is_current FROM task_history WHERE task_id = '1' ORDER BY 2"
    )
    (history,) = project.archive.task_history("1")
    assert shown == [
        [period.status, period.since_snapshot, period.until_snapshot, int(period.until is None)] for period in history.periods
    ]
    (gone,) = in_sqlite(path, "SELECT labels, project, until_snapshot_id FROM tasks WHERE adapter = 'todo-txt'")
    assert gone == ['["home"]', "p", 2]


def test_what_changed_since_a_day_is_what_changed_from_its_beginning_on(project: Project) -> None:
    project.save({"tasks.json": tasks_json((1, "pending"), (2, "pending"))})
    day = project.archive.snapshot().created_at.date()
    project.save({"tasks.json": tasks_json((1, "done"), (2, "pending"))})
    project.save({"tasks.json": tasks_json((1, "done"), (2, "done"))}, days=2)
    for since, expected in ((str(day), {"1", "2"}), (str(day + timedelta(days=1)), {"2"}), ("today", {"2"})):
        changes = project.archive.changed_tasks(since).changes
        assert {change.after.name for change in changes if change.after} == expected, since
    with pytest.raises(SnapshotNotFound):
        project.archive.changed_tasks(str(day - timedelta(days=1)))
