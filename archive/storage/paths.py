r"""Writes the names of files as the database holds them, and reads them back.

In Python a path is a text in which bytes that are not UTF-8 stand as surrogate escapes. SQLite's TEXT cannot hold those:
there the path is shown with `\xNN` for each such byte, and a second column has the exact bytes.
"""

from __future__ import annotations

import os


def to_columns(path: str) -> tuple[str, bytes | None]:
    """Returns the columns `path` and `path_bytes` for a path."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        exact = os.fsencode(path)
        return exact.decode("utf-8", "backslashreplace"), exact
    return path, None


def to_text(path: str) -> str:
    """Returns the path as it is shown: the column `path`."""
    return to_columns(path)[0]


def to_key(path: str) -> str | bytes:
    """Returns what the unique index on documents holds: the exact bytes where there are any, else the text."""
    text, exact = to_columns(path)
    return text if exact is None else exact


def from_key(key: str | bytes) -> str:
    """Returns the path for what `to_key` gave."""
    return os.fsdecode(key) if isinstance(key, bytes) else key
