"""Reads whole histories in the order that is quickest to unpack, and copies the file; for what leaves the archive."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from archive import codec
from archive.hashing import hash_bytes
from archive.storage import blobs, paths
from archive.storage.connection import Connection, Database, uri_of
from archive.storage.faults import translated
from archive.storage.rows import first, stream


class ExportedVersion(NamedTuple):
    """A version of a document, in force from snapshot `first` up to and not including `until`."""

    path: str
    number: int
    blob_id: int
    hash: str
    size_bytes: int
    mode: int
    mtime_ns: int
    first: int
    until: int | None


def all_versions(connection: Connection, source_id: int) -> list[ExportedVersion]:
    """Returns every version of every document of a source; those of one document together, the newest first."""
    rows = stream(
        connection,
        "SELECT coalesce(d.path_bytes, d.path), v.number, v.blob_id, b.hash, v.size_bytes, v.mode, v.mtime_ns,"
        " v.first_snapshot_id, v.until_snapshot_id"
        " FROM documents d JOIN versions v ON v.document_id = d.id JOIN blobs b ON b.id = v.blob_id WHERE d.source_id = ?",
        (source_id,),
    )
    versions = [ExportedVersion(paths.from_key(row[0]), *row[1:]) for row in rows]
    return sorted(versions, key=lambda version: (version.path, -version.number))


class HistoryReader:
    """Reads many versions, quickest when those of a document are asked for one after the other, the newest first.

    Old content is stored as a change to the content that took its place. Asked for in that order, each is one step from the
    one before, which is still at hand; so the cost follows the number of versions, and not its square.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last_id: int | None = None
        self._last = b""

    def read(self, blob_id: int) -> bytes:
        """Returns the content of a blob, checked against its hash.

        Raises:
            CorruptArchive: As `blobs.read`.
        """
        data = self._step(blob_id)
        if data is None:
            # The first of a document, a keyframe, or damaged; `blobs` knows what to do with each.
            data = blobs.read(self._connection, blob_id)
        self._last_id, self._last = blob_id, data
        return data

    def _step(self, blob_id: int) -> bytes | None:
        if self._last_id is None:
            return None
        row = first(
            self._connection,
            "SELECT d.data, b.hash FROM deltas d JOIN blobs b ON b.id = d.blob_id WHERE d.blob_id = ? AND d.base_id = ?",
            (blob_id, self._last_id),
        )
        if row is None:
            return None
        try:
            data = codec.decode(row[0], self._last)
        except codec.DecodeError:
            return None
        return data if hash_bytes(data) == row[1] else None


def copy_archive(path: Path, target: Path) -> None:
    """Copies the archive as it is at one moment to a new file of mode 0600, and returns when the disk has it.

    The copy has no write-ahead log and no unused pages: it is one file, and can be read from a disk that cannot be written.

    Raises:
        CorruptArchive: A page cannot be read.
        ArchiveFull, OSError: It could not be written; the caller removes what there is of it.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    database = Database(path, writable=False)
    try:
        with translated(target):
            _vacuum_into(database.raw, target)
    finally:
        database.close()
    fd = os.open(target, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _vacuum_into(archive: Connection, target: Path) -> None:
    # The copy is what is written to; the archive itself is open for reading only.
    archive.execute("PRAGMA query_only = OFF")
    # A URI, because a file name need not be UTF-8 and SQLite takes text here.
    uri = uri_of(target, writable=True)
    try:
        archive.execute("VACUUM INTO ?", (uri,))
    except sqlite3.OperationalError as error:
        # Before 3.46, SQLite miscounts the columns of a table with generated ones, as a rule where it can only read.
        if "vacuum_db" not in str(error):
            raise
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as copy:
            archive.backup(copy)
            for mode in ("DELETE", "OFF"):  # no longer a log; and none at all for a file that is thrown away on failure
                copy.execute(f"PRAGMA journal_mode = {mode}")
            copy.execute("PRAGMA synchronous = OFF")  # the caller syncs it as a whole
            copy.execute("VACUUM")
