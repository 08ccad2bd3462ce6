"""Stores items over time and keeps their full-text index in step; the cost is that of what changed.

An item's id is positive while it is current, and `PAST` less when it has ended. So the index keeps current items apart from
past ones, and a search of what is current never looks at history. Past items lie in the file in the order in which they
came: with ids just negated, each would go before all the others, which leaves half of every page empty.

FTS5 writes what it has gathered whenever a row id is lower than the one before, and whenever a statement begins that could
fail half-way, which is about every one; and what it writes in small parts it has to merge later. Therefore new items go
through the index many at a time, and all of a batch in rising order: past items, removals, new items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from archive.storage.bulk import insert_rows
from archive.storage.connection import Connection
from archive.storage.migrate import make_index
from archive.storage.rows import fetch, first, value

PAST = 2**62
"""What an item's id is lowered by when it ends."""

# Text that is gathered before it is written. Little, so that whoever takes documents apart meanwhile need not wait; more where
# items end, since then FTS5 writes each time, and an item that came and went in between costs one row and no more.
FLUSH_BYTES = 1024 * 1024
FLUSH_PAST_BYTES = 8 * 1024 * 1024
# Text of new items that goes through the index at once. Each time gives another part of the index, which every search looks at.
INDEX_BYTES = 64 * 1024 * 1024
# So many parts of the index are merged into one: few keep it small, and while much is written most merging is left for later.
MERGED, MERGED_LATER = 2, 12

Draft: TypeAlias = Sequence[object]
"""What is stored of an item, in this order: key, pointer, kind, title, text, words, is_boilerplate."""

_COLUMNS = "id, document_id, key, pointer, kind, title, text, words, is_boilerplate, first_snapshot_id"
_INDEXED = "text, title, key, words"
_KEY, _POINTER, _TEXT = 0, 1, 4  # in a draft
_text_of: Callable[[Draft], str] = itemgetter(_TEXT)
_ROW_BYTES = 200  # what a row takes beside its text, about
_ROW = 2  # where the draft begins in a row


class _Alive(NamedTuple):
    """A current item: its id, its place, and all by which two states of it are told apart."""

    id: int
    pointer: object
    content: tuple[object, ...]


