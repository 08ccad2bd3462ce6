"""Knows how far indexing has come, and what waits to be indexed."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from archive.model.base import Json
from archive.model.snapshots import PartlyIndexed
from archive.storage import paths
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, stream, value


class IndexState(NamedTuple):
    """How far indexing has come: all versions and removals up to these are indexed, by these rules.

    Attributes:
        derivation: Number of the rules that made the items; 0 where there are none yet.
        masking: What was masked, as canonical JSON.
    """

    derivation: int
    masking: str
    version_id: int
    snapshot_id: int


class PendingVersion(NamedTuple):
    """A version that waits to be indexed.

    Attributes:
        is_first: Whether it is the document's first.
        removed_in: The snapshot in which the document was gone before this version, if it was.
        is_same: Whether only mode or time differ from the version before, so that nothing has to be indexed.
    """

    id: int
    document_id: int
    source_id: int
    path: str
    blob_id: int
    size_bytes: int
    snapshot_id: int
    is_first: bool
    removed_in: int | None
    is_same: bool


def index_state(connection: Connection) -> IndexState:
    """Returns how far indexing has come."""
    ((derivation, masking, version_id, snapshot_id),) = fetch(
        connection, "SELECT derivation, masking, version_id, snapshot_id FROM _indexing"
    )
    return IndexState(derivation, masking, version_id, snapshot_id)


def set_index_state(connection: Connection, state: IndexState) -> None:
    """Records how far indexing has come."""
    connection.execute("UPDATE _indexing SET derivation = ?, masking = ?, version_id = ?, snapshot_id = ?", tuple(state))


def source_rules(connection: Connection) -> dict[int, Json]:
    """Returns what the last backup of each source took in, by the source's id."""
    return read_rules(rules_as_stored(connection))


def rules_as_stored(connection: Connection) -> tuple[tuple[int, str], ...]:
    """Returns the ids of all sources, each with what `read_rules` reads."""
    return tuple(fetch(connection, "SELECT id, rules FROM sources"))


@reads_rows
def read_rules(stored: tuple[tuple[int, str], ...]) -> dict[int, Json]:
    """Returns what `rules_as_stored` gave as what it means."""
    return {source_id: json.loads(rules) for source_id, rules in stored}


@reads_rows
def pending_versions(connection: Connection, after_version_id: int, limit: int = -1) -> list[PendingVersion]:
    """Returns the versions behind one, in the order in which they came."""
    rows = stream(
        connection,
        "SELECT v.id, v.document_id, d.source_id, coalesce(d.path_bytes, d.path), v.blob_id, v.size_bytes,"
        " v.first_snapshot_id, v.number = 1, p.until_snapshot_id, p.until_snapshot_id IS v.first_snapshot_id,"
        " p.blob_id IS v.blob_id"
        " FROM versions v JOIN documents d ON d.id = v.document_id"
        " LEFT JOIN versions p ON p.document_id = v.document_id AND p.number = v.number - 1"
        " WHERE v.id > ? ORDER BY v.id LIMIT ?",
        (after_version_id, limit),
    )
    return [
        PendingVersion(
            *(row[0], row[1], row[2], paths.from_key(row[3]), row[4], row[5], row[6], bool(row[7])),
            None if row[9] else row[8],
            bool(row[9] and row[10]),
        )
        for row in rows
    ]


def count_versions(connection: Connection, after_version_id: int) -> tuple[int, int]:
    """Returns how many versions there are behind one, and their size in bytes."""
    statement = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM versions WHERE id > ?"
    ((count, size),) = fetch(connection, statement, (after_version_id,))
    return int(count), int(size)


def newest(connection: Connection) -> tuple[int, int]:
    """Returns the ids of the newest version and of the newest snapshot of any source; 0 where there is none."""
    statement = "SELECT (SELECT coalesce(max(id), 0) FROM versions), (SELECT coalesce(max(id), 0) FROM snapshots)"
    ((version_id, snapshot_id),) = fetch(connection, statement)
    return int(version_id), int(snapshot_id)


def is_complete(connection: Connection, state: IndexState) -> bool:
    """Whether nothing waits; snapshots in which nothing changed need no work and leave the state as it is."""
    return newest(connection)[0] == state.version_id and not removals(connection, state.snapshot_id)


def removals(connection: Connection, after_snapshot_id: int) -> list[tuple[int, int]]:
    """Returns (document id, snapshot id) of documents that were gone after a snapshot and have not come back."""
    return fetch(
        connection,
        "SELECT v.document_id, v.until_snapshot_id FROM versions v WHERE v.until_snapshot_id > ? AND NOT EXISTS"
        " (SELECT 1 FROM versions x WHERE x.document_id = v.document_id AND x.number > v.number) ORDER BY v.id",
        (after_snapshot_id,),
    )


@reads_rows
def partly_indexed(connection: Connection, after_version_id: int) -> tuple[PartlyIndexed, ...]:
    """Returns the current documents behind a version that are sound, and of which less than everything could be indexed."""
    rows = fetch(
        connection,
        "SELECT coalesce(d.path_bytes, d.path), n.extent, n.note FROM index_notes n JOIN versions v ON v.id = n.version_id"
        " JOIN documents d ON d.id = v.document_id WHERE n.version_id > ? AND v.parse_state <> 'invalid'"
        " AND v.until_snapshot_id IS NULL ORDER BY d.path",
        (after_version_id,),
    )
    return tuple(PartlyIndexed(path=paths.from_key(key), extent=extent, note=note) for key, extent, note in rows)


def write_note(connection: Connection, version_id: int, extent: str, note: str) -> None:
    """Records that less than all of a version could be indexed."""
    connection.execute(
        "INSERT OR REPLACE INTO index_notes (version_id, extent, note) VALUES (?, ?, ?)", (version_id, extent, note)
    )


def notes(connection: Connection, version_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Returns (extent, note) of those versions of which less than everything is indexed."""
    rows = fetch(
        connection,
        "SELECT version_id, extent, note FROM index_notes WHERE version_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(version_ids)),),
    )
    return {version_id: (extent, note) for version_id, extent, note in rows}


def forget(connection: Connection) -> None:
    """Records that nothing counts as indexed any more; the next indexing drops what is there and begins anew."""
    connection.execute("UPDATE _indexing SET derivation = 0, version_id = 0, snapshot_id = 0")


def count_items(connection: Connection) -> int:
    """Returns how many items there are, past ones included."""
    return int(value(connection, "SELECT count(*) FROM items"))
