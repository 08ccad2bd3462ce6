from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.errors import ArchiveNotFound, SnapshotNotFound, TargetFailed, UsageError
from tests.conftest import read_stats, read_tree, write_tree
from tests.drop_in.conftest import NAMES, TASKS, core


def own(project: Path) -> dict[str, bytes]:
    """Returns the project's files without the backups."""
    return {path: data for path, data in read_tree(project).items() if not path.startswith("backups/")}


def test_the_module_has_the_documented_names_and_settings(module: Any) -> None:
    assert module.AGENTS_DIR == "agents"
    assert module.BACKUP_DIR == "backups/agents_json"
    assert [Path(path).stem for path in module.CORE_JSON_FILES] == [
        *("agents", "decisions", "errors", "functions", "memory", "performance", "preferences", "recentissues", "structure"),
        *("styles", "tasks", "variables"),
    ]
    assert all(path == f"agents/{Path(path).name}" for path in module.CORE_JSON_FILES)
    assert module.CRITICAL_FILES == [
        "agents/unified-workflow.md",
        "agents/notes/naming-guidelines.md",
        "agents/notes/consolidated-development-guide.md",
        "docs/roadmap.md",
        "docs/changelog.md",
    ]


def test_the_folder_of_the_backups_is_made(module: Any, project: Path) -> None:
    assert module.ensure_backup_dir() == module.ensure_backup_dir() == "backups/agents_json"
    assert (project / "backups/agents_json").is_dir()


@pytest.mark.parametrize("call", ["ensure_backup_dir", "backup_json_files", "create_emergency_recovery_package"])
def test_a_file_where_the_backups_should_be_is_named_and_left_alone(module: Any, project: Path, call: str) -> None:
    (project / "backups").write_text("mine")
    with pytest.raises(UsageError, match="it is no folder"):
        getattr(module, call)()
    assert (project / "backups").read_text() == "mine"


def test_a_current_folder_that_is_gone_is_said_to_be(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="the current folder is gone"):
        module.backup_json_files()
    assert module.main() == 1
    assert "the current folder is gone" in capsys.readouterr().out


def test_a_backup_lists_what_it_holds(module: Any, project: Path) -> None:
    first = module.backup_json_files()
    assert set(first) == {
        *("backup_timestamp", "backup_version", "files_backed_up", "backup_location", "snapshot", "problems", "missing"),
    }
    assert first["backup_timestamp"] == first["snapshot"]["label"]
    assert first["backup_location"] == "backups/agents_json"
    assert {
        "source": "docs/roadmap.md",
        "size": len(core()["docs/roadmap.md"]),
        "type": "document",
        "status": "added",
    } in first["files_backed_up"]
    assert first["missing"] == [
        *("agents/notes/naming-guidelines.md", "agents/notes/consolidated-development-guide.md", "docs/changelog.md"),
    ]
    assert (first["problems"], len(first["files_backed_up"])) == ([], 14)
    (project / "agents/styles.json").write_bytes(b'{"name": ')
    os.utime(project / "agents/errors.json", (5, 5))
    second = module.backup_json_files()
    status = {each["source"]: each["status"] for each in second["files_backed_up"]}
    assert status.pop("agents/styles.json") == "changed"
    assert status.pop("agents/errors.json") == "touched"
    assert set(status.values()) == {"unchanged"}
    assert [problem["kind"] for problem in second["problems"]] == ["invalid", "suspicious"]
    assert json.dumps(second)


def test_only_the_listed_files_are_backed_up(module: Any, project: Path) -> None:
    write_tree(
        project, core() | {"agents/other.json": b"1", "node_modules/agents/tasks.json": b"2", "x/agents/tasks.json": b"3"}
    )
    found = {each["source"] for each in module.backup_json_files()["files_backed_up"]}
    assert found == set(core())


def test_a_restore_brings_documents_back_too_byte_for_byte(module: Any, project: Path) -> None:
    before, stats = own(project), read_stats(project)
    first = module.backup_json_files()
    shutil.rmtree(project / "agents")
    (project / "agents").mkdir()
    for path, content in {"agents/tasks.json": b"{", "docs/roadmap.md": b"x", "docs/changelog.md": b"later"}.items():
        (project / path).write_bytes(content)
    found = module.restore_from_backup(first["backup_timestamp"])
    assert {path: data for path, data in own(project).items() if path != "docs/changelog.md"} == before
    assert {path: each for path, each in read_stats(project).items() if path in before} == stats
    assert found["restored_timestamp"] == first["backup_timestamp"]
    assert found["files_restored"] == sorted(before)
    assert found["files_left"] == ["docs/changelog.md"]
    assert (project / "docs/changelog.md").read_bytes() == b"later"
    again = module.restore_from_backup(found["safety_timestamp"])
    assert again["files_restored"]
    assert (project / "agents/tasks.json").read_bytes() == b"{"


