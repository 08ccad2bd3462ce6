"""Turns SQLite's errors into the archive's own, each with what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from archive.errors import (
    ArchiveError,
    ArchiveFull,
    ArchiveLocked,
    ArchiveReadOnly,
    CorruptArchive,
    NotAnArchive,
)

# What reading a damaged file may raise.
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)

# How a size limit, a quota or a full disk shows where it is not SQLITE_FULL.
_NO_ROOM = ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMOPEN")

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raises the archive's own error in place of SQLite's."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:
        # Python cannot show SQLite's message about a damaged schema if the damage is in the message.
        raise damaged(str(path), str(error)) from error


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process has the lock."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def primary_code(error: Exception) -> int:
    """Returns SQLite's code for an error, or 0 where the error did not come from there."""
    # The low byte of an extended code is the primary one: SQLITE_IOERR_WRITE is 778, SQLITE_IOERR 10.
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def damaged(what: str, why: str) -> CorruptArchive:
    """Returns the error for stored data that is not what it should be."""
    return CorruptArchive(
        f"{what} is damaged: {why}",
        hint="Run 'archive check' to see what can still be read, and keep a copy of the file as it is.",
    )


def reads_rows(function: Callable[P, T]) -> Callable[P, T]:
    """Makes a function that turns rows into values raise `CorruptArchive` for rows that make no sense."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise damaged("a row", str(error)) from error

    return guarded


def translate(error: sqlite3.Error, path: Path) -> ArchiveError:
    """Returns the archive's own error for one of SQLite's."""
    primary = primary_code(error)
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    text = str(error)
    if is_busy(error):
        return ArchiveLocked(
            f"another process is writing to {path}",
            hint="Try again when it has finished, or wait longer with --wait SECONDS.",
            path=str(path),
        )
    # A file-size limit shows as a failed write, a full disk as SQLITE_FULL, or as a failed write of the log.
    if primary == sqlite3.SQLITE_FULL or name in _NO_ROOM:
        return ArchiveFull(
            f"no room to write to {path}: {text}",
            hint="Nothing was changed. Free some space on that disk (df -h) and run the command again.",
            path=str(path),
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) or (primary == sqlite3.SQLITE_CANTOPEN and path.exists()):
        return ArchiveReadOnly(
            f"{path} cannot be {'opened' if primary == sqlite3.SQLITE_CANTOPEN else 'written to'}: {text}",
            hint="Check the permissions of the file and of its folder, or copy the archive to where you may read and write.",
            path=str(path),
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return NotAnArchive(
            f"{path} is not an SQLite database",
            hint="Name the archive's file with --db, or restore it from a copy.",
            path=str(path),
        )
    if primary == sqlite3.SQLITE_CORRUPT or text.startswith("Could not decode to UTF-8"):
        return damaged(str(path), text)
    return ArchiveError(
        f"SQLite failed on {path}: {text} ({name})",
        hint="Run 'archive check' to see whether the archive is sound.",
        path=str(path),
    )
