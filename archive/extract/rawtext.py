"""Cuts texts into stretches whose borders follow from the text around them, so that an edit moves only near ones.

A stretch ends at the end of a line, at the end of a paragraph where there is one. Which of the possible borders are taken
depends on a checksum of the line before: after an insertion the same borders are found again a little further on.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

MIN_CHUNK = 2_000
MAX_CHUNK = 8_000
"""Characters of a stretch at most."""

_PARAGRAPH_MASK = 0x3  # every 4th paragraph ends a stretch that is long enough
_LINE_MASK = 0x3F  # every 64th line
_WINDOW = 2_000  # in lines without end, characters in which a border is looked for
_PLACES = re.compile(r"[\s,;>}\]]")


class Chunk(NamedTuple):
    """A stretch of a text.

    Attributes:
        first_line, last_line: From 1; a long line may be cut in several stretches.
    """

    text: str
    first_line: int
    last_line: int


def clean(text: str) -> str:
    """Returns the text with U+FFFD for NUL and for halves of characters, which cannot be stored or searched."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_text(text: str, first_line: int = 1) -> list[Chunk]:
    """Cuts a text into stretches of at most `MAX_CHUNK` characters, without empty lines around them.

    Joined, they are the text, except for white space at their borders.
    """
    if len(text) <= MAX_CHUNK:
        return _trimmed([Chunk(text, first_line, first_line + text.count("\n"))])
    chunks: list[Chunk] = []
    pending: list[str] = []
    size, start, line, previous_blank = 0, first_line, first_line, False
    for piece in text.split("\n"):
        if size and (_is_border(piece, size, previous_blank) or size + len(piece) > MAX_CHUNK):
            chunks.append(Chunk("\n".join(pending), start, line - 1))
            pending, size, start = [], 0, line
        if len(piece) > MAX_CHUNK:
            chunks += [Chunk(part, line, line) for part in _split_line(piece)]
            start = line + 1
        else:
            pending.append(piece)
            size += len(piece) + 1
        previous_blank = not piece or piece.isspace()
        line += 1
    if pending:
        chunks.append(Chunk("\n".join(pending), start, line - 1))
    return _trimmed(chunks)


def _is_border(piece: str, size: int, previous_blank: bool) -> bool:
    """Whether a stretch of that size ends before this line."""
    if size < MIN_CHUNK:
        return False
    return not zlib.crc32(piece.encode("utf-8", "surrogatepass")) & (_PARAGRAPH_MASK if previous_blank else _LINE_MASK)


def _split_line(line: str) -> list[str]:
    """Cuts a line without end behind spaces and signs, where a checksum of what follows is lowest."""
    parts = []
    start = 0
    while len(line) - start > MAX_CHUNK:
        window = line[start + MAX_CHUNK - _WINDOW : start + MAX_CHUNK]
        places = [match.end() for match in _PLACES.finditer(window)] or [_WINDOW]
        end = start + MAX_CHUNK - _WINDOW + min(places, key=lambda place: _weight(window, place))
        parts.append(line[start:end])
        start = end
    return [*parts, line[start:]]


def _weight(window: str, place: int) -> int:
    return zlib.crc32(window[max(0, place - 12) : place].encode("utf-8", "surrogatepass"))


def _trimmed(chunks: list[Chunk]) -> list[Chunk]:
    """Returns the stretches without empty lines around them, and without those that are empty then."""
    result = []
    for text, first, last in chunks:
        body = text.rstrip()
        if body:
            start = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
            result.append(Chunk(body[start:], first + text.count("\n", 0, start), last - text.count("\n", len(body))))
    return result
