"""Creates archives and brings old ones up to date; the only place that runs DDL.

A migration, its record and everything it rewrites are one transaction. SQLite allows that for DDL too, once the driver
is kept from committing on its own (`connection.py`).
"""

from __future__ import annotations

import errno
import glob
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.errors import (
    ArchiveExists,
    ArchiveFull,
    ArchiveNotFound,
    ArchiveReadOnly,
    ArchiveTooNew,
    ArchiveTooOld,
    CorruptArchive,
    NotAnArchive,
)
from archive.storage.connection import DEFAULT_WAIT_S, Connection, Database, files_of, uri_of
from archive.storage.faults import translated

if TYPE_CHECKING:
    import sqlalchemy

# Of the newest migration; also `PRAGMA user_version` of the file.
SCHEMA = 4
APPLICATION_ID = 0x72417263


def create(path: Path) -> None:
    """Creates an empty archive, mode 0600, in a folder that is made with 0700 if it is missing.

    The archive is built beside its place and linked there whole: a reader sees none or a complete one.

    Raises:
        ArchiveExists: Something is there already; it was left alone.
    """
    with _no_system_errors(path):
        _create(path)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        raise ArchiveExists(f"{path} is there already", hint="Run 'archive backup' to add to it.", path=str(path))
    _remove_stale(path)
    scratch = path.with_name(f"{_scratch_prefix(path)}{os.getpid()}-{os.urandom(4).hex()}")
    try:
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        database = Database(scratch, writable=True)
        try:
            with database.writing() as connection:
                _run_migrations(connection)
            database.take_in_log()
        finally:
            database.close()
        _put_in_place(scratch, path)
    finally:
        for file in files_of(scratch):
            file.unlink(missing_ok=True)


@contextmanager
def _no_system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ArchiveFull(
                f"no room to make {path}", hint="Free some space on that disk (df -h).", path=str(path)
            ) from error
        raise ArchiveReadOnly(
            f"{path} cannot be made: {error.strerror}",
            hint="Check the permissions of its folder, or name another place with --db.",
            path=str(path),
        ) from error


def _put_in_place(scratch: Path, path: Path) -> None:
    try:
        os.link(scratch, path)  # unlike a rename, fails where another process was quicker
    except FileExistsError:
        raise ArchiveExists(f"{path} is there already", hint="Run 'archive backup' to add to it.") from None
    except OSError:
        # Some file systems know no links; there two that create the same archive at the same instant are not told apart.
        os.rename(scratch, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _scratch_prefix(path: Path) -> str:
    return f".{path.name[:100]}-new-"


def _remove_stale(path: Path) -> None:
    """Removes what processes left that were killed while they created this archive."""
    for file in path.parent.glob(f"{glob.escape(_scratch_prefix(path))}*"):
        number = file.name.removeprefix(_scratch_prefix(path)).partition("-")[0]
        if number.isdecimal() and not _is_running(int(number)):
            file.unlink(missing_ok=True)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True


def schema_of(path: Path, wait_s: float = DEFAULT_WAIT_S) -> int:
    """Returns the schema number of an archive.

    Raises:
        ArchiveNotFound: There is no such file.
        NotAnArchive: It is not an SQLite database, or not one of ours.
    """
    if not path.exists():
        raise ArchiveNotFound(
            f"there is no archive at {path}",
            hint="Run 'archive backup' to make one, or name another with --db.",
            path=str(path),
        )
    if not path.is_file():
        raise NotAnArchive(f"{path} is not a file", hint="Name the archive's file with --db.", path=str(path))
    with translated(path):
        connection = sqlite3.connect(uri_of(path, writable=False), uri=True, isolation_level=None, timeout=wait_s)
        try:
            application_id = connection.execute("PRAGMA application_id").fetchone()[0]
            schema: int = connection.execute("PRAGMA user_version").fetchone()[0]
        finally:
            connection.close()
    if application_id != APPLICATION_ID:
        raise NotAnArchive(
            f"{path} is an SQLite database of something else", hint="Name the archive's file with --db.", path=str(path)
        )
    return schema


def require_current(path: Path, wait_s: float = DEFAULT_WAIT_S) -> None:
    """Raises unless the archive has exactly the schema that this program reads and writes.

    Raises:
        ArchiveTooOld: `upgrade` brings it up to date.
        ArchiveTooNew: Only a newer program can read it.
    """
    schema = schema_of(path, wait_s)
    if schema < SCHEMA:
        raise ArchiveTooOld(
            f"{path} has schema {schema}, this program needs {SCHEMA}",
            hint="Run 'archive upgrade' (add --dry-run to see what it would do).",
            path=str(path),
            schema=schema,
        )
    if schema > SCHEMA:
        raise ArchiveTooNew(
            f"{path} has schema {schema}, this program knows up to {SCHEMA}",
            hint="Install a newer rengine-archive: pip install --upgrade rengine-archive.",
            path=str(path),
            schema=schema,
        )


def upgrade(path: Path, *, dry_run: bool = False, wait_s: float = DEFAULT_WAIT_S) -> tuple[int, int]:
    """Runs the migrations that the archive lacks, all of them or none; returns the schema before and after.

    With `dry_run` nothing is changed, and the second number is what the schema would be.
    """
    before = schema_of(path, wait_s)
    if before > SCHEMA:
        require_current(path)
    if before == SCHEMA or dry_run:
        return before, SCHEMA
    database = Database(path, writable=True, wait_s=wait_s)
    try:
        with database.writing() as connection:
            _run_migrations(connection)
    finally:
        database.close()
    after = schema_of(path, wait_s)
    if after != SCHEMA:
        raise CorruptArchive(
            f"{path} says it has schema {before}, and its own record says otherwise",
            hint="Somebody edited it; restore the file from a copy.",
            path=str(path),
        )
    return before, after


def migrations_folder() -> Path:
    """Returns where the migrations are: inside the installed package, or beside it in a checkout."""
    installed = Path(__file__).parents[1] / "_migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"


def make_index(connection: Connection) -> None:
    """Makes the full-text index, empty, as the migration did that brought it."""
    import runpy

    made = runpy.run_path(str(migrations_folder() / "versions" / "0002_items.py"))
    with _lent(connection) as lent:
        lent.exec_driver_sql(made["ITEMS_FTS"].strip())
        made["tune"](lent)


def _run_migrations(connection: Connection) -> None:
    # Alembic and SQLAlchemy take half a second to import; only creating and upgrading need them.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with _lent(connection) as lent:
        config.attributes["connection"] = lent
        command.upgrade(config, "head")


@contextmanager
def _lent(connection: Connection) -> Iterator[sqlalchemy.Connection]:
    """Gives the connection in the form in which migrations take it; the transaction that is open stays the caller's.

    Raises:
        sqlite3.Error: A statement failed; as from the connection itself.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://", creator=lambda: _Guarded(connection), poolclass=NullPool)
    try:
        with engine.begin() as lent:
            yield lent
    except DBAPIError as error:
        raise error.orig or error from None


class _Guarded:
    """Is a connection whose transaction can only be ended by whoever began it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """Leaves that to whoever began."""

    def rollback(self) -> None:
        """Leaves that to whoever began."""

    def close(self) -> None:
        """Leaves that to whoever opened it."""
