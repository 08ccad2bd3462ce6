"""Availability: the answers that are known for files of real shape, written ones and, where they are at hand, real ones."""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from archive.availability import next_task
from tests.unit.tasks import samples
from tests.unit.tasks.make import codes, judged, names, tasks_of

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
STATES = DATA / "rengine-agents.tar.xz"
THREE = ["Garden/phase_1", "Shed/phase_1", "Garden/phase_5"]


def offered(documents: Mapping[str, object], **options: object) -> list[str]:
    return [f"{task.project}/{task.id}" for task in judged(tasks_of(documents), **options).available()]


@pytest.mark.parametrize(
    ("projects", "count", "expected"),
    [
        ({"Garden": samples.GARDEN, "Shed": samples.SHED}, 10, THREE),
        ({"Garden": samples.GARDEN, "Shed": samples.SHED, "Pond": samples.POND}, 13, [*THREE, "Pond/phase_1"]),
        (
            {"Garden": samples.GARDEN, "Shed": samples.SHED, "Pond": samples.POND, "Path": samples.PATH},
            18,
            [*THREE, "Pond/phase_1", "Path/phase_1"],
        ),
    ],
)
def test_of_the_phases_of_projects_those_without_open_dependencies_are_available(
    projects: dict[str, object], count: int, expected: list[str]
) -> None:
    documents = {"agents/tasks.json": samples.rengine(**projects)}
    assert len(tasks_of(documents)) == count
    assert sorted(offered(documents)) == sorted(expected)
    assert offered(documents)[:2] == ["Garden/phase_1", "Shed/phase_1"]
    for verdict in judged(tasks_of(documents)).verdicts:
        assert verdict.available or {reason.code for reason in verdict.reasons} == {"dep:unfinished"}


def test_of_tasks_with_subtasks_the_subtasks_are_available() -> None:
    tasks = tasks_of({"agents/consolidated_tasks.json": samples.CONSOLIDATED})
    children = ["TASK-001a", "TASK-001b", "TASK-001c", "TASK-002a", "TASK-002b", "TASK-003a", "TASK-003b", "TASK-003c"]
    assert len(tasks) == 14
    assert names(tasks) == children
    assert sorted(names(tasks, containers=True)) == sorted([*children, "TASK-001", "TASK-002", "TASK-003"])
    assert codes(tasks)["TASK-001"] == ["container"]
    assert codes(tasks)["TASK-004"] == ["status:blocked", "dep:unfinished"]


def test_dependencies_reach_across_the_files_of_one_folder() -> None:
    files = {"bugs.json": samples.BUGS, "roadmap.json": samples.ROADMAP, "consolidated_tasks.json": samples.CONSOLIDATED}
    found = codes(tasks_of({f"agents/{name}": content for name, content in files.items()}))
    assert found["FEAT-001"] == ["dep:unfinished"]
    assert found["FEAT-002"] == []
    assert found["FEAT-003"] == ["dep:unfinished", "dep:missing"]
    assert found["FEAT-000"] == ["status:done"]
    assert found["v9"] == []
    assert codes(tasks_of({"agents/roadmap.json": samples.ROADMAP}))["FEAT-002"] == ["dep:missing"]
    assert codes(tasks_of({"a/roadmap.json": samples.ROADMAP, "b/bugs.json": samples.BUGS}))["FEAT-002"] == ["dep:missing"]


def test_a_copy_of_a_file_beside_it_harms_only_what_depends_on_it() -> None:
    copies = {"agents/bugs.json": samples.BUGS, "agents/bugs_backup.json": samples.BUGS, "agents/roadmap.json": samples.ROADMAP}
    tasks = tasks_of(copies)
    assert names(tasks).count("BUG-006") == 2
    assert codes(tasks)["FEAT-001"] == ["dep:ambiguous"]