class ItemWriter:
    """Brings the items of documents up to date, version after version.

    Attributes:
        added, ended, moved: Counts of items.
    """

    def __init__(self, connection: Connection) -> None:
        self.added = self.ended = self.moved = 0
        self._connection = connection
        self._alive: dict[int, dict[object, _Alive]] = {}
        self._brought: dict[int, tuple[int, Sequence[Draft]]] = {}  # first ids and drafts of documents that had no items
        self._fresh: dict[int, tuple[object, ...]] = {}  # rows of items not written yet, by id
        self._past: list[tuple[object, ...]] = []  # rows of items that began and ended since the last flush
        self._ended: dict[int, int] = {}
        self._moved: dict[int, object] = {}
        self._next_id = int(
            value(
                connection,
                "SELECT max(coalesce(max(id), 0), coalesce((SELECT max(id) FROM items WHERE id < 0), -?1) + ?1) + 1 FROM items",
                (PAST,),
            )
        )
        self._size = 0
        self._unindexed: int | None = None  # the first of the rows that are written and not in the index yet
        self._unindexed_size = 0
        self._merges_later = False

    def replace(self, document_id: int, snapshot_id: int, drafts: Sequence[Draft], *, is_first: bool = False) -> None:
        """Makes these the document's items from a snapshot on; unchanged ones keep their rows.

        Args:
            is_first: Whether the document is known to have had no items before.
        """
        if is_first:
            self._bring(document_id, snapshot_id, drafts)
        else:
            self._update(document_id, snapshot_id, drafts)
        if self._size >= (FLUSH_PAST_BYTES if self._ended or self._past else FLUSH_BYTES):
            self._write()
            if self._unindexed_size >= INDEX_BYTES:
                self._merge(later=True)
                self._index_fresh()

    def remove(self, document_id: int, snapshot_id: int) -> None:
        """Ends all items of a document."""
        self.replace(document_id, snapshot_id, ())

    def flush(self) -> None:
        """Writes and indexes what has gathered."""
        self._write()
        self._index_fresh()
        self._merge(later=False)

    def _write(self) -> None:
        if self._ended or self._past:
            self._index_fresh()  # what has just come may be what ends
        self._write_moves()
        if self._ended:
            self._connection.executemany(
                "UPDATE items SET id = id - ?, until_snapshot_id = ? WHERE id = ?",
                [(PAST, snapshot_id, item_id) for item_id, snapshot_id in self._ended.items()],
            )
        insert_rows(self._connection, f"INSERT INTO items ({_COLUMNS}, until_snapshot_id)", self._past)
        self._index_past([*(item_id - PAST for item_id in self._ended), *(int(str(row[0])) for row in self._past)])
        self._unindex_ended()
        if self._fresh:
            insert_rows(self._connection, f"INSERT INTO items ({_COLUMNS})", list(self._fresh.values()))
            if self._unindexed is None:
                self._unindexed = next(iter(self._fresh))
            self._unindexed_size += self._size
        self._fresh, self._past, self._ended, self._moved = {}, [], {}, {}
        self._alive.clear()
        self._brought.clear()
        self._size = 0

    def _index_fresh(self) -> None:
        if self._unindexed is not None:
            self._connection.execute(
                f"INSERT INTO items_fts (rowid, {_INDEXED}) SELECT id, {_INDEXED} FROM items WHERE id >= ? ORDER BY id",
                (self._unindexed,),
            )
        self._unindexed, self._unindexed_size = None, 0

    def _merge(self, *, later: bool) -> None:
        if later != self._merges_later:
            self._merges_later = later
            many = MERGED_LATER if later else MERGED
            self._connection.execute("INSERT INTO items_fts (items_fts, rank) VALUES ('automerge', ?)", (many,))

    def _bring(self, document_id: int, snapshot_id: int, drafts: Sequence[Draft]) -> None:
        first_id = self._next_id
        self._brought[document_id] = (first_id, drafts)
        self._fresh.update(
            {item_id: (item_id, document_id, *draft, snapshot_id) for item_id, draft in enumerate(drafts, start=first_id)}
        )
        self._next_id += len(drafts)
        self.added += len(drafts)
        self._size += sum(map(len, map(_text_of, drafts))) + _ROW_BYTES * len(drafts)

    def _update(self, document_id: int, snapshot_id: int, drafts: Iterable[Draft]) -> None:
        before = self._current(document_id)
        after: dict[object, _Alive] = {}
        for draft in drafts:
            key, pointer, content = draft[_KEY], draft[_POINTER], tuple(draft[_POINTER + 1 :])
            old = before.pop(key, None)
            if old is None or old.content != content:
                if old is not None:
                    self._end(old.id, snapshot_id)
                after[key] = _Alive(self._begin(document_id, snapshot_id, draft), pointer, content)
            elif old.pointer != pointer:
                self._move(old.id, pointer)
                after[key] = old._replace(pointer=pointer)
            else:
                after[key] = old
        for gone in before.values():
            self._end(gone.id, snapshot_id)
        self._alive[document_id] = after

    def _current(self, document_id: int) -> dict[object, _Alive]:
        found = self._alive.pop(document_id, None)
        if found is not None:
            return found
        if document_id in self._brought:
            first_id, drafts = self._brought.pop(document_id)
            numbered = enumerate(drafts, start=first_id)
            return {draft[_KEY]: _Alive(n, draft[_POINTER], tuple(draft[_POINTER + 1 :])) for n, draft in numbered}
        rows = fetch(
            self._connection,
            "SELECT key, id, pointer, kind, title, text, words, is_boilerplate FROM items WHERE document_id = ? AND id > 0",
            (document_id,),
        )
        return {key: _Alive(item_id, pointer, tuple(content)) for key, item_id, pointer, *content in rows}

    def _begin(self, document_id: int, snapshot_id: int, draft: Draft) -> int:
        item_id = self._next_id
        self._next_id += 1
        self._fresh[item_id] = (item_id, document_id, *draft, snapshot_id)
        self.added += 1
        self._size += len(_text_of(draft)) + _ROW_BYTES
        return item_id

    def _end(self, item_id: int, snapshot_id: int) -> None:
        self.ended += 1
        row = self._fresh.pop(item_id, None)
        if row is None:
            self._ended[item_id] = snapshot_id
        else:
            self._past.append((item_id - PAST, *row[1:], snapshot_id))

    def _move(self, item_id: int, pointer: object) -> None:
        self.moved += 1
        row = self._fresh.get(item_id)
        if row is None:
            self._moved[item_id] = pointer
        else:
            self._fresh[item_id] = (*row[: _ROW + _POINTER], pointer, *row[_ROW + _POINTER + 1 :])

    def _write_moves(self) -> None:
        if self._moved:
            rows = [(pointer, item_id) for item_id, pointer in self._moved.items()]
            self._connection.executemany("UPDATE items SET pointer = ? WHERE id = ?", rows)

    def _index_past(self, item_ids: Sequence[int]) -> None:
        if item_ids:
            self._connection.execute(
                f"INSERT INTO items_fts (rowid, {_INDEXED}) SELECT id, {_INDEXED} FROM items"
                " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
                (json.dumps(item_ids),),
            )

    def _unindex_ended(self) -> None:
        if self._ended:
            self._connection.execute(
                f"INSERT INTO items_fts (items_fts, rowid, {_INDEXED}) SELECT 'delete', id + {PAST}, {_INDEXED}"
                " FROM items WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
                (json.dumps([item_id - PAST for item_id in self._ended]),),
            )


def drop_items(connection: Connection) -> None:
    """Empties the derived tier; the index is made again if somebody dropped it."""
    if first(connection, "SELECT 1 FROM sqlite_master WHERE name = 'items_fts'"):
        connection.execute("INSERT INTO items_fts (items_fts) VALUES ('delete-all')")
    else:
        make_index(connection)
    connection.execute("DELETE FROM items")
    connection.execute("DELETE FROM index_notes")
