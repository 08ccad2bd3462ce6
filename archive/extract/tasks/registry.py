"""Chooses the adapter for a document, and runs it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from archive.extract.tasks.adapter import Adapter, ParsedDocument
from archive.extract.tasks.backlog import Backlog
from archive.extract.tasks.beads import Beads
from archive.extract.tasks.checkboxes import Checkboxes
from archive.extract.tasks.claude import ClaudeTasks
from archive.extract.tasks.drafting import finish, storable
from archive.extract.tasks.generic import GenericList
from archive.extract.tasks.rengine import RengineTasks
from archive.extract.tasks.rengine_lists import RengineLists
from archive.extract.tasks.taskmaster import TaskMaster
from archive.extract.tasks.taskwarrior import Taskwarrior
from archive.extract.tasks.todotxt import TodoTxt
from archive.model.tasks import TaskDraft

ENTRY_POINT_GROUP = "archive.task_adapters"

BUILT_IN: tuple[Adapter, ...] = (
    RengineTasks(),
    RengineLists(),
    TaskMaster(),
    Beads(),
    Backlog(),
    Taskwarrior(),
    TodoTxt(),
    ClaudeTasks(),
    GenericList(),
    Checkboxes(),
)
"""The adapters that come with the program; of two that are equally sure, the first gets the document."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The tasks of one version of a document.

    Attributes:
        adapter: Name of the adapter that read it; empty if none knows it.
        drafts: In document order, complete.
        problems: What went wrong in adapters; lower case, no period.
    """

    adapter: str
    drafts: tuple[TaskDraft, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedAdapters:
    """The adapters to use.

    Attributes:
        adapters: Those of third parties first, so that they win where they are as sure as a built-in one.
        problems: One for each entry point that could not be used; lower case, no period.
    """

    adapters: tuple[Adapter, ...]
    problems: tuple[str, ...] = ()

    @property
    def foreign(self) -> tuple[str, ...]:
        """The names of those of third parties."""
        return tuple(str(adapter.name) for adapter in self.adapters if adapter not in BUILT_IN)


def extract_tasks(document: ParsedDocument, adapters: Sequence[Adapter] = BUILT_IN) -> Extraction:
    """Returns the tasks of a document, read by the adapter that is surest of it.

    Never raises for what an adapter does: an adapter that fails is reported, and the next surest is asked.
    """
    problems: list[str] = []
    asked = 0
    while asked < len(adapters):
        chances: list[tuple[float, int, Adapter]] = []
        for position in range(asked, len(adapters)):
            adapter = adapters[position]
            # One that cannot be surer than another before it need not be asked, unless all before it fail.
            if chances and max(-chance for chance, *_ in chances) >= getattr(adapter, "surest", 1.0):
                break
            asked = position + 1
            try:
                chance = float(adapter.matches(document))
            except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; it is told, not hidden
                problems.append(_problem(adapter, error))
                continue
            if chance > 0 and math.isfinite(chance):
                chances.append((-chance, position, adapter))
        for *_, adapter in sorted(chances, key=lambda chance: chance[:2]):
            try:
                drafts = finish(document.path, adapter.extract(document))
                if adapter not in BUILT_IN:
                    drafts = tuple(map(storable, drafts))
            except Exception as error:  # noqa: BLE001 - as above
                problems.append(_problem(adapter, error))
            else:
                return Extraction(adapter.name, drafts, tuple(problems))
    return Extraction("", (), tuple(problems))


def load_adapters(found: Iterable[EntryPoint] | None = None) -> LoadedAdapters:
    """Returns the built-in adapters and those that installed packages offer.

    An entry point of the group `archive.task_adapters` names an adapter, or a class or function that makes one when it
    is called without arguments. One that cannot be loaded, or makes something else, is left out and reported.

    Args:
        found: The entry points to use; by default those of the group in all installed packages.
    """
    adapters: list[Adapter] = []
    problems: list[str] = []
    for entry in sorted(found if found is not None else entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            offered = entry.load()
            adapter = offered() if isinstance(offered, type) or not hasattr(offered, "matches") else offered
        except Exception as error:  # noqa: BLE001 - importing foreign code may raise anything; it is told, not hidden
            problems.append(f"adapter {entry.name} cannot be loaded: {type(error).__name__}: {error}")
            continue
        missing = [name for name in ("name", "matches", "extract") if not hasattr(adapter, name)]
        if missing:
            problems.append(f"adapter {entry.name} has no {' and no '.join(missing)}")
        else:
            adapters.append(adapter)
    return LoadedAdapters((*adapters, *BUILT_IN), tuple(problems))


@cache
def installed_adapters() -> LoadedAdapters:
    """Returns what `load_adapters` finds in the installed packages, which it looks through once: that takes a while."""
    return load_adapters()


def _problem(adapter: Adapter, error: Exception) -> str:
    return f"adapter {getattr(adapter, 'name', type(adapter).__name__)} failed: {type(error).__name__}: {error}"
