"""The module that is dropped in, in a project of its own, and the real states of one, where they are at hand."""

from __future__ import annotations

import importlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import assert_sound, write_tree

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
STATES = DATA / "rengine-agents.tar.xz"
NAMES = ("20250816_172034", "20250816_172439", "20250816_173325", "20250816_182517", "20250818_000551", "20250822_223404")

TASKS: dict[str, Any] = {
    "metadata": {"version": "1.0.0"},
    "active_projects": {
        "garden": {
            "title": "Garden",
            "status": "active",
            "phases": {
                "phase_1": {"title": "Dig", "agent": "aino", "status": "complete", "priority": "high", "dependencies": []},
                "phase_2": {"title": "Plant", "status": "waiting", "priority": "high", "dependencies": ["phase_1"]},
                "phase_3": {"title": "Harvest", "status": "pending", "priority": "low", "dependencies": ["phase_2"]},
                "phase_4": {"title": "Fence", "status": "in_progress", "priority": "medium", "dependencies": []},
            },
        }
    },
    "task_templates": {"bug_fix": {"template_id": "bug_fix", "phases": ["Reproduce", "Mend"]}},
}


def core(**contents: object) -> dict[str, bytes]:
    """Returns a project with all core files and two documents, some of them with this content."""
    names = ("agents", "decisions", "errors", "functions", "memory", "performance", "preferences", "recentissues")
    files: dict[str, object] = {name: {"name": name, "values": list(range(8))} for name in (*names, "structure", "styles")}
    files |= {"variables": {"a": 1}, "tasks": TASKS}
    tree = {f"agents/{name}.json": json.dumps(contents.get(name, value), indent=2).encode() for name, value in files.items()}
    return tree | {"agents/unified-workflow.md": b"# Workflow\n", "docs/roadmap.md": b"# Roadmap\r\n\r\n- the filter chips\n"}


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """The module as a fresh import gives it, so that settings changed by a test are its own."""
    sys.modules.pop("json_backup_system", None)
    yield importlib.import_module("json_backup_system")
    sys.modules.pop("json_backup_system", None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, a project with all its files; its archive is checked when the test ends."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_tree(folder, core())
    monkeypatch.chdir(folder)
    yield folder
    for path in folder.rglob("archive.db"):
        if "recovery" not in str(path.relative_to(folder)):
            assert_sound(path)


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the six dated states of a real project."""
    if not STATES.exists():
        pytest.skip(f"{STATES.name} is not beside the repository")
    folder = tmp_path_factory.mktemp("states")
    with tarfile.open(STATES) as file:
        file.extractall(folder, filter="data")
    return next(folder.rglob(NAMES[0])).parent
