"""Adapters of third parties: the documented one, really installed, reads documents of a real archive."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from archive import Archive
from tests.cli.conftest import program_environment

FORMAT = Path(__file__).parents[2] / "archive" / "FORMAT.md"
PLAN = '{"plan": [{"id": "a", "what": "Think", "state": "Done"}, {"id": "b", "what": "Act", "state": "To Do"}]}'


def documented() -> tuple[str, str]:
    """Returns the module and the lines of pyproject.toml that the page shows."""
    page = FORMAT.read_text(encoding="utf-8").partition("### Adapters of others")[2]
    module = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    project = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert module is not None
    assert project is not None
    return module[1], project[1]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder in which a package with the documented adapter is installed, as pip would have left it."""
    folder = tmp_path / "site"
    module, project = documented()
    name, value = re.findall(r'^(\w+) = "(.+)"$', project, re.MULTILINE)[-1]
    (folder / "my_package").mkdir(parents=True)
    (folder / "my_package/__init__.py").touch()
    (folder / "my_package/plan.py").write_text(module)
    facts = folder / "my_package-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[archive.task_adapters]\n{name} = {value}\n")
    return folder


def run(*arguments: str, site: Path | None = None) -> str:
    environment = program_environment()
    if site is not None:
        environment["PYTHONPATH"] += f":{site}"
    done = subprocess.run(
        [sys.executable, "-m", "archive", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_documented_adapter_reads_tasks_once_it_is_installed(root: Path, db_path: Path, site: Path) -> None:
    (root / "plan.json").write_text(PLAN)
    run("backup", str(root), "--db", str(db_path), site=site)
    assert "Act" in run("tasks", "--available", "--db", str(db_path), site=site)
    # What was read stays readable where the package is not installed.
    assert "Act" in run("tasks", "--available", "--db", str(db_path))
    with Archive.open(db_path) as archive:
        (task,) = archive.available_tasks().tasks
        assert (task.id, task.scope, task.pointer) == ("b", "plan.json", "/plan/1")
        rows = archive._database.raw.execute("SELECT DISTINCT adapter FROM tasks").fetchall()
    assert rows == [("plan",)]


def test_an_adapter_that_came_later_is_told_until_everything_is_indexed_again(root: Path, db_path: Path, site: Path) -> None:
    (root / "plan.json").write_text(PLAN)
    run("backup", str(root), "--db", str(db_path))
    assert "0 available" in run("tasks", "--available", "--db", str(db_path))
    assert "adapter plan is new" in run("tasks", "--db", str(db_path), site=site)


@pytest.mark.slow
def test_an_adapter_that_fails_hides_nothing_and_is_told(root: Path, db_path: Path, site: Path) -> None:
    plan = site / "my_package/plan.py"
    plan.write_text(plan.read_text().replace("yield TaskDraft", "raise ValueError('no')\n            yield TaskDraft"))
    (root / "plan.json").write_text(PLAN)
    (root / "todo.txt").write_text("Call\n")
    run("backup", str(root), "--db", str(db_path), site=site)
    said = run("tasks", "--db", str(db_path), site=site)
    assert "Call" in said
    assert "adapter plan failed: ValueError: no" in said


@pytest.mark.slow
def test_an_adapter_that_gives_what_cannot_be_stored_is_told_too(root: Path, db_path: Path, site: Path) -> None:
    plan = site / "my_package/plan.py"
    plan.write_text(plan.read_text().replace('title=step["what"]', "title=None"))
    (root / "plan.json").write_text(PLAN)
    run("backup", str(root), "--db", str(db_path), site=site)
    assert "title is no text but NoneType" in run("tasks", "--db", str(db_path), site=site)
