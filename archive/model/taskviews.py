"""What can be told about tasks beyond the single one: why, which next, what changed, how they hang together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from archive.model.base import Value
from archive.model.tasks import Task

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
    """

    ref: str
    status: str
    path: str = ""


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
