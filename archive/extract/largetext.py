"""Cuts very large texts into pieces that can be masked and taken apart one after the other, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

PIECE = 4 * 1024 * 1024
"""Characters of a piece, about."""

_CONTEXT = 64 * 1024  # what is looked at on either side of a place, and how far before a piece's end places are looked for
_MOST_PLACES = 40
_PLACES = re.compile(r"[\n,;}\] ]")


def pieces(text: str, mask: Callable[[str], str]) -> Iterator[tuple[str, int]]:
    """Yields masked pieces of a text, each with the number of its first line.

    A piece ends where nothing that is masked goes on behind it: masking the two sides of the place by themselves gives
    what masking them together gives, as far as can be seen from 64 K characters on either side.
    """
    start, line = 0, 1
    while start < len(text):
        end = _end(text, start, mask)
        piece = text[start:end]
        yield mask(piece), line
        line += piece.count("\n")
        start = end


def _end(text: str, start: int, mask: Callable[[str], str]) -> int:
    end = start + PIECE
    if end >= len(text):
        return len(text)
    low = end - _CONTEXT
    line_end = text.rfind("\n", low, end) + 1
    places = [line_end] if line_end else []
    places += islice((match.end() for match in _PLACES.finditer(text, low, end)), _MOST_PLACES)
    for place in places:
        before, after = text[place - _CONTEXT : place], text[place : place + _CONTEXT]
        if mask(before) + mask(after) == mask(before + after):
            return place
    return places[0] if places else end
