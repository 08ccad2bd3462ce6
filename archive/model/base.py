"""Gives every public value the same JSON form."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import TypeAlias

from archive.clock import to_iso

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def jsonable(value: object) -> Json:
    """Returns the value as plain JSON data.

    Dataclasses become objects with their fields in order (fields whose name starts with `_` are left out), aware times
    become UTC ISO-8601 text, enums their value, tuples and lists arrays. Text is left as it is, surrogate escapes for
    bytes that are not UTF-8 included: `json.dumps` with its default `ensure_ascii` writes them without loss.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no form for it
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return to_iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: jsonable(getattr(value, name)) for name in names if not name.startswith("_")}
    if isinstance(value, Mapping):
        return {str(key): jsonable(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(member) for member in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Value:
    """Is the base of the frozen dataclasses that the library returns."""

    __slots__ = ()

    def to_json(self) -> dict[str, Json]:
        """Returns the value as a JSON object; it is what the command line prints with `--json`."""
        result = jsonable(self)
        assert isinstance(result, dict)
        return result
