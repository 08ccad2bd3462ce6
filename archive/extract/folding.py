"""Writes small values as text on one line or a few, so that they need no items of their own."""

from __future__ import annotations

from archive.extract.names import Names
from archive.extract.secrets import MASK
from archive.model.base import Json

MAX_FOLDED_LIST = 1_000
"""Lists with more characters of text than this are not folded: each element is an item."""

MAX_FOLDED_RECORD = 4_000
"""Records of JSONL up to this size are one item, with all that is nested in them."""

_MAX_FOLDED_DEPTH = 8


def scalar_text(value: Json) -> str:
    """Returns a value that is no container as text; null is empty, a number is written as Python does."""
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def fold_list(values: list[Json]) -> str | None:
    """Returns a short list without objects on one line; None if it is long or holds objects.

    A long list without any text is empty: rows of numbers are nothing anybody looks for.
    """
    try:
        text = ", ".join(filter(None, values))  # type: ignore[arg-type]
    except TypeError:
        return _fold_mixed(values)
    return text if len(text) <= MAX_FOLDED_LIST else None


def _fold_mixed(values: list[Json]) -> str | None:
    parts: list[str] = []
    size, has_text, nested = 0, False, [iter(values)]
    while nested:
        for value in nested[-1]:
            if isinstance(value, dict):
                if value:
                    return None
            elif isinstance(value, list):
                nested.append(iter(value))
                break
            elif size <= MAX_FOLDED_LIST:
                parts.append(text := scalar_text(value))
                size += len(text) + 2
                has_text = has_text or isinstance(value, str)
            else:
                has_text = has_text or isinstance(value, str)
        else:
            nested.pop()
        if has_text and size > MAX_FOLDED_LIST:
            return None
    return ", ".join(filter(None, parts)) if size <= MAX_FOLDED_LIST else ""


def fold_members(members: dict[str, Json], names: Names) -> list[str] | None:
    """Returns the members that are containers as starts of lines and values in turn; None if that is too much.

    Names of members inside are written with those they stand under, as in `author.name`.
    """
    nested: dict[str, Json] = {name: value for name, value in members.items() if value and isinstance(value, dict | list)}
    parts: list[str] = []
    if nested and _fold_into(parts, nested, "", names, masked=False, depth=0) < 0:
        return None
    return parts


def _fold_into(parts: list[str], members: dict[str, Json], way: str, names: Names, *, masked: bool, depth: int) -> int:
    """Appends the lines of an object's members; returns their size, or -1 if it is too much."""
    size = 0
    for name, value in members.items():
        known = names[name]
        hidden = masked or known.secret
        line = f"\n{way}{known.shown}: " if way else known.line
        for member in value if isinstance(value, list) and any(isinstance(one, dict) for one in value) else (value,):
            added = _fold_member(parts, line, member, names, masked=hidden, depth=depth)
            size += added
            if added < 0 or size > MAX_FOLDED_RECORD:
                return -1
    return size


def _fold_member(parts: list[str], line: str, value: Json, names: Names, *, masked: bool, depth: int) -> int:
    if isinstance(value, dict):
        if depth == _MAX_FOLDED_DEPTH:
            return -1
        return _fold_into(parts, value, f"{line[1:-2]}.", names, masked=masked, depth=depth + 1)
    text = fold_list(value) if isinstance(value, list) else scalar_text(value)
    if text is None:
        return -1
    if text:
        parts += line, MASK if masked and not isinstance(value, bool) else text
    return len(line) + len(text)
