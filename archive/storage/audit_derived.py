"""Finds out what is wrong with the derived tier: the items of themselves, and beside those of another archive."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from archive.storage.connection import Connection
from archive.storage.faults import DATABASE_ERRORS, primary_code
from archive.storage.rows import fetch, stream, value
from archive.storage.taskrows import STATE, digest_of

# Name of the rule, and the query for the rows that break it: (object, message). They hold at any moment, also while
# something still waits to be indexed.
RULES: dict[str, str] = {
    "an item lies in snapshots of its document's source, and begins before it ends": """
        SELECT 'item ' || i.id, 'its interval makes no sense'
        FROM items i JOIN documents d ON d.id = i.document_id
        LEFT JOIN snapshots f ON f.id = i.first_snapshot_id LEFT JOIN snapshots u ON u.id = i.until_snapshot_id
        WHERE f.source_id IS NOT d.source_id OR (i.until_snapshot_id IS NOT NULL AND u.source_id IS NOT d.source_id)
           OR i.until_snapshot_id <= i.first_snapshot_id OR (i.id > 0) != (i.until_snapshot_id IS NULL)""",
    "an item is never there twice at one moment": """
        SELECT 'item ' || id, 'another one with its key is there at the same moment'
        FROM (SELECT id, first_snapshot_id,
                lag(coalesce(until_snapshot_id, 1e18)) OVER (PARTITION BY document_id, key ORDER BY first_snapshot_id) AS ended
              FROM items)
        WHERE ended > first_snapshot_id""",
    "current items belong to current documents": """
        SELECT 'item ' || i.id, 'its document is gone' FROM items i
        WHERE i.id > 0 AND NOT EXISTS (
          SELECT 1 FROM versions v WHERE v.document_id = i.document_id
          AND (v.until_snapshot_id IS NULL OR v.until_snapshot_id > (SELECT snapshot_id FROM _indexing)))""",
    "every indexed document that is current has an item": """
        SELECT 'document ' || d.path, 'nothing of it is indexed' FROM versions v JOIN documents d ON d.id = v.document_id
        WHERE v.until_snapshot_id IS NULL AND v.id <= (SELECT version_id FROM _indexing)
          AND NOT EXISTS (SELECT 1 FROM items i WHERE i.document_id = v.document_id AND i.id > 0 AND i.key = '')""",
    "a task lies in snapshots of its document's source, and begins before it ends": """
        SELECT 'task ' || t.id, 'its interval makes no sense'
        FROM tasks t JOIN documents d ON d.id = t.document_id
        LEFT JOIN snapshots f ON f.id = t.first_snapshot_id LEFT JOIN snapshots u ON u.id = t.until_snapshot_id
        WHERE t.source_id IS NOT d.source_id OR f.source_id IS NOT d.source_id
           OR (t.until_snapshot_id IS NOT NULL AND u.source_id IS NOT d.source_id)
           OR t.until_snapshot_id <= t.first_snapshot_id""",
    "a task is never there twice at one moment": """
        SELECT 'task ' || id, 'another one with its ref is there at the same moment'
        FROM (SELECT id, first_snapshot_id,
                lag(coalesce(until_snapshot_id, 1e18)) OVER (PARTITION BY document_id, ref ORDER BY first_snapshot_id) AS ended
              FROM tasks)
        WHERE ended > first_snapshot_id""",
    "current tasks belong to current documents": """
        SELECT 'task ' || t.id, 'its document is gone' FROM tasks t
        WHERE t.until_snapshot_id IS NULL AND NOT EXISTS (
          SELECT 1 FROM versions v WHERE v.document_id = t.document_id
          AND (v.until_snapshot_id IS NULL OR v.until_snapshot_id > (SELECT snapshot_id FROM _indexing)))""",
    "indexing has not come further than there are versions": """
        SELECT 'indexing', 'it says that it has come further than there are versions' FROM _indexing
        WHERE version_id > (SELECT coalesce(max(id), 0) FROM versions)
           OR snapshot_id > (SELECT coalesce(max(id), 0) FROM snapshots)""",
}

# What SQLite says where the temporary copy cannot be written.
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
# What the index is made of, and how many columns each has here.
_INDEX_TABLES = {"items": 5, "items_fts_data": 2, "items_fts_idx": 3, "items_fts_docsize": 2, "items_fts_config": 2}
_COMPARED = "document_id, key, pointer, kind, title, text, words, is_boilerplate, first_snapshot_id, until_snapshot_id"


class _UnreadableError(Exception):
    """Says that the archive could not be read, and hides the code by which it would be taken for an error of the copy."""


def broken(connection: Connection, rule: str) -> list[tuple[str, str]]:
    """Returns the objects that break one of `RULES`, with what is wrong."""
    return [(str(name), str(message)) for name, message in fetch(connection, RULES[rule])]


def index_fault(connection: Connection) -> str:
    """Returns what is wrong with the full-text index; empty if it says of every item exactly what the item says.

    FTS5 checks an index only where it may write, so a temporary copy of index and items is what is checked.

    Raises:
        OSError: There is no room for that.
    """
    statement = value(connection, "SELECT sql FROM sqlite_master WHERE name = 'items_fts'")
    if statement is None:
        return "it is gone; 'archive reindex' makes it anew"
    with tempfile.TemporaryDirectory(prefix="archive-check-") as folder:
        path = Path(folder) / "index.db"
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                _copy_index(connection, copy, str(statement))
            # Another connection, which has not seen the index empty.
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                # Without the rank of 1 it would not be compared with the items.
                copy.execute("INSERT INTO items_fts (items_fts, rank) VALUES ('integrity-check', 1)")
        except (*DATABASE_ERRORS, _UnreadableError) as error:
            if primary_code(error) in _NO_ROOM:  # the copy says so
                raise OSError(str(error)) from error
            return f"it does not match the items ({error}); 'archive reindex' makes it anew"
    return ""


def _copy_index(connection: Connection, copy: sqlite3.Connection, statement: str) -> None:
    copy.execute("PRAGMA journal_mode = OFF")
    copy.execute("PRAGMA synchronous = OFF")
    copy.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, title, key, text, words)")
    copy.execute(statement)
    copy.execute("BEGIN")
    for table, width in _INDEX_TABLES.items():
        copy.execute(f"DELETE FROM {table}")
        columns = "id, title, key, text, words" if table == "items" else "*"
        rows = _readable(stream(connection, f"SELECT {columns} FROM {table}"))
        copy.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows)
    copy.execute("COMMIT")


def _readable(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Yields rows of the archive, whose errors are none of the copy that they go into."""
    try:
        yield from rows
    except DATABASE_ERRORS as error:
        raise _UnreadableError(str(error)) from error


