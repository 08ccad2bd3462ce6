"""The public library fits on one screen and is what it says it is."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import archive
from archive import Archive
from archive.errors import ArchiveError

SURFACE = {
    "Archive",
    "ArchiveError",
    "CheckDepth",
    "Clock",
    "MemoryServer",
    "MemorySettings",
    "Overwrite",
    "Rules",
    "SystemClock",
    "TaskFilter",
    "__version__",
}
METHODS = {
    "available_tasks",
    "backup",
    "changed_tasks",
    "check",
    "close",
    "count_waiting",
    "create",
    "diff",
    "documents",
    "explain_task",
    "history",
    "index",
    "item_history",
    "load_memory",
    "next_task",
    "open",
    "plan_restore",
    "plan_undo",
    "problems",
    "read",
    "read_value",
    "recovery_package",
    "reindex",
    "restore",
    "one_moment",
    "schema",
    "search",
    "secret_rules",
    "sql",
    "snapshot",
    "snapshots",
    "sources",
    "stats",
    "task_burndown",
    "task_graph",
    "task_history",
    "tasks",
    "upgrade",
}


def test_the_public_names_are_these_and_each_can_be_imported() -> None:
    assert set(archive.__all__) == SURFACE
    assert all(getattr(archive, name) is not None for name in SURFACE)


def test_the_methods_of_an_archive_are_these() -> None:
    assert {name for name in dir(Archive) if not name.startswith("_")} == METHODS


def test_every_public_method_says_what_it_does_and_takes_options_by_name() -> None:
    positional_pair = {"diff": 2, "item_history": 2, "read_value": 2, "sql": 2}
    for name in METHODS:
        method = getattr(Archive, name)
        assert inspect.getdoc(method), name
        kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
        positional = sum(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)
        # `self` is there where the method is looked up on the class and not bound.
        is_bound = inspect.ismethod(method) or isinstance(inspect.getattr_static(Archive, name), staticmethod)
        assert positional - (not is_bound) <= positional_pair.get(name, 1), name


def test_every_error_has_a_code_of_its_own_and_a_documented_exit_code() -> None:
    def below(error: type[ArchiveError]) -> list[type[ArchiveError]]:
        return [error, *(each for child in error.__subclasses__() for each in below(child))]

    errors = [error for error in below(ArchiveError) if error.__module__ == "archive.errors"]
    codes = [error.code for error in errors]
    assert len(set(codes)) == len(codes)
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert {error.exit_code for error in errors} == {1, 2, 10, 11, 12, 13}
    said = re.search(r"Exit codes: (.*?)\.\n", readme, re.DOTALL)
    assert said is not None
    assert {int(part.split()[0]) for part in said[1].split("·")} == {0, 3} | {error.exit_code for error in errors}
    assert all(error.__doc__ for error in errors)


def test_the_version_is_the_same_everywhere() -> None:
    root = Path(__file__).parents[2]
    written = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in written["project"]["dynamic"]
    assert written["tool"]["hatch"]["version"] == {"path": "archive/__init__.py"}
    assert f"## {archive.__version__}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
