"""Chooses the one task to take next, and says why that one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from archive.availability.evaluate import Evaluation
from archive.availability.graph import order_key
from archive.model.tasks import FINISHED, Task
from archive.model.taskviews import NextTask

_SHOWN = 4


def next_task(evaluation: Evaluation, keep: Callable[[Task], bool] = lambda _: True) -> NextTask:
    """Returns the first of the available tasks, with what sets it before the second; or why there is none.

    Args:
        keep: Says which tasks may be chosen.
    """
    available = [task for task in evaluation.available() if keep(task)]
    if not available:
        return NextTask(None, _why_none(evaluation, keep), 0)
    first = available[0]
    if len(available) == 1:
        return NextTask(first, "it is the only one available", 1)
    return NextTask(first, f"of {len(available)} available it {_advantage(first, available[1])}", len(available))


def _advantage(first: Task, second: Task) -> str:
    """Says what puts one task before the one that follows it."""
    differing = next(
        place for place, (one, other) in enumerate(zip(order_key(first), order_key(second), strict=True)) if one != other
    )
    priority = f"priority {first.priority}" if first.priority else "no priority, which counts as the middle one"
    same = f"is one of those with {priority}, and"
    return (
        f"is the most urgent, with {priority}",
        f"{same} has the earliest date, {_short(first.sort_date)}",
        f"{same} is the oldest, from {_short(first.sort_created)}",
        f"{same} stands first in its document",
        f"{same} has the lowest id",
        f"{same} stands in the first document",
        f"{same} stands first",
    )[differing]


def _short(time: str) -> str:
    """Returns a time without the midnight that stands for a whole day."""
    return time.removesuffix("T00:00:00.000Z")


def _why_none(evaluation: Evaluation, keep: Callable[[Task], bool]) -> str:
    kept = [verdict for verdict in evaluation.verdicts if keep(verdict.task)]
    unfinished = [verdict for verdict in kept if verdict.task.status not in FINISHED]
    if not unfinished:
        nothing = "there are no tasks that are asked for" if evaluation.verdicts else "there are no tasks"
        return "there is nothing left to do" if kept else nothing
    if any(verdict.available for verdict in unfinished):
        return f"what is available is assigned to others than {evaluation.options.assignee}"
    codes = Counter(code for verdict in unfinished for code in {reason.code for reason in verdict.reasons})
    shown = ", ".join(f"{code} {count}" for code, count in codes.most_common(_SHOWN))
    return f"none of {len(unfinished)} unfinished tasks is available: {shown}"
