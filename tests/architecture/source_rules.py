"""Finds what the house rules forbid in Python source; pure functions from a file's path and text to findings.

Names are followed through imports, so that `from time import time as now` is found like `time.time`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
# Faces, and programs of their own that are handed out as files.
ROOF = (
    "archive/cli/", "archive/datasette_plugin", "archive/json_backup_system.py", "archive/drop_in/",
    "archive/recovery/assets/",
)  # fmt: skip


class Finding(NamedTuple):
    """Says what stands where, and why it should not."""

    path: str
    line: int
    what: str
    reason: str


class Ban(NamedTuple):
    """Forbids names: dotted ones as they are after following imports, and methods of whatever they are called on."""

    reason: str
    where: tuple[str, ...]
    but: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        return path.startswith(self.where) and not path.startswith(self.but or ("\0",))


PRINTING = frozenset({"print", "input", "sys.stdout", "sys.stderr", "pprint.pprint"})
TIMES_OF_DAY = frozenset({
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "time.time",
    "time.time_ns", "time.localtime", "time.gmtime", "time.strftime",
})  # fmt: skip
DURATIONS = frozenset({"time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns"})
SURROUNDINGS = frozenset({
    "os.environ", "os.environb", "os.getenv", "os.getenvb", "os.path.expanduser", "os.path.expandvars",
    "pathlib.Path.home", "getpass.getuser",
})  # fmt: skip
LIBRARY = ("archive/", "migrations/")
BANS = (
    Ban("tables are made by migrations alone", LIBRARY, methods=frozenset({"create_all"})),
    Ban("executescript commits first, silently", LIBRARY, methods=frozenset({"executescript"})),
    Ban("the library never prints", LIBRARY, ROOF, PRINTING),
    Ban("the time is asked of the clock that was given", LIBRARY, ("archive/clock.py",), TIMES_OF_DAY),
    Ban("durations are measured by the clock that was given", LIBRARY, ("archive/clock.py", "archive/cli/"), DURATIONS),
    Ban(
        "the library never reads the environment or the home folder",
        LIBRARY,
        ("archive/cli/",),
        SURROUNDINGS,
        frozenset({"expanduser"}),
    ),
    Ban("what is here works", (*LIBRARY, "scripts/"), names=frozenset({"NotImplementedError"})),
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
BROAD = frozenset({"Exception", "BaseException"})


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Yields path and text of every Python file below the folders of the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def listed(found: list[Finding]) -> str:
    """Writes findings one a line, so that a failing test shows them all."""
    return "\n".join(f"{item.path}:{item.line}: {item.what} ({item.reason})" for item in found)


def oversized(path: str, text: str) -> list[Finding]:
    """Finds modules and functions that are too long to be one idea."""
    lines = text.count("\n")
    found = []
    if lines > MODULE_LINES_MAX:
        found.append(Finding(path, 1, f"module of {lines} lines", f"at most {MODULE_LINES_MAX}"))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                found.append(Finding(path, node.lineno, f"{node.name} of {lines} lines", f"at most {FUNCTION_LINES_MAX}"))
    return found


def banned(path: str, text: str) -> list[Finding]:
    """Finds names that are forbidden in this file."""
    bans = [ban for ban in BANS if ban.covers(path)]
    tree = ast.parse(text)
    imported = _imports(tree)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = _dotted(node, imported)
        method = node.attr if isinstance(node, ast.Attribute) else None
        found += [
            Finding(path, node.lineno, name or str(method), ban.reason)
            for ban in bans
            if name in ban.names or method in ban.methods
        ]
    return found


def swallowing(path: str, text: str) -> list[Finding]:
    """Finds handlers for every exception that neither raise nor look at what they caught, and `suppress(Exception)`."""
    reason = "an unexpected error is never dropped silently"
    tree = ast.parse(text)
    imported = _imports(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _is_handled(node):
            found.append(Finding(path, node.lineno, "except", reason))
        elif isinstance(node, ast.Call) and _dotted(node.func, imported) == "contextlib.suppress":
            found += [Finding(path, node.lineno, "suppress", reason) for argument in node.args if _is_broad(argument)]
    return found


def unfinished(path: str, text: str) -> list[Finding]:
    """Finds marks of work left undone, in code, comments and docstrings."""
    return [
        Finding(path, number, match[0], "work is finished or is an issue")
        for number, line in enumerate(text.splitlines(), 1)
        if (match := UNFINISHED.search(line))
    ]


def imported_roots(text: str) -> dict[str, int]:
    """Returns the top names of all modules that a file imports, anywhere in it, with a line each."""
    roots: dict[str, int] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        else:
            continue
        for name in names:
            roots.setdefault(name.split(".")[0], node.lineno)
    return roots


def _imports(tree: ast.Module) -> dict[str, str]:
    """Maps each name that an import binds to what it stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.expr, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return imported.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, imported)
        return base and f"{base}.{node.attr}"
    return None


def _is_broad(node: ast.expr | None) -> bool:
    if node is None:
        return True
    if isinstance(node, ast.Tuple):
        return any(_is_broad(member) for member in node.elts)
    return isinstance(node, ast.Name) and node.id in BROAD


def _is_handled(handler: ast.ExceptHandler) -> bool:
    inside = [node for statement in handler.body for node in ast.walk(statement)]
    used = any(isinstance(node, ast.Name) and handler.name and node.id == handler.name for node in inside)
    return used or any(isinstance(node, ast.Raise) for node in inside)
