"""Reads an rEngine `tasks.json`: projects with phases.

The phases are the tasks; a project is what they belong to, and its state holds them back. A project that has no phases
is a task itself. Templates, schema and the definitions of states look much like tasks, stand elsewhere in the file, and
are none. Ids are those of the phases, which repeat in every project, so each project is a scope of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive.extract.pointer import format_step
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Reader
from archive.extract.tasks.status import normalise_status
from archive.extract.tasks.walking import records_of, unreadable, walk
from archive.model.base import Json
from archive.model.tasks import DEPENDS_ON, IS_BLOCKER_OF, TaskDraft

_ACTIVE = "active_projects"
_HISTORICAL = "historical_projects"
_PROJECT_ID = ("project_id", "id", "key", "name", "title")
_NAMES = Names(
    id=("phase_id", "task_id", "id"),
    title=("title", "name", "description"),
    description=("description", "success_criteria", "testing_requirements"),
    priority=("priority",),
    assignees=("agent", "assigned_agent", "assigned_to", "assignee", "agents"),
    phase=(),
    labels=("labels", "tags", "category"),
    created=("created", "started"),
    due=("target_completion", "due_date", "due"),
    parent=(),
    dependencies=(("dependencies", DEPENDS_ON), ("blocked_by", "blocked-by"), ("blocks", IS_BLOCKER_OF)),
)


class RengineTasks:
    """Knows `tasks.json` by its `active_projects`."""

    name = "rengine-tasks"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 for an object of projects of which one has phases, or that stands beside finished projects."""
        projects = document.members.get(_ACTIVE)
        if not isinstance(projects, dict | list):
            return 0.0
        phased = any(isinstance(value, dict) and "phases" in value for _, _, value in records_of(projects, ""))
        return 0.9 if phased or _HISTORICAL in document.members else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the phases of all projects, the finished ones last."""
        refs = Refs()
        used: set[str] = set()
        for name, pointer, value in records_of(document.members.get(_ACTIVE), format_step(_ACTIVE)):
            yield from _project(document.path, name, pointer, value, "", used, refs)
        for group, groups_pointer, projects in records_of(document.members.get(_HISTORICAL), format_step(_HISTORICAL)):
            for name, pointer, value in records_of(projects, groups_pointer):
                yield from _project(document.path, name, pointer, value, group, used, refs)


def _project(path: str, name: str, pointer: str, value: Json, group: str, used: set[str], refs: Refs) -> Iterator[TaskDraft]:
    """Yields the phases of one project, or the project itself if it has none."""
    if not isinstance(value, dict):
        yield unreadable(Place(pointer=pointer, scope=scope_of(path), id=name, kind="project"), value, refs)
        return
    reader = Reader(value)
    name = name or reader.text(_PROJECT_ID)
    raw_status = reader.text(("status",)) or group
    scope = scope_of(path, name if name not in used else pointer.removeprefix("/"))
    used.add(name)
    place = Place(
        pointer=pointer,
        scope=scope,
        kind="phase",
        # The word for a group of finished projects is also the state of a phase that says nothing itself.
        status=group,
        project=name,
        project_status=normalise_status(raw_status) if raw_status else "",
    )
    phases = list(records_of(value.get("phases"), f"{pointer}/phases"))
    if any(isinstance(phase, dict) for _, _, phase in phases):
        created = reader.date(_NAMES.created)
        for draft in walk(iter(phases), place, _NAMES, refs):
            stage = draft.phase or (draft.id if draft.kind == "phase" else "")
            yield replace(draft, phase=stage, created=draft.created or created)
    else:
        itself = place._replace(kind="project", project_status="")
        yield from walk(iter([(name, pointer, value)]), itself, replace(_NAMES, id=("",)), refs)
