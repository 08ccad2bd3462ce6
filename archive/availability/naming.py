"""Finds tasks by what people call them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Protocol


class Named(Protocol):
    """What of a task its names are made of; see `TaskDraft`."""

    @property
    def ref(self) -> str:
        """Its identity."""

    @property
    def id(self) -> str:
        """As people write it."""

    @property
    def key(self) -> str:
        """The id as it is compared."""

    @property
    def path(self) -> str:
        """The document."""

    @property
    def project(self) -> str:
        """The project it belongs to."""

    @property
    def tag(self) -> str:
        """The list it stands in."""

    @property
    def pointer(self) -> str:
        """Where it stands in the document."""


def named(tasks: Sequence[Named], name: str) -> list[int]:
    """Returns the positions of the tasks that a name means, which may be none or several.

    A name is a ref, an id, `project/id` or `tag/id`, or `path#` with an id or a pointer; if none of those fits, an id or
    a pointer without regard to case.
    """
    for fits in (_is_ref, _is_id, _is_id_anyhow):
        found = [number for number, task in enumerate(tasks) if fits(task, name)]
        if found:
            return found
    return []


def near_names(tasks: Iterable[Named], name: str, limit: int = 3) -> list[str]:
    """Returns the ids that are most like a name that means nothing."""
    ids = {task.id.casefold(): task.id for task in tasks if task.id}
    return [ids[near] for near in get_close_matches(name.rpartition("/")[2].casefold(), ids, limit)]


def _is_ref(task: Named, name: str) -> bool:
    return task.ref == name


def _is_id(task: Named, name: str) -> bool:
    own = (task.id, task.key)
    if name and name in own:
        return True
    place, _, last = name.rpartition("#")
    if place and place == task.path and last and last in (*own, task.pointer):
        return True
    project, _, last = name.rpartition("/")
    return bool(last) and last in own and project in (task.project, task.tag, f"{task.path}#{task.project}")


def _is_id_anyhow(task: Named, name: str) -> bool:
    return bool(name) and name.casefold() in (task.id.casefold(), task.key.casefold(), task.pointer.casefold())