def test_the_last_backup_is_never_the_state_before_a_restore(module: Any, project: Path) -> None:
    before = own(project)
    module.backup_json_files()
    (project / "agents/tasks.json").write_bytes(b"broken")
    for _ in range(2):
        module.restore_from_backup()
        assert own(project) == before


def test_an_unknown_timestamp_names_the_nearest_and_touches_nothing(module: Any, project: Path) -> None:
    label = module.backup_json_files()["backup_timestamp"]
    (project / "agents/tasks.json").write_bytes(b"changed")
    before = own(project)
    with pytest.raises(SnapshotNotFound, match=rf"20230401_120000; nearest: {label}"):
        module.restore_from_backup("20230401_120000")
    assert own(project) == before


@pytest.mark.parametrize("timestamp", ["", " ", "nonsense", "20230401_12:00:00", 0, 20230401])
def test_whatever_is_no_timestamp_names_the_nearest_too(module: Any, project: Path, timestamp: Any) -> None:
    label = module.backup_json_files()["backup_timestamp"]
    with pytest.raises(SnapshotNotFound, match=label):
        module.restore_from_backup(timestamp)


@pytest.mark.parametrize("blocked", ["agents/memory.json", "agents"])
def test_a_restore_that_cannot_place_a_file_touches_nothing_and_names_it(module: Any, project: Path, blocked: str) -> None:
    label = module.backup_json_files()["backup_timestamp"]
    (project / "agents/tasks.json").write_bytes(b"{}")
    if blocked == "agents":
        shutil.rmtree(project / "agents")
        (project / "agents").write_bytes(b"a file")
    else:
        (project / blocked).unlink()
        (project / blocked).mkdir()
        (project / blocked / "inside").touch()

    def stats() -> dict[str, tuple[int, int]]:
        return {path: stat for path, stat in read_stats(project).items() if not path.startswith("backups/")}

    before = stats()
    with pytest.raises(TargetFailed, match=r"agents/memory\.json: "):
        module.restore_from_backup(label)
    assert stats() == before


def test_a_listed_file_behind_a_link_is_a_problem_and_not_missing(module: Any, project: Path) -> None:
    (project / "agents").rename(project / "elsewhere")
    (project / "agents").symlink_to("elsewhere")
    made = module.backup_json_files()
    (problem,) = [each for each in made["problems"] if each["path"] == "agents/tasks.json"]
    assert (problem["kind"], "symbolic link agents" in problem["message"]) == ("symlink", True)
    assert "agents/tasks.json" not in made["missing"]


def test_without_a_backup_there_is_nothing_to_restore(module: Any, project: Path) -> None:
    with pytest.raises(ArchiveNotFound):
        module.restore_from_backup()
    assert not (project / "backups").exists()