def test_every_anomaly_at_once_hides_no_other_task() -> None:
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
        {"id": 12, "title": "Free", "status": "pending", "dependencies": ["11", 1.0]},
    ]
    found = tasks_of({"tasks.json": {"tasks": tasks}})
    verdicts = [(verdict.task.title, [reason.code for reason in verdict.reasons]) for verdict in judged(found).verdicts]
    assert sorted(verdicts) == sorted([
        ("One", []),
        ("Two", ["duplicate_id", "dep:unfinished"]),
        ("Two again", ["duplicate_id"]),
        ("Needs two", ["dep:ambiguous"]),
        ("Needs nothing that is", ["dep:missing"]),
        ("Dropped", ["status:cancelled"]),
        ("Needs the dropped one", ["dep:cancelled"]),
        ("Hen", ["dep:unfinished", "dep:cycle"]),
        ("Egg", ["dep:unfinished", "dep:cycle"]),
        ("Itself", ["dep:unfinished", "dep:cycle"]),
        ("", ["status:perhaps"]),
        ("no task at all", ["status:unknown", "nonwork"]),
        ("Fine", ["status:done"]),
        ("Free", ["dep:unfinished"]),
    ])  # fmt: skip
    assert "Needs the dropped one" in [task.title for task in judged(found, cancelled_satisfies=True).available()]


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
@pytest.mark.parametrize(
    ("state", "count", "expected"),
    [
        ("20250816_172034", 10, 3),
        ("20250816_172439", 10, 3),
        ("20250816_173325", 13, 4),
        ("20250822_223404", 18, 5),
    ],
)
def test_the_known_phases_of_real_states_are_available(
    states: dict[str, dict[str, bytes]], state: str, count: int, expected: int
) -> None:
    documents: dict[str, object] = {"agents/tasks.json": states[state]["agents/tasks.json"]}
    first = ["performance_optimization/phase_1", "performance_optimization/phase_5", "table_audit_project/phase_1"]
    later = ["comprehensive_code_audit/phase_1", "database_migration_project/phase_1"]
    assert len(tasks_of(documents)) == count
    assert sorted(offered(documents)) == sorted([*first, *later][:expected])
    chosen = next_task(judged(tasks_of(documents))).task
    assert chosen is not None
    assert (chosen.project, chosen.id) == ("performance_optimization", "phase_1")


@pytest.mark.real_data
def test_the_known_tasks_of_the_last_real_state_are_available(states: dict[str, dict[str, bytes]]) -> None:
    agents = states["20250822_223404"]
    tasks = tasks_of({"agents/consolidated_tasks.json": agents["agents/consolidated_tasks.json"]})
    assert (len(tasks), len(names(tasks)), len(names(tasks, containers=True))) == (14, 8, 11)
    family = ("consolidated_tasks", "bugs", "roadmap", "recentissues")
    found = codes(tasks_of({f"agents/{name}.json": agents[f"agents/{name}.json"] for name in family}))
    assert found["FEAT-002"] == ["dep:unfinished"]
    assert found["BUG-006"] == []
    assert found["20250816_001"] == ["status:blocked"]


def task_master_versions() -> Iterator[bytes]:
    bundle = DATA / "taskmaster.bundle"
    if not bundle.exists():
        pytest.skip("the real history is not here")
    yield from _versions(bundle)


def _versions(bundle: Path) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "-q", "--bare", str(bundle), folder], check=True, capture_output=True)
        listed = subprocess.run(
            ["git", "-C", folder, "log", "--format=%H", "--", "tasks/tasks.json"], check=True, capture_output=True, text=True
        )
        for commit in listed.stdout.split():
            shown = subprocess.run(
                ["git", "-C", folder, "show", f"{commit}:tasks/tasks.json"], check=False, capture_output=True
            )
            if shown.returncode == 0:
                yield shown.stdout


@pytest.mark.slow
@pytest.mark.real_data
def test_every_version_of_a_real_task_file_gives_all_its_tasks() -> None:
    seen = 0
    for data in task_master_versions():
        try:
            value = json.loads(data)
        except ValueError:
            continue
        tasks = tasks_of({"tasks/tasks.json": data})
        assert len(tasks) == sum(1 + len(task.get("subtasks", ())) for task in value["tasks"])
        assert len({task.ref for task in tasks}) == len(tasks)
        missing = [reason for verdict in judged(tasks).verdicts for reason in verdict.reasons if reason.code == "dep:missing"]
        assert len(missing) < len(tasks) / 20
        seen += 1
    assert seen > 100
