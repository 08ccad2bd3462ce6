"""Compares old and new content of one document and says whether the change looks like an accident; pure.

Tools that keep their state in files lose it in one of three ways: the file is written in part and can no longer be parsed,
it is emptied, or a program that understood only a part of it writes that part back. Each of them is an ordinary change of
a file, so the only sign is how little is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive.extract.parse import classify, load
from archive.model.base import Json
from archive.model.documents import Kind, ParseReport, ParseState
from archive.model.memory import SHRUNKEN_BELOW

# What is larger is compared by its size alone: counting would cost more than storing it.
_COUNTED_BYTES = 8 * 1024 * 1024
_WORDS = {Kind.JSON: ("values", "objects"), Kind.JSONL: ("records",), Kind.MARKDOWN: ("lines",), Kind.TEXT: ("lines",)}
_LEAST = (3, 4)  # items, and objects of JSON; fewer come and go


def suspicion(
    kind: Kind,
    old: bytes,
    new: bytes,
    report: ParseReport | None = None,
    *,
    shrunken_below: float = SHRUNKEN_BELOW,
    last_valid: Callable[[], bytes | None] = lambda: None,
) -> str:
    """Returns what is suspicious about a change of content, as code and message; empty where nothing is.

    The codes are `emptied`, `turned_invalid` and `shrunken`, which are looked for in this order.

    Args:
        report: What `classify` says of the new content, where that is known.
        shrunken_below: Which share of its items a document keeps at least if all is well.
        last_valid: Gives the last content that could be parsed, or None; asked where the old one cannot. A file that is
            torn and then begun anew has lost as much as one that was begun anew at once.
    """
    if old == new:
        return ""
    if old.strip() and not new.strip():
        return f"emptied: held {len(old):,} bytes and is empty now"
    report = report or classify(kind, new)
    if report.state is ParseState.INVALID:
        is_new = old.strip() and classify(kind, old).state is not ParseState.INVALID
        return f"turned_invalid: was whole, and now {_without_code(report)}" if is_new else ""
    before = _sizes(kind, old, max(len(old), len(new)) <= _COUNTED_BYTES) if old.strip() else None
    if before is None:
        old = last_valid() or b""
        return shrinkage(kind, old, new, shrunken_below=shrunken_below) if old else ""
    return _shrinkage(kind, before, old, new, shrunken_below)


def shrinkage(kind: Kind, old: bytes, new: bytes, *, shrunken_below: float = SHRUNKEN_BELOW) -> str:
    """Returns how much of its items a document lost, as code and message; empty where it kept enough of them.

    Items are the values in JSON (each number, text, true, false and null) and likewise the objects, the records of JSONL and
    the lines of a text, and in documents of more than 8 MiB their bytes. What moves from one list to another is not lost.
    One or two items come and go. Content that cannot be parsed is compared with nothing.
    """
    before = _sizes(kind, old, max(len(old), len(new)) <= _COUNTED_BYTES)
    return "" if before is None else _shrinkage(kind, before, old, new, shrunken_below)


def _shrinkage(kind: Kind, before: Sequence[int], old: bytes, new: bytes, shrunken_below: float) -> str:
    is_counted = max(len(old), len(new)) <= _COUNTED_BYTES
    after = _sizes(kind, new, is_counted) or ()
    words = _WORDS[kind] if is_counted else ("bytes",)
    for word, least, had, has in zip(words, _LEAST, before, after, strict=False):
        if had >= least and has < had * shrunken_below:
            return f"shrunken: lost most of itself, {f'{has:,}' if has else 'none'} of {had:,} {word} left"
    return ""


def _sizes(kind: Kind, data: bytes, is_counted: bool) -> tuple[int, ...] | None:
    return count_items(kind, data) if is_counted else (len(data),)


def count_items(kind: Kind, data: bytes) -> tuple[int, ...] | None:
    """Returns how many items content has, of each sort that its kind has; None where it cannot be parsed."""
    if kind is not Kind.JSON:
        return (sum(not line.isspace() for line in data.splitlines() if line),)
    loaded = load(kind, data)
    return count_values(loaded.value) if loaded.whole else None


def count_values(value: Json) -> tuple[int, int]:
    """Returns how many values that are neither objects nor arrays are in a JSON value, and how many objects."""
    values = objects = 0
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            objects += 1
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
        else:
            values += 1
    return values, objects


def _without_code(report: ParseReport) -> str:
    return report.error.partition(": ")[2] or report.error