def test_a_project_that_was_moved_is_restored_where_it_is_now(
    module: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own(project)
    module.backup_json_files()
    moved = project.with_name("moved")
    shutil.copytree(project, moved)
    monkeypatch.chdir(moved)
    (moved / "agents/tasks.json").write_bytes(b"only here")
    (project / "agents/tasks.json").write_bytes(b"only there")
    found = module.restore_from_backup()
    assert own(moved) == before
    assert (project / "agents/tasks.json").read_bytes() == b"only there"
    module.restore_from_backup("latest")
    assert (moved / "agents/tasks.json").read_bytes() == b"only here"
    assert found["problems"] == []


def test_the_memory_is_what_the_files_say(module: Any, project: Path) -> None:
    memory = module.load_json_memory_fallback()
    assert memory["source"] == "files"
    assert memory["tasks"] == TASKS
    assert memory["issues"]["name"] == "recentissues"
    assert {each["source"] for each in memory["provenance"].values()} == {"files"}
    assert not (project / "backups").exists()


def test_a_broken_file_is_replaced_by_its_last_good_version_and_never_silently(module: Any, project: Path) -> None:
    module.backup_json_files()
    (project / "agents/tasks.json").write_bytes(b'{"active_projects": {')
    (project / "agents/styles.json").unlink()
    memory = module.load_json_memory_fallback()
    assert (memory["source"], memory["tasks"], memory["styles"]["name"]) == ("archive and files", TASKS, "styles")
    assert memory["provenance"]["tasks"]["troubles"][0]["kind"] == "torn"
    assert memory["provenance"]["styles"]["troubles"][0]["kind"] == "missing"
    assert module.get_available_tasks_from_json()["summary"]["total_projects"] == 1


def test_what_is_nowhere_is_an_empty_dict_and_said_to_be(module: Any, project: Path) -> None:
    write_tree(project, {"agents/styles.json": b"{"})
    memory = module.load_json_memory_fallback()
    assert memory["tasks"] == memory["styles"] == {}
    assert memory["provenance"]["tasks"]["troubles"][0]["kind"] == "missing"
    assert memory["provenance"]["styles"]["troubles"][0]["kind"] == "torn"


def test_a_damaged_archive_does_not_keep_the_files_away(module: Any, project: Path) -> None:
    path = Path(module.ensure_backup_dir()) / "archive.db"
    path.write_bytes(b"no database" * 100)
    assert module.load_json_memory_fallback()["tasks"] == TASKS
    path.unlink()


def test_tasks_are_counted_by_what_their_status_means_and_offered_by_their_dependencies(module: Any, project: Path) -> None:
    found = module.get_available_tasks_from_json()
    assert found["active_projects"] == TASKS["active_projects"]
    assert found["task_templates"] == TASKS["task_templates"]
    assert found["summary"] == {"total_projects": 1, "pending_phases": 2, "in_progress_phases": 1, "completed_phases": 1}
    assert [(task["project"], task["id"], task["title"]) for task in found["available_tasks"]] == [
        ("garden", "phase_2", "Plant")
    ]
    assert json.dumps(found)


@pytest.mark.parametrize("content", [b"[]", b'{"active_projects": 7}', b'{"active_projects": {"a": []}}', b"null"])
def test_a_task_file_of_another_shape_has_no_projects(module: Any, project: Path, content: bytes) -> None:
    (project / "agents/tasks.json").write_bytes(content)
    assert module.get_available_tasks_from_json()["available_tasks"] == []


def test_a_search_finds_what_is_there_now(module: Any, project: Path) -> None:
    (project / "agents/decisions.json").write_text(
        json.dumps({"rules": [{"id": "r1", "why": "filter chips keep their color"}]})
    )
    (first, *others) = module.search_json_memory("filter chips color")
    assert set(first) == {"type", "location", "content", "relevance"}
    assert (first["type"], first["location"]) == ("decisions", "agents/decisions.json#/rules/0")
    assert "filter chips keep their color" in first["content"]
    assert others == []
    (project / "agents/decisions.json").write_text("{}")
    assert [hit["type"] for hit in module.search_json_memory("filter chips color")] == ["docs"]
    assert module.search_json_memory("color") == []
    assert module.search_json_memory("") == []


def test_the_emergency_package_is_in_the_folder_of_the_backups(module: Any, project: Path) -> None:
    path = Path(module.create_emergency_recovery_package())
    assert path.parent == project / "backups/agents_json" or path.parent == Path("backups/agents_json")
    assert {data.relative_to(path / "files").as_posix() for data in (path / "files").rglob("*") if data.is_file()} == set(
        core()
    )


def test_settings_may_be_changed_at_run_time(module: Any, project: Path) -> None:
    (project / "agents").rename(project / "rAgents")
    (project / "notes [1].json").write_text('{"x": 1}')
    (project / "docs/CHANGELOG.md").write_text("# Changes\n")
    module.AGENTS_DIR = "rAgents"
    module.BACKUP_DIR = "safe"
    module.CORE_JSON_FILES.append("./notes [1].json")
    found = [each["source"] for each in module.backup_json_files()["files_backed_up"]]
    assert "rAgents/tasks.json" in found
    assert "rAgents/unified-workflow.md" in found
    assert "notes [1].json" in found
    assert "docs/CHANGELOG.md" in found
    assert module.load_json_memory_fallback()["tasks"] == TASKS
    assert (project / "safe/archive.db").is_file()


@pytest.mark.parametrize("path", ["../elsewhere.json", "/etc/passwd", ".", ".."])
def test_settings_that_lead_out_of_the_project_are_refused(module: Any, project: Path, path: str) -> None:
    module.CORE_JSON_FILES.append(path)
    with pytest.raises(UsageError, match="is not below the current directory"):
        module.backup_json_files()


def test_the_archive_is_one_like_any_other(module: Any, project: Path) -> None:
    label = module.backup_json_files()["backup_timestamp"]
    with Archive.open("backups/agents_json/archive.db") as archive:
        assert archive.read("agents/tasks.json", at=label) == core()["agents/tasks.json"]


@pytest.mark.slow
@pytest.mark.real_data
def test_each_real_state_comes_back_byte_for_byte(module: Any, states: Path, project: Path) -> None:
    labels: dict[str, Any] = {}
    for name in NAMES:
        shutil.rmtree(project / "agents", ignore_errors=True)
        shutil.rmtree(project / "docs", ignore_errors=True)
        shutil.copytree(states / name, project, dirs_exist_ok=True)
        labels[name] = module.backup_json_files()
    for name, backup in labels.items():
        module.restore_from_backup(backup["backup_timestamp"])
        for each in backup["files_backed_up"]:
            assert (project / each["source"]).read_bytes() == (states / name / each["source"]).read_bytes()
    memory = module.load_json_memory_fallback()
    # From the fourth state on, structure.json cannot be parsed.
    assert memory["provenance"]["structure"]["source"] == "archive"
    assert memory["structure"] == json.loads((states / NAMES[2] / "agents/structure.json").read_bytes())
