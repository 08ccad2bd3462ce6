"""Reads what can be read of JSON that is broken: cut off, spliced, half written, or full of conflict markers.

    conflict     →  the value of each side, our own first
    anything else→  the document up to where it breaks, closed there, and behind that every record that is whole

It is for lists of records, where one that is damaged must not hide the others. What it gives is a reading of a document
that has none, and never to be taken for the document.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archive.extract.parse import text_of
from archive.extract.strict import READABLE_DEPTH
from archive.model.base import Json

MAX_BYTES = 8 << 20
"""Broken documents larger than this are not salvaged."""
_MOST_EFFORT = 8  # characters looked at in vain, for each character of the text
_COSTLY = 100_000  # stands for the characters of an attempt that does not say how far it came

_CLOSERS = {"{": "}", "[": "]"}
# Strings count as a whole, so that no bracket in them counts; one that does not end is left at its quote.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"|[{}\[\]]')
_RECORD = re.compile(r'(?:"(?P<name>(?:[^"\\\n]|\\.)*+)"\s*+:\s*+)?(?P<start>\{)')
_DECODER = json.JSONDecoder(strict=False)


def salvage(data: bytes) -> list[Json]:
    """Returns the values that the bytes may stand for, the likeliest first; none if there is nothing to be read.

    Takes time in proportion to the size, times its logarithm at most.
    """
    if not data.strip() or len(data) > MAX_BYTES:
        return []
    text = text_of(data).replace("\0", "")
    return [value for side in _sides(text) if (value := _value(side)) is not None]


def salvage_lines(data: bytes, bad_lines: Sequence[int], good: Sequence[Json]) -> list[tuple[int, Json]]:
    """Returns the records that are whole in lines of JSONL that are not, such as two in one line, with the lines' numbers.

    Args:
        good: The records of the other lines; what has not the fields that these have is part of a record.
    """
    if len(data) > MAX_BYTES:
        return []
    lines = text_of(data).split("\n")
    found = [
        (number, record)
        for number in bad_lines
        if number <= len(lines)
        for _, record in _records(lines[number - 1].replace("\0", ""), 0)
    ]
    numbers = {id(record): number for number, record in found}
    together: list[Json] = [*good]
    _append(together, [("", record) for _, record in found])
    return [(numbers[id(record)], record) for record in together[len(good) :]]


def _sides(text: str) -> list[str]:
    """Returns the text as each side of its conflicts has it; as it is where there is no conflict."""
    ours: list[str] = []
    theirs: list[str] = []
    both = (ours, theirs)
    taking: tuple[list[str], ...] = both
    in_conflict = found = False
    for line in text.split("\n"):
        marker = line.rstrip("\r")[:7] if line[7:8] in ("", " ", "\r") else ""
        if marker == "<<<<<<<":
            in_conflict, taking, found = True, (ours,), True
        elif marker == "|||||||" and in_conflict:
            taking = ()  # what both began with
        elif marker == "=======":
            taking, found = ((theirs,) if in_conflict else both), True
        elif marker == ">>>>>>>":
            in_conflict, taking, found = False, both, True
        else:
            for side in taking:
                side.append(line)
    return ["\n".join(ours), "\n".join(theirs)] if found else [text]


def _value(text: str) -> Json:
    """Returns the value of a text that is JSON, or as much of it as can be read; None if that is nothing."""
    cuts = _cuts(text)
    best = _longest(text, cuts)
    if best is None:
        return None
    value, end, closers = best
    # Behind what is whole by itself there may be anything; behind what had to be closed, the rest of its records.
    if closers and isinstance(value, dict | list):
        _append(value, list(_records(text, end)))
    return value


def _cuts(text: str) -> list[tuple[int, str]]:
    """Returns the places behind each bracket, each with what would close the document there."""
    stack: list[str] = []
    cuts = []
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _CLOSERS:
            stack.append(_CLOSERS[sign])
            if len(stack) > READABLE_DEPTH:
                break
            cuts.append((token.end(), "".join(reversed(stack))))
        elif sign in ("}", "]"):
            if not stack or stack.pop() != sign:
                break
            cuts.append((token.end(), "".join(reversed(stack))))
            if not stack:
                break
    return cuts


def _longest(text: str, cuts: list[tuple[int, str]]) -> tuple[Json, int, str] | None:
    """Returns the value up to the last place at which the document is whole once it is closed, that place, and the closing.

    If it is whole at one place it is at those before, so that the place can be searched by halves.
    """
    found = None
    low, high = 0, len(cuts)
    while low < high:
        middle = (low + high) // 2
        end, closers = cuts[middle]
        try:
            found, low = (_DECODER.decode(text[:end].lstrip("\ufeff") + closers), end, closers), middle + 1
        except (ValueError, RecursionError):
            high = middle
    return found


def _records(text: str, start: int) -> Iterator[tuple[str, Json]]:
    """Yields every object behind a place that is whole, with the name it stands under."""
    at = start
    effort = _MOST_EFFORT * len(text)
    while effort > 0:
        opening = _RECORD.search(text, at)
        if opening is None:
            return
        begin = opening.start("start")
        try:
            value, at = _DECODER.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            at = opening.end()
            effort -= 100 + error.pos - begin
            continue
        except (ValueError, RecursionError):
            at = opening.end()
            effort -= _COSTLY
            continue
        yield opening["name"] or "", value


def _append(value: Json, found: list[tuple[str, Json]]) -> None:
    """Puts records where the last of their like stand: in the innermost list or object of objects at the end of the value."""
    home = _home(value)
    own = list(home.values()) if isinstance(home, dict) else home
    records = [(name, record) for name, record in found if isinstance(record, dict) and _is_record(record)]
    known = [record for record in own if isinstance(record, dict)] or [record for _, record in records]
    counts = Counter(name for record in known for name in record)
    usual = {name for name, count in counts.items() if 2 * count >= len(known)}
    for number, (name, record) in enumerate(records, 1):
        # What is nested in a record that is damaged looks like a record too; its fields are others.
        if 2 * len(usual.intersection(record)) < len(usual):
            continue
        if isinstance(home, list):
            home.append(record)
        else:
            home.setdefault(name or f"salvaged {number}", record)


def _home(value: Json) -> dict[str, Json] | list[Json]:
    """Returns what the last record stands in; a record of which nothing is left is taken out of it."""
    way: list[dict[str, Json] | list[Json]] = []
    while isinstance(value, dict | list):
        way.append(value)
        value = next(reversed(value.values()), None) if isinstance(value, dict) else value[-1] if value else None
    for outer, inner in pairwise(way):
        if isinstance(inner, dict) and _is_record(inner):
            return outer
    if len(way) > 1 and way[-1] == {}:
        outer = way[-2]
        if isinstance(outer, list):
            outer.pop()
        else:
            outer.popitem()
        return outer
    return way[-1]


def _is_record(value: dict[str, Json]) -> bool:
    """Says whether an object has a field of its own; one that holds nothing but containers is one itself."""
    return any(not isinstance(field, dict | list) for field in value.values())
