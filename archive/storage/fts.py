"""Asks the full-text index, bounded: how long a search takes does not follow from how common a word is.

bm25 is computed for each row that is ranked, so of very many matches only the newest are. Rows of the index have the ids of
items: positive while current, lower than all of these when past. Snippets are never asked of FTS5; whoever shows a hit cuts
its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import NamedTuple, Self, TypeAlias

from archive.storage.connection import Connection, temporary_tables
from archive.storage.faults import reads_rows
from archive.storage.items import PAST
from archive.storage.rows import fetch

RANK = "bm25(items_fts, 1.0, 8.0, 3.0, 1.0)"  # text, title, key, words
_IN_TITLE = "bm25(items_fts, 0.0, 1.0, 0.0, 0.0) <> 0.0"  # little beside the other, which has counted the words

MAX_RANKED = 700
"""Of more matches, only so many of the newest are ranked."""

_MAX_RANKED_STATES = 1_600  # of items over time, each of which costs a look at its row
MAX_TITLED = 300
"""So many matches in titles are looked for where there are more matches than are ranked."""

# Up to so many items it is quicker to list those that are asked for than to look at each match.
_FEW_ITEMS = 5_000
_MANY_MATCHES = 20_000
_MANY_ITEMS = 20_000
_ROWS_FOR_A_LOOK = 5  # items that are listed in the time it takes to look at one by its id
_ALL = "1"  # the condition that all items meet


class Documents(NamedTuple):
    """Some documents.

    Attributes:
        ids: Their ids as a JSON array, which is how SQLite is given many.
        marks: For each id from 1 on a byte, which is 1 where it is among them: SQLite looks one up without reading the others.
    """

    ids: str
    number: int
    marks: bytes

    @classmethod
    def of(cls, ids: Sequence[int]) -> Self:
        """Returns the documents with these ids."""
        marks = bytearray(max(ids, default=0))
        for one in ids:
            marks[one - 1] = 1
        return cls(json.dumps(ids), len(ids), bytes(marks))


class Scope(NamedTuple):
    """Which items are looked at.

    Attributes:
        source_id: Their source; None where the archive has only one.
        at: Items alive in this snapshot; None for all there are.
        is_history: Whether past items count too; `at` is then the newest snapshot that counts.
        documents: The documents they are in; None for any.
        since, until: They came in a snapshot that is not before, or not after: an id, or a time as it is stored.
    """

    source_id: int | None = None
    at: int | None = None
    is_history: bool = False
    documents: Documents | None = None
    since: int | str | None = None
    until: int | str | None = None

    @property
    def has_past(self) -> bool:
        """Whether items count that are not current."""
        return self.is_history or self.at is not None


Match: TypeAlias = tuple[int, float, int]
"""Id and score of an item, higher is better, and whether any of the words stands in its title."""


class Found(NamedTuple):
    """What an expression matched.

    Attributes:
        ranked: The best first.
        total: How many match; at least so many if not `is_exact`.
        is_bounded: Whether there were too many to rank all.
    """

    ranked: list[Match]
    total: int
    is_exact: bool
    is_bounded: bool


def has_many_items(connection: Connection) -> bool:
    """Whether there are so many items that all words with one beginning take long to put together."""
    ((newest,),) = fetch(connection, "SELECT coalesce(max(id), 0) FROM items")
    return int(newest) > _MANY_ITEMS


@reads_rows
def match(connection: Connection, expression: str, scope: Scope, *, wanted: int = 0) -> Found:
    """Returns the items that match an expression of FTS5; of equally good ones the newer first.

    Args:
        wanted: How many are to be shown, if that is more than are ranked otherwise.
    """
    where, values = _conditions(scope)
    most = max(MAX_RANKED, wanted)
    if where:
        return _match_some(connection, expression, scope, where, values, most)
    rows: list[Match] = fetch(
        connection,
        f"SELECT rowid, -{RANK}, {_IN_TITLE} FROM items_fts WHERE items_fts MATCH ? AND rowid > 0 ORDER BY rowid DESC LIMIT ?",
        (expression, most + 1),
    )
    total = len(rows)
    del rows[most:]
    rows.sort(key=itemgetter(1), reverse=True)  # equal ones stay in their order, the newest first
    return Found(rows, total, total <= most, total > most)


def _match_some(connection: Connection, expression: str, scope: Scope, where: str, values: list[object], most: int) -> Found:
    """Returns what `match` does where rows of items decide which of the matches count."""
    join = condition = ""
    if not scope.has_past and _is_selective(connection, expression, scope):
        condition = f" AND +items_fts.rowid IN (SELECT i.id FROM items i WHERE {where} AND i.id > 0)"
    elif where != _ALL:
        where, values = _conditions(scope, is_look=True)
        join = f"CROSS JOIN items i ON i.id = items_fts.rowid AND {where}"
    parts = [("> 0", "DESC"), ("< 0", "DESC")] if scope.has_past else [("> 0", "DESC")]
    bound = max(_MAX_RANKED_STATES, most) // len(parts) if scope.has_past else most
    rows: list[Match] = []
    is_bounded = False
    for sign, order in parts:  # current items, then past ones, the newest first in both
        given = (*values, expression) if join else (expression, *values)
        found = fetch(
            connection,
            f"SELECT items_fts.rowid, -{RANK}, {_IN_TITLE} FROM items_fts {join} WHERE items_fts MATCH ?"
            f" AND items_fts.rowid {sign}{condition} ORDER BY items_fts.rowid {order} LIMIT ?",
            (*given, bound + 1),
        )
        is_bounded = is_bounded or len(found) > bound
        rows += found[:bound]
    rows.sort(key=itemgetter(1), reverse=True)
    return Found(rows, len(rows) + is_bounded, not is_bounded, is_bounded)


def _is_selective(connection: Connection, expression: str, scope: Scope) -> bool:
    """Whether it is quicker to list the items of the scope than to look at the row of each match."""
    if scope.documents is None:
        return False
    of = "SELECT coalesce(max(id), 0), (SELECT coalesce(max(id), 1) FROM documents) FROM items"
    newest, documents = fetch(connection, of, ())[0]
    part = scope.documents.number / max(documents, 1)
    if newest * part <= _FEW_ITEMS:
        return True
    counted = "SELECT count(*) FROM (SELECT 1 FROM items_fts WHERE items_fts MATCH ? LIMIT ?)"
    matches = int(fetch(connection, counted, (expression, _MANY_MATCHES))[0][0])
    looked_at = MAX_RANKED / part
    return bool(newest * part < _ROWS_FOR_A_LOOK * (looked_at if matches >= _MANY_MATCHES else min(matches, looked_at)))


@reads_rows
def titled(
    connection: Connection,
    expression: str,
    *,
    has_past: bool,
    is_bounded: bool,
    among: Sequence[int] = (),
) -> list[int]:
    """Returns the items whose titles match, the newest first; where there are too many matches to rank, some of the newest.

    Without scores, which would take as long as finding the matches in the first place.

    Args:
        among: The only items that are asked for; there may be others among what is returned.
    """
    lowest, highest = (min(among), max(among)) if among else (-PAST if has_past else 1, PAST)
    found = fetch(
        connection,
        "SELECT json_group_array(rowid) FROM (SELECT rowid FROM items_fts WHERE items_fts MATCH ? AND rowid BETWEEN ? AND ?"
        " ORDER BY rowid DESC LIMIT ?)",
        (expression, lowest, highest, MAX_TITLED if is_bounded else -1),
    )
    titles: list[int] = json.loads(found[0][0])
    return titles


@reads_rows
def titles(connection: Connection, item_ids: Sequence[int]) -> list[tuple[int, str]]:
    """Returns ids and titles of items, in no order."""
    return fetch(
        connection, "SELECT id, title FROM items WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(item_ids),)
    )


@reads_rows
def unmatched(connection: Connection, exclude: str, scope: Scope, *, wanted: int = 0) -> Found:
    """Returns the newest items of a scope, but for those that match an expression; all have the score 0."""
    most = max(MAX_RANKED, wanted)
    where, values = _conditions(scope)
    clauses = [where] if where else []
    if not scope.has_past:
        clauses.append("i.id > 0")
    if exclude:
        clauses.append("i.id NOT IN (SELECT rowid FROM items_fts WHERE items_fts MATCH ?)")
        values.append(exclude)
    order = f"i.id & {PAST - 1}" if scope.has_past else "i.id"
    rows = fetch(
        connection,
        f"SELECT i.id FROM items i WHERE {' AND '.join(clauses)} ORDER BY {order} DESC LIMIT ?",
        (*values, most + 1),
    )
    ids = [item_id for (item_id,) in rows]
    is_bounded = len(ids) > most
    return Found([(item_id, 0.0, 0) for item_id in ids[:most]], len(ids), not is_bounded, is_bounded)


@reads_rows
def states(connection: Connection, item_ids: Sequence[int]) -> list[tuple[int, int, str, str, int, int, int]]:
    """Returns what decides about items beside their scores.

    That is id, document, key, title, whether it explains the file's own form, whether it only stands for the document, and the
    first snapshot.
    """
    return fetch(
        connection,
        "SELECT id, document_id, key, title, is_boilerplate, kind = 'document', first_snapshot_id FROM items"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(item_ids),),
    )


def count(connection: Connection, scope: Scope) -> int:
    """Returns how many items there are to look at in a scope, at most: past ones only where they count."""
    where = "" if scope.has_past else " WHERE id > 0"
    ((number,),) = fetch(connection, f"SELECT count(*) FROM items{where}")
    return int(number)


def scan(connection: Connection, scope: Scope) -> Iterator[tuple[int, str, str, str]]:
    """Yields id, key, title and text of all items of a scope, the newest first; the connection is in use meanwhile."""
    where, values = _conditions(scope)
    # Past items have lower ids than current ones, and both grow as they come.
    for sign in ("> 0", "< 0")[: 2 if scope.has_past else 1]:
        clauses = [f"i.id {sign}", *([where] if where else [])]
        yield from _rows(
            connection,
            f"SELECT i.id, i.key, i.title, i.text FROM items i WHERE {' AND '.join(clauses)} ORDER BY i.id DESC",
            values,
        )


def _rows(connection: Connection, statement: str, values: Sequence[object]) -> Iterator[tuple[int, str, str, str]]:
    cursor = connection.cursor()
    try:
        cursor.execute(statement, values)
        while part := cursor.fetchmany(500):
            yield from part
    finally:
        cursor.close()


def _conditions(scope: Scope, *, is_look: bool = False) -> tuple[str, list[object]]:
    """Returns what must hold for the row `i` of an item, beside the sign of its id; empty if that is all.

    Args:
        is_look: Whether single rows are looked at, and not those of some documents listed.
    """
    clauses: list[str] = []
    values: list[object] = []
    if scope.documents is not None and is_look:
        clauses.append("substr(?, i.document_id, 1) = x'01'")
        values.append(scope.documents.marks)
    elif scope.documents is not None:
        clauses.append("i.document_id IN (SELECT value FROM json_each(?))")
        values.append(scope.documents.ids)
    elif scope.source_id is not None:
        clauses.append("i.document_id IN (SELECT id FROM documents WHERE source_id = ?)")
        values.append(scope.source_id)
    if scope.at is not None:
        clauses.append("i.first_snapshot_id <= ?")
        values.append(scope.at)
        if not scope.is_history:
            clauses.append("(i.until_snapshot_id IS NULL OR i.until_snapshot_id > ?)")
            values.append(scope.at)
    for bound, sign in ((scope.since, ">="), (scope.until, "<=")):
        if isinstance(bound, int):
            clauses.append(f"i.first_snapshot_id {sign} ?")
        elif bound is not None:
            clauses.append(f"i.first_snapshot_id IN (SELECT id FROM snapshots WHERE created_at {sign} ?)")
        if bound is not None:
            values.append(bound)
    if scope.is_history and not clauses:
        return _ALL, []
    return " AND ".join(clauses), values


@contextmanager
def vocabulary(connection: Connection) -> Iterator[Vocabulary]:
    """Gives the words of the index.

    The table that lists them is a temporary one, which a connection for reading makes too.
    """
    with temporary_tables(connection):
        try:
            connection.execute("CREATE VIRTUAL TABLE temp.items_terms USING fts5vocab(main, items_fts, 'row')")
            yield Vocabulary(connection)
        finally:
            connection.execute("DROP TABLE IF EXISTS temp.items_terms")


class Vocabulary:
    """Answers which words the index has, past items included."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def has(self, word: str) -> bool:
        """Whether any item has a word, given in small letters without accents."""
        found = fetch(self._connection, "SELECT 1 FROM temp.items_terms WHERE term = ? LIMIT 1", (word,))
        return bool(found)

    def within(self, ranges: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
        """Returns the words from one text up to another, each with the number of items that have it."""
        statement = "SELECT term, doc FROM temp.items_terms WHERE term >= ? AND term < ?"
        return [(term, count) for bounds in ranges for term, count in fetch(self._connection, statement, bounds)]
