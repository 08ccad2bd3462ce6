"""Loads what the archive knows of a source's current files, for a backup to compare the disk with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from archive.model.files import FileStat
from archive.model.snapshots import Problem, ProblemKind
from archive.storage import paths
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, stream, value


class KnownDocument(NamedTuple):
    """A current document with its version and how its file looked when it was read."""

    path: str
    document_id: int
    kind: str
    category: str
    version_id: int
    number: int
    blob_id: int
    hash: str
    size_bytes: int
    mode: int
    mtime_ns: int
    ctime_ns: int | None
    inode: int | None
    is_racy: int | None
    cached_mtime_ns: int | None

    def is_cached_as(self, stat: FileStat, *, is_racy: bool) -> bool:
        """Whether the cache holds exactly this."""
        cached = (self.cached_mtime_ns, self.ctime_ns, self.inode, self.is_racy)
        return cached == (stat.mtime_ns, stat.ctime_ns, stat.inode & (2**63 - 1), int(is_racy))

    def looks_like(self, stat: FileStat) -> bool:
        """Whether the file need not be read, since nothing that `stat` shows differs from when it was."""
        return (
            stat.size_bytes == self.size_bytes
            and stat.mtime_ns == self.cached_mtime_ns
            and stat.ctime_ns == self.ctime_ns
            and stat.inode & (2**63 - 1) == self.inode
            and stat.mode == self.mode
            and not self.is_racy
        )


class KnownProblem(NamedTuple):
    """A problem that stands, with its row."""

    id: int
    problem: Problem


@reads_rows
def load_documents(connection: Connection, source_id: int) -> dict[str, KnownDocument]:
    """Returns the current documents of a source by path."""
    rows = stream(
        connection,
        "SELECT coalesce(d.path_bytes, d.path), d.id, d.kind, d.category, v.id, v.number, v.blob_id, b.hash, v.size_bytes,"
        " v.mode, v.mtime_ns, c.ctime_ns, c.inode, c.is_racy, c.mtime_ns"
        " FROM versions v JOIN documents d ON d.id = v.document_id JOIN blobs b ON b.id = v.blob_id"
        " LEFT JOIN _stat_cache c ON c.document_id = d.id"
        " WHERE v.until_snapshot_id IS NULL AND d.source_id = ?",
        (source_id,),
    )
    known: dict[str, KnownDocument] = {}
    for row in rows:
        key = row[0]
        if type(key) is str:  # as nearly all are
            known[key] = KnownDocument._make(row)
        else:
            path = paths.from_key(key)
            known[path] = KnownDocument._make((path, *row[1:]))
    return known


@reads_rows
def load_problems(connection: Connection, source_id: int) -> list[KnownProblem]:
    """Returns the problems of a source that stand."""
    rows = fetch(
        connection,
        "SELECT id, path, kind, message FROM problems WHERE source_id = ? AND until_snapshot_id IS NULL ORDER BY path, id",
        (source_id,),
    )
    return [KnownProblem(row[0], Problem(row[1], ProblemKind(row[2]), row[3])) for row in rows]


def last_readable_blob(connection: Connection, document_id: int) -> int | None:
    """Returns the newest content of a document that could be parsed, or None if there never was any."""
    blob_id: int | None = value(
        connection,
        "SELECT blob_id FROM versions WHERE document_id = ? AND parse_state IN ('valid', 'lenient')"
        " ORDER BY number DESC LIMIT 1",
        (document_id,),
    )
    return blob_id


class PastDocument(NamedTuple):
    """A document that was removed: its id and the number of its last version."""

    id: int
    number: int


def find_past(connection: Connection, source_id: int, wanted: Sequence[str]) -> dict[str, PastDocument]:
    """Returns those of the paths that were documents once and are not now."""
    exact = [paths.to_key(path) for path in wanted]
    texts = json.dumps([key for key in exact if isinstance(key, str)])
    select = (
        "SELECT coalesce(d.path_bytes, d.path), d.id, (SELECT max(number) FROM versions v WHERE v.document_id = d.id)"
        " FROM documents d WHERE d.source_id = ? AND coalesce(d.path_bytes, d.path) "
    )
    rows = fetch(connection, f"{select} IN (SELECT value FROM json_each(?))", (source_id, texts))
    for key in exact:
        if isinstance(key, bytes):  # JSON cannot carry them
            rows = [*rows, *fetch(connection, f"{select} = ?", (source_id, key))]
    return {paths.from_key(key): PastDocument(document_id, number or 0) for key, document_id, number in rows}


@reads_rows
def problems_at(connection: Connection, source_id: int, snapshot_id: int) -> list[Problem]:
    """Returns the problems of a source that stood in a snapshot, by path."""
    rows = fetch(
        connection,
        "SELECT path, kind, message FROM problems WHERE source_id = ? AND first_snapshot_id <= ?"
        " AND (until_snapshot_id IS NULL OR until_snapshot_id > ?) ORDER BY path, id",
        (source_id, snapshot_id, snapshot_id),
    )
    return [Problem(path, ProblemKind(kind), message) for path, kind, message in rows]
