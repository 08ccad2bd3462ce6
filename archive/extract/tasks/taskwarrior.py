"""Reads what `task export` writes: an array of tasks, or one task a line.

`waiting` is a pending task whose `wait` is not over. The ids that count are the uuids; the numbers change as tasks are
finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Reader
from archive.extract.tasks.walking import walk
from archive.model.base import Json
from archive.model.tasks import DEPENDS_ON, AnomalyCode, TaskDraft, is_normal_time

_OWN_FIELDS = ("uuid", "description", "status")
_RECURRING = "recurring"
_NAMES = Names(
    id=("uuid", "id"),
    title=("description",),
    description=(),
    status=("status",),
    priority=("priority",),
    assignees=("assignee", "assigned", "owner"),
    project=("project",),
    phase=(),
    labels=("tags",),
    created=("entry",),
    updated=("modified",),
    due=("due",),
    not_before=("wait",),
    parent=(),
    dependencies=(("depends", DEPENDS_ON),),
)


class Taskwarrior:
    """Knows tasks by `uuid`, `description` and `status`."""

    name = "taskwarrior"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 if half of the records have all three."""
        own = sum(isinstance(record, dict) and all(name in record for name in _OWN_FIELDS) for record in document.elements)
        return 0.9 if own and 2 * own >= len(document.elements) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields all tasks, also the templates of recurring ones, which are no work."""
        place = Place(pointer="", scope=scope_of(document.path))
        refs = Refs()
        for number, record in enumerate(document.elements):
            for draft in walk(iter([("", f"/{number}", record)]), place, _NAMES, refs, rule=_lower, children=()):
                yield _as_task(draft, record) if isinstance(record, dict) else draft


def _lower(name: str, parent: str) -> str:
    return name.lower()


def _as_task(draft: TaskDraft, record: dict[str, Json]) -> TaskDraft:
    scheduled = Reader(record).date(("scheduled",))
    recurring = draft.status == _RECURRING
    anomalies = draft.anomalies
    if recurring:  # a word of the tool's own, and none that is missing in the map
        anomalies = tuple(note for note in anomalies if note.code is not AnomalyCode.UNKNOWN_STATUS)
    return replace(
        draft,
        description=_annotations(record),
        not_before=_later(draft.not_before, scheduled),
        is_work=not recurring,
        anomalies=anomalies,
    )


def _later(wait: str, scheduled: str) -> str:
    """Returns the later of two dates; one that cannot be read wins, for nobody knows that it is over."""
    return max((wait, scheduled), key=lambda date: (bool(date) and not is_normal_time(date), date))


def _annotations(record: dict[str, Json]) -> str:
    notes = record.get("annotations")
    if not isinstance(notes, list):
        return ""
    return "\n".join(text for note in notes if isinstance(note, dict) and (text := Reader(note).text(("description",))))
