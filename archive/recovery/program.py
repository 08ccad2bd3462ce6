"""Puts restore.py together: the one file by which a package is verified and restored, from the parts in assets/program.

Nothing is generated and nothing is compressed: whoever opens the file reads the parts one after the other, each with its
first words as a heading, below one list of all their imports.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from archive.recovery.assets import program as parts

PARTS = ("ground", "lists", "package", "doing", "main")  # each may import those before it

_WIDTH = 118


class _Part(NamedTuple):
    docstring: str
    imports: list[ast.Import | ast.ImportFrom]  # of the standard library
    body: str


@functools.cache
def restore_program() -> str:
    """Returns the text of restore.py; the docstring of the last part is that of the whole."""
    *others, main = [_part(name) for name in PARTS]
    sections = [f"{_heading(part.docstring)}\n\n\n{part.body}" for part in others]
    head = f'#!/usr/bin/env python3\n"""{main.docstring}\n"""\n'
    imports = _together(statement for part in (*others, main) for statement in part.imports)
    return "\n".join([head, "from __future__ import annotations", "", imports, "", "", "\n\n".join([*sections, main.body])])


def _heading(docstring: str) -> str:
    return f"# --- {docstring.partition('.')[0]} ".ljust(_WIDTH, "-")


def _part(name: str) -> _Part:
    text = (Path(parts.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    statements = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    after = max(node.end_lineno or 0 for node in statements)
    ours = ("__future__", parts.__name__)
    needed = [node for node in statements if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ours))]
    return _Part(ast.get_docstring(tree) or "", needed, "\n".join(text.splitlines()[after:]).strip("\n") + "\n")


def _together(statements: Iterable[ast.Import | ast.ImportFrom]) -> str:
    """Returns import statements sorted, each module once, the names taken out of one module on one line."""
    whole: set[str] = set()
    names: dict[str, set[str]] = {}
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            names.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
        else:
            whole.update(alias.name for alias in node.names)
    lines = [f"import {module}" for module in sorted(whole)]
    return "\n".join(lines + [f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)])
