"""Says what happened to tasks between two moments."""

from __future__ import annotations

from collections.abc import Iterable

from archive.model.tasks import FINISHED, Status
from archive.model.taskviews import TaskChange, TaskChangeKind, TaskState

_STARTED = frozenset({Status.IN_PROGRESS.value, Status.REVIEW.value})
_ENDS = {Status.DONE.value: TaskChangeKind.FINISHED, Status.CANCELLED.value: TaskChangeKind.CANCELLED}


def changed_tasks(before: Iterable[TaskState], after: Iterable[TaskState]) -> list[TaskChange]:
    """Returns what changed, in the order of `after`, then what was removed in the order of `before`.

    A task is the same one if its ref is, also when it stands in another document now; where several records have one
    ref, those of the same document belong together first.
    """
    old: dict[str, list[TaskState]] = {}
    for state in before:
        old.setdefault(state.ref, []).append(state)
    pairs: list[tuple[TaskState | None, TaskState | None]] = []
    unmatched: list[int] = []
    for state in after:
        match = next((other for other in old.get(state.ref, ()) if other.path == state.path), None)
        if match is None:
            unmatched.append(len(pairs))
        else:
            old[state.ref].remove(match)
        pairs.append((match, state))
    for place in unmatched:
        moved = pairs[place][1]
        if moved is not None and old.get(moved.ref):
            pairs[place] = (old[moved.ref].pop(0), moved)
    pairs += [(state, None) for states in old.values() for state in states]
    changes = []
    for one, other in pairs:
        kind = change_kind(one.status if one else None, other.status if other else None)
        if kind is not None:
            changes.append(TaskChange(kind, one, other))
    return changes


def change_kind(before: str | None, after: str | None) -> TaskChangeKind | None:
    """Returns what it means that a task went from one normalised status to another; None if it is nothing.

    Args:
        before, after: None where the task did not exist.
    """
    if before == after:
        return None
    if after is None:
        return TaskChangeKind.REMOVED
    if after in _ENDS:
        return _ENDS[Status(after).value]
    if before in FINISHED:
        return TaskChangeKind.REOPENED
    if after in _STARTED and before not in _STARTED:
        return TaskChangeKind.STARTED
    return TaskChangeKind.OPENED if before is None else TaskChangeKind.CHANGED
