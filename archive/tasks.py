"""Answers questions about tasks, now and at any past moment: what may be worked on, what holds the rest back, what changed.

Each verb loads the tasks of one moment, lets `archive.availability` judge all of them together, and hands out those that
were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Protocol

from archive.availability import (
    AvailabilityOptions,
    Evaluation,
    burndown,
    changed_tasks,
    draw,
    evaluate,
    named,
    near_names,
    next_task,
    root_causes,
)
from archive.collector import collector_paused
from archive.errors import TaskNotFound
from archive.extract.tasks import installed_adapters, normalise_status
from archive.indexing import waiting
from archive.model.snapshots import Snapshot, Source
from archive.model.tasks import FINISHED, Availability, Task
from archive.model.taskviews import (
    BurndownDay,
    Drawing,
    Explanation,
    NextTask,
    StatusSpan,
    TaskChange,
    TaskChanges,
    TaskFilter,
    TaskHistory,
    TaskList,
    TaskProblem,
    TaskProblemKind,
    TaskState,
)
from archive.selection import Selection
from archive.storage import taskread, taskstore
from archive.storage.connection import Connection


class _Kept(Protocol):
    """What of a task a filter looks at."""

    @property
    def status(self) -> str:
        """Normalised."""

    @property
    def status_raw(self) -> str:
        """The word in the file."""

    @property
    def project(self) -> str:
        """The project."""

    @property
    def tag(self) -> str:
        """The list."""

    @property
    def path(self) -> str:
        """The document."""


class _Sieve:
    """Says which tasks a filter asks for."""

    def __init__(self, wanted: TaskFilter) -> None:
        self._wanted = wanted
        self._statuses = frozenset(map(normalise_status, wanted.statuses))
        self._project = wanted.project.casefold()
        self._selection = Selection(wanted.paths)

    def has_place(self, task: _Kept) -> bool:
        """Whether the task belongs to the project and the documents."""
        places = (task.project.casefold(), task.tag.casefold())
        return (not self._project or self._project in places) and self._selection.matches(task.path)

    def has_state(self, task: _Kept) -> bool:
        """Whether the task is in one of the states."""
        if self._statuses:
            return task.status in self._statuses or normalise_status(task.status_raw) in self._statuses
        return self._wanted.finished or task.status not in FINISHED

    def has_assignee(self, assignees: Sequence[str]) -> bool:
        """Whether it is assigned to the one who is asked for, not counting tasks that are nobody's."""
        return not self._wanted.assignee or (bool(assignees) and _is_for(assignees, self._wanted.assignee))

    def __call__(self, task: Task) -> bool:
        return self.has_place(task) and self.has_state(task) and self.has_assignee(task.assignees)


def _is_for(assignees: Sequence[str], assignee: str) -> bool:
    """Says whether one of the assignees is the one named."""
    return any(_bare(one) == _bare(assignee) for one in assignees)


def _bare(name: str) -> str:
    return name.strip().removeprefix("@").casefold()


def list_tasks(connection: Connection, source: Source, snapshot: Snapshot, wanted: TaskFilter) -> TaskList:
    """Returns the tasks that a filter asks for, each with what stands against it, in the order in which tasks are offered."""
    evaluation = _evaluation(connection, source, snapshot)
    sieve = _Sieve(wanted)
    verdicts = tuple(verdict for verdict in evaluation.verdicts if sieve(verdict.task))
    return _list(connection, source, snapshot, evaluation, verdicts)


def list_available(
    connection: Connection, source: Source, snapshot: Snapshot, wanted: TaskFilter, options: AvailabilityOptions
) -> TaskList:
    """Returns the tasks that may be worked on, the most urgent first; the assignee in the options may be nobody."""
    evaluation = _evaluation(connection, source, snapshot, options)
    sieve = _Sieve(wanted)
    verdicts = tuple(Availability(task) for task in evaluation.available() if sieve.has_place(task))
    return _list(connection, source, snapshot, evaluation, verdicts)


def choose_next(
    connection: Connection, source: Source, snapshot: Snapshot, wanted: TaskFilter, options: AvailabilityOptions
) -> NextTask:
    """Returns the task to take next, with the reason for the choice."""
    return next_task(_evaluation(connection, source, snapshot, options), _Sieve(wanted).has_place)


