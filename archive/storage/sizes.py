"""Counts what the archive holds and what it costs."""

from __future__ import annotations

from pathlib import Path

from archive.model.check import CheckDepth, Stats
from archive.storage import checks
from archive.storage.connection import Connection
from archive.storage.migrate import SCHEMA
from archive.storage.rows import value


def stats(connection: Connection, path: Path) -> Stats:
    """Returns counts and sizes; sums over row lengths, so that it works in any build of SQLite."""

    def one(statement: str) -> int:
        return int(value(connection, statement) or 0)

    contents = one("SELECT sum(length(CAST(data AS BLOB))) FROM contents")
    deltas = one("SELECT sum(length(data)) FROM deltas")
    versions = one("SELECT sum(size_bytes) FROM versions")
    files = [path, path.with_name(path.name + "-wal")]
    file_bytes = sum(file.stat().st_size for file in files if file.exists())
    return Stats(
        schema=SCHEMA,
        snapshots=one("SELECT count(*) FROM snapshots"),
        documents=one("SELECT count(*) FROM documents"),
        current_documents=one("SELECT count(*) FROM versions WHERE until_snapshot_id IS NULL"),
        versions=one("SELECT count(*) FROM versions"),
        blobs=one("SELECT count(*) FROM blobs"),
        versions_bytes=versions,
        current_bytes=one("SELECT sum(size_bytes) FROM versions WHERE until_snapshot_id IS NULL"),
        contents_bytes=contents,
        deltas_bytes=deltas,
        other_bytes=file_bytes - contents - deltas,
        file_bytes=file_bytes,
        ratio=round(versions / file_bytes, 2) if file_bytes else 0.0,
        last_check=checks.last(connection, *CheckDepth),
        last_full_check=checks.last(connection, CheckDepth.FULL),
    )
