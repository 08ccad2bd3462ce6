"""Tells what bytes are as text: their encoding, and the damage that shows before any syntax does.

UTF-8 is what documents should be. UTF-16 is recognised, with a byte order mark or without. Other encodings cannot be
known for certain; they are guessed for messages and for showing the text to people, never for reading data.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

_SAMPLE_BYTES = 4_096
_ASCII_SHARE = 0.2  # of the units in UTF-16 of any script: at least the spaces, line ends and brackets
_MARKERS = {
    "start": re.compile(rb"^<{7}(?=[ \r\n]|\Z)[^\r\n]*", re.MULTILINE),
    "middle": re.compile(rb"^={7}(?=\r?$)", re.MULTILINE),
    "end": re.compile(rb"^>{7}(?=[ \r\n]|\Z)[^\r\n]*", re.MULTILINE),
}


class Encoding(NamedTuple):
    """Says what the bytes are.

    Attributes:
        codec: The name Python has for it, without the byte order mark.
        mark_bytes: Size of the byte order mark; 0 where there is none.
    """

    codec: str
    mark_bytes: int

    @property
    def deviation(self) -> str:
        """What is not plain UTF-8 about it, as code and message; else empty."""
        if self.codec == "utf-8":
            return "byte_order_mark: starts with a UTF-8 byte order mark" if self.mark_bytes else ""
        order = "little" if self.codec.endswith("le") else "big"
        mark = "with" if self.mark_bytes else "without"
        return f"utf16: UTF-16, {order}-endian, {mark} byte order mark"


def encoding_of(data: bytes) -> Encoding:
    """Returns the encoding the bytes seem to have: UTF-8 unless they are UTF-16; does not say that they decode."""
    if data.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8", 3)
    if data.startswith(codecs.BOM_UTF16_LE):
        return Encoding("utf-16-le", 2)
    if data.startswith(codecs.BOM_UTF16_BE):
        return Encoding("utf-16-be", 2)
    sample = data[:_SAMPLE_BYTES]
    if b"\0" in sample:
        for codec, high in (("utf-16-le", 1), ("utf-16-be", 0)):
            if _is_unmarked_utf16(data, sample, codec, high):
                return Encoding(codec, 0)
    return Encoding("utf-8", 0)


def _is_unmarked_utf16(data: bytes, sample: bytes, codec: str, high: int) -> bool:
    """Whether the first unit and enough of the others are ASCII, and all bytes decode, with no NUL among them."""
    if len(data) % 2 or len(data) < 4 or data[high] or not data[1 - high]:
        return False
    highs = sample[high::2]
    if highs.count(0) < _ASCII_SHARE * len(highs):
        return False
    try:
        return "\0" not in data.decode(codec)
    except UnicodeDecodeError:
        return False


def fault_of_decoding(
    data: bytes,
    error: UnicodeDecodeError,
    *,
    line: int = 1,
    byte: int = 0,
    whole_if: Callable[[bytes], bool] | None = None,
) -> str:
    """Returns code and message for bytes that do not decode.

    Args:
        error: What decoding all of `data`, or all behind a byte order mark at its start, raised.
        line, byte: Where `data` starts in its file.
        whole_if: Says of UTF-8 bytes whether they would be a whole document; asked about the guessed encoding.
    """
    start = error.start + len(data) - len(error.object)
    place = f"byte offset {byte + start:,} (line {line + data.count(10, 0, start):,})"
    if error.encoding.lower().startswith("utf-16"):
        return f"not_utf8: has the byte order mark of UTF-16, but does not decode at byte offset {byte + start:,}"
    if is_cut(error):
        return f"not_utf8: ends in the middle of a character, at {place}"
    message = f"not_utf8: byte 0x{data[start]:02x} at {place} is not UTF-8"
    if not data.decode("utf-8", "ignore").isascii():
        return f"{message}; other characters are, so it is damage or a mix of encodings"
    guess = guessed_encoding(data)
    name = {"latin-1": "Latin-1", "cp1252": "Windows-1252"}.get(guess)
    if name is None:
        return message
    if whole_if is not None and whole_if(data.decode(guess).encode()):
        return f"{message}; as {name} it would be a whole document"
    return f"{message}; it may be {name}"


def is_cut(error: UnicodeDecodeError) -> bool:
    """Whether nothing is wrong but that the bytes end in the middle of a character."""
    return error.end == len(error.object) and error.reason in ("unexpected end of data", "truncated data")


def guessed_encoding(data: bytes) -> str:
    """Returns the codec that single-byte text is most likely in: `latin-1`, `cp1252`, or `` if it is neither."""
    if not re.search(rb"[\x80-\x9f]", data):
        return "latin-1"
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "cp1252"


def fault_of_nuls(data: bytes, *, byte: int = 0) -> str:
    """Returns code and message for bytes with NULs among them, and an empty text if there are none.

    Args:
        byte: Where `data` starts in its file.
    """
    count = data.count(0)
    if not count:
        return ""
    if count == len(data):
        return f"nul_bytes: all {count:,} bytes are NUL"
    first = data.index(0)
    number = "1 NUL byte" if count == 1 else f"{count:,} NUL bytes"
    if first + count == len(data):
        return f"nul_bytes: the last {number}, from byte offset {byte + first:,} to the end"
    return f"nul_bytes: {number}, the first at byte offset {byte + first:,}"


def fault_of_conflict(data: bytes, *, leftovers: bool) -> str:
    """Returns code and message for unresolved merge conflicts, and an empty text if there are none.

    Args:
        leftovers: Whether a single marker line is enough, as in JSON, where such a line can be nothing else. Otherwise
            all three must be there in order: a line of equals signs is common in text.
    """
    start = _MARKERS["start"].search(data)
    middle = _MARKERS["middle"].search(data, start.end()) if start else None
    end = _MARKERS["end"].search(data, middle.end()) if middle else None
    if start and end:
        lines = f"line {_line(data, start)} to line {_line(data, end)}"
        return f"conflict_markers: an unresolved merge conflict from {lines}"
    if leftovers:
        for marker in _MARKERS.values():
            if found := marker.search(data):
                sign = found.group()[:7].decode()
                return f"conflict_markers: a line of a merge conflict was left: {sign} in line {_line(data, found)}"
    return ""


def _line(data: bytes, found: re.Match[bytes]) -> str:
    return f"{data.count(10, 0, found.start()) + 1:,}"
