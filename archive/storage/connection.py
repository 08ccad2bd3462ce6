"""Opens the database and holds all rules about connections and transactions, one small function for each rule.

Only `Database.reading` and `Database.writing` give out connections. Both are transactions: what a block reads is one
moment of the archive, and what it writes happens as a whole or not at all.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as Connection  # noqa: PLC0414 (part of what this module offers)
from typing import Any
from urllib.parse import quote

from archive.errors import ArchiveFull, ArchiveReadOnly, UsageError
from archive.storage.faults import is_busy, translated

# How long a writer waits for another one [s]. A backup holds the lock for as long as it runs.
DEFAULT_WAIT_S = 30.0
_MOMENT_S = 0.2
# How long for what can as well be left out [s].
NOTE_WAIT_S = 2.0
# [KiB] Enough that the B-tree pages of 100,000 documents stay in memory; contents stream through.
CACHE_KIB = 16 * 1024
# Documents of some ten kilobytes take fewer pages, and a tenth less time to store, than with SQLite's usual 4,096.
PAGE_BYTES = 8192


class Database:
    """Is one open archive file.

    Not to be shared between threads, and one transaction at a time: both are refused. A forked process must open its own.
    """

    def __init__(self, path: Path, *, writable: bool, wait_s: float = DEFAULT_WAIT_S) -> None:
        self.path = path
        self.writable = writable
        self._busy = False
        self._held: Connection | None = None
        self._opened: Connection | None = None
        self._is_closed = False
        self._thread = threading.get_ident()
        self._wait_s = wait_s
        self._patience_s = wait_s

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Gives a transaction that sees one moment of the archive, whatever others write meanwhile.

        Raises:
            UsageError: Another transaction of this object is open, it is closed, or another thread made it.
        """
        if self._held is not None and self._thread == threading.get_ident():
            with translated(self.path):
                yield self._held
            return
        with self._alone() as connection:
            try:
                connection.execute("BEGIN")  # a reader must not wait for writers
                yield connection
            finally:
                self._roll_back(connection)

    @contextmanager
    def holding(self) -> Iterator[Connection]:
        """Lets everything that is read inside the block see the same moment: `reading` then gives the same transaction."""
        with self.reading() as connection:
            if self._held is not None:
                yield connection
                return
            self._held = connection
            try:
                yield connection
            finally:
                self._held = None

    @property
    def is_held(self) -> bool:
        """Whether a block of `holding` is open."""
        return self._held is not None

    def _begin_writing(self, connection: Connection) -> None:
        # IMMEDIATE, since SQLite does not wait for a lock that is asked for in the middle of a transaction. And where it waits
        # it does not look up, and would not hear Ctrl-C; so it waits for a moment, many times.
        moments = max(1, math.ceil(self._patience_s / _MOMENT_S))
        connection.execute(f"PRAGMA busy_timeout = {round(min(self._patience_s, _MOMENT_S) * 1000)}")
        try:
            for left in reversed(range(moments)):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.Error as error:
                    if left == 0 or not is_busy(error):
                        raise
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(self._wait_s * 1000)}")

    def _roll_back(self, connection: Connection) -> None:
        """Ends the transaction if there still is one: SQLite ends it by itself after some errors, and when it is closed."""
        if not self._is_closed:
            connection.rollback()

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        # There is one connection. A second transaction on it would end the first one in its middle, and what came after
        # would be written statement by statement.
        if self._busy or self._is_closed or self._thread != threading.get_ident():
            why = "is closed" if self._is_closed else "is in use" if self._busy else "belongs to another thread"
            raise UsageError(
                f"this Archive {why}",
                hint="Open the archive once more for that: any number of readers may have it open.",
                path=str(self.path),
            )
        self._busy = True
        try:
            with translated(self.path):
                yield self.raw
        finally:
            self._busy = False

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        """Gives the same as `writing`, quicker where the archive holds nothing yet.

        A write-ahead log would have everything written twice. So an empty archive is filled with a rollback journal, which
        holds next to nothing, since there is nothing to roll back to; readers of the empty archive wait meanwhile. If others
        have the archive open the log is used as ever.
        """
        with self._alone() as raw:
            is_first = self.writable and raw.execute("SELECT NOT EXISTS (SELECT 1 FROM snapshots)").fetchall() == [(1,)]
            if is_first:
                _set_journal_mode(raw, "DELETE")
        try:
            with self.writing() as connection:
                yield connection
        finally:
            if is_first:
                with translated(self.path):
                    _set_journal_mode(raw, "WAL")  # should it fail now, the next one who opens it for writing does it

    @contextmanager
    def deriving(self) -> Iterator[Connection]:
        """Gives the same as `writing` for what can be made again, and does not wait for the disk.

        After a loss of power such a transaction may be undone, whole, and never one that `writing` gave.
        """
        with self._alone() as raw:
            raw.execute("PRAGMA synchronous = NORMAL")
        try:
            with self.writing() as connection:
                yield connection
        finally:
            with translated(self.path):
                _be_durable(raw)

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """Gives the same as `writing` for what is not worth waiting for: a writer that is at work is an error soon."""
        self._patience_s = min(self._wait_s, NOTE_WAIT_S)
        try:
            with self.writing() as connection:
                yield connection
        finally:
            self._patience_s = self._wait_s

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Gives the one transaction that may write; commits at the end of the block, rolls back if it raises.

        The lock is taken at the start and not at the first write, so that what was read before writing still holds.

        Raises:
            ArchiveLocked: Another process wrote for longer than the timeout.
            ArchiveReadOnly: The file cannot be written.
            ArchiveFull: No room; nothing was changed.
        """
        if not self.writable:
            raise ArchiveReadOnly(
                f"{self.path} was opened for reading only",
                hint="Open it with mode='write'.",
                path=str(self.path),
            )
        with self._alone() as connection:
            try:
                self._begin_writing(connection)
                yield connection
                # Not the driver's commit(), which says nothing where SQLite has already rolled back by itself.
                connection.execute("COMMIT")
            finally:
                self._roll_back(connection)

    def take_in_log(self) -> None:
        """Takes the write-ahead log into the file and proves it, since closing would not say if there was no room.

        Raises:
            ArchiveFull: There was none; the log still holds what is missing.
        """
        with translated(self.path):
            busy, _, _ = self.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        if busy:
            raise ArchiveFull(f"no room to write to {self.path}", hint="Free some space on that disk (df -h).")

    def close(self) -> None:
        """Closes the file; the last one to close it also takes the write-ahead log into it. Closing twice does nothing."""
        self._is_closed = True
        if self._opened is not None:
            with translated(self.path):
                self._opened.close()

    @property
    def raw(self) -> Connection:
        """The one connection there is; outside of all blocks for SQLite's own tools (backup, VACUUM INTO)."""
        if self._opened is None:
            self._opened = _connect(self.path, writable=self.writable, wait_s=self._wait_s)
        return self._opened


