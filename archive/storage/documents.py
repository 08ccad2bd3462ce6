"""Reads documents and versions: what was there at a moment, and what happened to one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archive.clock import from_iso
from archive.errors import DocumentNotFound
from archive.model.documents import Change, DocumentState, History, Kind, ParseState, Version
from archive.storage import paths
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, first, stream, value

_STATE = (
    "SELECT coalesce(d.path_bytes, d.path), d.kind, d.category, v.number, b.hash, v.size_bytes, v.mode, v.mtime_ns,"
    " v.parse_state, v.parse_error, v.first_snapshot_id, v.id, v.blob_id"
)
# One seek in uq_versions_first for each document: the newest version not after the moment. So the cost follows the number
# of documents and not the length of the history.
_AT = (
    f"{_STATE} FROM documents d"
    " JOIN versions v ON v.document_id = d.id AND v.first_snapshot_id ="
    " (SELECT max(x.first_snapshot_id) FROM versions x WHERE x.document_id = d.id AND x.first_snapshot_id <= :at)"
    " JOIN blobs b ON b.id = v.blob_id"
    " WHERE d.source_id = :source AND (v.until_snapshot_id IS NULL OR v.until_snapshot_id > :at)"
)


@reads_rows
def documents_at(connection: Connection, source_id: int, snapshot_id: int) -> list[DocumentState]:
    """Returns all documents of a source as they were in a snapshot, sorted by path."""
    rows = stream(connection, _AT, {"source": source_id, "at": snapshot_id})
    return sorted((_state(row) for row in rows), key=lambda state: state.path)


@reads_rows
def document_at(connection: Connection, source_id: int, snapshot_id: int, path: str) -> DocumentState:
    """Returns one document as it was in a snapshot.

    Raises:
        DocumentNotFound: It did not exist then; the hint says when it did, or names paths like it.
    """
    row = first(
        connection,
        f"{_AT} AND coalesce(d.path_bytes, d.path) = :path",
        {"source": source_id, "at": snapshot_id, "path": paths.to_key(path)},
    )
    if row is None:
        raise _not_found(connection, source_id, path, snapshot_id)
    return _state(row)


def versions_before(connection: Connection, source_id: int, path: str, snapshot_id: int) -> Iterator[DocumentState]:
    """Yields the versions of a document that an older snapshot than this one brought, the newest first."""
    rows = stream(
        connection,
        f"{_STATE} FROM documents d JOIN versions v ON v.document_id = d.id JOIN blobs b ON b.id = v.blob_id"
        " WHERE d.source_id = ? AND coalesce(d.path_bytes, d.path) = ? AND v.first_snapshot_id < ?"
        " ORDER BY v.first_snapshot_id DESC",
        (source_id, paths.to_key(path), snapshot_id),
    )
    yield from map(_state, rows)


@reads_rows
def removed_before(connection: Connection, source_id: int, snapshot_id: int) -> list[tuple[str, int]]:
    """Returns the documents that existed before a snapshot and not in it, with the snapshot that removed them."""
    rows = fetch(
        connection,
        "SELECT coalesce(d.path_bytes, d.path), v.until_snapshot_id FROM documents d"
        " JOIN versions v ON v.document_id = d.id AND v.first_snapshot_id ="
        " (SELECT max(x.first_snapshot_id) FROM versions x WHERE x.document_id = d.id AND x.first_snapshot_id <= :at)"
        " WHERE d.source_id = :source AND v.until_snapshot_id <= :at",
        {"source": source_id, "at": snapshot_id},
    )
    return [(paths.from_key(key), until) for key, until in rows]


@reads_rows
def history(connection: Connection, source_id: int, path: str) -> History:
    """Returns all versions of a document, oldest first.

    Raises:
        DocumentNotFound: No snapshot ever held it.
    """
    document = first(
        connection,
        "SELECT id, kind, category FROM documents WHERE source_id = ? AND coalesce(path_bytes, path) = ?",
        (source_id, paths.to_key(path)),
    )
    if document is None:
        raise _not_found(connection, source_id, path, None)
    rows = fetch(
        connection,
        "SELECT v.number, v.first_snapshot_id, f.label, f.created_at, v.until_snapshot_id, u.created_at, b.hash,"
        " v.size_bytes, v.mode, v.mtime_ns, v.parse_state, v.parse_error"
        " FROM versions v JOIN blobs b ON b.id = v.blob_id JOIN snapshots f ON f.id = v.first_snapshot_id"
        " LEFT JOIN snapshots u ON u.id = v.until_snapshot_id WHERE v.document_id = ? ORDER BY v.number",
        (document[0],),
    )
    return History(path=path, kind=Kind(document[1]), category=document[2], versions=tuple(_versions(rows)))


def _versions(rows: Any) -> Iterator[Version]:
    valid = [index for index, row in enumerate(rows) if row[10] == ParseState.VALID]
    for index, row in enumerate(rows):
        before = rows[index - 1] if index else None
        after = rows[index + 1] if index + 1 < len(rows) else None
        yield Version(
            number=row[0],
            snapshot=row[1],
            label=row[2],
            seen_at=from_iso(row[3]),
            until=row[4],
            until_at=from_iso(row[5]) if row[5] else None,
            change=_change(before, row),
            removed=row[4] is not None and (after is None or after[1] != row[4]),
            hash=row[6],
            size_bytes=row[7],
            mode=row[8],
            mtime_ns=row[9],
            state=ParseState(row[10]),
            error=row[11],
            last_valid=bool(valid) and index == valid[-1],
        )


def _change(before: Any, row: Any) -> Change:
    if before is None:
        return Change.ADDED
    if before[4] != row[1]:
        return Change.RETURNED
    return Change.TOUCHED if before[6] == row[6] else Change.MODIFIED


def _not_found(connection: Connection, source_id: int, path: str, snapshot_id: int | None) -> DocumentNotFound:
    known = [
        paths.from_key(key)
        for (key,) in fetch(connection, "SELECT coalesce(path_bytes, path) FROM documents WHERE source_id = ?", (source_id,))
    ]
    shown = paths.to_text(path)
    if path in known:
        return DocumentNotFound(
            f"{shown} did not exist in snapshot {snapshot_id}",
            hint=f"Run 'archive log {shown}' to see when it did.",
            path=shown,
        )
    near = _near(path, known)
    hint = f"Did you mean {', '.join(near)}?" if near else "Run 'archive ls' to see what there is."
    return DocumentNotFound(f"the archive holds no document {shown}", hint=hint, path=shown, near=near)


def _near(path: str, known: list[str]) -> list[str]:
    import difflib

    name = path.rpartition("/")[2]
    same_name = [other for other in known if other.rpartition("/")[2] == name]
    return [paths.to_text(other) for other in same_name[:3] or difflib.get_close_matches(path, known, 3)]


@reads_rows
def _state(row: Any) -> DocumentState:
    return DocumentState(
        path=paths.from_key(row[0]),
        kind=Kind(row[1]),
        category=row[2],
        version=row[3],
        hash=row[4],
        size_bytes=row[5],
        mode=row[6],
        mtime_ns=row[7],
        state=ParseState(row[8]),
        error=row[9],
        since=row[10],
        _version_id=row[11],
        _blob_id=row[12],
    )


def id_of(connection: Connection, source_id: int, path: str) -> int:
    """Returns the id of a document.

    Raises:
        DocumentNotFound: No snapshot ever held it.
    """
    found = value(
        connection,
        "SELECT id FROM documents WHERE source_id = ? AND coalesce(path_bytes, path) = ?",
        (source_id, paths.to_key(path)),
    )
    if found is None:
        raise _not_found(connection, source_id, path, None)
    return int(found)
