"""Tells the time, and writes and reads it in the one form the archive stores.

Everything that needs the time asks a `Clock` it was given, so that tests can stand still and results are repeatable.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day with its UTC offset, and a monotonic time for durations."""

    def now(self) -> datetime:
        """Returns the current time, aware, in the zone whose wall clock labels snapshots."""

    def localize(self, wall: datetime) -> datetime:
        """Returns a naive wall-clock time as an aware one, with the offset that the zone had at that time."""

    def monotonic(self) -> float:
        """Returns seconds that never go back, for measuring durations."""

    def file_time_ns(self) -> int:
        """Returns nanoseconds since 1970 by the clock that stamps files, to tell which were changed just now."""


class SystemClock:
    """Is the machine's clock, in the machine's zone."""

    def now(self) -> datetime:
        """Returns the current time in the machine's zone."""
        return datetime.now(UTC).astimezone()

    def localize(self, wall: datetime) -> datetime:
        """Returns a wall-clock time of the machine's zone, summer time as it was then."""
        return wall.astimezone()

    def monotonic(self) -> float:
        """Returns the seconds since some moment."""
        return time.monotonic()

    def file_time_ns(self) -> int:
        """Returns the time that a file written now would get, or one a little later."""
        return time.time_ns()


def to_iso(moment: datetime) -> str:
    """Writes an aware time as UTC ISO-8601 with milliseconds and `Z`, the form of every `…_at` column.

    Microseconds are cut, not rounded, so that a time written and read back is never later than it was.
    """
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def from_iso(text: str) -> datetime:
    """Reads what `to_iso` wrote; the result is aware and in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def to_label(moment: datetime) -> str:
    """Writes the wall clock of an aware time as `YYYYMMDD_HHMMSS`, the form people type to name a snapshot."""
    return f"{moment:%Y%m%d_%H%M%S}"
