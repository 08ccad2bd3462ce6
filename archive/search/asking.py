"""Asks the index what a query means, in one way after another until something is found, and makes a page of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from archive.clock import to_iso
from archive.errors import UsageError
from archive.indexing import OnProgress, waiting
from archive.model.search import Hit, Note, NoteKind, Page, Statement
from archive.model.snapshots import Progress, Snapshot, Source, Stage
from archive.moment import Moment, NotAfter
from archive.query import Field, Filter, Marker, Query, parse, render, render_titled
from archive.search import scanning, showing, spelling
from archive.search.catalogue import Catalogue, Conditions, grouped
from archive.search.ranking import Ranking, rank
from archive.search.request import MAX_LIMIT, Position, SearchRequest, read_cursor, token_of, write_cursor
from archive.search.titles import in_titles
from archive.storage import fts, hits, searchsql, snapshots
from archive.storage.connection import Connection
from archive.storage.fts import Scope

_RELAXED = {
    1: "no item has exactly these words, so the last one may be the beginning of a longer one",
    2: "no item has all of these words, so any of them counts",
}


_NOTHING = Ranking([], 0, True, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What is searched.

    Attributes:
        path: The archive's file.
        resolve: Finds the snapshot that a moment means.
        on_progress: Called now and then while all items are looked at.
    """

    connection: Connection
    path: Path
    source: Source
    catalogue: Catalogue
    resolve: Callable[[str], Snapshot]
    on_progress: OnProgress | None = None


def search(searched: Searched, request: SearchRequest) -> Page[Hit]:
    """Returns the best items for a request; whatever the text is, that is no error.

    Raises:
        UsageError: Options that exclude each other.
        QueryError: A cursor that is none, a bad regular expression, or one that takes too long.
        SnapshotNotFound: No snapshot is meant by `at`, `since` or `until`.
    """
    _check(request)
    newest_id = snapshots.newest_id(searched.connection, searched.source.id)
    given = None if request.at is None else searched.resolve(request.at)
    if newest_id is None:
        return Page(items=(), total=0, total_is_exact=True, limit=request.limit, cursor=None)
    position = read_cursor(request) or Position(newest_id if given is None else given.id, 0, frozenset())
    asking = _Asking(searched, request, position, newest_id)
    page = asking.scanned() if request.is_substring or request.is_regex else asking.asked()
    return replace(page, notes=(*page.notes, *_not_indexed(searched)))


