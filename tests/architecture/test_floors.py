"""The floors hold: import-linter's contracts notice what breaks them, and the lower floors do no I/O."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source_rules import ROOT, Finding, imported_roots, listed, sources

# Modules of the standard library that read or change something outside the program, or are not repeatable.
OUTSIDE = frozenset({
    "getpass", "glob", "http", "multiprocessing", "random", "select", "shutil", "signal", "socket", "sqlite3",
    "subprocess", "tempfile", "threading", "time", "urllib",
})  # fmt: skip
# Third-party modules that compute and do nothing else.
COMPUTING = frozenset({"orjson", "pathspec", "yaml", "zstandard"})

FLOORS = ("roof", "front door", "verbs", "edges", "folders", "pure middle", "values", "ground")


def floors() -> dict[str, set[str]]:
    """Returns the modules of each floor, as the layers contract has them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    return {name: set(re.findall(r"\w+", layer)) for name, layer in zip(FLOORS, layers, strict=True)}


def outside_imports(path: str, text: str, *, third_party: frozenset[str]) -> list[Finding]:
    """Finds imports that are neither ours, nor of the standard library's computing part, nor listed."""
    allowed = (sys.stdlib_module_names - OUTSIDE) | third_party | {"archive"}
    return [
        Finding(path, line, name, "this floor computes from its arguments alone")
        for name, line in imported_roots(text).items()
        if name not in allowed
    ]


def on_floor(path: str, modules: set[str]) -> bool:
    return Path(path).parts[1].removesuffix(".py") in modules


def test_the_pure_middle_does_no_io() -> None:
    found: list[Finding] = []
    for path, text in sources("archive"):
        if on_floor(path, floors()["pure middle"]):
            found += outside_imports(path, text, third_party=COMPUTING)
    assert listed(found) == ""


def test_values_and_errors_need_the_standard_library_alone() -> None:
    lower = floors()["ground"] | floors()["values"] - {"clock"}
    found: list[Finding] = []
    for path, text in sources("archive"):
        if on_floor(path, lower):
            found += outside_imports(path, text, third_party=frozenset())
    assert listed(found) == ""


@pytest.mark.parametrize("name", ["subprocess", "sqlite3", "sqlalchemy", "click", "time"])
def test_a_planted_import_of_something_outside_is_found(name: str) -> None:
    assert outside_imports("archive/diff.py", f"def f():\n    import {name}\n", third_party=COMPUTING)


# A line for a module, and the contract it breaks.
VIOLATIONS = [
    ("errors.py", "from archive.model.base import Value", "Imports point downward"),
    ("codec.py", "import sqlite3", "Only archive.storage knows the database"),
    ("backup.py", "import sqlalchemy.exc", "Only archive.storage knows the database"),
    ("storage/blobs.py", "from sqlalchemy import Connection", "Only archive.storage knows the database"),
    ("storage/connection.py", "import alembic", "Only archive.storage knows the database"),
    ("restore.py", "from rich import table", "Only archive.cli meets the terminal"),
    ("model/base.py", "import orjson", "Values and errors need the standard library alone"),
    ("a_module_on_no_floor.py", "", "Imports point downward"),
]


@pytest.mark.parametrize(("module", "line", "contract"), VIOLATIONS)
def test_import_linter_notices_a_planted_violation(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "archive", tmp_path / "archive", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "archive" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    # Wrapped at 80 columns.
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert re.search(rf"{contract}[^.]*? BROKEN", said), done.stdout
