"""Writes numbers, sizes and times as people read them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime


def count(number: int, one: str, many: str = "") -> str:
    """Returns a number with its noun: `1 file`, `2,300 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Returns a size in bytes with a decimal unit: `812 B`, `1.2 KB`, `47 MB`."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("KB", "MB", "GB", "TB", "PB"):
        value /= 1000
        # What rounds up to 1000 belongs to the next unit.
        if value < 999.5 or unit == "PB":
            break
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def seconds(milliseconds: int) -> str:
    """Returns a duration in seconds."""
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 100_000 else f"{milliseconds / 1000:,.0f} s"


def local_time(moment: datetime) -> str:
    """Returns an aware time by the wall clock of this machine, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def file_time(nanoseconds: int) -> str:
    """Returns a time of modification by the wall clock, to the minute; `-` where it is none that a calendar has."""
    try:
        return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).astimezone():%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):
        return "-"


def permissions(mode: int) -> str:
    """Returns permission bits as `ls` shows them."""
    return stat.filemode(stat.S_IFREG | mode)
