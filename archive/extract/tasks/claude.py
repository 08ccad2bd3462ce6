"""Reads tasks as Claude Code keeps them: one JSON object a file, `tasks/<list>/<number>.json`.

The folder is the list and the scope, so tasks of one list stand in many documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs
from archive.extract.tasks.reading import printable_path
from archive.extract.tasks.walking import walk
from archive.model.documents import Kind
from archive.model.tasks import BLOCKED_BY, DEPENDS_ON, IS_BLOCKER_OF, TaskDraft

_OWN_FIELDS = frozenset({"blocks", "blockedBy", "activeForm"})
_NUMBER = re.compile(r"(\d+)\.json", re.ASCII)
_NAMES = Names(
    id=("id",),
    title=("subject", "title"),
    description=("description",),
    assignees=("owner", "assignee"),
    project=(),
    labels=("labels", "tags"),
    created=("createdAt", "created_at", "created"),
    updated=("updatedAt", "updated_at", "updated"),
    parent=("parent", "parentId"),
    dependencies=(
        ("blockedBy", BLOCKED_BY),
        ("blocked_by", BLOCKED_BY),
        ("dependencies", DEPENDS_ON),
        ("blocks", IS_BLOCKER_OF),
    ),
)


class ClaudeTasks:
    """Knows a task by its `subject` together with a state or one of the lists of blockers."""

    name = "claude-tasks"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 if there is more than the subject and a state to tell it by, 0.6 if not."""
        task = document.members
        if document.kind is not Kind.JSON or not isinstance(task.get("subject"), str):
            return 0.0
        if not _OWN_FIELDS.isdisjoint(task):
            return 0.9
        return 0.6 if "status" in task and ("id" in task or _NUMBER.fullmatch(document.name)) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the one task."""
        number = _NUMBER.fullmatch(document.name)
        folder = printable_path(document.folder) or "."
        # A task without a state is pending, as in a task that was just made.
        place = Place(pointer="", scope=folder, status="pending", project=folder.rpartition("/")[2])
        records = iter([(number[1] if number else "", "", document.value)])
        yield from walk(records, place, _NAMES, Refs(), children=())
