"""Decides which tasks may be worked on, and gives every reason for those that may not.

A task is available if all of this holds, and otherwise carries the code of each rule it fails:

1. Its status is pending (with `include_started` also in_progress). `status:<s>`
2. It is work, and its id is unique in its scope. `nonwork`, `duplicate_id`
3. Its not-before date is not after the as-of time; a date that nobody can read is. `not_before`
4. Every blocking dependency resolves to exactly one task, and that is done (with `cancelled_satisfies` also cancelled).
   `dep:unfinished`, `dep:missing`, `dep:ambiguous`, `dep:cancelled`; with `dep:cycle` if it waits for itself in the end.
   A dependency on a task below itself does not count; rule 6 covers it.
5. No task above it is cancelled, deferred or blocked, or has a blocking dependency that fails rule 4; nor is its project
   cancelled, deferred or blocked. `parent:<s>`, `parent:dep`, `project:<s>`
6. It has no child that is work and neither done nor cancelled (not asked with `containers`). `container`

Takes time in proportion to the number of tasks and dependencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TypeAlias

from archive.availability.cycles import on_cycles, shortest_cycle
from archive.availability.graph import TaskGraph, order_key
from archive.availability.naming import named
from archive.clock import to_iso
from archive.collector import collector_paused
from archive.model.tasks import FINISHED, Availability, Dependency, Reason, ReasonCode, Status, Task, is_normal_time

_HOLDING = (Status.CANCELLED.value, Status.DEFERRED.value, Status.BLOCKED.value)
_DEP = "dep"
_SHOWN = 6

# Compared and shown as plain texts, ten thousand times over.
_PENDING, _IN_PROGRESS = Status.PENDING.value, Status.IN_PROGRESS.value
_DONE, _CANCELLED = Status.DONE.value, Status.CANCELLED.value
_UNFINISHED, _MISSING = ReasonCode.DEP_UNFINISHED.value, ReasonCode.DEP_MISSING.value
_AMBIGUOUS, _DEP_CANCELLED = ReasonCode.DEP_AMBIGUOUS.value, ReasonCode.DEP_CANCELLED.value

Failing: TypeAlias = tuple[Dependency, Sequence[int], str]
"""A dependency that a task still waits for, what it resolves to, and the code of the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityOptions:
    """Says how to evaluate.

    Attributes:
        as_of: The time against which not-before dates are held; aware.
        include_started: Whether tasks that are in progress are offered too.
        containers: Whether tasks with unfinished children are offered too.
        cancelled_satisfies: Whether a cancelled dependency counts as done.
        assignee: Keeps what is assigned to nobody or to this one, in `available`; no reason against a task. Case and a
            leading `@` do not matter.
    """

    as_of: datetime
    include_started: bool = False
    containers: bool = False
    cancelled_satisfies: bool = False
    assignee: str = ""


class Evaluation:
    """Holds the verdicts on all tasks of one moment; reasons are put into words when they are asked for.

    Attributes:
        options: How the verdicts were found.
        graph: The tasks, and what they resolve to.
    """

    def __init__(self, graph: TaskGraph, options: AvailabilityOptions) -> None:
        self.graph = graph
        self.options = options
        self._as_of = to_iso(options.as_of)
        self._wanted = {_PENDING, _IN_PROGRESS} if options.include_started else {_PENDING}
        self._satisfying = {_DONE, _CANCELLED} if options.cancelled_satisfies else {_DONE}
        self._failing = [self._find_failing(number) if task.dependencies else () for number, task in enumerate(graph.tasks)]
        self._held = self._find_held()

    @collector_paused()
    def available(self) -> list[Task]:
        """Returns the tasks that may be worked on, the most urgent first, for the assignee of the options."""
        assignee = self.options.assignee
        found = [
            task
            for number, task in enumerate(self.graph.tasks)
            # The first two settle nearly all; no reason need be put into words for them.
            if task.status in self._wanted
            and not self._failing[number]
            and next(self._reasons(number), None) is None
            and (not assignee or is_for(task, assignee))
        ]
        return sorted(found, key=order_key)

    @cached_property
    def verdicts(self) -> tuple[Availability, ...]:
        """The verdicts on all tasks, in the order in which tasks are offered."""
        order = sorted(range(len(self.graph.tasks)), key=lambda number: order_key(self.graph.tasks[number]))
        return tuple(map(self.verdict, order))

    def verdict(self, number: int) -> Availability:
        """Returns the verdict on one task of the graph."""
        return Availability(self.graph.tasks[number], tuple(self._reasons(number)))

    def find(self, name: str) -> list[int]:
        """Returns the numbers of the tasks that a name means, which may be none or several; see `named`."""
        return named(self.graph.tasks, name)

    @cached_property
    def waits(self) -> dict[int, list[int]]:
        """The tasks that wait for others, each with those it waits for."""
        return {
            number: waits
            for number, failing in enumerate(self._failing)
            if failing and (waits := [targets[0] for _, targets, code in failing if code == _UNFINISHED])
        }

    @cached_property
    def _cycles(self) -> dict[int, tuple[int, ...]]:
        return on_cycles(self.waits)

    def failing(self, number: int) -> Sequence[Failing]:
        """Returns the dependencies of a task that rule 4 does not let pass."""
        return self._failing[number]

    def _find_failing(self, number: int) -> Sequence[Failing]:
        tasks, satisfying = self.graph.tasks, self._satisfying
        found: list[Failing] = []
        for dependency, targets in self.graph.links(number):
            if len(targets) == 1:
                status = tasks[targets[0]].status
                if status not in satisfying:
                    found.append((dependency, targets, _DEP_CANCELLED if status == _CANCELLED else _UNFINISHED))
            else:
                found.append((dependency, targets, _AMBIGUOUS if targets else _MISSING))
        return found or ()

    def _find_held(self) -> dict[str, dict[int, int]]:
        """Returns, for each thing that holds back what is below, the tasks below with the nearest above that has it."""
        sources: dict[str, list[int]] = {}
        for number, children in enumerate(self.graph.children):
            if children:
                status = self.graph.tasks[number].status
                if status in _HOLDING:
                    sources.setdefault(status, []).append(number)
                if self._failing[number]:
                    sources.setdefault(_DEP, []).append(number)
        return {what: _nearest(self.graph.children, numbers) for what, numbers in sources.items()}

    def _reasons(self, number: int) -> Iterator[Reason]:
        """Yields everything that stands against a task, rule by rule."""
        task = self.graph.tasks[number]
        yield from _own_reasons(task, self._wanted, self._as_of, duplicate=self.graph.duplicates[number])
        if self._failing[number]:
            for failing in self.failing(number):
                yield _dependency_reason(self.graph.tasks, task, failing)
            if number in self._cycles:
                yield _cycle_reason(self.graph.tasks, number, self.waits, self._cycles[number])
        if self.graph.parents[number]:
            yield from self._parent_reasons(number)
        if task.project_status in _HOLDING:
            code = ReasonCode.PROJECT.value + task.project_status
            yield Reason(code, task.project, f"project {task.project} is {task.project_status}")
        if self.graph.children[number] and not self.options.containers:
            yield from _container_reasons(self.graph, number)

    def _parent_reasons(self, number: int) -> Iterator[Reason]:
        for what in (*_HOLDING, _DEP):
            source = self._held.get(what, {}).get(number)
            if source is None:
                continue
            above = self.graph.tasks[source]
            detail = f"{above.name} above it is {above.status}"
            if what == _DEP:
                names = (dependency.target or dependency.raw for dependency, _, _ in self.failing(source))
                detail = f"{above.name} above it waits for {', '.join(islice(names, _SHOWN))}"
            yield Reason(ReasonCode.PARENT.value + what, above.name, detail, (source,))


