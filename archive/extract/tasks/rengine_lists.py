"""Reads rEngine's `consolidated_tasks.json`, `bugs.json`, `roadmap.json` and `recentissues.json`.

The four name each other's records: a feature of the roadmap waits for a bug. Ids count in the file first, so that a
copy of a file beside it does no harm; an id that the file does not have is looked up in the files of this family in the
same folder, which is their shared scope. A milestone is the project of its features, and a task itself only if it has
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from archive.extract.pointer import format_step
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Reader, printable_path
from archive.extract.tasks.status import normalise_status
from archive.extract.tasks.walking import mixed_key, records_of, unreadable, walk
from archive.model.base import Json
from archive.model.tasks import BLOCKED_BY, DEPENDS_ON, IS_BLOCKER_OF, TaskDraft

_RELATED = "related"
_NAMES = Names(
    id=("id", "issue_id", "bug_id", "task_id"),
    title=("title", "name", "summary", "description"),
    description=("description", "technical_notes", "reproduction_steps", "test_requirements", "deliverables"),
    priority=("priority", "severity"),
    assignees=("assigned_to", "agent_assigned", "agent", "assignee", "assigned_agent"),
    project=("project", "affects_milestone", "milestone_resolved", "milestone"),
    phase=("phase",),
    labels=("labels", "tags", "category"),
    created=("created_date", "created", "date"),
    updated=("updated_date", "last_updated", "completed_date", "resolved_date", "updated"),
    due=("due_date", "target_date", "due"),
    dependencies=(
        ("dependencies", DEPENDS_ON),
        ("depends_on", DEPENDS_ON),
        ("blocked_by", BLOCKED_BY),
        ("blocking_tasks", IS_BLOCKER_OF),
        ("blocking_issues", IS_BLOCKER_OF),
        ("related_bug", _RELATED),
        ("related_feature", _RELATED),
    ),
)
_SECTION = re.compile(r"([a-z]+)_(tasks|bugs|milestones)")
_KINDS = {"tasks": "task", "bugs": "bug", "milestones": "milestone"}
_FUTURE = "future_vision"
_FEATURES = re.compile(r"features(?:_([a-z]+))?")


def shared_scope(document: ParsedDocument) -> str:
    """Returns the scope that this family of files has in common in a folder."""
    return f"{printable_path(document.folder) or '.'}/"


class RengineLists:
    """Knows the four files by sections such as `active_bugs`, or by a list of issues that have an `issue_id`."""

    name = "rengine-lists"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.85 if there is a section with records."""
        return 0.85 if any(_is_record(record) for *_, section in _sections(document) for *_, record in section) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the records of all sections, each followed by its subtasks."""
        refs = Refs()
        for kind, state, section in _sections(document):
            if kind == "milestone":
                for name, pointer, milestone in section:
                    yield from _milestone(document, state, name, pointer, milestone, refs)
            else:
                yield from walk(iter(section), _place(document, kind, status=state), _NAMES, refs, rule=mixed_key)


def _sections(document: ParsedDocument) -> Iterator[tuple[str, str, list[tuple[str, str, Json]]]]:
    """Yields the kind of a section's records, the state its name tells (`completed` of `completed_tasks`), the records."""
    for name, value in document.members.items():
        found = _SECTION.fullmatch(name)
        if found:
            kind, state = _KINDS[found[2]], "open" if found[1] == "active" else found[1]
        elif name == _FUTURE:
            kind, state = "milestone", "planned"
        elif name == "issues" and isinstance(value, list) and any(_is_issue(record) for record in value):
            kind, state = "issue", ""
        else:
            continue
        yield kind, state, list(records_of(value, format_step(name)))


def _is_record(value: Json) -> bool:
    """Says whether a value says more of itself than a number; statistics have sections of the same names."""
    return isinstance(value, dict) and ("title" in value or "status" in value)


def _is_issue(value: Json) -> bool:
    return isinstance(value, dict) and "issue_id" in value


def _milestone(
    document: ParsedDocument, state: str, name: str, pointer: str, milestone: Json, refs: Refs
) -> Iterator[TaskDraft]:
    """Yields the features of one milestone, or the milestone itself if it has none."""
    if not isinstance(milestone, dict):
        yield unreadable(_place(document, "milestone")._replace(pointer=pointer, id=name), milestone, refs)
        return
    reader = Reader(milestone)
    name = name or reader.text(_NAMES.id) or reader.text(_NAMES.title)
    raw_status = reader.text(("status",)) or state
    found = False
    for status, list_pointer, features in _features(milestone, pointer):
        place = _place(document, "feature", status=status)._replace(project=name, project_status=normalise_status(raw_status))
        for draft in walk(records_of(features, list_pointer), place, _NAMES, refs, rule=mixed_key):
            found = True
            yield draft
    if not found:
        itself = _place(document, "milestone", status=state)._replace(project=name)
        yield from walk(iter([(name, pointer, milestone)]), itself, replace(_NAMES, id=("id",)), refs)


def _features(milestone: Mapping[str, Json], pointer: str) -> Iterator[tuple[str, str, Json]]:
    """Yields the lists of features with the state their name tells (`completed` of `features_completed`)."""
    for name, value in milestone.items():
        found = _FEATURES.fullmatch(name)
        if found and isinstance(value, dict | list):
            yield found[1] or "", pointer + format_step(name), value


def _place(document: ParsedDocument, kind: str, *, status: str = "") -> Place:
    return Place(pointer="", scope=scope_of(document.path), shared_scope=shared_scope(document), kind=kind, status=status)
