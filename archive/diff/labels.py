"""Tells which elements of two lists are the same thing, by the member that identifies them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archive.extract.identity import identity_field as field_of_one
from archive.extract.identity import is_id
from archive.model.base import Json

Identity = tuple[str, str, str | int]
"""Name of the member, type and value; 1 and "1" are different things."""


def identity_field(old: Sequence[Json], new: Sequence[Json]) -> str | None:
    """Returns the member that tells the objects of both lists apart, or None if none does in each of them."""
    fields = {field_of_one(objects, _nothing_is_secret) for array in (old, new) if (objects := _objects(array))}
    return fields.pop() if len(fields) == 1 else None


def identity(element: Json, field: str) -> Identity | None:
    """Returns what identifies an element, or None if nothing does."""
    value = element.get(field) if isinstance(element, dict) else None
    return (field, type(value).__name__, value) if is_id(value) else None


def counts(array: Sequence[Json], field: str) -> Counter[Identity]:
    """Returns how often each identity occurs in a list."""
    return Counter(found for element in array if (found := identity(element, field)) is not None)


def _objects(array: Sequence[Json]) -> list[dict[str, Json]]:
    return [element for element in array if isinstance(element, dict)]


def _nothing_is_secret(name: str) -> bool:
    # A diff shows documents as they are; only the index masks.
    return False
