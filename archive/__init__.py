"""Remembers every state of a project's JSON data and documents in one SQLite file.

    from archive import Archive

    with Archive.open("archive.db", mode="write") as archive:
        archive.backup("project")
        archive.read("agents/tasks.json", at="2 hours ago")

The names in `__all__` are the whole public library. They are imported when they are first asked for, because the database
layer takes a sixth of a second and `archive version` should not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.api import Archive as Archive
    from archive.clock import Clock as Clock
    from archive.clock import SystemClock as SystemClock
    from archive.errors import ArchiveError as ArchiveError
    from archive.model.check import CheckDepth as CheckDepth
    from archive.model.memory import MemoryServer as MemoryServer
    from archive.model.memory import MemorySettings as MemorySettings
    from archive.model.restore import Overwrite as Overwrite
    from archive.model.taskviews import TaskFilter as TaskFilter
    from archive.rules import Rules as Rules

__version__ = "1.0.0"

_HOMES = {
    "Archive": "archive.api",
    "ArchiveError": "archive.errors",
    "CheckDepth": "archive.model.check",
    "Clock": "archive.clock",
    "MemoryServer": "archive.model.memory",
    "MemorySettings": "archive.model.memory",
    "Overwrite": "archive.model.restore",
    "Rules": "archive.rules",
    "SystemClock": "archive.clock",
    "TaskFilter": "archive.model.taskviews",
}
__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 (all of them are texts)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
