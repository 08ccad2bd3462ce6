"""Reads the dates that task files hold and writes them in the one form that can be compared as text.

A date without a time is the start of that day, a time without a zone is UTC: a task file seldom says where it was
written, and the answer must not depend on where it is read.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from archive.model.tasks import is_normal_time

_LOOSE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(?:Z|UTC)?",
    re.ASCII | re.IGNORECASE,
)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = range(100_000_000, 100_000_000_000)  # 1973 to 5138
_MILLISECONDS = range(100_000_000_000, 100_000_000_000_000)
_FIRST_YEAR = 2  # years 0 and 1 are how some languages write "no time"
_FIRST_TIME = f"{_FIRST_YEAR:04d}"


def normal_time(raw: str) -> str | None:
    """Returns the time as UTC ISO-8601 with milliseconds and `Z`.

    An empty text means that there is no time, None that the text is no date.
    """
    if _USUAL.fullmatch(raw) and raw > _FIRST_TIME:
        with suppress(ValueError):
            datetime.fromisoformat(raw)
            return f"{raw[:19]}.000Z"
    return _normal_time(raw)


@lru_cache(1024)
def _normal_time(raw: str) -> str | None:
    text = raw.strip()
    if not text or is_normal_time(text):
        return text
    if text.isdecimal() and text.isascii() and len(text) > len("20250816"):
        return _from_epoch(int(text))
    moment = _parse(text)
    if moment is None:
        return None
    return _normal(moment) if moment.year >= _FIRST_YEAR else ""


def _parse(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        loose = _LOOSE.fullmatch(text)
    if loose is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in loose.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _normal(moment: datetime) -> str | None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        utc = aware.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999, west of Greenwich
        return None
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _from_epoch(number: int) -> str | None:
    if number in _SECONDS:
        return _normal(_EPOCH + timedelta(seconds=number))
    if number in _MILLISECONDS:
        return _normal(_EPOCH + timedelta(milliseconds=number))
    return None
