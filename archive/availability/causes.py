"""Follows the reasons against a task down to the tasks at the root of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from archive.availability.cycles import components
from archive.availability.evaluate import Evaluation
from archive.model.tasks import Reason, ReasonCode
from archive.model.taskviews import AVAILABLE, DEADLOCK, RootCause

_WAY_ENDS = 5


class _Aspect(Enum):
    """Says what of a task is asked for: all that keeps it from being done, its status, or its dependencies alone."""

    ALL = 0
    STATUS = 1
    DEPENDENCIES = 2


class _Node(NamedTuple):
    number: int
    aspect: _Aspect


def root_causes(evaluation: Evaluation, number: int, limit: int = 100) -> list[RootCause]:
    """Returns what has to happen before a task can be worked on, the nearest first.

    Dependencies are followed to what they wait for, a hidden task to the one above it that hides it, and a task that is
    a container to its unfinished children. An available task has itself as its only root. A ring of tasks that wait for
    each other, by dependencies or as parent and child, is a root too.

    Args:
        number: The task's number in the evaluation's graph; see `Evaluation.find`.
        limit: How many to return at most.
    """
    found = _Search(evaluation, number)
    causes = [*found.ends, *found.rings()]
    causes.sort(key=lambda end: found.places[end[0]])
    unique: dict[tuple[str, int, str], RootCause] = {}
    for node, code, detail in causes:
        if len(unique) >= limit:
            break
        task = evaluation.graph.tasks[node.number]
        unique.setdefault((code, node.number, detail), RootCause(code, task, detail, found.way(node)))
    return list(unique.values())


class _Search:
    """Holds what was reached from a task, nearest first, and how."""

    def __init__(self, evaluation: Evaluation, number: int) -> None:
        self._evaluation = evaluation
        start = _Node(number, _Aspect.ALL)
        self._reached = [start]
        self.places = {start: 0}
        self._came_from: dict[_Node, _Node] = {}
        self._edges: dict[int, list[int]] = {}
        self.ends: list[tuple[_Node, str, str]] = []
        for place, node in enumerate(self._reached):  # grows as it is gone through
            self._edges[place] = [self._place(following, node) for following in self._follow(node)]

    def rings(self) -> Iterator[tuple[_Node, str, str]]:
        """Yields a root for each set of tasks that all lead to each other."""
        tasks = self._evaluation.graph.tasks
        for ring in components(self._edges):
            if len(ring) == 1 and ring[0] not in self._edges[ring[0]]:
                continue
            nodes = [self._reached[place] for place in ring]
            names = dict.fromkeys(tasks[node.number].name for node in nodes)
            shown = ", ".join(list(names)[:_WAY_ENDS]) + (" …" if len(names) > _WAY_ENDS else "")
            by_dependency = ReasonCode.DEP_CYCLE.value if self._is_dependency_ring(nodes) else DEADLOCK
            yield nodes[0], by_dependency, f"{len(names)} tasks wait for each other: {shown}"

    def _is_dependency_ring(self, nodes: Sequence[_Node]) -> bool:
        members = {node.number for node in nodes}
        waits = self._evaluation.waits
        return all(members.intersection(waits.get(number, ())) for number in members)

    def way(self, node: _Node) -> tuple[str, ...]:
        """Returns the names of the tasks on the way to a node."""
        numbers = [node.number]
        while node in self._came_from:
            node = self._came_from[node]
            numbers.append(node.number)
        numbers.reverse()
        steps = [numbers[0], *(after for before, after in pairwise(numbers) if after != before)]
        names = [self._evaluation.graph.tasks[step].name for step in steps]
        if len(names) > 2 * _WAY_ENDS + 1:
            names[_WAY_ENDS:-_WAY_ENDS] = ["…"]
        return tuple(names)

    def _place(self, node: _Node, came_from: _Node) -> int:
        place = self.places.get(node)
        if place is None:
            place = self.places[node] = len(self._reached)
            self._reached.append(node)
            self._came_from[node] = came_from
        return place

    def _follow(self, node: _Node) -> Iterator[_Node]:
        """Yields what the reasons at a node lead to; those that lead nowhere are ends."""
        verdict = self._evaluation.verdict(node.number)
        if verdict.available:
            self.ends.append((node, AVAILABLE, "it can be worked on"))
        for reason in verdict.reasons:
            if not _concerns(reason, node.aspect) or reason.code == ReasonCode.DEP_CYCLE:
                continue
            following = _following(reason)
            if following:
                yield from following
            else:
                self.ends.append((node, reason.code, reason.detail))


def _concerns(reason: Reason, aspect: _Aspect) -> bool:
    if aspect is _Aspect.STATUS:
        return reason.code.startswith(ReasonCode.STATUS.value)
    return aspect is _Aspect.ALL or reason.code.startswith("dep:")


def _following(reason: Reason) -> list[_Node]:
    if reason.code in (ReasonCode.DEP_UNFINISHED, ReasonCode.CONTAINER):
        return [_Node(number, _Aspect.ALL) for number in reason.tasks]
    if reason.code == ReasonCode.PARENT_DEP:
        return [_Node(number, _Aspect.DEPENDENCIES) for number in reason.tasks]
    if reason.code.startswith(ReasonCode.PARENT.value):
        return [_Node(number, _Aspect.STATUS) for number in reason.tasks]
    return []
