"""Documents, their versions, and what is known of the content of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.model.base import Value


class Kind(StrEnum):
    """Says how the bytes of a document are to be understood."""

    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"
    TEXT = "text"


class ParseState(StrEnum):
    """Says whether the bytes are what the document's kind promises.

    `valid` is strict (RFC 8259 in UTF-8 for JSON). `lenient` can be read although it deviates (comments, NaN, a byte
    order mark, duplicate keys …). `invalid` cannot be read as a whole. `unchecked` was not looked at.
    """

    VALID = "valid"
    LENIENT = "lenient"
    INVALID = "invalid"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class ParseReport(Value):
    """What a look at the bytes of a version found.

    Attributes:
        state: The verdict.
        error: Empty when valid; otherwise a machine code, a colon, a space and a message for people, such as
            `truncated: ends inside a string that starts at line 3 column 4`. Several deviations of a lenient document
            are joined with `; `.
    """

    state: ParseState
    error: str = ""

    @property
    def code(self) -> str:
        """The machine code of the first finding, or an empty text."""
        return self.error.split(":", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentState(Value):
    """One document as it was at one moment.

    Attributes:
        path: Relative to the root, POSIX; bytes that are not UTF-8 as surrogate escapes.
        version: Number of the version in force, counted from 1 in the document.
        hash: Tagged hash of the content.
        mode: Permission bits.
        mtime_ns: Time of modification, nanoseconds since 1970.
        since: Id of the snapshot that brought this version.
    """

    path: str
    kind: Kind
    category: str
    version: int
    hash: str
    size_bytes: int
    mode: int
    mtime_ns: int
    state: ParseState
    error: str
    since: int
    _version_id: int
    _blob_id: int


class Change(StrEnum):
    """Says what a version did to its document."""

    ADDED = "added"
    MODIFIED = "modified"
    TOUCHED = "touched"  # same content, other mode or time of modification
    RETURNED = "returned"  # was removed before, is there again
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Value):
    """One version in the history of a document.

    Attributes:
        number: Counted from 1 in the document; gives the order.
        snapshot: Id of the snapshot that brought it.
        label: That snapshot's label.
        seen_at: That snapshot's time.
        until: Id of the snapshot that ended it, or None while it is current.
        until_at: That snapshot's time.
        change: What it did to the document; a removal is not a version, see `removed`.
        removed: Whether the version ended with the document's removal, and not with a newer version.
        last_valid: Whether it is the newest version that is strictly valid.
    """

    number: int
    snapshot: int
    label: str
    seen_at: datetime
    until: int | None
    until_at: datetime | None
    change: Change
    removed: bool
    hash: str
    size_bytes: int
    mode: int
    mtime_ns: int
    state: ParseState
    error: str
    last_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History(Value):
    """All versions of one document, oldest first."""

    path: str
    kind: Kind
    category: str
    versions: tuple[Version, ...]

    @property
    def last_valid(self) -> Version | None:
        """The newest strictly valid version, or None if there never was one."""
        return next((version for version in reversed(self.versions) if version.last_valid), None)