def evaluate(tasks: Iterable[Task], options: AvailabilityOptions) -> Evaluation:
    """Evaluates the tasks of one moment of one source, from all its documents together.

    The order of the tasks does not matter. Never raises, whatever the tasks hold.
    """
    with collector_paused():
        return Evaluation(TaskGraph(tasks), options)


def is_for(task: Task, assignee: str) -> bool:
    """Says whether a task is assigned to nobody or to the one named."""
    return not task.assignees or _bare(assignee) in map(_bare, task.assignees)


def _bare(name: str) -> str:
    return name.strip().removeprefix("@").casefold()


def _nearest(children: Sequence[Sequence[int]], sources: Sequence[int]) -> dict[int, int]:
    """Returns the tasks below the sources, each with the nearest source above it."""
    nearest: dict[int, int] = {}
    level = [(source, source) for source in sources]
    while level:
        following = []
        for number, source in level:
            for child in children[number]:
                if child not in nearest:
                    nearest[child] = source
                    following.append((child, source))
        level = following
    return nearest


def _own_reasons(task: Task, wanted: set[str], as_of: str, *, duplicate: bool) -> Iterator[Reason]:
    if task.status not in wanted:
        yield Reason(ReasonCode.STATUS.value + task.status, "", f"its status is {task.status_raw or task.status}")
    if not task.is_work:
        yield Reason(ReasonCode.NONWORK.value, "", f"it is no work but a {task.kind}")
    if duplicate:
        yield Reason(ReasonCode.DUPLICATE_ID.value, "", f"other tasks have the id {task.id} too")
    if task.not_before and not is_normal_time(task.not_before):
        yield Reason(ReasonCode.NOT_BEFORE.value, "", f"its date cannot be read: {task.not_before}")
    elif task.not_before > as_of:
        yield Reason(ReasonCode.NOT_BEFORE.value, "", f"not before {task.not_before}")


def _dependency_reason(tasks: Sequence[Task], task: Task, failing: Failing) -> Reason:
    dependency, targets, code = failing
    if code in (_UNFINISHED, _DEP_CANCELLED):
        target = tasks[targets[0]]
        name = target.id or target.pointer
        return Reason(code, name, f"{name} is {target.status}", tuple(targets))
    name = dependency.target or dependency.raw
    scope = dependency.scope or task.scope
    if code == _MISSING:
        return Reason(code, name, f"there is no {name} in {scope}")
    return Reason(code, name, f"{len(targets)} tasks in {scope} have the id {name}", tuple(targets))


def _cycle_reason(tasks: Sequence[Task], number: int, waits: Mapping[int, Sequence[int]], members: tuple[int, ...]) -> Reason:
    if len(members) <= _SHOWN:
        way = [tasks[member].name for member in shortest_cycle(number, waits, members)]
        detail = f"it waits for itself: {' → '.join([*way, way[0]])}"
    else:
        names = ", ".join(tasks[member].name for member in members[:_SHOWN])
        detail = f"it waits for itself, by way of {len(members)} tasks: {names} …"
    return Reason(ReasonCode.DEP_CYCLE.value, tasks[number].name, detail, members[:_SHOWN])


def _container_reasons(graph: TaskGraph, number: int) -> Iterator[Reason]:
    unfinished = [
        child for child in graph.children[number] if graph.tasks[child].is_work and graph.tasks[child].status not in FINISHED
    ]
    if not unfinished:
        return
    names = ", ".join(graph.tasks[child].name for child in unfinished[:_SHOWN])
    more = " …" if len(unfinished) > _SHOWN else ""
    yield Reason(ReasonCode.CONTAINER.value, "", f"its children are the work: {names}{more}", tuple(unfinished))
