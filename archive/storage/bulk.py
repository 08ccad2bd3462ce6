"""Inserts many rows with one statement."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from archive.storage.connection import Connection

# SQLite's default limit of values in one statement, since 3.32.
_MOST_VALUES = 32_766


def insert_rows(connection: Connection, into: str, rows: Sequence[Sequence[object]], *, marks: str = "") -> None:
    """Inserts the rows; `into` is the statement up to `VALUES`, such as `INSERT INTO t (a, b)`.

    SQLite runs a statement without Python's lock, so a thread that reads files goes on meanwhile. With a statement for
    each row the lock would change hands for each of them, which costs more than the rows.

    Args:
        marks: What stands for the values of a row, where that is more than a question mark for each.
    """
    if not rows:
        return
    width = len(rows[0])
    marks = marks or f"({', '.join('?' * width)})"
    most = _MOST_VALUES // width
    start = 0
    while start < len(rows):
        # Numbers of rows that are powers of two, for each other number is another statement: Python keeps 128 of them
        # prepared, with their last values, and such large ones took 200 MB.
        count = 1 << (min(most, len(rows) - start).bit_length() - 1)
        part = rows[start : start + count]
        connection.execute(f"{into} VALUES {', '.join([marks] * count)}", tuple(chain.from_iterable(part)))
        start += count