def altered_tasks(connection: Connection) -> Iterator[int]:
    """Yields the ids of tasks that are not what their digests say."""
    dependencies = (
        "SELECT json_group_array(json_array(scope, target, type, raw, is_blocking))"
        " FROM (SELECT * FROM task_dependencies WHERE task_id = tasks.id ORDER BY id)"
    )
    rows = stream(connection, f"SELECT id, digest, adapter, ({dependencies}), {STATE} FROM tasks")
    for task_id, digest, adapter, relations, *state in rows:
        if digest_of(adapter, state, json.loads(relations)) != digest:
            yield task_id


def paths_of(connection: Connection) -> dict[int, str]:
    """Returns the paths of all documents by their ids."""
    rows = stream(connection, "SELECT id, path FROM documents")
    return {int(document_id): str(path) for document_id, path in rows}


@contextmanager
def beside(connection: Connection, path: Path) -> Iterator[None]:
    """Lets SQL see another archive as `present` while the block runs; no transaction is open any more when it ends."""
    connection.rollback()  # no file can be attached inside a transaction
    connection.execute("ATTACH ? AS present", (str(path),))
    try:
        connection.execute("BEGIN")
        yield
    finally:
        connection.rollback()
        connection.execute("DETACH present")


def differences(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields what differs between this archive's items and those of `present`, as (path, what).

    Ids do not count: they only say in which order rows came.
    """
    for here, there, what in (("present", "main", "should not be there as it is"), ("main", "present", "is missing")):
        rows = stream(
            connection,
            f"SELECT d.path, x.key, x.pointer FROM (SELECT {_COMPARED} FROM {here}.items"
            f" EXCEPT SELECT {_COMPARED} FROM {there}.items) x JOIN main.documents d ON d.id = x.document_id ORDER BY 1, 2",
        )
        for path, key, pointer in rows:
            yield path, f"item {key or 'of the whole document'} (at {pointer or 'its root'}) {what}"
        rows = stream(
            connection,
            f"SELECT d.path, v.number, x.extent FROM (SELECT version_id, extent, note FROM {here}.index_notes"
            f" EXCEPT SELECT version_id, extent, note FROM {there}.index_notes) x"
            " JOIN main.versions v ON v.id = x.version_id JOIN main.documents d ON d.id = v.document_id ORDER BY 1, 2",
        )
        for path, number, extent in rows:
            yield path, f"the note that only part of version {number} is indexed ({extent}) {what}"
    (counts,) = fetch(connection, "SELECT (SELECT count(*) FROM present.items) - (SELECT count(*) FROM main.items)")
    if counts[0] > 0:
        yield "", f"{counts[0]} items are there twice"
