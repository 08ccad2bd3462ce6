"""Runs statements of users: reading only, one at a time, within limits of time, and if wanted as of a moment."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from archive.clock import Clock
from archive.errors import ArchiveError, QueryError
from archive.model.snapshots import Snapshot
from archive.model.tables import Table
from archive.storage.connection import Connection
from archive.storage.functions import register
from archive.storage.moments import bind

Parameters: TypeAlias = "Sequence[object] | Mapping[str, object]"

# How many steps of SQLite's machine lie between two looks at the clock (and at Ctrl-C); a few milliseconds.
_STEPS = 20_000
# What a statement may do. VACUUM INTO and ATTACH, which reach other files, are both an "attach" to SQLite.
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
# Pragmas that tell and change nothing; FTS5 needs data_version.
_PRAGMAS = frozenset({
    "application_id", "compile_options", "data_version", "database_list", "foreign_key_list", "freelist_count",
    "function_list", "index_info", "index_list", "index_xinfo", "page_count", "page_size", "table_info", "table_list",
    "table_xinfo", "user_version",
})  # fmt: skip
_TAKE_ARGUMENTS = frozenset({"foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list",
                             "table_xinfo"})  # fmt: skip
_HINT = "Run 'archive schema' to see the tables, views and columns; statements can only read."


def ask(
    connection: Connection,
    statement: str,
    parameters: Parameters,
    *,
    clock: Clock,
    at: tuple[int, Snapshot] | None = None,
    available: Sequence[tuple[str, str]] | None = None,
) -> Table:
    """Runs one statement and returns its rows.

    Args:
        at: Id of a source and a snapshot of it: the moment that `documents`, `items` and `tasks` show. The temporary views
            last until the transaction of the connection ends.
        available: What `available_tasks` then shows: path and ref of tasks, in their order.

    Raises:
        QueryError: It cannot be understood, or would do more than read.
        ArchiveError: One of our functions failed: no such source, content that does not match its hash.
    """
    failures = register(connection, clock)
    connection.create_function("regexp", 2, _matches, deterministic=True)
    if at is not None:
        bind(connection, at[0], at[1].id, available)
    with reading_only(connection):
        try:
            cursor = connection.execute(statement, parameters)
            columns = tuple(column[0] for column in cursor.description or ())
            return Table(columns, tuple(cursor.fetchall()))
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
            raise failures[0] if failures else _query_error(error) from error


@contextmanager
def reading_only(connection: Connection) -> Iterator[None]:
    """Lets statements do nothing but read this one file, whatever the connection could do otherwise."""
    connection.set_authorizer(_authorize)
    try:
        yield
    finally:
        connection.set_authorizer(None)


@contextmanager
def limited(connection: Connection, clock: Clock, seconds: float | None) -> Iterator[None]:
    """Interrupts what runs on the connection at Ctrl-C, and if there is a limit, when the time is over.

    Raises:
        QueryError: The time was over.
        KeyboardInterrupt: Ctrl-C came.
    """
    end = None if seconds is None else clock.monotonic() + seconds

    # Being Python, this is also where a Ctrl-C is noticed; SQLite takes the exception for a wish to stop.
    def is_over() -> bool:
        return end is not None and clock.monotonic() > end

    connection.set_progress_handler(is_over, _STEPS)
    try:
        yield
    except ArchiveError as error:
        if not _is_interrupt(error):
            raise
        if not is_over():
            raise KeyboardInterrupt from error
        raise QueryError(
            f"it took longer than {seconds:g} s", hint="Ask for less: a WHERE, a LIMIT, a shorter time.", interrupted=True
        ) from error
    finally:
        connection.set_progress_handler(None, 0)


def _is_interrupt(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return True
        error = error.__cause__
    return False


def _matches(pattern: str, text: str | None) -> bool | None:
    """Is what SQLite leaves open: what `text REGEXP pattern` means."""
    return None if text is None else re.search(pattern, text) is not None


def _authorize(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    if action in _ALLOWED and not (action == sqlite3.SQLITE_FUNCTION and second == "load_extension"):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS and (second is None or first in _TAKE_ARGUMENTS):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # so SQLite declares pragma_table_info and the like; it lets nobody write there
    return sqlite3.SQLITE_DENY


def _query_error(error: Exception) -> QueryError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT:
        return QueryError("interrupted")
    if code == sqlite3.SQLITE_AUTH or str(error) == "not authorized":
        return QueryError("the statement would do more than read", hint=_HINT)
    return QueryError(str(error).rstrip(".") or type(error).__name__, hint=_HINT)
