"""The program `sqlite-utils` has the SQL functions as soon as the project is installed beside it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.sql.sample import FIRST, STATES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the project is not installed for the interpreter that runs the tests, its entry points are laid beside it."""
    paths = [str(ROOT)]
    if not importlib.metadata.entry_points(group="sqlite_utils", name="archive"):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        folder = tmp_path_factory.mktemp("site")
        said = folder / "rengine_archive-1.dist-info"
        said.mkdir()
        (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1\n")
        points = project["entry-points"]["sqlite_utils"]
        (said / "entry_points.txt").write_text("\n".join(["[sqlite_utils]", *(f"{k} = {v}" for k, v in points.items())]))
        paths.append(str(folder))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "LANG": "C.UTF-8"}


def sqlite_utils(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sqlite_utils", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_lists_the_plugin(environment: dict[str, str]) -> None:
    (plugin,) = (each for each in json.loads(sqlite_utils(environment, "plugins")) if each["name"] == "rengine-archive")
    assert plugin["hooks"] == ["prepare_connection"]


def test_its_statements_may_use_every_function(environment: dict[str, str], sample: Path) -> None:
    statement = """
        SELECT archive_at('latest') AS n, archive_content(version_id) AS content,
          archive_json(version_id, '/tasks/0/title') AS title,
          archive_diff(version_id, version_id + 1) IS NOT NULL AS has_diff
        FROM document_history WHERE path = 'agents/tasks.json' AND version = 1"""
    (row,) = json.loads(sqlite_utils(environment, "query", str(sample), statement))
    assert row["n"] == len(STATES)
    assert row["content"] == FIRST["agents/tasks.json"].decode()
    assert (row["title"], row["has_diff"]) == ("draw the map", 1)


def test_it_searches_the_items_as_it_searches_any_table(environment: dict[str, str], sample: Path) -> None:
    found = json.loads(sqlite_utils(environment, "search", str(sample), "items", "lighthouse", "--column", "title", "--quote"))
    assert len(found) >= 4


def test_the_functions_fail_in_other_databases_and_nothing_else_does(environment: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    sqlite_utils(environment, "create-table", str(other), "things", "name", "text")
    assert json.loads(sqlite_utils(environment, "query", str(other), "SELECT count(*) AS n FROM things")) == [{"n": 0}]
    with pytest.raises(AssertionError, match="Error"):
        sqlite_utils(environment, "query", str(other), "SELECT archive_at('latest')")