def _connect(path: Path, *, writable: bool, wait_s: float) -> Connection:
    with translated(path):
        connection = sqlite3.connect(
            uri_of(path, writable=writable),
            uri=True,
            timeout=wait_s,
            isolation_level=None,  # transactions begin and end where this module says so, and not where the driver thinks
            check_same_thread=False,
            factory=Connection,  # by the name in this module, so that another kind of connection can be put in its place
        )
        try:
            for rule in (_check_foreign_keys, _bound_memory, _no_double_quoted_texts):
                rule(connection)
            if not writable:
                connection.execute("PRAGMA query_only = ON")
            if writable:
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # counts only where the file is still empty
                for rule in (_write_ahead_log, _be_durable):
                    rule(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def files_of(path: Path) -> list[Path]:
    """Returns the archive's file and the files that SQLite may keep beside it."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]


@contextmanager
def temporary_tables(connection: Connection) -> Iterator[None]:
    """Lets a connection for reading make temporary tables and views, which are changes to SQLite; the file stays as it is."""
    ((was_read_only,),) = connection.execute("PRAGMA query_only").fetchall()
    connection.execute("PRAGMA query_only = OFF")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA query_only = {was_read_only}")


def uri_of(path: Path, *, writable: bool) -> str:
    """Returns the URI that opens the file as it has to be opened where it lies.

    A database in write-ahead mode cannot be read from a folder that cannot be written, since readers share memory through
    a file beside it. There `immutable=1` helps, but it ignores a log that is still there and would show stale rows: so it
    is used only where there is none.
    """
    name = quote(os.fsencode(path.absolute()))
    if writable:
        return f"file:{name}?mode=rw"
    if path.with_name(path.name + "-journal").exists() and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # Perhaps the first backup was killed: then the journal has to be rolled back before anybody can read.
        return f"file:{name}?mode=rw"
    if path.with_name(path.name + "-journal").exists():
        raise ArchiveReadOnly(
            f"{path} was not closed properly, and what was half written cannot be rolled back where nothing may be written",
            hint="Copy the archive with the -journal file beside it to a folder where you may write.",
            path=str(path),
        )
    log = path.with_name(path.name + "-wal")
    if not os.access(path.parent, os.W_OK) and not log.exists():
        return f"file:{name}?immutable=1"
    return f"file:{name}?mode=ro"


def _check_foreign_keys(connection: Connection) -> None:
    """SQLite checks foreign keys only where a connection asks for it."""
    connection.execute("PRAGMA foreign_keys = ON")


def _bound_memory(connection: Connection) -> None:
    """Bounds the page cache; dirty pages beyond it spill to the log."""
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _no_double_quoted_texts(connection: Connection) -> None:
    """Makes a misspelt column an error; by default SQLite would take "colunm" for a text."""
    set_config: Any = getattr(connection, "setconfig", None)  # Python 3.12 and later
    if set_config is not None:
        set_config(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)  # type: ignore[attr-defined,unused-ignore]


def _write_ahead_log(connection: Connection) -> None:
    """Lets readers go on while a backup writes; the mode stays in the file."""
    _set_journal_mode(connection, "WAL")


def _set_journal_mode(connection: Connection, mode: str) -> None:
    """Changes the journal mode if nobody else has the archive open; the mode is one of speed, not of safety."""
    wait_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {wait_ms}")


def _be_durable(connection: Connection) -> None:
    """Syncs the log at each commit, so that a snapshot that was reported survives a loss of power."""
    connection.execute("PRAGMA synchronous = FULL")
