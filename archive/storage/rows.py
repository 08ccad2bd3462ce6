"""Reads rows, and leaves no statement open behind: one that still runs would hold on to the moment it reads.

That is, once what `stream` gives is read to its end or closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from archive.storage.connection import Connection

Values: TypeAlias = "Sequence[object] | Mapping[str, object]"


def fetch(connection: Connection, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
    """Returns all rows of a statement."""
    return connection.execute(statement, values).fetchall()


def stream(connection: Connection, statement: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of a statement one by one, where there may be too many to hold them twice."""
    cursor = connection.execute(statement, values)
    try:
        yield from cursor
    finally:
        cursor.close()


def first(connection: Connection, statement: str, values: Values = ()) -> tuple[Any, ...] | None:
    """Returns the first row of a statement, or None where it has none."""
    cursor = connection.execute(statement, values)
    try:
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found
    finally:
        cursor.close()


def value(connection: Connection, statement: str, values: Values = ()) -> Any:
    """Returns what stands first in the first row of a statement, or None where it has none."""
    found = first(connection, statement, values)
    return None if found is None else found[0]
