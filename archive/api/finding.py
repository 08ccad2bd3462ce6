"""Finding what was said where, now and in the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.api.opening import OnProgress, Opening
from archive.errors import ArchiveLocked, UsageError
from archive.moment import Moment, parse_moment

if TYPE_CHECKING:
    from archive.model.documents import Kind
    from archive.model.search import Hit, ItemHistory, Page
    from archive.search import Catalogue


class Finding(Opening):
    """Searches items and follows them through time."""

    _catalogue: Catalogue | None = None

    def search(
        self,
        query: str,
        *,
        at: str | None = None,
        history: bool = False,
        kind: Kind | str | None = None,
        category: str | None = None,
        path: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
        substring: bool = False,
        regex: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Page[Hit]:
        """Returns the items that match, the best first; by default those of the current state.

        The query is what people type: words that must all be there, in any order; `"phrases"`, `OR`, `-word`, `word*`,
        `title:`, `key:`, `path:`, `category:`. Everything else is text, and no text is an error. Where nothing has all the
        words, the last one may go on, then any of them counts, and the page's notes say so.

        An archive that is open for writing indexes first what waits to be indexed. Otherwise a note says what is missing.

        Args:
            at: Look at exactly the items alive at that moment.
            history: Look at every item that ever was: each is one hit, its newest state that matches, with the span of all.
            kind: Only documents of this kind.
            category: Only documents of this category.
            path: Only documents with such a path; a pattern if it has `*` or `?` in it, else a part of the path.
            since, until: Only what came to be as it is in that time, whole days and minutes included.
            limit: How many hits at most, up to 1,000.
            cursor: That of the page before; the pages stay those of one moment although backups go on.
            substring: Take the text letter by letter, and look at every item.
            regex: Take the text as a regular expression, and look at every item.
            on_progress: Called while every item is looked at.

        Raises:
            QueryError: A regular expression that is none or takes too long, a cursor of another query, a bad moment.
            SnapshotNotFound: No snapshot is meant by `at`.
        """
        from archive.search import Catalogue, Searched, SearchRequest, search

        self._index_first()
        request = SearchRequest(
            text=query,
            at=at,
            is_history=history,
            kind=None if kind is None else _kind(kind),
            category=category,
            path=path,
            since=self._moment(since, is_start=True),
            until=self._moment(until),
            limit=limit,
            cursor=cursor,
            is_substring=substring,
            is_regex=regex,
        )
        self._catalogue = self._catalogue or Catalogue()
        with self._reading() as (connection, source):
            searched = Searched(
                connection=connection,
                path=self.path,
                source=source,
                catalogue=self._catalogue,
                resolve=lambda moment: self._resolve(connection, source, moment),
                on_progress=on_progress,
            )
            return search(searched, request)

    def item_history(self, path: str, pointer_or_key: str) -> ItemHistory:
        """Returns every state of one item of a document, oldest first, wherever in the document it stood.

        Args:
            path: The document.
            pointer_or_key: Where the item is or was: its RFC 6901 pointer, or one of a value inside it; its lines as
                `L10-L20`; its way of headings as `/Plans/Summer`; or the key that a hit names.

        Raises:
            DocumentNotFound: No snapshot ever held the document.
            PointerNotFound: Nothing is or was there.
        """
        from archive.search import item_history

        self._index_first()
        with self._reading() as (connection, source):
            return item_history(connection, source, path, pointer_or_key)

    def _index_first(self) -> None:
        if self._database.writable:
            from archive.indexing import index_pending

            try:
                index_pending(self._database)
            except ArchiveLocked:
                return  # somebody else writes; the page says what is missing

    def _moment(self, text: str | None, *, is_start: bool = False) -> Moment | None:
        return None if text is None else parse_moment(text, self._clock.now(), self._clock.localize, is_start=is_start)


def _kind(name: str) -> Kind:
    from archive.model.documents import Kind

    try:
        return Kind(name)
    except ValueError:
        raise UsageError(f"there is no kind {name!r}", hint=f"Kinds are {', '.join(Kind)}.") from None
