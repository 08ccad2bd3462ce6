"""Reads rows as the driver gives them, for what is asked again and again or in thousands.

SQLAlchemy's rows take three times as long to make, and a statement through it three times as long to begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection


def fetch(connection: Connection, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Returns all rows of a statement."""
    cursor = connection.connection.cursor()
    try:
        return cursor.execute(statement, values).fetchall()  # type: ignore[no-any-return,arg-type,func-returns-value,unused-ignore]
    finally:
        cursor.close()


def stream(connection: Connection, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of a statement one by one, where there may be too many to hold them twice."""
    cursor = connection.connection.cursor()
    try:
        yield from cursor.execute(statement, values)  # type: ignore[misc,arg-type,func-returns-value,unused-ignore]
    finally:
        cursor.close()
