"""Goes through lists of task records and the records nested in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from archive.extract.pointer import format_step
from archive.extract.rawtext import clean
from archive.extract.tasks.drafting import Names, Place, Refs, name_without_id, read_task
from archive.extract.tasks.reading import Reader, raw_text, type_name
from archive.model.base import Json
from archive.model.tasks import UNKNOWN_STATUS, Anomaly, AnomalyCode, TaskDraft

KeyRule: TypeAlias = Callable[[str, str], str]
"""Makes a key of an id and the key of the record around it (empty at the top)."""

CHILDREN = ("subtasks", "sub_tasks", "subTasks", "children")


def plain_key(name: str, parent: str) -> str:
    """Takes every id as it is: ids mean the same at any depth."""
    return name


def mixed_key(name: str, parent: str) -> str:
    """Takes a number as one that counts inside the parent (2 inside 5 is 5.2, and 5 inside 5 is 5.5), any other id as it is."""
    return f"{parent}.{name}" if parent and name.isdecimal() else name


def records_of(container: Json, pointer: str) -> Iterator[tuple[str, str, Json]]:
    """Yields name, pointer and value of what stands in an object or array; the elements of an array have no names."""
    if isinstance(container, dict):
        for name, value in container.items():
            yield clean(name), pointer + clean(format_step(name)), value
    elif isinstance(container, list):
        for position, value in enumerate(container):
            yield "", f"{pointer}/{position}", value


def walk(
    records: Iterator[tuple[str, str, Json]],
    place: Place,
    names: Names,
    refs: Refs,
    *,
    rule: KeyRule = plain_key,
    children: Sequence[str] = CHILDREN,
) -> Iterator[TaskDraft]:
    """Yields a draft of each record, and of each nested in it, in document order.

    A record that is no object is yielded as one that nobody can work on, so that it is seen; in a list of children,
    texts and numbers are passed over, because there they name tasks that stand elsewhere.

    Args:
        place: What holds for all of the records; pointer and id are the records' own.
        rule: Makes the keys of ids and of dependencies.
        children: Names of the members that hold nested records.
    """
    pending = [(place._replace(id=name, pointer=pointer), value) for name, pointer, value in records]
    pending.reverse()
    while pending:
        here, value = pending.pop()
        if not isinstance(value, dict):
            if not here.parent_ref or isinstance(value, list):
                yield unreadable(here, value, refs)
            continue
        draft = _read(value, here, names, refs, rule)
        yield draft
        below = [
            (_inside(here, draft, pointer), nested)
            for member in children
            if value.get(member)
            for _, pointer, nested in records_of(value.get(member), here.pointer + format_step(member))
        ]
        pending.extend(reversed(below))


def _read(value: dict[str, Json], place: Place, names: Names, refs: Refs, rule: KeyRule) -> TaskDraft:
    def key_of(name: str) -> str:
        return rule(name, place.parent)

    return read_task(Reader(value), names, place, refs, key_of, key_of)


def _inside(place: Place, parent: TaskDraft, pointer: str) -> Place:
    return place._replace(
        pointer=pointer,
        id="",
        kind="subtask",
        parent=parent.key,
        parent_ref=parent.ref,
        priority=parent.priority or place.priority,
    )


def unreadable(place: Place, value: Json, refs: Refs) -> TaskDraft:
    """Returns a draft that stands for a record which is no object."""
    message = f"the record is no object but {type_name(value)}"
    return TaskDraft(
        pointer=place.pointer,
        ref=refs.give(place.scope, place.id or name_without_id(raw_text(value))),
        scope=place.scope,
        shared_scope=place.shared_scope,
        id=place.id,
        key=place.id,
        title=raw_text(value),
        status=UNKNOWN_STATUS,
        kind=place.kind,
        project=place.project,
        tag=place.tag,
        is_work=False,
        anomalies=(Anomaly(AnomalyCode.WRONG_TYPE, message),),
    )
