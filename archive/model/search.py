"""Items, what a search found, and the history of one item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from archive.model.base import Value
from archive.model.documents import Kind, ParseState

T = TypeVar("T")


class ItemKind(StrEnum):
    """Says what part of a document an item is.

    `document`: the document as a whole, found by its path. `object`: a JSON object with its own fields. `text`: a text of
    a long list, or a part of a long text, in JSON. `record`: a line of JSONL. `section`: what stands under a Markdown
    heading. `raw`: a stretch of a text, or of a document that cannot be parsed.
    """

    DOCUMENT = "document"
    OBJECT = "object"
    TEXT = "text"
    RECORD = "record"
    SECTION = "section"
    RAW = "raw"


class ItemDraft(NamedTuple):
    """One searchable item, as the extraction hands it to whoever stores it.

    A named tuple and not a dataclass because a backup makes hundreds of thousands. Items with equal `key`, `kind`,
    `title`, `text`, `words` and `is_boilerplate` are the same item; `pointer` and the lines follow its position.

    Attributes:
        key: Identity that survives reordering; unique in the version. See `archive.extract.identity`.
        pointer: Where the item is in this version, to be written behind `path#`: for JSON and JSONL an RFC 6901 pointer
            (for JSONL the first step is the number of the record, from 0), else a range of lines as `L10-L20`.
        kind: A value of `ItemKind`.
        title: One line; empty where nothing names the item.
        text: What is searched and shown, secrets masked.
        words: Further tokens for the index, mostly empty; see `archive.extract.words`.
        is_boilerplate: Whether it belongs to a block that explains the file's own form (`schema`, `instructions`).
        line_start, line_end: First and last line, from 1, where known, else 0.
    """

    key: str
    pointer: str
    kind: str
    title: str
    text: str
    words: str
    is_boilerplate: bool
    line_start: int = 0
    line_end: int = 0


class Span(NamedTuple):
    """A stretch of a text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Value):
    """A moment at which something began or ended.

    Attributes:
        snapshot: Id of the snapshot.
        label: Its label.
        at: Its time.
    """

    snapshot: int
    label: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Value):
    """One item that a search found.

    Attributes:
        path: Document.
        key: Identity of the item in its document; empty for the document as a whole.
        pointer: RFC 6901 for JSON and JSONL, `L10-L20` for text; in the newest version that has the item.
        place: The same for people: the way of headings or names to the item.
        place_spans: Matched words in the place.
        title: One line; may be empty.
        title_spans: Matched words in the title.
        snippet: A part of the text around matched words, on one line.
        snippet_spans: Matched words in the snippet.
        score: How well the words fit: higher is better, within one page and among hits of one group (titles, others,
            boilerplate), which come in this order.
        first_seen: The snapshot that brought the item as it is here; over history, the first state of it that matches.
        last_seen: The newest snapshot that has it so.
        present: Whether it is part of the current state.
        states: How many states of the item match; one, but over history.
        state: Whether the document could be parsed; a hit in one that could not is a stretch of its text.
        extent: How far the document could be taken apart: empty if wholly, `prefix` if its rest is there as text, `raw` if all
            of it is, `path` if it can be found by its path only.
        command: What to type to see it.
    """

    path: str
    category: str
    document_kind: Kind
    kind: ItemKind
    key: str
    pointer: str
    place: str
    place_spans: tuple[Span, ...]
    title: str
    title_spans: tuple[Span, ...]
    snippet: str
    snippet_spans: tuple[Span, ...]
    score: float
    first_seen: Sighting
    last_seen: Sighting
    present: bool
    state: ParseState
    extent: str
    command: str
    states: int = 1
    _document_id: int = 0


class NoteKind(StrEnum):
    """Says what a page has to tell beside its hits."""

    IGNORED = "ignored"  # part of the query has nothing that can be looked for
    EMPTY = "empty"  # nothing is left to look for
    RELAXED = "relaxed"  # not all words together were found, so any of them counts
    DID_YOU_MEAN = "did_you_mean"  # nothing was found; `suggestions` are near spellings
    PAST = "past"  # nothing is so now, but something was
    NOT_INDEXED = "not_indexed"  # versions wait to be indexed, or could not be
    BOUNDED = "bounded"  # too many matches to rank them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Value):
    """Something a page has to tell beside its hits.

    Attributes:
        message: For people; lower case, no period.
        suggestions: For near spellings, whole queries to try instead, the best first.
    """

    kind: NoteKind
    message: str
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Value):
    """A statement of SQL that finds in the archive's file what a search found.

    Attributes:
        text: With named parameters.
        parameters: Their values by name.
    """

    text: str
    parameters: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Value, Generic[T]):
    """A bounded list of results, the best first.

    Attributes:
        total: How many there are in all; at least that many if not `total_is_exact`.
        limit: How many were asked for.
        cursor: Give this to get the next page; None on the last one.
        notes: What else there is to say.
        sql: How to find the same with SQL; None for regular expressions, which SQLite has not.
    """

    items: tuple[T, ...]
    total: int
    total_is_exact: bool
    limit: int
    cursor: str | None
    notes: tuple[Note, ...] = ()
    sql: Statement | None = None


class ItemChange(StrEnum):
    """Says what a state did to an item."""

    ADDED = "added"
    CHANGED = "changed"
    RETURNED = "returned"  # was not there before, is there again
    REMOVED = "removed"
    DAMAGED = "damaged"  # the document is, and the item cannot be made out in it; perhaps it is there

    @property
    def is_absence(self) -> bool:
        """Whether there is no item in such a state."""
        return self in (ItemChange.REMOVED, ItemChange.DAMAGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemState(Value):
    """One state in the history of an item.

    Attributes:
        change: What began here; where the item is not to be seen there is neither title nor text.
        since: When it was first seen so.
        until: When that ended, or None while it is current.
        pointer: Where the item was in the newest version that has it so.
    """

    change: ItemChange
    since: Sighting
    until: Sighting | None
    pointer: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHistory(Value):
    """All states of one item, oldest first, removals included."""

    path: str
    key: str
    states: tuple[ItemState, ...]

    @property
    def present(self) -> bool:
        """Whether the item is part of the current state."""
        return bool(self.states) and not self.states[-1].change.is_absence
