"""Makes hits of items: what is shown of them, and what to type to see them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archive.extract.printable import shell_word
from archive.model.search import Hit, Span
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
        snippet, spans = marker.snippet(row.text)
        first = row.first if one.first == row.first.snapshot else hits.sighting(connection, one.first)
        hit = _hit(row._replace(first=first), one.score, marker.spans(row.title), snippet, spans)
        yield replace(hit, place_spans=marker.spans(hit.place), states=one.states)


def scanned_hits(connection: Connection, seen: Sequence[Seen]) -> Iterator[Hit]:
    """Yields the hits for items found by looking at all of them, in their order."""
    rows = hits.items(connection, [one.sight.id for one in seen])
    for row, (sight, first, states) in zip(rows, seen, strict=True):
        snippet, spans = cut(row.text, sight.text_spans)
        earliest = row.first if first == row.first.snapshot else hits.sighting(connection, first)
        hit = _hit(row._replace(first=earliest), 0.0, sight.title_spans, snippet, spans)
        yield replace(hit, place_spans=sight.place_spans, states=states)


def _hit(row: ItemRow, score: float, title_spans: Sequence[Span], snippet: str, spans: Sequence[Span]) -> Hit:
    return Hit(
        path=row.path,
        category=row.category,
        document_kind=row.document_kind,
        kind=row.kind,
        key=row.key,
        pointer=row.pointer,
        place=place_of(row.key, row.pointer),
        place_spans=(),
        title=row.title,
        title_spans=tuple(title_spans),
        snippet=snippet,
        snippet_spans=tuple(spans),
        score=round(score, 6),
        first_seen=row.first,
        last_seen=row.last,
        present=row.is_present,
        state=row.state,
        extent=row.extent,
        command=command_for(row.path, row.pointer, None if row.is_present else row.last.snapshot),
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
