"""Reads, writes and follows JSON Pointers (RFC 6901)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from archive.errors import PointerNotFound, UsageError
from archive.model.base import Json

_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
_NEAR_COUNT = 5
_NEAR_LOOKED_AT = 2_000
_SHOWN_CHARACTERS = 60


def parse_pointer(text: str) -> tuple[str, ...]:
    """Returns the steps of a pointer, unescaped; the empty pointer, which names the whole document, has none.

    Raises:
        UsageError: The text is neither empty nor starts with `/`, or has a `~` that is not `~0` or `~1`.
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise UsageError(
            f"'{text}' is no JSON pointer: it does not start with '/'",
            hint=f"Write '/{text}', with a '/' before each step, or leave it out for the whole document.",
            pointer=text,
        )
    if _BAD_ESCAPE.search(text):
        raise UsageError(
            f"'{text}' is no JSON pointer: '~' stands alone",
            hint="Write '~0' for '~' and '~1' for '/' in a name.",
            pointer=text,
        )
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def format_step(step: str | int) -> str:
    """Returns one step with its leading `/`, escaped."""
    return "/" + str(step).replace("~", "~0").replace("/", "~1")


def format_pointer(steps: Iterable[str | int]) -> str:
    """Returns the pointer with the given steps; the inverse of `parse_pointer`."""
    return "".join(format_step(step) for step in steps)


def resolve(value: Json, pointer: str | Sequence[str]) -> Json:
    """Returns the value that the pointer names inside `value`.

    For JSONL, `value` is the list of the records, so the first step is the number of a record, from 0.

    Raises:
        PointerNotFound: It leads nowhere. `context["found"]` is the longest part of it that does lead somewhere,
            `context["near"]` lists names there that look like the missing one.
        UsageError: It is no pointer.
    """
    steps = parse_pointer(pointer) if isinstance(pointer, str) else tuple(pointer)
    for count, step in enumerate(steps):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise _not_found(value, steps, count)
    return value


def _not_found(value: Json, steps: tuple[str, ...], count: int) -> PointerNotFound:
    found, step = format_pointer(steps[:count]), steps[count]
    place = found or "the document"
    near: list[str] = []
    if isinstance(value, dict):
        near = _near_names(step, value)
        message = f"{place} has no '{step}'"
        hint = f"Near names there: {', '.join(map(_shown, near))}." if near else _names_hint(value)
    elif isinstance(value, list):
        message, hint = _bad_index(place, step, len(value))
    else:
        kind = "null" if value is None else "a string" if isinstance(value, str) else "a single value"
        message = f"{place} is {kind}, nothing lies below it"
        hint = f"Ask for '{found}' itself." if found else "Ask for the whole document, without a pointer."
    return PointerNotFound(message, hint=hint, pointer=format_pointer(steps), found=found, near=near)


def _bad_index(place: str, step: str, length: int) -> tuple[str, str]:
    hint = f"Its elements are 0 to {length - 1:,}." if length else "It is empty."
    if step == "-":
        return f"'-' names the place behind the last element of {place}, where nothing is", hint
    if not (step.isascii() and step.isdigit()):
        return f"{place} is an array, and '{step}' is no position in it", hint
    if len(step) > 1 and step.startswith("0"):
        return f"{place} is an array, and '{step}' is no position in it: it has a leading zero", hint
    return f"{place} has no element {step}: it has {length:,}", hint


def _near_names(step: str, names: Iterable[str]) -> list[str]:
    """Returns names that differ in case only or look alike; of a very large object only the first are looked at."""
    looked_at = list(islice(names, _NEAR_LOOKED_AT))
    same = [name for name in looked_at if name.casefold() == step.casefold()]
    if len(step) > _SHOWN_CHARACTERS:  # comparing is quadratic in the length
        return same[:_NEAR_COUNT]
    short = [name for name in looked_at if len(name) <= _SHOWN_CHARACTERS and name not in same]
    return (same + difflib.get_close_matches(step, short, n=_NEAR_COUNT))[:_NEAR_COUNT]


def _names_hint(value: dict[str, Json]) -> str:
    if not value:
        return "It is an empty object."
    first = ", ".join(map(_shown, islice(value, _NEAR_COUNT)))
    rest = len(value) - _NEAR_COUNT
    return f"The names there are {first}{f' and {rest:,} more' if rest > 0 else ''}."


def _shown(name: str) -> str:
    return name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "…"