def explain(
    connection: Connection, source: Source, snapshot: Snapshot, name: str, options: AvailabilityOptions
) -> tuple[Explanation, ...]:
    """Returns everything that holds back the tasks that a name means.

    Raises:
        TaskNotFound: It means none.
    """
    evaluation = _evaluation(connection, source, snapshot, options)
    numbers = evaluation.find(name)
    if not numbers:
        raise _not_found(name, snapshot, near_names(evaluation.graph.tasks, name))
    return tuple(Explanation(evaluation.verdict(number), tuple(root_causes(evaluation, number))) for number in numbers)


def history(connection: Connection, source: Source, snapshot: Snapshot, name: str) -> tuple[TaskHistory, ...]:
    """Returns every status that the tasks with this name had up to a snapshot, also of those that are gone.

    Raises:
        TaskNotFound: There never was one.
    """
    names = taskread.all_names(connection, source.id, snapshot.id)
    refs = list(dict.fromkeys(names[number].ref for number in named(names, name)))
    if not refs:
        raise _not_found(name, snapshot, near_names(names, name))
    return tuple(taskread.history(connection, source.id, refs, snapshot.id))


def changes(connection: Connection, source: Source, since: Snapshot, until: Snapshot, wanted: TaskFilter) -> TaskChanges:
    """Returns what happened to tasks between two snapshots: the state at the end against that at the beginning."""
    sieve = _Sieve(wanted)
    before, after = (
        [
            task
            for task in taskread.tasks_at(connection, source.id, moment.id)
            if sieve.has_place(task) and sieve.has_assignee(task.assignees)
        ]
        for moment in (since, until)
    )
    found = changed_tasks(map(_state, before), map(_state, after))
    return TaskChanges(since, until, tuple(sorted(found, key=_change_key)))


def count_days(
    connection: Connection, source: Source, snapshot: Snapshot, wanted: TaskFilter, zone: tzinfo = UTC
) -> tuple[BurndownDay, ...]:
    """Returns how many tasks were open and finished at the end of each day, up to that of the snapshot."""
    sieve = _Sieve(wanted)
    kept = [
        StatusSpan(span.status, span.since, span.until)
        for span in taskread.spans(connection, source.id, snapshot.id)
        if sieve.has_place(span) and sieve.has_assignee(json.loads(span.assignees))
    ]
    return tuple(burndown(kept, snapshot.created_at, zone))


def drawing(connection: Connection, source: Source, snapshot: Snapshot, wanted: TaskFilter) -> Drawing:
    """Returns the tasks that a filter asks for and what connects them, to be drawn."""
    return draw(_evaluation(connection, source, snapshot), _Sieve(wanted))


def _evaluation(
    connection: Connection, source: Source, snapshot: Snapshot, options: AvailabilityOptions | None = None
) -> Evaluation:
    with collector_paused():
        tasks = taskread.tasks_at(connection, source.id, snapshot.id)
        return evaluate(tasks, options or AvailabilityOptions(as_of=snapshot.created_at))


def _list(
    connection: Connection, source: Source, snapshot: Snapshot, evaluation: Evaluation, verdicts: tuple[Availability, ...]
) -> TaskList:
    problems = (*taskread.problems_at(connection, source.id, snapshot.id), *_adapter_problems(connection))
    return TaskList(snapshot, verdicts, len(evaluation.graph.tasks), problems, waiting(connection).versions)


def _adapter_problems(connection: Connection) -> list[TaskProblem]:
    """Says which adapters of third parties cannot be used, and which came after everything was indexed."""
    loaded = installed_adapters()
    messages = list(loaded.problems)
    new = sorted(set(loaded.foreign) - taskstore.known_adapters(connection))
    messages += [
        f"adapter {name} is new; documents that do not change are read with it after 'archive reindex'" for name in new
    ]
    return [TaskProblem("", TaskProblemKind.ADAPTER, message) for message in messages]


def _not_found(name: str, snapshot: Snapshot, near: Sequence[str]) -> TaskNotFound:
    hint = f"Did you mean {' or '.join(near)}?" if near else "Run 'archive tasks --all' to see what there is."
    return TaskNotFound(f"there is no task {name} in snapshot {snapshot.label}", hint=hint, name=name, near=list(near))


def _state(task: Task) -> TaskState:
    return TaskState(task.ref, task.status, task.path, task.name, task.title, task.project)


_ORDER = ("finished", "started", "opened", "reopened", "changed", "cancelled", "removed")


def _change_key(change: TaskChange) -> tuple[int, str, str]:
    state = change.after or change.before
    assert state is not None
    return _ORDER.index(change.kind.value), state.path, state.ref
