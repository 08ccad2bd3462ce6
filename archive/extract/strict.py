"""Answers quickly whether bytes are one strictly valid JSON document without duplicate names.

The answer is yes, or not sure: whatever is unusual (very deep, very dense, surrogate escapes in doubt) is left to the
careful reader. Yes is exact, but for the depth of large documents, which brackets inside strings can hide.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate

import orjson

from archive.extract.jsontext import MAX_DEPTH
from archive.model.base import Json

READABLE_DEPTH = 254
"""How deeply a value may be nested that `strict_value` gives: what orjson writes."""

_LEAN_FROM_BYTES = 1 << 20
_LEAN_MEMORY_BYTES = 900_000_000
# Integers that orjson turns into doubles have at least this many digits. Digits in strings and fractions match too.
_LONG_INTEGER = re.compile(rb"-[0-9]{19}|[0-9]{20}")
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG_ZEROS = b"0" * 19
_LONE_SURROGATE = re.compile(
    rb"\\\\u[dD][89a-fA-F]"  # perhaps no escape at all
    rb"|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]",
    re.DOTALL,
)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_strict(data: bytes) -> bool:
    """Whether the bytes surely are strict JSON (RFC 8259 in UTF-8), nested at most `MAX_DEPTH`, all names unique."""
    if len(data) >= _LEAN_FROM_BYTES:
        return is_strict_lean(data)
    return parse_strict(data) is not None


def parse_strict(data: bytes) -> tuple[Json] | None:
    """Returns the value, alone in a tuple, if the bytes surely are strict JSON with unique names; else None.

    Integers beyond 64 bits become doubles.
    """
    try:
        value = orjson.loads(data)
        written = orjson.dumps(value)  # fails beyond READABLE_DEPTH
    except (ValueError, TypeError):
        return None
    # Each member has one colon outside of strings. If no colon is written as an escape, strings have as many colons
    # parsed as they have raw. So the counts are equal exactly if no member was dropped for a later one of its name.
    if data.count(b":") != written.count(b":") or (b"\\u003" in data and (b"\\u003a" in data or b"\\u003A" in data)):
        return None
    return (value,)


def strict_value(data: bytes) -> tuple[Json] | None:
    """Returns the same as `parse_strict`, but with all integers exact; not sure if there may be one beyond 64 bits."""
    # The translation is twenty times as fast as the search and settles nearly all documents.
    if _LONG_ZEROS in data.translate(_DIGITS_AS_ZEROS) and _LONG_INTEGER.search(data):
        return None
    return parse_strict(data)


def is_strict_lean(data: bytes) -> bool:
    """Gives the answer of `is_strict` without building the value, in about the memory of the text.

    For documents of some size this is quicker too, since nothing is allocated to last.
    """
    # What cannot be discarded while it is read: elements of arrays, strings of an open object.
    if 72 * data.count(b"[") + 30 * data.count(b'"') > _LEAN_MEMORY_BYTES:
        return False
    if (b"\\ud" in data or b"\\uD" in data) and _LONE_SURROGATE.search(data):
        return False
    if _nesting_bound(data) > MAX_DEPTH:
        return False
    try:
        _DISCARDING.decode(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _nesting_bound(data: bytes) -> int:
    """Returns the depth of nesting, where no strings hold brackets."""
    steps = memoryview(data.translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0)


def _unique(pairs: list[tuple[str, Json]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate name")


def _nothing(_text: str) -> None:
    return None


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


_DISCARDING = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_nothing, parse_float=_nothing, parse_constant=_refuse)
