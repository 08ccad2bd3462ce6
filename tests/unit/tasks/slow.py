"""Evaluates tasks in the slowest and plainest way, rule by rule, to hold the quick evaluation against."""

from __future__ import annotations

from collections.abc import Sequence

from archive.availability import AvailabilityOptions
from archive.clock import to_iso
from archive.model.tasks import Dependency, Task, is_normal_time

BLOCKING = {"depends-on", "blocked-by", "blocks", "conditional-blocks", "waits-for"}


class SlowEvaluation:
    def __init__(self, tasks: Sequence[Task], options: AvailabilityOptions) -> None:
        self.tasks = tasks
        self.options = options

    def named(self, scope: str, key: str) -> list[Task]:
        return [task for task in self.tasks if key and task.key == key and scope in (task.scope, task.shared_scope)]

    def parents(self, task: Task) -> list[Task]:
        if task.parent_ref:
            found = [other for other in self.tasks if other.path == task.path and other.ref == task.parent_ref]
        else:
            found = self.named(task.scope, task.parent) if task.parent else []
        return [other for other in found if other is not task]

    def ancestors(self, task: Task) -> list[Task]:
        found: list[Task] = []
        todo = self.parents(task)
        while todo:
            parent = todo.pop()
            if not any(parent is known for known in found):
                found.append(parent)
                todo += self.parents(parent)
        return found

    def children(self, task: Task) -> list[Task]:
        return [other for other in self.tasks if any(parent is task for parent in self.parents(other))]

    def satisfies(self, target: Task) -> bool:
        return target.status == "done" or (target.status == "cancelled" and self.options.cancelled_satisfies)

    def failing(self, task: Task) -> list[tuple[str, Dependency, list[Task]]]:
        found = []
        for dependency in task.dependencies:
            if dependency.type not in BLOCKING:
                continue
            targets = self.named(dependency.scope or task.scope, dependency.target)
            if not targets:
                found.append(("dep:missing", dependency, targets))
            elif len(targets) > 1:
                found.append(("dep:ambiguous", dependency, targets))
            elif targets[0] is not task and any(above is task for above in self.ancestors(targets[0])):
                continue
            elif not self.satisfies(targets[0]):
                code = "dep:cancelled" if targets[0].status == "cancelled" else "dep:unfinished"
                found.append((code, dependency, targets))
        return found

    def waits_for_itself(self, task: Task) -> bool:
        seen: list[Task] = []
        todo = [target for code, _, targets in self.failing(task) if code == "dep:unfinished" for target in targets]
        while todo:
            target = todo.pop()
            if target is task:
                return True
            if not any(target is known for known in seen):
                seen.append(target)
                todo += [other for code, _, found in self.failing(target) if code == "dep:unfinished" for other in found]
        return False

    def codes(self, task: Task) -> set[str]:
        options = self.options
        found = set()
        if not (task.status == "pending" or (task.status == "in_progress" and options.include_started)):
            found.add(f"status:{task.status}")
        if not task.is_work:
            found.add("nonwork")
        if task.key and sum(other.scope == task.scope and other.key == task.key for other in self.tasks) > 1:
            found.add("duplicate_id")
        if task.not_before and not (is_normal_time(task.not_before) and task.not_before <= to_iso(options.as_of)):
            found.add("not_before")
        found.update(code for code, _, _ in self.failing(task))
        if self.waits_for_itself(task):
            found.add("dep:cycle")
        for above in self.ancestors(task):
            if above.status in ("cancelled", "deferred", "blocked"):
                found.add(f"parent:{above.status}")
            if self.failing(above):
                found.add("parent:dep")
        if task.project_status in ("cancelled", "deferred", "blocked"):
            found.add(f"project:{task.project_status}")
        unfinished = [child for child in self.children(task) if child.is_work and child.status not in ("done", "cancelled")]
        if unfinished and not options.containers:
            found.add("container")
        return found
