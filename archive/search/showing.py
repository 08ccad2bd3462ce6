"""Makes hits of items: what is shown of them, and what to type to see them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archive.extract.printable import shell_word
from archive.model.search import Hit, Sighting, Span
from archive.query import Marker
from archive.search import scanning
from archive.search.ranking import Ranked
from archive.search.scanning import Seen, cut
from archive.storage import hits
from archive.storage.connection import Connection
from archive.storage.hits import ItemRow

_LINES = re.compile(r"L(\d+)(?:-L(\d+))?")


def ranked_hits(connection: Connection, ranked: Sequence[Ranked], marker: Marker) -> Iterator[Hit]:
    """Yields the hits for items found by the index, in their order."""
    rows = hits.items(connection, [one.id for one in ranked])
    for row, one in zip(rows, ranked, strict=True):
        place = place_of(row.key, row.pointer)
        marks = _Marks(marker.spans(place), marker.spans(row.title), *marker.snippet(row.text))
        first = row.first if one.first == row.first.snapshot else hits.sighting(connection, one.first)
        yield _hit(row, one.score, place, marks, first, one.states)


def scanned_hits(connection: Connection, seen: Sequence[Seen]) -> Iterator[Hit]:
    """Yields the hits for items found by looking at all of them, in their order."""
    rows = hits.items(connection, [one.sight.id for one in seen])
    for row, one in zip(rows, seen, strict=True):
        marks = _Marks(one.sight.place_spans, one.sight.title_spans, *cut(row.text, one.sight.text_spans))
        first = row.first if one.first == row.first.snapshot else hits.sighting(connection, one.first)
        yield _hit(row, 0.0, place_of(row.key, row.pointer), marks, first, one.states)


class _Marks(NamedTuple):
    """Where matched words stand: in the place, in the title, and in what is shown of the text."""

    place: tuple[Span, ...]
    title: tuple[Span, ...]
    snippet: str
    text: tuple[Span, ...]


def _hit(row: ItemRow, score: float, place: str, marks: _Marks, first: Sighting, states: int) -> Hit:
    return Hit(
        path=row.path,
        category=row.category,
        document_kind=row.document_kind,
        kind=row.kind,
        key=row.key,
        pointer=row.pointer,
        place=place,
        place_spans=marks.place,
        title=row.title,
        title_spans=marks.title,
        snippet=marks.snippet,
        snippet_spans=marks.text,
        score=round(score, 6),
        first_seen=first,
        last_seen=row.last,
        present=row.is_present,
        state=row.state,
        extent=row.extent,
        command=command_for(row.path, row.pointer, None if row.is_present else row.last.snapshot),
        states=states,
        _document_id=row.document_id,
    )


def place_of(key: str, pointer: str) -> str:
    """Returns the way of names, ids and headings to an item for people; lines where there are no names."""
    place = scanning.place_of(key)
    if not place and (lines := _LINES.fullmatch(pointer)):
        return f"lines {lines[1]}-{lines[2]}" if lines[2] and lines[2] != lines[1] else f"line {lines[1]}"
    return place


def command_for(path: str, pointer: str, snapshot_id: int | None) -> str:
    """Returns what to type to see an item; as it was in a snapshot, or now."""
    target = shell_word(f"{path}#{pointer}" if pointer else path)
    at = "" if snapshot_id is None else f" --at {snapshot_id}"
    return f"archive cat{at} -- {target}" if path.startswith("-") else f"archive cat {target}{at}"
