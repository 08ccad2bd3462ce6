"""Tells which of Datasette's databases are archives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from archive.api import Archive
from archive.errors import ArchiveError, NotAnArchive
from archive.extract.secrets import SecretRules
from archive.storage.connection import files_of
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


def secret_rules(database: Any) -> SecretRules:
    """Returns what is masked where values of an archive are shown; asked for each cell of each table."""
    path = Path(str(database.path))
    try:
        return _secret_rules(path, *(_time_of(file) for file in files_of(path)[:2]))
    except (ArchiveError, OSError):
        return SecretRules()  # not to be known now; the usual rules hold all the same


@lru_cache(maxsize=64)
def _secret_rules(path: Path, *times: int) -> SecretRules:
    del times  # of the last writes: a backup may have brought other rules
    with Archive.open(path, wait_s=1) as archive:
        return archive.secret_rules()


def _time_of(file: Path) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=64)
def _is_archive(path: str, inode: int) -> bool:
    del inode  # tells one file from the next of that name
    try:
        schema_of(Path(path), wait_s=1)
    except NotAnArchive:
        return False
    return True
