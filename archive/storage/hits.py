"""Reads what is shown of items that were found, and the states that one item had."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from archive.clock import from_iso
from archive.extract.words import TOKEN
from archive.model.documents import Kind, ParseState
from archive.model.search import ItemKind, Sighting
from archive.storage import paths
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.items import PAST
from archive.storage.rows import fetch, first, stream


class DocumentRow(NamedTuple):
    """A document, as filters look at it."""

    id: int
    path: str
    category: str
    kind: str
    source_id: int


class ItemRow(NamedTuple):
    """All there is to know of one state of an item.

    Attributes:
        first, last: The snapshot that brought it, and the newest that has it.
        state: Whether the document could be parsed then.
        extent: How far it could be taken apart then; see `Hit`.
        is_present: Whether it is current.
    """

    id: int
    document_id: int
    path: str
    category: str
    document_kind: Kind
    kind: ItemKind
    key: str
    pointer: str
    title: str
    text: str
    first: Sighting
    last: Sighting
    state: ParseState
    extent: str
    is_present: bool


class StateRow(NamedTuple):
    """One state of an item and when it held; `until` is None while it does."""

    key: str
    pointer: str
    title: str
    text: str
    first: Sighting
    until: Sighting | None


class PlaceRow(NamedTuple):
    """An item by the places it is known by."""

    id: int
    key: str
    pointer: str
    title: str


# The newest snapshot of the source that has the item. `+` keeps SQLite from an index by which it would look at all of
# the source's snapshots.
_LAST = (
    "(SELECT x.id FROM snapshots x WHERE +x.source_id = d.source_id"
    " AND x.id < coalesce(i.until_snapshot_id, 9223372036854775807) ORDER BY x.id DESC LIMIT 1)"
)


@reads_rows
def documents(connection: Connection) -> list[DocumentRow]:
    """Returns all documents there ever were, of all sources."""
    rows = stream(connection, "SELECT id, coalesce(path_bytes, path), category, kind, source_id FROM documents")
    return [DocumentRow(row[0], paths.from_key(row[1]), *row[2:]) for row in rows]


@reads_rows
def items(connection: Connection, item_ids: Sequence[int]) -> list[ItemRow]:
    """Returns items by their ids, in that order."""
    rows = fetch(
        connection,
        "SELECT i.id, i.document_id, coalesce(d.path_bytes, d.path), d.category, d.kind, i.kind, i.key, i.pointer, i.title,"
        " i.text, f.id, f.label, f.created_at, l.id, l.label, l.created_at,"
        " v.parse_state, n.extent, i.until_snapshot_id IS NULL"
        " FROM items i JOIN documents d ON d.id = i.document_id JOIN snapshots f ON f.id = i.first_snapshot_id"
        f" JOIN snapshots l ON l.id = {_LAST}"
        " JOIN versions v ON v.id = (SELECT x.id FROM versions x WHERE x.document_id = i.document_id"
        " AND x.first_snapshot_id <= l.id ORDER BY x.first_snapshot_id DESC LIMIT 1)"
        " LEFT JOIN index_notes n ON n.version_id = v.id WHERE i.id IN (SELECT value FROM json_each(?))",
        (json.dumps(item_ids),),
    )
    found = {row[0]: _item(row) for row in rows}
    return [found[item_id] for item_id in item_ids]


def _item(row: Any) -> ItemRow:
    return ItemRow._make(
        (
            *(row[0], row[1], paths.from_key(row[2]), row[3], Kind(row[4]), ItemKind(row[5]), *row[6:10]),
            *(_sighting(*row[10:13]), _sighting(*row[13:16]), ParseState(row[16]), row[17] or "", bool(row[18])),
        )
    )


@reads_rows
def sighting(connection: Connection, snapshot_id: int) -> Sighting:
    """Returns a snapshot as the moment at which something was seen."""
    (row,) = fetch(connection, "SELECT id, label, created_at FROM snapshots WHERE id = ?", (snapshot_id,))
    return _sighting(*row)


@reads_rows
def states_of(connection: Connection, document_id: int, key: str) -> list[StateRow]:
    """Returns all states that an item had, oldest first."""
    # There is no index over keys; the full-text index finds their words.
    where, values = "", list[str]()
    if TOKEN.search(key):
        quoted = key.replace('"', '""')
        where, values = "i.id IN (SELECT rowid FROM items_fts WHERE items_fts MATCH ?) AND", [f'key : "{quoted}"']
    rows = fetch(
        connection,
        "SELECT i.key, i.pointer, i.title, i.text, f.id, f.label, f.created_at, u.id, u.label, u.created_at"
        " FROM items i JOIN snapshots f ON f.id = i.first_snapshot_id LEFT JOIN snapshots u ON u.id = i.until_snapshot_id"
        f" WHERE {where} i.document_id = ? AND i.key = ? ORDER BY i.first_snapshot_id",
        (*values, document_id, key),
    )
    return [StateRow._make((*row[:4], _sighting(*row[4:7]), None if row[7] is None else _sighting(*row[7:10]))) for row in rows]


def damaged_since(connection: Connection, document_id: int) -> frozenset[int]:
    """Returns the snapshots that brought versions of a document which cannot be read."""
    statement = "SELECT first_snapshot_id FROM versions WHERE document_id = ? AND parse_state = 'invalid'"
    return frozenset(snapshot_id for (snapshot_id,) in fetch(connection, statement, (document_id,)))


@reads_rows
def place(connection: Connection, document_id: int, places: Sequence[str]) -> PlaceRow | None:
    """Returns the item whose key or pointer is among some texts, the first text first; current ones before past ones."""
    row = first(
        connection,
        "SELECT i.id, i.key, i.pointer, i.title FROM json_each(?) p JOIN items i ON i.key = p.value OR i.pointer = p.value"
        " WHERE i.document_id = ? ORDER BY p.key, i.id > 0 DESC, i.key = p.value DESC, i.first_snapshot_id DESC,"
        f" i.id & {PAST - 1} LIMIT 1",
        (json.dumps(list(places)), document_id),
    )
    return None if row is None else PlaceRow(*row)


@reads_rows
def current_places(connection: Connection, document_id: int) -> list[PlaceRow]:
    """Returns the places of all current items of a document, in the order in which they came."""
    rows = fetch(
        connection, "SELECT id, key, pointer, title FROM items WHERE document_id = ? AND id > 0 ORDER BY id", (document_id,)
    )
    return [PlaceRow(*row) for row in rows]


def count_path_only(connection: Connection, source_id: int) -> int:
    """Returns how many current documents of a source can be found by their path only."""
    ((count,),) = fetch(
        connection,
        "SELECT count(*) FROM index_notes n CROSS JOIN versions v ON v.id = n.version_id"
        " CROSS JOIN documents d ON d.id = v.document_id"
        " WHERE n.extent = 'path' AND v.until_snapshot_id IS NULL AND d.source_id = ?",
        (source_id,),
    )
    return int(count)


@lru_cache(maxsize=1_000)  # the hits of a page share a few
def _sighting(snapshot_id: int, label: str, created_at: str) -> Sighting:
    return Sighting(snapshot=snapshot_id, label=label, at=from_iso(created_at))


def stamp(connection: Connection) -> tuple[int, int]:
    """Returns numbers that change whenever a backup may have changed what is known of documents."""
    ((snapshot_id, document_id),) = fetch(
        connection, "SELECT (SELECT coalesce(max(id), 0) FROM snapshots), (SELECT coalesce(max(id), 0) FROM documents)"
    )
    return snapshot_id, document_id
