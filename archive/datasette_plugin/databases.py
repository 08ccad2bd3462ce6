"""Tells which of Datasette's databases are archives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archive.storage.migrate import APPLICATION_ID

# Where SQLite keeps the application id in a file: four bytes, big end first.
_OFFSET = 68


def archives(datasette: Any) -> Iterator[tuple[str, Any]]:
    """Yields the names and databases that are archives, in Datasette's order."""
    for name, database in datasette.databases.items():
        if is_archive(database):
            yield name, database


def is_archive(database: Any) -> bool:
    """Whether a database of Datasette is a file that is an archive."""
    path = getattr(database, "path", None)
    if not path:
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(_OFFSET + 4)
    except OSError:
        return False
    return head[:16] == b"SQLite format 3\0" and int.from_bytes(head[_OFFSET:], "big") == APPLICATION_ID
