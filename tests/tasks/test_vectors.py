"""The known answers, through real backups: the library and `SELECT * FROM available_tasks` in stock SQLite say the same."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from archive import TaskFilter
from tests.tasks.conftest import Project
from tests.unit.tasks import samples

STATES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "rengine-agents.tar.xz"
GARDEN, SHED, POND, PATH = samples.GARDEN, samples.SHED, samples.POND, samples.PATH


@pytest.mark.parametrize(
    ("projects", "count", "expected"),
    [
        ({"Garden": GARDEN, "Shed": SHED}, 10, ["Garden/phase_1", "Shed/phase_1", "Garden/phase_5"]),
        (
            {"Garden": GARDEN, "Shed": SHED, "Pond": POND},
            13,
            ["Garden/phase_1", "Shed/phase_1", "Pond/phase_1", "Garden/phase_5"],
        ),
        (
            {"Garden": GARDEN, "Shed": SHED, "Pond": POND, "Path": PATH},
            18,
            ["Garden/phase_1", "Shed/phase_1", "Pond/phase_1", "Path/phase_1", "Garden/phase_5"],
        ),
    ],
)
def test_phases_without_open_dependencies_are_available(
    project: Project, projects: dict[str, object], count: int, expected: list[str]
) -> None:
    project.save({"agents/tasks.json": samples.rengine(**projects)})
    found = project.assert_view_is_library()
    assert found.total == count
    assert sorted(f"{task.project}/{task.id}" for task in found.tasks) == sorted(expected)


def test_subtasks_are_the_work_of_their_parents(project: Project) -> None:
    project.save({"agents/consolidated_tasks.json": samples.CONSOLIDATED})
    assert project.assert_view_is_library().total == 14
    assert len(project.names()) == 8
    assert len(project.names(containers=True)) == 11


def test_dependencies_reach_across_files(project: Project) -> None:
    files = {"bugs.json": samples.BUGS, "roadmap.json": samples.ROADMAP, "consolidated_tasks.json": samples.CONSOLIDATED}
    project.save({f"agents/{name}": content for name, content in files.items()})
    project.assert_view_is_library()
    project.save({"agents/bugs.json": None})
    found = project.assert_view_is_library()
    assert "FEAT-002" not in [task.id for task in found.tasks]


def test_every_anomaly_at_once(project: Project) -> None:
    tasks = [
        {"id": 1, "title": "One", "status": "pending", "dependencies": [], "subtasks": []},
        {"id": "2", "title": "Two", "status": "pending", "dependencies": [1]},
        {"id": 2, "title": "Two again", "status": "pending", "dependencies": []},
        {"id": 3, "title": "Needs two", "status": "pending", "dependencies": [2]},
        {"id": 4, "title": "Needs nothing that is", "status": "pending", "dependencies": [99]},
        {"id": 5, "title": "Dropped", "status": "cancelled", "dependencies": []},
        {"id": 6, "title": "Needs the dropped one", "status": "pending", "dependencies": ["5"]},
        {"id": 7, "title": "Hen", "status": "pending", "dependencies": [8]},
        {"id": 8, "title": "Egg", "status": "pending", "dependencies": ["7"]},
        {"id": 9, "title": "Itself", "status": "pending", "dependencies": [9]},
        {"id": 10, "status": "perhaps", "dependencies": []},
        "no task at all",
        {"id": 11, "title": "Fine", "status": "done", "dependencies": []},
        {"id": 12, "title": "Free", "status": "pending", "dependencies": ["11", 11]},
    ]
    project.save({"tasks.json": {"tasks": tasks}})
    assert [task.title for task in project.assert_view_is_library().tasks] == ["One", "Free"]
    assert len(project.codes()) == len(tasks)


def test_dates_are_held_against_the_time_of_the_snapshot(project: Project) -> None:
    issue = {"id": "bd-1", "title": "Later", "status": "open", "issue_type": "task", "defer_until": "2026-01-02T03:06:00Z"}
    # The clock stands at 03:04:05 and goes on by a minute with each backup.
    project.save({".beads/issues.jsonl": json.dumps(issue) + "\n"})
    assert project.assert_view_is_library().tasks == ()
    project.save({"other.txt": "anything"})
    assert [task.id for task in project.assert_view_is_library().tasks] == ["bd-1"]
    assert project.names(at="latest~1") == []


@pytest.fixture(scope="module")
def states() -> dict[str, dict[str, bytes]]:
    if not STATES.exists():
        pytest.skip("the real states are not here")
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(STATES) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() else None
            if content is not None:
                state, _, path = member.name.removeprefix("./").partition("/")
                found.setdefault(state, {})[path] = content.read()
    return found


@pytest.mark.real_data
def test_the_real_states_one_after_the_other(project: Project, states: dict[str, dict[str, bytes]]) -> None:
    main = TaskFilter(paths=("agents/tasks.json",), finished=True)
    expected = {"20250816_172034": (10, 3), "20250816_173325": (13, 4), "20250822_223404": (18, 5)}
    labels = {}
    for state in sorted(states):
        gone: dict[str, object] = dict.fromkeys(project.tree.keys() - states[state].keys())
        labels[state] = project.save({**gone, **states[state]}).label
        project.assert_view_is_library()
    for state, (count, available) in expected.items():
        found = project.archive.tasks(main, at=labels[state])
        assert len(found.verdicts) == count, state
        assert len(project.archive.available_tasks(main, at=labels[state]).tasks) == available, state
    family = TaskFilter(paths=("agents/consolidated_tasks.json",), finished=True)
    last = labels["20250822_223404"]
    assert len(project.archive.available_tasks(family, at=last).tasks) == 8
    assert len(project.archive.available_tasks(family, at=last, containers=True).tasks) == 11
