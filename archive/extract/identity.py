"""Gives every place in a document a key that stays when other things around it come, go and move.

A key is the way from the root, written so that no two ways look alike:

- `/name` is a member of an object, or a section under a heading;
- `[id=12]` is the element of a list whose member `id` is 12;
- `[~1a2b3c4d]` is an element known by its content alone, by eight hexadecimal digits of its checksum;
- `[@3]` is an element at a position, used only inside something already known by its content;
- `[+name]` is a group of members of a very large object, the first of which is `name`;
- `[2]` behind any of them is the second one that would have the same key, in the order of the document, `[3]` the third.

In names and values `~0` stands for `~`, `~1` for `/`, `~2` for `[`, `~3` for `]`, and `~u0000` for what cannot be stored.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeGuard

import orjson

from archive.model.base import Json

MAX_ID_LENGTH = 120
"""Longer texts are no ids."""

# Members whose name says that they tell one element from another; a few equal ones are then damage, not another meaning.
_ID_FIELDS = ("id", "_id", "uuid", "guid", "key", "uid", "ID", "Id")
# Members that do so as a rule, and in other lists are just text. Names that end in `_id` or `Id` come between the two.
_NAME_FIELDS = ("slug", "name", "title", "path", "file", "filename", "code", "label", "subject", "term", "question")
_SAMPLE = 4

_MUST_ESCAPE = re.compile(r"[~/\[\]\x00\ud800-\udfff]")
_ESCAPES = {"~": "~0", "/": "~1", "[": "~2", "]": "~3"}


def escape_key(name: str) -> str:
    """Returns a name or value as it stands in a key."""
    if not _MUST_ESCAPE.search(name):
        return name
    return _MUST_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"~u{ord(match[0]):04x}", name)


def content_key(text: str) -> str:
    """Returns the part of a key for an element that is known by its text."""
    return f"[~{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}]"


def canonical_text(value: Json) -> str:
    """Returns a text that is equal exactly for equal values, whatever the order of names in objects."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates, very deep nesting
        return _written(value)


def _written(value: Json) -> str:
    """Returns such a text of any value, however deeply nested."""
    parts: list[str] = []
    rest: list[tuple[str, Json]] = [("", value)]  # what stands before a value, and the value
    while rest:
        before, member = rest.pop()
        parts.append(before)
        if isinstance(member, dict):
            parts.append(f"{{{len(member)}")
            rest += [(f"{name!r}:", member[name]) for name in sorted(member, reverse=True)]
        elif isinstance(member, list):
            parts.append(f"[{len(member)}")
            rest += [("", one) for one in reversed(member)]
        else:
            parts.append(f",{member!r}")
    return "".join(parts)


def numbered(keys: Sequence[str]) -> Sequence[str]:
    """Returns the keys with the second and later ones of equal keys numbered, so that all differ."""
    if len(set(keys)) == len(keys):
        return keys
    counts: dict[str, int] = {}
    result = []
    for key in keys:
        count = counts[key] = counts.get(key, 0) + 1
        result.append(key if count == 1 else f"{key}[{count}]")
    return result


def identity_field(objects: Sequence[dict[str, Json]], is_secret: Callable[[str], bool]) -> str | None:
    """Returns the member that tells the objects of a list from each other, or None if there is none.

    That is the first that holds a text or an integer in at least half of the objects, and hardly ever the same one
    twice: up to half may be repeats for names such as `id`, and a tenth for names that often mean something else. So
    one damaged id does not change how all the others are known.
    """
    if "id" in objects[0] and _tells_apart(objects, "id", 0.5):
        return None if is_secret("id") else "id"  # what most lists have, without looking further
    if len(objects) > 2 * _SAMPLE:
        middle = len(objects) // 2
        sample = [*objects[:_SAMPLE], objects[middle], *objects[-_SAMPLE:]]
    else:
        sample = list(objects)
    names = dict.fromkeys(chain.from_iterable(sample))
    others = [name for name in names if name.endswith(("_id", "Id")) and name not in _ID_FIELDS]
    for name in (*_ID_FIELDS, *others, *_NAME_FIELDS):
        allowed = 0.5 if name in _ID_FIELDS else 0.1
        if name in names and not is_secret(name) and _tells_apart(objects, name, allowed):
            return name
    return None


def _tells_apart(objects: Sequence[dict[str, Json]], name: str, allowed: float) -> bool:
    values = [value for member in objects if is_id(value := member.get(name))]
    repeats = len(values) - len(set(map(str, values)))
    return 2 * len(values) >= len(objects) and repeats <= allowed * len(values)


def is_id(value: Json | None) -> TypeGuard[str | int]:
    """Whether a value can tell one element from another: a short text or an integer."""
    kind = type(value)
    return (kind is str and 0 < len(value) <= MAX_ID_LENGTH) or (kind is int and -(2**63) <= value < 2**64)  # type: ignore[arg-type,operator]
