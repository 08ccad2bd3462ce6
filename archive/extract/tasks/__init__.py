"""Finds tasks in documents: one small module for each tool, found by the shape of the document.

    extraction = extract_tasks(ParsedDocument("agents/tasks.json", Kind.JSON, value))
    extraction.drafts[0].title

A third party adds a tool by an adapter in a package of its own,

    class Plan:
        name = "plan"

        def matches(self, document: ParsedDocument) -> float:
            return 0.9 if "plan" in document.members else 0.0

        def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
            for number, step in enumerate(document.members["plan"]):
                status = normalise_status(step["state"])
                yield TaskDraft(pointer=f"/plan/{number}", id=step["id"], title=step["what"], status=status)

and names it in that package's `pyproject.toml`:

    [project.entry-points."archive.task_adapters"]
    plan = "my_package.plan:Plan"
"""

from __future__ import annotations

from archive.extract.tasks.adapter import Adapter, ParsedDocument
from archive.extract.tasks.registry import (
    BUILT_IN,
    ENTRY_POINT_GROUP,
    Extraction,
    LoadedAdapters,
    extract_tasks,
    installed_adapters,
    load_adapters,
)
from archive.extract.tasks.status import normalise_status, priority_rank

__all__ = [
    "BUILT_IN",
    "ENTRY_POINT_GROUP",
    "Adapter",
    "Extraction",
    "LoadedAdapters",
    "ParsedDocument",
    "extract_tasks",
    "installed_adapters",
    "load_adapters",
    "normalise_status",
    "priority_rank",
]
