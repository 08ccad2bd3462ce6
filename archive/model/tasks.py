"""Tasks as the archive knows them: one form for all the tools that keep them.

An adapter turns one version of one document into `TaskDraft`s; storage keeps those over time; a `Task` is a draft with
its place in the archive; an `Availability` says whether it may be worked on, and if not, everything that stands against
it.

How tasks are named:

- `scope` is the namespace in which ids mean something (a project, a tag, a file, a folder). It is an opaque text that
  starts with a path.
- `key` is the id in the form in which ids of the scope are compared. The number 1 and the text "1" are the same key; a
  tool that ignores case has upper-case keys; a subtask that is numbered inside its parent has the key `parent.number`.
  It is empty for a task without an id. Keys need not be unique: that they are not is one of the things an evaluation
  reports.
- `ref` names one record among all of one document version. It does not change when the record moves inside its
  document, and not when its status changes, so it is what joins the states of one task over time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.model.base import Value


class Status(StrEnum):
    """Names the states that every tool's own words are mapped to.

    A word that is not in the map is kept as it is (lower case, `_` for spaces and hyphens), so a task's `status` is one
    of these or such a word; a record that has none at all has `unknown`. Only these are ever offered as work.
    """

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    REVIEW = "review"
    DONE = "done"
    CANCELLED = "cancelled"
    DEFERRED = "deferred"


UNKNOWN_STATUS = "unknown"
FINISHED = frozenset({Status.DONE.value, Status.CANCELLED.value})

DEPENDS_ON = "depends-on"  # a dependency without a type
BLOCKED_BY = "blocked-by"
BLOCKING_TYPES = frozenset({DEPENDS_ON, BLOCKED_BY, "blocks", "conditional-blocks", "waits-for"})
IS_BLOCKER_OF = "is-blocker-of"  # the inverse lists (`blocks`, `blocking_tasks`); told, never enforced

_NORMAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)


class AnomalyCode(StrEnum):
    """Names what can be odd about one record; none of them hides the record."""

    NO_TITLE = "no_title"
    NO_STATUS = "no_status"
    UNKNOWN_STATUS = "unknown_status"
    WRONG_TYPE = "wrong_type"
    BAD_DATE = "bad_date"
    BAD_DEPENDENCY = "bad_dependency"
    DUPLICATE_ID = "duplicate_id"
    SELF_DEPENDENCY = "self_dependency"
    CONFLICT_MARKERS = "conflict_markers"
    FRONT_MATTER = "front_matter"
    BROKEN_LINE = "broken_line"


@dataclass(frozen=True, slots=True)
class Anomaly(Value):
    """Something odd in one record.

    Attributes:
        message: For people; lower case, no period.
    """

    code: AnomalyCode
    message: str


@dataclass(frozen=True, slots=True)
class Dependency(Value):
    """One thing a task says it depends on, or is otherwise related to.

    Attributes:
        target: Key of the other task; empty if what stands in the file cannot be the id of anything.
        type: Lower case with hyphens; `depends-on` where the tool has no types.
        raw: What stands in the file.
        scope: Where the key is looked up; empty for the task's own scope.
    """

    target: str
    type: str = DEPENDS_ON
    raw: str = ""
    scope: str = ""

    @property
    def blocking(self) -> bool:
        """Whether the task has to wait for the other one."""
        return self.type in BLOCKING_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft(Value):
    """One task as it stands in one version of one document.

    An adapter of a third party must give `pointer`, `title` and `status`; the registry fills in `scope`, `key`, `ref`,
    `order` and the anomalies that follow from the fields, where the adapter left them empty.

    Attributes:
        pointer: Where the record stands: an RFC 6901 pointer, or `L` and a line number counted from 1.
        ref: See the module; unique in the version.
        scope: See the module.
        shared_scope: A wider scope in which other documents may name this task as well; empty if there is none.
        id: As people write it; empty if there is none.
        key: The id as it is compared; empty if there is none.
        parent: Key of the parent; empty if there is none.
        parent_ref: `ref` of the parent where the record stands inside it. It settles who the parent is even if ids are
            not unique.
        kind: What the tool calls it: task, subtask, phase, feature, bug, milestone, issue, epic, checkbox …
        status: See `Status`.
        status_raw: The word in the file.
        rank: Priority as a number, 0 is the most urgent, 4 the least.
        assignees: All of them, in order.
        project: The project, milestone or list it belongs to.
        project_status: Normalised status of the project, where the project has one of its own.
        phase: The stage or heading it stands under.
        tag: The list it stands in, in tools that keep several in one file.
        created, updated, due, not_before: UTC ISO-8601 with milliseconds and `Z`; text that is no date is kept as it
            is.
        is_work: False for records that nobody works on (messages, gates, templates); they are never available.
        order: Position among the tasks of the document, from 0.
    """

    pointer: str
    title: str
    status: str
    ref: str = ""
    scope: str = ""
    shared_scope: str = ""
    id: str = ""
    key: str = ""
    parent: str = ""
    parent_ref: str = ""
    kind: str = "task"
    description: str = ""
    status_raw: str = ""
    priority: str = ""
    rank: int = 2
    assignees: tuple[str, ...] = ()
    project: str = ""
    project_status: str = ""
    phase: str = ""
    tag: str = ""
    dependencies: tuple[Dependency, ...] = ()
    labels: tuple[str, ...] = ()
    created: str = ""
    updated: str = ""
    due: str = ""
    not_before: str = ""
    is_work: bool = True
    order: int = 0
    anomalies: tuple[Anomaly, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: its id, or where it stands if it has none."""
        return self.id or self.pointer

    @property
    def assignee(self) -> str:
        """The first assignee, or an empty text."""
        return self.assignees[0] if self.assignees else ""

    @property
    def natural_key(self) -> str:
        """The key in a form whose plain order puts 2 before 10: each number is preceded by its count of digits."""
        return natural_key(self.key)

    @property
    def sort_date(self) -> str:
        """The date that orders tasks of one priority: not-before, else due; empty where there is no readable one."""
        if self.not_before and is_normal_time(self.not_before):
            return self.not_before
        return self.due if self.due and is_normal_time(self.due) else ""

    @property
    def sort_created(self) -> str:
        """The time of creation if it is readable, else an empty text."""
        return self.created if self.created and is_normal_time(self.created) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(TaskDraft):
    """A task with its place in the archive.

    Attributes:
        path: The document.
        since: When this state of the task was first seen; None outside an archive.
        until: When it was last replaced, or None while it is current.
        since_snapshot, until_snapshot: Ids of the snapshots of those times.
        from_last_valid: Whether the document cannot be read now, so that this is from its last version that could.
    """

    path: str
    since: datetime | None = None
    until: datetime | None = None
    since_snapshot: int | None = None
    until_snapshot: int | None = None
    from_last_valid: bool = False


