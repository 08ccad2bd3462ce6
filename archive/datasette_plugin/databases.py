"""Tells which of Datasette's databases are archives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, NotAnArchive
from archive.storage.migrate import schema_of


def archives(datasette: Any) -> Iterator[tuple[str, Any]]:
    """Yields the names and databases that are archives, in Datasette's order."""
    for name, database in datasette.databases.items():
        if is_archive(database):
            yield name, database


def is_archive(database: Any) -> bool:
    """Whether a database of Datasette is a file that is an archive; asked for each cell of each table.

    The file itself is never opened here, for closing it would drop all locks that SQLite has on it in this process, and a
    backup would then take the log away from under whoever is reading.
    """
    path = getattr(database, "path", None)
    if not path:
        return False
    try:
        return _is_archive(str(path), os.stat(path).st_ino)
    except (ArchiveError, OSError):
        return False  # not now; asked again the next time


@lru_cache(maxsize=64)
def _is_archive(path: str, inode: int) -> bool:
    del inode  # tells one file from the next of that name
    try:
        schema_of(Path(path), wait_s=1)
    except NotAnArchive:
        return False
    return True