class _Asking:
    """A search under way."""

    def __init__(self, searched: Searched, request: SearchRequest, position: Position, newest_id: int) -> None:
        self._searched, self._request, self._position = searched, request, position
        self._connection = searched.connection
        self._newest_id = newest_id
        self._only = snapshots.has_one_source(self._connection)

    def asked(self) -> Page[Hit]:
        """Returns the page for words."""
        given = parse(self._request.text)
        query = self._curbed(given)
        notes = [Note(kind=NoteKind.IGNORED, message=note) for note in query.notes]
        if query != given:
            message = "too many words begin with one letter to look for all of them: it was taken for a word itself"
            notes.append(Note(kind=NoteKind.BOUNDED, message=message))
        if query.is_empty and not self._conditions(query).filters and self._request.kind is None:
            notes.append(Note(kind=NoteKind.EMPTY, message="there is nothing to look for"))
            return self._page(_NOTHING, notes)
        for number, attempt in self._attempts(query):
            ranking = self._ranking(attempt, self._scope(attempt))
            if ranking.best:
                if number:
                    notes.append(Note(kind=NoteKind.RELAXED, message=_RELAXED[number]))
                return replace(self._page(ranking, notes, Marker(attempt), number), sql=self._sql(attempt))
        return replace(self._page(_NOTHING, [*notes, *self._elsewhere(query)]), sql=self._sql(query))

    def scanned(self) -> Page[Hit]:
        """Returns the page for a part of a text or a regular expression."""
        request = self._request
        if not request.text:
            notes = [Note(kind=NoteKind.EMPTY, message="there is nothing to look for")]
            return self._page(_NOTHING, notes)
        seen = self._position.seen
        taken: dict[bytes, scanning.Seen] = {}  # what was not on the pages so far, the newest first
        with self._sights() as sights:
            for part in _parts(sights, request.limit + 1):
                known = {row[0]: row for row in fts.states(self._connection, [sight.id for sight in part])}
                for sight in part:
                    _, document_id, key, *_, first = known[sight.id]
                    name = token_of(document_id, key)
                    if name not in seen:
                        taken[name] = taken[name].with_state(first) if name in taken else scanning.Seen(sight, first)
                # Over history an item may have more states further on, which belong to the same hit.
                if len(taken) > request.limit and not request.is_history:
                    break
        found = list(showing.scanned_hits(self._connection, list(islice(taken.values(), request.limit))))
        total = len(seen) + len(taken)
        cursor = self._cursor(found, 0) if len(taken) > request.limit else None
        return Page(
            items=tuple(found),
            total=total,
            total_is_exact=cursor is None,
            limit=request.limit,
            cursor=cursor,
            sql=None if request.is_regex else self._sql(None),
        )

    @contextmanager
    def _sights(self) -> Iterator[Iterator[scanning.Sight]]:
        scope, on_progress = self._scope(Query(text="")), self._searched.on_progress
        total = fts.count(self._connection, scope) if on_progress is not None else 0

        def on_looked(number: int) -> None:
            if on_progress is not None:
                on_progress(Progress(Stage.SCAN, number, max(number, total)))

        if self._request.is_regex:
            with scanning.regex_sights(self._searched.path, scope, self._request.text) as found:
                yield scanning.reported(found, on_looked)
        else:
            found = scanning.sights(self._connection, scope, scanning.find_substring(self._request.text))
            yield scanning.reported(found, on_looked)

    def _curbed(self, query: Query) -> Query:
        # FTS5 puts all that goes on together before it gives the first match.
        return query.curbed() if query.goes_on and fts.has_many_items(self._connection) else query

    def _attempts(self, query: Query) -> Iterator[tuple[int, Query]]:
        """Yields the ways to understand the query, the strictest first; behind a cursor only the one that found."""
        numbers: Collection[int] = range(3)
        if self._request.cursor is not None:
            numbers = [self._position.attempt if self._position.attempt in numbers else 0]
        if 0 in numbers:
            yield 0, query
        typed = self._curbed(parse(self._request.text, typing=True))
        if 1 in numbers and typed != query:
            yield 1, typed
        if 2 in numbers and (relaxed := typed.relaxed()) is not None:
            yield 2, relaxed

    def _ranking(self, query: Query, scope: Scope) -> Ranking:
        connection, expressions = self._connection, render(query)
        if scope.documents is not None and not scope.documents.number:
            return _NOTHING
        if expressions.match:
            found = fts.match(connection, expressions.match, scope, wanted=self._request.limit)
        else:
            found = fts.unmatched(connection, expressions.exclude, scope, wanted=self._request.limit)
        return rank(
            connection,
            found,
            in_titles(connection, found, query, scope),
            query,
            needed=self._request.limit + 1,
            seen=self._position.seen,
            by_item=scope.is_history,
        )

    def _scope(self, query: Query) -> Scope:
        request, searched = self._request, self._searched
        conditions = self._conditions(query)
        documents = None
        if conditions.filters or conditions.kind is not None:
            documents = searched.catalogue.accepted(self._connection, conditions)
        at = self._position.snapshot_id
        return Scope(
            source_id=None if self._only else searched.source.id,
            at=None if at == self._newest_id else at,
            is_history=request.is_history,
            documents=documents,
            since=self._bound(request.since),
            until=self._bound(request.until),
        )

    def _sql(self, query: Query | None) -> Statement:
        """Returns how to find the same with SQL; without a query, the text itself."""
        conditions = self._conditions(query or Query(text=""))
        scope, limit = self._scope(query or Query(text="")), self._request.limit
        source_id, kind, filters = conditions
        if query is None:
            text = self._request.text
            return searchsql.for_substring(text, scope, source_id=source_id, kind=kind, filters=filters, limit=limit)
        match, exclude = render(query)
        titled = render_titled(query)
        return searchsql.for_words(match, exclude, titled, scope, source_id=source_id, kind=kind, filters=filters, limit=limit)

    def _conditions(self, query: Query) -> Conditions:
        request = self._request
        groups = list(grouped(query.filters))
        if request.path:
            groups.append((Filter(Field.PATH, request.path),))
        if request.category:
            groups.append((Filter(Field.CATEGORY, request.category),))
        return Conditions(self._searched.source.id, request.kind, tuple(groups))

    def _bound(self, moment: Moment | None) -> int | str | None:
        if moment is None:
            return None
        if isinstance(moment, NotAfter):
            return to_iso(moment.time)
        return snapshots.resolve(self._connection, self._searched.source.id, moment).id

    def _elsewhere(self, query: Query) -> Iterator[Note]:
        """Yields what may help where nothing was found."""
        if not self._request.is_history and self._position.snapshot_id == self._newest_id:
            past = self._ranking(query, self._scope(query)._replace(is_history=True)) if not query.is_empty else None
            if past and past.best:
                many = "" if past.is_exact else "at least "
                count = f"{many}{past.total:,} past item{'s' if past.total > 1 else ''}"
                yield Note(kind=NoteKind.PAST, message=f"{count} matched; search the history to see what was")
                return

        def is_found(text: str) -> bool:
            other = parse(text)
            return bool(self._ranking(other, self._scope(other)).best)

        if proposed := spelling.suggestions(self._connection, query, is_found):
            yield Note(kind=NoteKind.DID_YOU_MEAN, message=f"did you mean {' or '.join(proposed)}?", suggestions=proposed)

    def _page(self, ranking: Ranking, notes: list[Note], marker: Marker | None = None, attempt: int = 0) -> Page[Hit]:
        limit = self._request.limit
        shown = list(showing.ranked_hits(self._connection, ranking.best[:limit], marker)) if marker else []
        if ranking.is_bounded:
            message = "too many matches to rank them all: only the newest were"
            notes.append(Note(kind=NoteKind.BOUNDED, message=message))
        return Page(
            items=tuple(shown),
            total=ranking.total,
            total_is_exact=ranking.is_exact,
            limit=limit,
            cursor=self._cursor(shown, attempt) if len(ranking.best) > limit else None,
            notes=tuple(notes),
        )

    def _cursor(self, shown: list[Hit], attempt: int) -> str:
        tokens = {token_of(hit._document_id, hit.key) for hit in shown}
        return write_cursor(self._request, Position(self._position.snapshot_id, attempt, self._position.seen | tokens))


def _parts(sights: Iterator[scanning.Sight], size: int) -> Iterator[list[scanning.Sight]]:
    while part := list(islice(sights, size)):
        yield part


def _not_indexed(searched: Searched) -> Iterator[Note]:
    if count := waiting(searched.connection).versions:
        message = f"{count:,} version{'s wait' if count > 1 else ' waits'} to be indexed and cannot be found yet"
        yield Note(kind=NoteKind.NOT_INDEXED, message=message)
    if lost := hits.count_path_only(searched.connection, searched.source.id):
        message = f"{lost:,} document{'s' if lost > 1 else ''} can be found by the path only"
        yield Note(kind=NoteKind.NOT_INDEXED, message=message)


def _check(request: SearchRequest) -> None:
    if request.at is not None and request.is_history:
        raise UsageError("a moment and the history exclude each other", hint="Leave one of --at and --history out.")
    if request.is_substring and request.is_regex:
        raise UsageError("a substring and a regular expression exclude each other", hint="Leave --substring or --regex out.")
    if not 1 <= request.limit <= MAX_LIMIT:
        raise UsageError(f"the limit is {request.limit}", hint=f"Ask for 1 to {MAX_LIMIT:,} hits; a cursor gives the next.")
