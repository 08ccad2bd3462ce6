"""Says what changed between two states of an item, of which the texts are known: lines `name: value`, or any text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.model.diff import FieldChange, ValueChange

_FIELD = re.compile(r"([\w.$ @/-]{1,60}): (.*)", re.DOTALL)


def diff_states(old: str, new: str) -> tuple[FieldChange, ...]:
    """Returns the fields that came, went or changed between the texts of two states of an item.

    A text that has no fields counts as one field called `text`.
    """
    before, after = _fields(old), _fields(new)
    names = dict.fromkeys([*after, *before])
    return tuple(change for name in names if (change := _change(name, before.get(name), after.get(name))) is not None)


def _change(name: str, old: str | None, new: str | None) -> FieldChange | None:
    if old == new:
        return None
    what = ValueChange.ADDED if old is None else ValueChange.REMOVED if new is None else ValueChange.CHANGED
    return FieldChange(name=name, change=what, old=old, new=new)


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _lines(text):
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = value
    return found


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yields names and values; lines without a name belong to the value before them."""
    name, value = "", ""
    for line in text.split("\n"):
        match = _FIELD.fullmatch(line)
        if match and (name or not value):
            if name:
                yield name, value
            name, value = match[1], match[2]
        else:
            value = f"{value}\n{line}" if value else line
    if name or value:
        yield name or "text", value
