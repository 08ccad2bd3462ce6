"""Answers from the memory of a project: each category from its file, or from the last reliable version in the archive."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

from archive.api import Archive
from archive.availability import AvailabilityOptions, evaluate
from archive.clock import to_iso
from archive.errors import ArchiveError
from archive.extract.tasks import ParsedDocument, extract_tasks
from archive.json_backup.keeping import SOURCE
from archive.json_backup.project import ListedFiles
from archive.memory import MemoryRequest, load_without_archive
from archive.model.documents import Kind
from archive.model.memory import Memory, MemoryDocument
from archive.model.tasks import Status, Task, TaskDraft

# Categories as callers know them, and the names of their files.
CATEGORIES = {
    "agents": "agents",
    "tasks": "tasks",
    "memory": "memory",
    "functions": "functions",
    "issues": "recentissues",
    "performance": "performance",
    "decisions": "decisions",
    "errors": "errors",
    "preferences": "preferences",
    "structure": "structure",
    "styles": "styles",
    "variables": "variables",
}


class AgentsMemory:
    """The documents of a project's memory as they were when this was made; nothing is written."""

    def __init__(self, listed: ListedFiles) -> None:
        self.documents = {
            document.path: document for category in _load(listed).categories for document in category.documents
        }  # by path
        self._listed = listed
        self._as_of = listed.clock.now()

    def whole(self) -> dict[str, Any]:
        """Returns every category, an empty dict where nothing is left of it, and where each is from."""
        found = {name: self.documents.get(self._listed.core_path(file)) for name, file in CATEGORIES.items()}
        sources = sorted({document.source.value for document in found.values() if document is not None})
        return {
            "timestamp": to_iso(self._as_of),
            "source": " and ".join(sources) or "none",
            **{name: _content(document) for name, document in found.items()},
            "provenance": {name: _provenance(document) for name, document in found.items()},
        }

    def tasks(self) -> dict[str, Any]:
        """Returns the projects of `tasks.json`, how far they are, and what can be worked on, the most urgent first."""
        path = self._listed.core_path("tasks")
        content = _content(self.documents.get(path))
        drafts = extract_tasks(ParsedDocument(path, Kind.JSON, content)).drafts
        tasks = [Task(**{each.name: getattr(draft, each.name) for each in fields(TaskDraft)}, path=path) for draft in drafts]
        states = Counter(task.status for task in tasks if task.is_work)
        members = content if isinstance(content, dict) else {}
        projects = members.get("active_projects", {})
        available = evaluate(tasks, AvailabilityOptions(as_of=self._as_of)).available()
        return {
            "active_projects": projects,
            "task_templates": members.get("task_templates", {}),
            "summary": {
                "total_projects": len(projects) if isinstance(projects, dict | list) else 0,
                "pending_phases": states[Status.PENDING.value],
                "in_progress_phases": states[Status.IN_PROGRESS.value],
                "completed_phases": states[Status.DONE.value],
            },
            "available_tasks": [task.to_json() for task in available],
        }


def _load(listed: ListedFiles) -> Memory:
    rules = listed.rules()
    settings = replace(listed.memory_settings(), server=None)  # the files are what is asked for here
    try:
        with Archive.open(listed.archive_path, source=SOURCE, clock=listed.clock) as archive:
            return archive.load_memory(listed.root, rules=rules, settings=settings)
    except ArchiveError as error:
        request = MemoryRequest(root=listed.root, rules=rules, settings=settings)
        return load_without_archive(error, request, listed.clock)


def _content(document: MemoryDocument | None) -> Any:
    return {} if document is None or document.content is None else document.content


def _provenance(document: MemoryDocument | None) -> dict[str, Any]:
    if document is None:
        return {"source": "none", "valid": False, "troubles": [{"kind": "missing", "message": "there never was such a file"}]}
    known = document.to_json()
    return {name: known[name] for name in ("path", "source", "snapshot", "label", "age_s", "valid", "troubles")}
