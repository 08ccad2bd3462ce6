"""What can be told about tasks beyond the single one: why, which next, what changed, how they hang together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from archive.model.base import Json, Value, jsonable
from archive.model.snapshots import Snapshot
from archive.model.tasks import Availability, Task

AVAILABLE = "available"
DEADLOCK = "deadlock"


@dataclass(frozen=True, slots=True)
class RootCause(Value):
    """Something that must happen first, found by following the reasons against a task down to where they end.

    Attributes:
        code: `available`: this task can be worked on. `deadlock`: tasks wait for each other in a ring. Else the code of
            a reason that leads no further (`status:in_progress`, `dep:missing`, `not_before` …).
        task: The task at the root; the one the code is about.
        detail: For people; lower case, no period.
        way: Names from the task that was asked about to the one at the root; of a long way the middle is left out.
    """

    code: str
    task: Task
    detail: str
    way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NextTask(Value):
    """The task to take next.

    Attributes:
        task: None if none is available.
        reason: Why this one, or why none; for people; lower case, no period.
        available: How many there were to choose from.
    """

    task: Task | None
    reason: str
    available: int


@dataclass(frozen=True, slots=True)
class Node(Value):
    """A task in a drawing, or what stands for one that is named and does not exist.

    Attributes:
        name: Unique in the drawing; letters and digits.
        label: The task's name and title; for a missing one the name.
        state: `available`, `waiting`, `started`, `done`, `cancelled` or `missing`.
        group: The project, or else the scope.
    """

    name: str
    label: str
    state: str
    group: str


@dataclass(frozen=True, slots=True)
class Edge(Value):
    """A line of a drawing, from what comes first to what comes after it.

    Attributes:
        source, target: Names of nodes; for a parent the source, with the type `parent`.
        type: Type of the dependency, or `parent`.
        blocking: Whether the target has to wait.
        satisfied: Whether it has to wait no more.
    """

    source: str
    target: str
    type: str
    blocking: bool
    satisfied: bool


@dataclass(frozen=True, slots=True)
class Drawing(Value):
    """Tasks and what connects them, to be written as Mermaid or Graphviz DOT."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class TaskChangeKind(StrEnum):
    """Says what happened to a task between two moments; the last thing counts.

    A task that is new and already done counts as finished. `changed` is any other change of status, such as pending to
    blocked.
    """

    OPENED = "opened"
    STARTED = "started"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class TaskState(Value):
    """The state of one task at one moment, as far as it takes to see what changed.

    Attributes:
        ref: See `TaskDraft`.
        status: Normalised.
        name: What people call it.
    """

    ref: str
    status: str
    path: str = ""
    name: str = ""
    title: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class TaskChange(Value):
    """What happened to one task between two moments.

    Attributes:
        before, after: Its states; None where it did not exist.
    """

    kind: TaskChangeKind
    before: TaskState | None
    after: TaskState | None


@dataclass(frozen=True, slots=True)
class StatusSpan(Value):
    """One task's status over a stretch of time.

    Attributes:
        since, until: Aware; until is None while it lasts.
    """

    status: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BurndownDay(Value):
    """How many tasks were in which state at the end of a day.

    Attributes:
        open: Neither done nor cancelled.
    """

    day: date
    open: int
    done: int
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter(Value):
    """Says which tasks are wanted; what is empty asks for nothing.

    Attributes:
        statuses: Normalised, or as they stand in the file; any of them.
        project: A project, milestone, tag or list; case does not matter.
        assignee: Who it is assigned to; case and a leading `@` do not matter.
        paths: Paths of documents, folders and globs; any of them.
        finished: Whether done and cancelled ones are wanted too, where no status is named.
    """

    statuses: tuple[str, ...] = ()
    project: str = ""
    assignee: str = ""
    paths: tuple[str, ...] = ()
    finished: bool = False


class TaskProblemKind(StrEnum):
    """Says what was wrong with the tasks of a document.

    `last_valid`: it cannot be read, so its tasks are those of its last version that could be. `salvaged`: it cannot be
    read and never could, so its tasks are what could be made out of it. `adapter`: what should read tasks failed, or
    could not be loaded.
    """

    LAST_VALID = "last_valid"
    SALVAGED = "salvaged"
    ADAPTER = "adapter"


@dataclass(frozen=True, slots=True)
class TaskProblem(Value):
    """Something that was wrong with the tasks of a document.

    Attributes:
        path: Empty where it is about no document in particular.
        message: For people; lower case, no period.
    """

    path: str
    kind: TaskProblemKind
    message: str


@dataclass(frozen=True, slots=True)
class TaskList(Value):
    """Tasks of one moment, in the order in which they are offered.

    Attributes:
        snapshot: The moment.
        verdicts: The tasks that were asked for, each with what stands against it.
        total: How many tasks there were at the moment, asked for or not.
        problems: What was wrong with documents of tasks.
        waiting: How many versions of documents have not been indexed yet, so that their tasks are missing here.
    """

    snapshot: Snapshot
    verdicts: tuple[Availability, ...]
    total: int
    problems: tuple[TaskProblem, ...] = ()
    waiting: int = 0

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks alone."""
        return tuple(verdict.task for verdict in self.verdicts)

    def to_json(self) -> dict[str, Json]:
        """Returns an object in which each of `tasks` has its own fields, `available` and `reasons`."""
        return {
            "snapshot": self.snapshot.to_json(),
            "tasks": [
                {**verdict.task.to_json(), "available": verdict.available, "reasons": jsonable(verdict.reasons)}
                for verdict in self.verdicts
            ],
            "total": self.total,
            "problems": jsonable(self.problems),
            "waiting": self.waiting,
        }


@dataclass(frozen=True, slots=True)
class Explanation(Value):
    """Everything that holds one task back.

    Attributes:
        verdict: The task, and what stands against it.
        roots: What has to happen first, the nearest first; for an available task that one itself.
    """

    verdict: Availability
    roots: tuple[RootCause, ...]


@dataclass(frozen=True, slots=True)
class StatusPeriod(Value):
    """How long a task had one status in one document, and in which snapshots that began and ended.

    Attributes:
        until, until_snapshot, until_label: None and empty while it lasts.
    """

    status: str
    status_raw: str
    path: str
    since: datetime
    since_snapshot: int
    since_label: str
    until: datetime | None
    until_snapshot: int | None
    until_label: str


@dataclass(frozen=True, slots=True)
class TaskHistory(Value):
    """Every status that one task had, oldest first; name, title and project are the newest.

    Attributes:
        periods: Between two of them there may be a gap, in which the task was gone.
    """

    ref: str
    name: str
    title: str
    project: str
    periods: tuple[StatusPeriod, ...]

    @property
    def is_gone(self) -> bool:
        """Whether the task does not exist any more."""
        return self.periods[-1].until is not None


@dataclass(frozen=True, slots=True)
class TaskChanges(Value):
    """What happened to tasks between two moments."""

    since: Snapshot
    until: Snapshot
    changes: tuple[TaskChange, ...]
