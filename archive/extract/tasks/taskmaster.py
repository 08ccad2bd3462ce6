"""Reads Task Master's `tasks.json`: `{tag: {tasks: […]}}`, and `{tasks: […]}` as it was before there were tags.

Each tag is a scope; the untagged list is the tag `master`, as Task Master itself takes it. A subtask has the key
`parent.number`. In its dependencies a number without a dot, also one in quotes, is a subtask of the same parent, and
`5.2` counts in the whole tag.
"""

from __future__ import annotations

from collections.abc import Iterator

from archive.extract.pointer import format_step
from archive.extract.rawtext import clean
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.walking import mixed_key, records_of, walk
from archive.model.base import Json
from archive.model.tasks import DEPENDS_ON, TaskDraft

_UNTAGGED = "master"
_SELDOM_TAGS = frozenset({"schema", "$schema", "definitions", "templates", "task_templates", "examples", "example"})
_OWN_FIELDS = frozenset({"dependencies", "subtasks", "testStrategy", "details"})
_NAMES = Names(
    id=("id",),
    title=("title", "name"),
    description=("description", "details", "testStrategy"),
    assignees=("assignee", "assignees", "assigned_to"),
    project=(),
    phase=("phase",),
    labels=("labels",),
    created=("createdAt", "created", "created_at"),
    updated=("updatedAt", "updated", "updated_at"),
    due=("dueDate", "due_date", "due"),
    not_before=(),
    parent=(),
    dependencies=(("dependencies", DEPENDS_ON),),
)


class TaskMaster:
    """Knows lists of tasks under tags, and a single list of tasks that have its fields."""

    name = "task-master"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 if tasks have fields that Task Master gives them, 0.5 for tagged lists that have none of them."""
        lists = list(_lists(document))
        tasks = [task for _, _, tasks in lists for task in tasks if isinstance(task, dict)]
        looks = [task for task in tasks if ("title" in task or "id" in task) and ("status" in task or "subtasks" in task)]
        if not looks or 2 * len(looks) < len(tasks):
            return 0.0
        if any(map(_is_own, looks)):
            return 0.9
        return 0.5 if all(pointer != "/tasks" for _, pointer, _ in lists) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the tasks of all tags, each followed by its subtasks."""
        refs = Refs()
        for tag, pointer, tasks in _lists(document):
            # A task without a state is pending: that is how the tool itself reads it.
            place = Place(pointer="", scope=scope_of(document.path, tag), project=tag, tag=tag, status="pending")
            yield from walk(records_of(tasks, pointer), place, _NAMES, refs, rule=mixed_key)


def _lists(document: ParsedDocument) -> Iterator[tuple[str, str, list[Json]]]:
    """Yields tag, pointer and tasks of each list."""
    for name, value in document.members.items():
        if name == "tasks" and isinstance(value, list):
            yield _UNTAGGED, "/tasks", value
            continue
        tasks = value.get("tasks") if isinstance(value, dict) else None
        # A tag may be called `schema`, but what looks like a task there is an example, unless it is surely one.
        if isinstance(tasks, list) and (name not in _SELDOM_TAGS or any(map(_is_own, tasks))):
            yield clean(name), clean(format_step(name)) + "/tasks", tasks


def _is_own(task: Json) -> bool:
    return isinstance(task, dict) and not _OWN_FIELDS.isdisjoint(task)
