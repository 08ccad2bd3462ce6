"""Strategies for JSON values, their texts, and texts that were damaged; and what the standard library says of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from archive.model.base import Json

NAMES = st.one_of(
    st.sampled_from(["", "a", "b", "id", "name", "a/b", "m~n", ":", '"', "é", "日本", "\x00"]), st.text(max_size=4)
)
SCALARS: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2**63, -(2**63) - 1, 2**64, 10**19, 10**400]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a:b", "::", "\\u003a", "\\", '"', "[", "}]", "\U0001f600", "\x7f", "\u2028"]),
    st.text(max_size=8),
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)

# What tools and crashes put into files.
SNIPPETS = (
    b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\0\0\0", b"\xe9", b"\xc3", b"\xed\xa0\x80", b"NaN", b"-Infinity",
    b"// c\n", b"/* c */", b"/*",
    b",", b",,", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\ud83d", b"\\ude00", b"\\\\ud83d", b"\\u003a", b"\\u003A",
    b"\\q", b"'",
    b"\n", b"\r\n", b"\t", b"\x0b", b"\x01", b"01", b"1.", b"-", b"1e5", b"1e999", b"+1", b"true", b"tru",
    b"None", b'"a":1,', b'"a"',
    b"<<<<<<< HEAD\n", b"\n=======\n", b"\n>>>>>>> x\n", b"[[[[[[", b"]]]]]]", b" ", b"8" * 30, b"8" * 5_000,
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Draws strict JSON in one of the layouts that writers use."""
    value = draw(VALUES)
    separators = draw(st.sampled_from([None, (",", ":"), (" ,", " : ")]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2])), separators=separators)
    return (draw(st.sampled_from(["", " ", "\n"])) + text + draw(st.sampled_from(["", "\n", "\r\n"]))).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draws JSON that went through up to four accidents: cut, spliced, doubled, overwritten."""
    data = draw(texts())
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        middle = draw(st.one_of(st.sampled_from(SNIPPETS), st.just(b""), st.just(data[start:end] * 2), texts()))
        data = data[:start] + middle + data[end:]
    return data


class NotStrict(ValueError):
    """Says that a text is not strict JSON, or has a name twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise NotStrict
    return dict(pairs)


def _refuse(text: str) -> Any:
    raise NotStrict(text)


def reference(data: bytes) -> tuple[Json] | None:
    """Returns the value that the standard library reads, alone in a tuple, or None if the bytes are not strict JSON.

    Integers of more than 4,300 digits are left as text.
    """
    integer = lambda digits: int(digits) if len(digits) <= 4_300 else digits  # noqa: E731
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse, parse_int=integer)
        json.dumps(value, ensure_ascii=False).encode()  # fails for surrogates that stand alone
    except ValueError:
        return None
    return (value,)


def exact(value: Json) -> str:
    """Returns a text that is the same exactly for the same values: 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    return json.dumps(value, sort_keys=True)
