"""Reads what no other adapter knows and yet looks like tasks: lists of objects with an id or title and a state.

Much in JSON has a title and a state and is no task: agents, runs, servers. So the state must be a known word, and
either the name of the list or of the file, or other fields of the records, must speak of work. A file may hold several
such lists; ids count in their own list first and then in the whole file. A file that is one such object alone is a task
too, and then the folder is the scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from archive.extract.pointer import format_step
from archive.extract.rawtext import clean
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Record, named_text, printable_path, scalar_text
from archive.extract.tasks.status import is_known_status, normalise_status
from archive.extract.tasks.walking import CHILDREN, mixed_key, records_of, walk
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import TaskDraft

_NAMES = Names()
_IDENTITY = frozenset(_NAMES.id) | frozenset(_NAMES.title)
_TITLES = frozenset(_NAMES.title)
_FLAGS = ("completed", "done", "complete", "finished", "checked", "is_done", "isDone", "is_completed", "isCompleted")
# Says of a story that it is done, and of much else that it went well; so it is a state, and no sign of work.
_STATE_FLAGS = (*_FLAGS, "passes")
_WORK_FIELDS = frozenset({
    "priority", "assignee", "assignees", "assigned_to", "assignedTo", "owner", "dependencies", "depends_on", "dependsOn",
    "blocked_by", "blockedBy", "blocks", "due", "due_date", "dueDate", "deadline", "subtasks", "estimate",
    "estimated_time", "acceptance_criteria", "acceptanceCriteria", "story_points", "parent_id", "parentId", "labels",
    *_FLAGS,
})  # fmt: skip
_WORK_WORDS = re.compile(
    r"task|todo|to_do|to-do|issue|ticket|stor(?:y|ies)|backlog|feature|bug|action_item|actionitem|work_?item|milestone|"
    r"check_?list|kanban|roadmap|sprint|epic|phase",
    re.IGNORECASE,
)
_NO_TASKS_BELOW = frozenset({
    "schema", "schemas", "$schema", "definitions", "$defs", "instructions", "template", "templates", "task_templates",
    "example", "examples", "status_definitions", "workflow_stages", "statistics",
})  # fmt: skip
_NESTED = (*CHILDREN, "tasks", "stories")
_MAX_DEPTH = 8
_MAX_ELEMENTS = 500  # of a list that is none of tasks, the elements that are looked into for lists of tasks
_MAX_VISITED = 20_000  # objects and arrays looked at; a file whose tasks lie deeper in is no task file
_SAMPLE = 50


_STATE_NAMES = frozenset((*_NAMES.status, *_STATE_FLAGS))
# One of these is in the bytes of every document that has one of the names.
_STATE_BYTES = (b'"stat', b'one"', b"omplete", b'"finished"', b'"checked"', b'"passes"')

_Way: TypeAlias = "tuple[_Way, str | int, Json] | None"
"""How a value was come to: the way to what holds it, the name or position there, and the value."""

_Look: TypeAlias = tuple[dict[str, Json] | list[Json], _Way, str, int]
"""A value to look at, the way to it, the name it goes by and how deep it lies."""


class _Found(NamedTuple):
    pointer: str
    inner: str
    records: dict[str, Json] | list[Json]
    named: bool


class GenericList:
    """Knows lists by what the module says."""

    name = "generic"
    surest = 0.3

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.2 or 0.3, the more if a name speaks of work."""
        if document.kind not in (Kind.JSON, Kind.JSONL) or not _may_hold_tasks(document.data):
            return 0.0
        found = _lists(document)
        if found:
            return 0.3 if any(item.named for item in found) else 0.2
        return 0.2 if _is_lone_task(document) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the tasks of all lists."""
        found, refs = _lists(document), Refs()
        whole = scope_of(document.path)
        if not found:
            place = Place(pointer="", scope=printable_path(document.folder) or ".")
            records: list[tuple[str, str, Json]] = [("", "", document.value)]
            yield from walk(_with_states(records), place, _NAMES, refs, rule=mixed_key, children=())
        for item in found:
            own = scope_of(document.path, item.inner)
            place = Place(pointer="", scope=own, shared_scope=whole if own != whole else "")
            records = list(records_of(item.records, item.pointer))
            yield from walk(_with_states(records), place, _NAMES, refs, rule=mixed_key, children=_NESTED)


def _may_hold_tasks(data: bytes) -> bool:
    """Says whether the name of a state occurs in the bytes; False only if there is none."""
    return not data or b"\0" in data or any(name in data for name in _STATE_BYTES)


def _lists(document: ParsedDocument) -> list[_Found]:
    """Returns the lists of tasks, in document order; nothing is looked for inside of one."""
    found: list[_Found] = []
    stem = document.path.rpartition(".")[0] or document.path
    if not isinstance(document.value, dict | list):
        return found
    pending: list[_Look] = [(document.value, None, "/".join(stem.split("/")[-2:]), 0)]
    visited = 0
    while pending and visited < _MAX_VISITED:
        value, way, name, depth = pending.pop()
        visited += 1
        if (named := _task_list(value, name)) is not None:
            found.append(_Found(*_place(way), value, named))
        elif depth < _MAX_DEPTH:
            pending.extend(reversed(_below(value, way, name, depth + 1)))
    return found


def _below(value: dict[str, Json] | list[Json], way: _Way, name: str, depth: int) -> list[_Look]:
    """Returns the objects and arrays in a value that are not empty."""
    if isinstance(value, dict):
        return [
            (content, (way, member, content), member, depth)
            for member, content in value.items()
            if content and isinstance(content, (dict, list)) and member.lower() not in _NO_TASKS_BELOW
        ]
    return [
        (element, (way, position, element), name, depth)
        for position, element in enumerate(value[:_MAX_ELEMENTS])
        if element and isinstance(element, (dict, list))
    ]


def _place(way: _Way) -> tuple[str, str]:
    """Returns the pointer of a list, and the inner part of its scope."""
    pointer, inner = "", ""
    while way is not None:
        way, step, value = way
        if isinstance(step, str):
            named = clean(format_step(step))
            pointer, inner = named + pointer, named + inner
        else:
            pointer, inner = f"/{step}{pointer}", f"/{_name_of(value) or step}{inner}"
    return pointer, inner.removeprefix("/")


def _name_of(value: Json) -> str:
    """Returns what names an element of a list, so that its scope does not change as the list grows."""
    if not isinstance(value, dict):
        return ""
    texts = (scalar_text(value.get(name)) for name in (*_NAMES.id, "title", "name"))
    return next((text for text in texts if text), "").replace("/", "-")


def _task_list(value: dict[str, Json] | list[Json], name: str) -> bool | None:
    """Says of a list of tasks whether its name speaks of work; None if it is no list of tasks."""
    if isinstance(value, dict):
        # Members that are not objects make it a record and not a list of records.
        for member in value.values():
            if not isinstance(member, dict):
                return None
        sample = list(islice(value.values(), _SAMPLE))
    else:
        sample = value[:_SAMPLE]
    tasks = [record for record in sample if isinstance(record, dict) and _has_state(record)]
    if not tasks:
        return None
    named = _WORK_WORDS.search(name) is not None
    # In an object the name of the member may be the id, so a title is asked for. A mere `name` is what most things have.
    wanted = _TITLES if isinstance(value, dict) else _IDENTITY
    if not named:
        wanted -= {"name"}
    tasks = [record for record in tasks if not wanted.isdisjoint(record)]
    if not tasks or 2 * len(tasks) < len(sample):
        return None
    if named or 2 * sum(not _WORK_FIELDS.isdisjoint(record) for record in tasks) >= len(tasks):
        return named
    return None


def _has_state(record: Record) -> bool:
    if _STATE_NAMES.isdisjoint(record):
        return False
    for name in _NAMES.status:
        value = record.get(name)
        raw = named_text(value) if isinstance(value, str | dict) else None
        if raw:
            return is_known_status(normalise_status(raw))
    return any(isinstance(record.get(name), bool) for name in _STATE_FLAGS)


def _is_lone_task(document: ParsedDocument) -> bool:
    record = document.members
    if not _has_state(record) or "title" not in record or not any(name in record for name in _NAMES.id):
        return False
    return _WORK_WORDS.search(document.path) is not None or not _WORK_FIELDS.isdisjoint(record)


def _with_states(records: list[tuple[str, str, Json]]) -> Iterator[tuple[str, str, Json]]:
    """Yields the records, with a state for those that have only a flag for one; also for the records nested in them."""
    for name, pointer, value in records:
        yield name, pointer, _with_state(value)


def _with_state(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    changed: dict[str, Json] = {}
    if not any(value.get(name) not in (None, "") for name in _NAMES.status):
        flag = next((value[name] for name in _STATE_FLAGS if isinstance(value.get(name), bool)), None)
        if flag is not None:
            changed["status"] = "done" if flag else "pending"
    for member in _NESTED:
        nested = value.get(member)
        if isinstance(nested, list):
            changed[member] = [_with_state(element) for element in nested]
    return {**value, **changed} if changed else value