class ReasonCode(StrEnum):
    """Names the reasons for which a task is not available.

    The codes that end in a colon are completed with a status: `status:done`, `parent:deferred`, `project:cancelled`.
    """

    STATUS = "status:"
    NONWORK = "nonwork"
    DUPLICATE_ID = "duplicate_id"
    NOT_BEFORE = "not_before"
    DEP_UNFINISHED = "dep:unfinished"
    DEP_MISSING = "dep:missing"
    DEP_AMBIGUOUS = "dep:ambiguous"
    DEP_CANCELLED = "dep:cancelled"
    DEP_CYCLE = "dep:cycle"
    PARENT = "parent:"
    PARENT_DEP = "parent:dep"
    PROJECT = "project:"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Reason(Value):
    """One thing that stands against a task.

    Attributes:
        code: See `ReasonCode`.
        target: Name of the task (or project) the reason speaks of; empty if it is about the task itself.
        detail: For people; lower case, no period.
    """

    code: str
    target: str = ""
    detail: str = ""
    _tasks: tuple[int, ...] = ()

    @property
    def tasks(self) -> tuple[int, ...]:
        """Numbers, in the graph of the evaluation, of the tasks the reason speaks of."""
        return self._tasks


@dataclass(frozen=True, slots=True)
class Availability(Value):
    """The verdict on one task.

    Attributes:
        reasons: Everything that stands against it; empty exactly if it is available.
    """

    task: Task
    reasons: tuple[Reason, ...] = ()

    @property
    def available(self) -> bool:
        """Whether the task may be worked on."""
        return not self.reasons


def is_normal_time(text: str) -> bool:
    """Says whether a text is a time in the one form that is stored and compared."""
    return len(text) == 24 and _NORMAL_TIME.fullmatch(text) is not None


def natural_key(text: str) -> str:
    """Rewrites a text so that plain comparison orders the numbers in it by value."""
    return _DIGITS.sub(_with_length, text.lower())


def _with_length(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0") or "0"
    return f"{len(digits):03d}{digits}"
