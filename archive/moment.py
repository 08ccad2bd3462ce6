"""Understands the one point-in-time parameter, `at`, as people type it.

    12              the snapshot with that id
    20230401_120000 the snapshot with that label, or the only one whose label begins so
    latest          the newest snapshot; latest~3 is three before it
    2023-04-01      an ISO date: the end of that day, local time
    2023-04-01T12:00, 2023-04-01 12:00:30Z
                    an ISO time, local unless it says otherwise
    2 hours ago, yesterday, now
                    relative to the clock that is passed in

A time means the newest snapshot that is not after it; a day, a minute or a second means its end, or its beginning where it is
said since when something is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from archive.errors import QueryError


@dataclass(frozen=True, slots=True)
class ById:
    """The snapshot with this id."""

    id: int


@dataclass(frozen=True, slots=True)
class ByLabel:
    """The snapshot with this label, or the only one whose label begins with it."""

    label: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest snapshot, or the one that many before it."""

    back: int = 0


@dataclass(frozen=True, slots=True)
class NotAfter:
    """The newest snapshot that is not after this time."""

    time: datetime


Moment: TypeAlias = ById | ByLabel | Latest | NotAfter

_HINT = "Give a snapshot's id (12), its label (20230401_120000), latest, latest~3, an ISO time, or 2 hours ago."
_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes",
    "h": "hours", "hour": "hours",
    "d": "days", "day": "days",
    "w": "weeks", "week": "weeks",
}  # fmt: skip
# Months and years have no fixed length; these are the usual round ones.
_LONG_UNITS = {"month": 30, "mon": 30, "year": 365, "y": 365}
_LATEST = re.compile(r"(?:latest|head)(?:~(\d{1,9})|(\^*))?", re.IGNORECASE)
_LABEL = re.compile(r"\d{8}_\d{0,6}(?:_\d+)?")
_RELATIVE = re.compile(r"(an?|\d+(?:\.\d+)?)\s*([a-z]+?)s?\s+ago", re.IGNORECASE)
_SHORT_RELATIVE = re.compile(r"-?(\d+(?:\.\d+)?)([smhdwy])(?:\s+ago)?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


Localize: TypeAlias = Callable[[datetime], datetime]
"""Makes a naive local time aware; the offset of a zone changes in the course of the year."""


def parse_moment(text: str, now: datetime, localize: Localize, *, is_start: bool = False) -> Moment:
    """Returns what the text means; `now` is aware.

    Args:
        is_start: Whether a day, a minute or a second means its beginning.

    Raises:
        QueryError: The text is none of the forms above.
    """
    cleaned = " ".join(text.split())
    if match := _LATEST.fullmatch(cleaned):
        return Latest(int(match[1]) if match[1] else len(match[2] or ""))
    if cleaned.isascii() and cleaned.removeprefix("#").isdigit() and len(cleaned) < 15:
        return ById(int(cleaned.removeprefix("#")))
    if _LABEL.fullmatch(cleaned):
        return ByLabel(cleaned)
    if (found := parse_time(cleaned, now, localize, is_start=is_start)) is not None:
        return NotAfter(found)
    raise QueryError(f"no moment is called {text!r}", hint=_HINT, at=text)


def parse_time(text: str, now: datetime, localize: Localize, *, is_start: bool = False) -> datetime | None:
    """Returns the aware time that an ISO or relative text means, or None if it is neither; a date means its end or start."""
    word, clock_time = text.strip().lower(), time.min if is_start else time.max
    if word == "now":
        return now
    if word in ("today", "yesterday"):
        day = now.date() - timedelta(days=word == "yesterday")
        return localize(datetime.combine(day, clock_time))
    if match := _RELATIVE.fullmatch(word) or _SHORT_RELATIVE.fullmatch(word):
        return _before(now, 1.0 if match[1].startswith("a") else float(match[1]), match[2])
    try:
        if _DATE.fullmatch(word):
            return localize(datetime.combine(datetime.fromisoformat(word).date(), clock_time))
        if not word[:4].isdigit() or "-" not in word:
            return None
        found = datetime.fromisoformat(text.strip())
        exact = (found if found.tzinfo else localize(found)).astimezone(UTC)
        return exact if is_start else exact + _to_its_end(text)
    except (ValueError, OverflowError, OSError):  # also times before the first or after the last year
        return None


def _to_its_end(text: str) -> timedelta:
    """A minute or a second means its end, as a date does: a snapshot shown as of 12:00:30 was made a little later."""
    clock_time = re.split(r"[T ]", text.strip(), maxsplit=1, flags=re.IGNORECASE)[-1]
    if "." in clock_time or "," in clock_time:
        return timedelta()
    digits = re.sub(r"(?:Z|[+-]\d{2}(?::?\d{2})?)$", "", clock_time, flags=re.IGNORECASE).replace(":", "")
    return timedelta(seconds=59 if len(digits) <= 4 else 0, microseconds=999_999)


def _before(now: datetime, amount: float, unit: str) -> datetime | None:
    if unit in _UNITS:
        span = {_UNITS[unit]: amount}
    elif unit in _LONG_UNITS:
        span = {"days": amount * _LONG_UNITS[unit]}
    else:
        return None
    try:
        return now - timedelta(**span)
    except OverflowError:
        return None
