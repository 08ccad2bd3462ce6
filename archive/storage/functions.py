"""The SQL functions of an archive, for any connection to one: ours, Datasette's, that of sqlite-utils.

    archive_content(version_id)           the content of any version, decoded: TEXT, or BLOB where it is not UTF-8
    archive_json(version_id, pointer)     the value at an RFC 6901 pointer: a text or number, or JSON for objects and arrays
    archive_at(moment [, source])         the id of the snapshot that a moment means: 'latest~3', '2 hours ago', a label
    archive_diff(version_id, version_id)  what differs, as JSON: an object with values, text and note

A version that does not exist, a pointer that leads nowhere and a moment before the first snapshot give NULL. Content that
does not match its hash is an error.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from archive.clock import Clock
from archive.diff import diff_content
from archive.errors import ArchiveError, NotFound, PointerNotFound, QueryError
from archive.extract.parse import load
from archive.extract.pointer import resolve
from archive.model.base import Json, jsonable
from archive.model.documents import Kind
from archive.moment import parse_moment
from archive.storage import blobs, snapshots
from archive.storage.connection import Connection
from archive.storage.rows import Values, first

# For who takes such a connection and must not know the driver.
Driver: TypeAlias = sqlite3.Connection

# Both sides of a difference together; a web page asks for it while somebody waits.
MAX_DIFF_BYTES = 16 * 1024 * 1024
_KEPT = 4
_KEPT_BYTES = 4 * 1024 * 1024
# Enough steps of SQLite's machine for whatever limits the statement (Datasette's looks every 1,000) to have its say.
_PROBE = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300) SELECT max(x) FROM n"


class _Version(NamedTuple):
    kind: Kind
    path: str
    blob_id: int
    hash: str
    size_bytes: int


class _Plain:
    """Lets what reads the archive read it through a connection that another program opened."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Values = ()) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # whatever that program likes its rows to be
        return cursor.execute(statement, values)


class _Functions:
    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._driver = connection
        self._connection = cast("Connection", _Plain(connection))
        self._clock = clock
        self._kept: OrderedDict[tuple[str, Kind | None], Any] = OrderedDict()
        self.failures: list[ArchiveError] = []

    def content(self, version_id: object) -> str | bytes | None:
        version = self._version(version_id)
        if version is None:
            return None
        data = self._bytes(version)
        if b"\0" in data:
            return data
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data

    def json(self, version_id: object, pointer: object) -> str | int | float | None:
        version = self._version(version_id)
        if version is None or not isinstance(pointer, str):
            return None
        loaded = self._keep((version.hash, version.kind), version.size_bytes, lambda: load(version.kind, self._bytes(version)))
        if not loaded.readable:
            return None
        try:
            return _as_sql(resolve(loaded.value, pointer))
        except (PointerNotFound, QueryError):
            return None

    def at(self, moment: object, source: object = None) -> int | None:
        if moment is None:
            return None
        parsed = parse_moment(str(moment), self._clock.now(), self._clock.localize)
        try:
            found = snapshots.find_source(self._connection, None if source is None else str(source))
            return snapshots.resolve(self._connection, found.id, parsed).id
        except NotFound as error:
            if error.code == "source_not_found" and snapshots.sources(self._connection):
                raise
            return None

    def diff(self, one: object, other: object) -> str | None:
        old, new = self._version(one), self._version(other)
        if old is None or new is None:
            return None
        if old.size_bytes + new.size_bytes > MAX_DIFF_BYTES:
            return json.dumps({"values": [], "text": [], "note": "too large to compare here; use 'archive diff'"})
        values, text, note = diff_content(new.kind, self._bytes(old), self._bytes(new), new.path)
        return json.dumps({"values": jsonable(values), "text": jsonable(text), "note": note}, ensure_ascii=True)

    def _version(self, version_id: object) -> _Version | None:
        if not isinstance(version_id, int):
            return None
        row = first(
            self._connection,
            "SELECT d.kind, d.path, v.blob_id, b.hash, b.size_bytes FROM main.versions v"
            " JOIN main.documents d ON d.id = v.document_id JOIN main.blobs b ON b.id = v.blob_id WHERE v.id = ?",
            (version_id,),
        )
        return None if row is None else _Version(Kind(row[0]), *row[1:])

    def _bytes(self, version: _Version) -> bytes:
        data = self._keep((version.hash, None), version.size_bytes, lambda: blobs.read(self._connection, version.blob_id))
        assert isinstance(data, bytes)
        return data

    def _keep(self, key: tuple[str, Kind | None], size_bytes: int, make: Callable[[], Any]) -> Any:
        """Keeps the last few, since a statement mostly asks for several values of one version. Hashes never lie."""
        if key not in self._kept:
            made = make()
            if size_bytes > _KEPT_BYTES:
                return made
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Lets a time limit of the statement take effect although most of its time is spent outside of SQLite.

        SQLite looks at the clock between steps of its own machine only. So each call makes some, and where they are
        interrupted the statement that called is interrupted too, at its next step.
        """

        def call(*arguments: object) -> Any:
            try:
                result = function(*arguments)
                self._driver.cursor().execute(_PROBE).fetchall()
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    raise
                self._driver.interrupt()
                return None
            except ArchiveError as error:
                self.failures[:] = [error]
                raise
            return result

        return call

    def register(self) -> None:
        functions: list[tuple[str, int, Callable[..., Any]]] = [
            ("archive_content", 1, self.content),
            ("archive_json", 2, self.json),
            ("archive_at", 1, self.at),
            ("archive_at", 2, self.at),
            ("archive_diff", 2, self.diff),
        ]
        for name, count, function in functions:
            self._driver.create_function(name, count, self._guarded(function))


def register(connection: sqlite3.Connection, clock: Clock) -> Sequence[ArchiveError]:
    """Gives the functions to a connection; on a database that is no archive, calling one is an error and no more.

    Returns:
        What the last call that failed ended with, once one has: SQLite says only that some function failed.
    """
    functions = _Functions(connection, clock)
    functions.register()
    return functions.failures


def _as_sql(value: Json) -> str | int | float | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(jsonable(value), ensure_ascii=True)
