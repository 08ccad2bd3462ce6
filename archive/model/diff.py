"""Differences between two moments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archive.model.base import Json, Value
from archive.model.documents import DocumentState
from archive.model.snapshots import Snapshot


class ValueChange(StrEnum):
    """Says what happened to one value of a JSON document."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # an element of an array stands elsewhere among those that stayed
    REORDERED = "reordered"  # so many elements of an array moved that they are not named one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerChange(Value):
    """One changed value of a JSON document.

    Attributes:
        pointer: RFC 6901, in the old document for removed values, else in the new one; for JSONL the first step is the
            number of the record, from 0. For a reordered array it is the array's.
        old, new: The values; None on the side where there is none, and on both for moved and reordered ones: what
            changed inside of them is reported by itself.
        old_pointer: In the old document, where positions in arrays may be others; None for added values.
    """

    pointer: str
    change: ValueChange
    old: Json
    new: Json
    old_pointer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange(Value):
    """One changed value inside an item.

    Attributes:
        name: The field; of a value further inside, all names on the way with dots between them.
        old, new: The values; None on the side where there is none.
    """

    name: str
    change: ValueChange
    old: Json
    new: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDiff(Value):
    """What happened to one item of a document.

    Attributes:
        change: Whether it came, went, changed or moved.
        pointer: RFC 6901, in the old document for what went, else in the new one.
        key: Its identity where it has one of its own, else empty.
        noun: What to call one of its kind, after what is around it: `task`, `memory entry`.
        name: Its id, or the name it stands under; may be empty.
        title: What it calls itself beside that; may be empty.
        fields: For what changed, which values of it did.
    """

    change: ValueChange
    pointer: str
    key: str
    noun: str
    name: str
    title: str
    fields: tuple[FieldChange, ...] = ()


class FileChange(StrEnum):
    """Says what happened to one file between two moments."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    TOUCHED = "touched"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff(Value):
    """One file that differs.

    Attributes:
        values: For JSON that can be read on both sides, the changed values by pointer; else empty.
        items: The same changes in terms of items: which came, went and changed.
        text: For everything else that is text, and for JSON that differs in its layout only, a unified diff, lines
            without their ends; else empty.
        note: Says why neither is given (binary, too large to compare), why JSON is compared as text, or what was left
            out; else empty.
    """

    path: str
    change: FileChange
    old: DocumentState | None
    new: DocumentState | None
    values: tuple[PointerChange, ...] = ()
    items: tuple[ItemDiff, ...] = ()
    text: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff(Value):
    """All files that differ between two moments, sorted by path."""

    old: Snapshot
    new: Snapshot
    files: tuple[FileDiff, ...]
