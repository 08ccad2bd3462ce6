"""Counts open and finished tasks day by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from archive.model.tasks import Status
from archive.model.taskviews import BurndownDay, StatusSpan

_OPEN, _DONE, _CANCELLED = range(3)
_COLUMNS = {Status.DONE.value: _DONE, Status.CANCELLED.value: _CANCELLED}


def burndown(spans: Iterable[StatusSpan], until: datetime, zone: tzinfo = UTC) -> list[BurndownDay]:
    """Returns the counts at the end of each day, from the day of the first span to that of `until`.

    A task counts while one of its spans lasts; a task that was removed counts no more. What begins after `until` is left
    out. Takes time in proportion to spans and days.

    Args:
        until: The moment the counts end at; aware.
        zone: Whose midnight ends a day.
    """
    last = until.astimezone(zone).date()
    steps: dict[date, list[int]] = {}
    for span in spans:
        first = span.since.astimezone(zone).date()
        if first > last:
            continue
        column = _COLUMNS.get(span.status, _OPEN)
        steps.setdefault(first, [0, 0, 0])[column] += 1
        if span.until is not None:
            steps.setdefault(span.until.astimezone(zone).date(), [0, 0, 0])[column] -= 1
    if not steps:
        return []
    days = []
    counts = [0, 0, 0]
    day = min(steps)
    while day <= last:
        counts = [count + step for count, step in zip(counts, steps.get(day, (0, 0, 0)), strict=True)]
        days.append(BurndownDay(day, *counts))
        day += timedelta(days=1)
    return days
