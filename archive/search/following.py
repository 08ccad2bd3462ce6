"""Follows one item through all of its states, wherever it stood in its document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set

from archive.diff import diff_states
from archive.errors import PointerNotFound
from archive.model.search import ItemChange, ItemHistory, ItemState
from archive.model.snapshots import Source
from archive.search.showing import place_of
from archive.storage import documents, hits
from archive.storage.connection import Connection
from archive.storage.hits import PlaceRow, StateRow

_LINES = re.compile(r"L(\d+)(?:-L?(\d+))?")
_MAX_NAMED = 5


def item_history(connection: Connection, source: Source, path: str, place: str) -> ItemHistory:
    """Returns all states of an item, oldest first.

    Args:
        place: Its key, its pointer (that of a value inside of it too), the lines it is in (`L10-L20`), or its title.

    Raises:
        DocumentNotFound: No snapshot ever held the document.
        PointerNotFound: There is and was nothing at that place.
    """
    document_id = documents.id_of(connection, source.id, path)
    found = hits.place(connection, document_id, _readings(place)) or _by_lines(connection, document_id, place)
    if found is None:
        raise _not_found(connection, document_id, path, place)
    rows = list(_distinct(hits.states_of(connection, document_id, found.key)))
    damaged = hits.damaged_since(connection, document_id)
    return ItemHistory(path=path, key=found.key, states=tuple(_states(rows, damaged)))


def _readings(place: str) -> list[str]:
    """Returns what a place may be called, the likeliest first: itself, then what is around it."""
    readings = [place] if place.startswith(("/", "[")) or not place else [place, f"/{place}"]
    while place.count("/") > 1:
        place = place.rpartition("/")[0]
        readings.append(place)
    return readings


def _by_lines(connection: Connection, document_id: int, place: str) -> PlaceRow | None:
    """Returns the current item that has the lines, or the one with such a title."""
    given = _LINES.fullmatch(place)
    best: tuple[int, PlaceRow] | None = None
    for row in hits.current_places(connection, document_id):
        if given is None:
            if row.title.casefold() == place.casefold():
                return row
            continue
        lines = _LINES.fullmatch(row.pointer)
        shared = _shared(lines, given) if lines else 0
        if shared > 0 and (best is None or shared > best[0]):
            best = (shared, row)
    return None if best is None else best[1]


def _shared(one: re.Match[str], other: re.Match[str]) -> int:
    """Returns how many lines two ranges share."""
    start = max(int(one[1]), int(other[1]))
    return min(int(one[2] or one[1]), int(other[2] or other[1])) - start + 1


def _distinct(rows: Iterable[StateRow]) -> Iterator[StateRow]:
    """Yields the states without those that follow on another and say the same, only in another order of members."""
    last: StateRow | None = None
    for row in rows:
        if last is not None and _is_seamless(last, row) and last.title == row.title and not diff_states(last.text, row.text):
            last = row._replace(first=last.first)
            continue
        if last is not None:
            yield last
        last = row
    if last is not None:
        yield last


def _is_seamless(before: StateRow, after: StateRow) -> bool:
    return before.until is not None and before.until.snapshot == after.first.snapshot


def _states(rows: Sequence[StateRow], damaged: Set[int]) -> Iterator[ItemState]:
    """Yields the states, and a removal wherever one ends and no other begins.

    Args:
        damaged: The snapshots that brought versions of the document which cannot be read.
    """
    for number, row in enumerate(rows):
        before = rows[number - 1] if number else None
        after = rows[number + 1] if number + 1 < len(rows) else None
        is_seamless = before is not None and _is_seamless(before, row)
        change = ItemChange.ADDED if before is None else ItemChange.CHANGED if is_seamless else ItemChange.RETURNED
        yield ItemState(change=change, since=row.first, until=row.until, pointer=row.pointer, title=row.title, text=row.text)
        if row.until is not None and (after is None or after.first.snapshot != row.until.snapshot):
            yield ItemState(
                change=ItemChange.DAMAGED if row.until.snapshot in damaged else ItemChange.REMOVED,
                since=row.until,
                until=None if after is None else after.first,
                pointer=row.pointer,
                title="",
                text="",
            )


def _not_found(connection: Connection, document_id: int, path: str, place: str) -> PointerNotFound:
    rows = hits.current_places(connection, document_id)
    inside = [row for row in rows if row.pointer.startswith(f"{place}/")]
    near = [row.pointer or place_of(row.key, row.pointer) for row in inside or rows if row.pointer][:_MAX_NAMED]
    if inside:
        message = f"{place} in {path} has no values of its own, only {len(inside):,} items below it"
    else:
        message = f"{path} has and had no item at {place!r}"
    hint = f"There is {', '.join(near)}{' and more' if len(inside or rows) > len(near) else ''}." if near else ""
    return PointerNotFound(
        message, hint=hint or f"Run 'archive log {path}' to see its versions.", path=path, pointer=place, near=near
    )
