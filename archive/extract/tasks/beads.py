"""Reads a beads export, `issues.jsonl`: one issue a line, in one scope.

The parent is what a `parent-child` dependency names, else `parent`, else what stands before the last dot of the id if
that is an issue of the file. Lines that are something else than issues are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Record, scalar_text
from archive.extract.tasks.walking import walk
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import TaskDraft

_PARENT = "parent-child"
_NOT_WORK = frozenset({
    "message", "agent", "role", "rig", "gate", "molecule", "convoy", "event", "merge-request",
})  # fmt: skip
_NOT_WORK_FLAGS = ("ephemeral", "pinned", "is_template")
_FIELDS = frozenset({"issue_type", "dependencies", "created_at", "priority", "labels", "acceptance_criteria", "design"})
_NAMES = Names(
    id=("id",),
    title=("title",),
    description=("description", "design", "notes", "acceptance_criteria"),
    status=("status",),
    assignees=("assignee", "owner"),
    project=(),
    phase=(),
    labels=("labels",),
    created=("created_at",),
    updated=("updated_at",),
    due=("due_at", "due"),
    not_before=("defer_until",),
    parent=("parent", "parent_id"),
    # An entry without a type blocks.
    dependencies=(("dependencies", "blocks"),),
)


class Beads:
    """Knows issues by their `issue_type`, or by several of the other fields that beads gives them."""

    name = "beads"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 if half of the records are issues."""
        if document.kind is not Kind.JSONL or not document.elements:
            return 0.0
        return 0.9 if 2 * sum(map(_is_issue, document.elements)) >= len(document.elements) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields all issues, also those that are no work."""
        ids = {scalar_text(record.get("id")) for record in document.elements if isinstance(record, dict)}
        place = Place(pointer="", scope=scope_of(document.path), status="open", kind="issue")
        refs = Refs()
        for number, record in enumerate(document.elements):
            if isinstance(record, dict) and record.get("_type", "issue") != "issue":
                continue
            for draft in walk(iter([("", f"/{number}", record)]), place, _NAMES, refs, children=()):
                yield _as_issue(draft, record, ids) if isinstance(record, dict) else draft


def _is_issue(record: Json) -> bool:
    if not isinstance(record, dict) or "id" not in record or "title" not in record:
        return False
    return "issue_type" in record or len(_FIELDS.intersection(record)) >= 2


def _as_issue(draft: TaskDraft, record: Record, ids: set[str | None]) -> TaskDraft:
    kind = (scalar_text(record.get("issue_type")) or "task").lower()
    dotted = draft.id.rpartition(".")[0]
    named = next((link.target for link in draft.dependencies if link.type == _PARENT and link.target), "")
    parent = named or draft.parent or (dotted if dotted in ids else "")
    return replace(
        draft,
        kind=kind,
        parent=parent if parent != draft.key else "",
        project=draft.id.rpartition("-")[0],
        rank=_rank(record.get("priority"), draft.rank),
        dependencies=tuple(link for link in draft.dependencies if link.type != _PARENT),
        is_work=kind.replace("_", "-") not in _NOT_WORK
        and draft.status_raw.lower() != "pinned"
        and not any(record.get(flag) is True for flag in _NOT_WORK_FLAGS),
    )


def _rank(priority: Json, otherwise: int) -> int:
    """Returns a number as the rank that it is here; anything above 4 is 4."""
    if isinstance(priority, bool) or not isinstance(priority, int | float) or not math.isfinite(priority):
        return otherwise
    return min(max(int(priority), 0), 4)
