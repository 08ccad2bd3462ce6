"""The documented usage, word for word, in a project of its own and in every state of a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_tree
from tests.drop_in.conftest import NAMES, core

REPOSITORY = Path(__file__).resolve().parents[2]

USAGE = """\
from json_backup_system import backup_json_files
m = backup_json_files()
print(f"Backup completed: {len(m['files_backed_up'])} files backed up")

from json_backup_system import restore_from_backup
restore_from_backup()
restore_from_backup(m["backup_timestamp"])

from json_backup_system import load_json_memory_fallback
memory = load_json_memory_fallback()
print(sorted(memory))

from json_backup_system import get_available_tasks_from_json
tasks = get_available_tasks_from_json()
print(tasks["summary"])
print(len(tasks["available_tasks"]))

from json_backup_system import search_json_memory
for result in search_json_memory("filter chips"):
    print(result["type"], result["location"], result["content"], result["relevance"])

from json_backup_system import create_emergency_recovery_package
print(create_emergency_recovery_package())
"""
CATEGORIES = [
    *("agents", "decisions", "errors", "functions", "issues", "memory", "performance", "preferences", "provenance"),
    *("source", "structure", "styles", "tasks", "timestamp", "variables"),
]


def run(folder: Path, *arguments: str) -> list[str]:
    """Runs Python with the module at hand and nothing printed to the error stream."""
    paths = f"{REPOSITORY}:{REPOSITORY / 'archive/drop_in'}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_documented_usage_works_word_for_word(tmp_path: Path) -> None:
    write_tree(tmp_path, core())
    out = run(tmp_path, "-c", USAGE)
    assert out[:4] == [
        "Backup completed: 14 files backed up",
        str(CATEGORIES),
        "{'total_projects': 1, 'pending_phases': 2, 'in_progress_phases': 1, 'completed_phases': 1}",
        "1",
    ]
    assert out[4].startswith("docs docs/roadmap.md#L")
    assert (tmp_path / out[-1] / "restore.py").is_file()
    report = run(tmp_path, "-m", "json_backup_system")
    assert report[1:] == [
        "files: 14 of 17 exist",
        f"backups: 1 in backups/agents_json/archive.db, the last one {report[2].split()[-1]}",
        "memory: 12 of 12 documents whole",
        "tasks: 1 available, 2 pending",
    ]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", NAMES)
def test_the_documented_usage_works_word_for_word_in_a_real_project(name: str, states: Path, tmp_path: Path) -> None:
    shutil.copytree(states / name, tmp_path / name)
    out = run(tmp_path / name, "-c", USAGE)
    assert out[0].startswith("Backup completed: 1")
    assert out[1] == str(CATEGORIES)
    assert int(out[3]) == {"20250816_172034": 3, "20250816_172439": 3, "20250816_173325": 4, "20250816_182517": 4}.get(name, 5)
    assert (tmp_path / name / out[-1] / "restore.py").is_file()


def test_the_report_of_an_empty_folder_writes_nothing(tmp_path: Path) -> None:
    out = run(tmp_path, "-m", "json_backup_system")
    assert out[1:] == [
        "files: 0 of 17 exist",
        f"backups: there is no archive at {tmp_path}/backups/agents_json/archive.db",
        "memory: 0 of 0 documents whole",
        "tasks: 0 available, 0 pending",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_report_says_what_is_damaged_and_fails(tmp_path: Path) -> None:
    write_tree(tmp_path, core() | {"agents/styles.json": b"{"})
    paths = f"{REPOSITORY}:{REPOSITORY / 'archive/drop_in'}"
    done = subprocess.run(
        [sys.executable, "-m", "json_backup_system"],
        cwd=tmp_path, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "  agents/styles.json: torn: ends inside an object that starts at line 1 column 1" in done.stdout
    assert "memory: 11 of 12 documents whole" in done.stdout
