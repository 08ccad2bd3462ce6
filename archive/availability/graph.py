"""Resolves what tasks say of each other: which records their dependencies and parents are.

Tasks are numbered in the order of their documents, so that every answer is the same whatever order they came in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TypeAlias

from archive.model.tasks import BLOCKING_TYPES, Dependency, Task

_NONE: tuple[int, ...] = ()
_LAST = "~"  # behind every time


def order_key(task: Task) -> tuple[int, str, str, int, str, str, str]:
    """Returns what tasks are ordered by: rank, not-before or due date, creation, document order, natural id.

    Tasks without a date come after those with one. Path and ref make the order total.
    """
    return (
        task.rank,
        task.sort_date or _LAST,
        task.sort_created or _LAST,
        task.order,
        task.natural_key,
        task.path,
        task.ref,
    )


Link: TypeAlias = tuple[Dependency, Sequence[int]]
"""A dependency and the records it resolves to: none if it is missing, several if it is ambiguous."""


class TaskGraph:
    """Holds the tasks of one moment, numbered, and what they resolve to.

    Attributes:
        tasks: In the order of their documents.
        duplicates: Whether another task of the scope has the same key.
        parents: Usually none or one; several if the named parent is ambiguous.
        children: The inverse.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.tasks: tuple[Task, ...] = tuple(sorted(tasks, key=attrgetter("path", "order", "ref")))
        self._named = _index(self.tasks)
        counts = Counter((task.scope, task.key) for task in self.tasks)
        self.duplicates = [bool(task.key) and counts[task.scope, task.key] > 1 for task in self.tasks]
        self.parents = self._find_parents()
        self.children: list[Sequence[int]] = [_NONE] * len(self.tasks)
        below: dict[int, list[int]] = {}
        for number, parents in enumerate(self.parents):
            for parent in parents:
                below.setdefault(parent, []).append(number)
        for number, children in below.items():
            self.children[number] = children
        self._descent = _Descent(self.parents, self.children)

    def resolve(self, scope: str, key: str) -> Sequence[int]:
        """Returns the tasks that a key means in a scope."""
        return self._named.get((scope, key), _NONE) if key else _NONE

    def links(self, number: int, *, blocking: bool = True) -> list[Link]:
        """Returns the dependencies of a task that block, or the ones that do not, resolved, each target once.

        A blocking dependency on a task below the task itself is left out.
        """
        task = self.tasks[number]
        has_children = blocking and bool(self.children[number])
        found: list[Link] = []
        seen = set()
        for dependency in task.dependencies:
            if (dependency.type in BLOCKING_TYPES) is not blocking:
                continue
            targets: Sequence[int] = _NONE
            if dependency.target:
                place = (dependency.scope or task.scope, dependency.target)
                if place in seen:
                    continue
                seen.add(place)
                targets = self._named.get(place, _NONE)
                if has_children and len(targets) == 1 and self._descent.is_below(targets[0], number):
                    continue
            found.append((dependency, targets))
        return found

    def _find_parents(self) -> list[Sequence[int]]:
        around = {(task.path, task.ref): number for number, task in enumerate(self.tasks)}
        found: list[Sequence[int]] = []
        for number, task in enumerate(self.tasks):
            parents: Sequence[int] = _NONE
            if task.parent_ref:
                outer = around.get((task.path, task.parent_ref))
                parents = _NONE if outer is None else (outer,)
            elif task.parent:
                parents = self.resolve(task.scope, task.parent)
            found.append(tuple(parent for parent in parents if parent != number) if number in parents else parents)
        return found


def _index(tasks: Sequence[Task]) -> dict[tuple[str, str], list[int]]:
    """Returns the tasks by scope and key, also by the scope they share."""
    named: dict[tuple[str, str], list[int]] = {}
    for number, task in enumerate(tasks):
        if task.key:
            named.setdefault((task.scope, task.key), []).append(number)
            if task.shared_scope and task.shared_scope != task.scope:
                named.setdefault((task.shared_scope, task.key), []).append(number)
    return named


class _Descent:
    """Answers whether one task is below another.

    Where every task has one parent at most and the chains of parents end, which is nearly always, the answer is two
    comparisons of numbers given on one walk through the tree; else the parents are followed.
    """

    def __init__(self, parents: Sequence[Sequence[int]], children: Sequence[Sequence[int]]) -> None:
        self._parents = parents
        self._first = [-1] * len(parents)
        self._last = [-1] * len(parents)
        self._is_forest = all(len(above) <= 1 for above in parents)
        if self._is_forest and any(parents):
            self._walk(children)
            # What was not reached from a root stands on a circle of parents, or below one.
            self._is_forest = -1 not in self._first

    def is_below(self, number: int, other: int) -> bool:
        """Says whether `other` is among the parents of `number`, their parents, and so on."""
        if number == other:
            return False
        if self._is_forest:
            return self._first[other] < self._first[number] <= self._last[other]
        seen = set()
        pending = list(self._parents[number])
        while pending:
            above = pending.pop()
            if above == other:
                return True
            if above not in seen:
                seen.add(above)
                pending.extend(self._parents[above])
        return False

    def _walk(self, children: Sequence[Sequence[int]]) -> None:
        """Numbers the tasks so that those below a task follow it without a gap."""
        count = 0
        for root, parents in enumerate(self._parents):
            if parents:
                continue
            pending = [root]
            while pending:
                number = pending.pop()
                if number < 0:
                    self._last[~number] = count - 1
                    continue
                self._first[number] = count
                count += 1
                pending.append(~number)
                pending.extend(children[number])
