"""Reads what no other adapter knows and yet looks like tasks: lists of objects with an id or title and a state.

Much in JSON has a title and a state and is no task: agents, runs, servers. So the state must be a known word, and
either the name of the list or of the file, or other fields of the records, must speak of work. A file may hold several
such lists; ids count in their own list first and then in the whole file. A file that is one such object alone is a task
too, and then the folder is the scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from archive.extract.pointer import format_step
from archive.extract.rawtext import clean
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, scope_of
from archive.extract.tasks.reading import Record, printable_path, scalar_text
from archive.extract.tasks.status import is_known_status, normalise_status
from archive.extract.tasks.walking import CHILDREN, mixed_key, records_of, walk
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import TaskDraft

_NAMES = Names()
_IDENTITY = frozenset(_NAMES.id) | frozenset(_NAMES.title)
_TITLES = frozenset(_NAMES.title)
_FLAGS = ("completed", "done", "complete", "finished", "checked", "is_done", "isDone", "is_completed", "isCompleted")
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


class _Found(NamedTuple):
    pointer: str
    inner: str
    records: dict[str, Json] | list[Json]
    named: bool


class GenericList:
    """Knows lists by what the module says."""

    name = "generic"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.2 or 0.3, the more if a name speaks of work."""
        if document.kind not in (Kind.JSON, Kind.JSONL):
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


def _lists(document: ParsedDocument) -> list[_Found]:
    """Returns the lists of tasks, in document order; nothing is looked for inside of one."""
    found: list[_Found] = []
    stem = document.path.rpartition(".")[0] or document.path
    pending: list[tuple[Json, str, str, str, int]] = [(document.value, "", "", "/".join(stem.split("/")[-2:]), 0)]
    visited = 0
    while pending and visited < _MAX_VISITED:
        value, pointer, inner, name, depth = pending.pop()
        visited += 1
        if not isinstance(value, dict | list):
            continue
        named = _WORK_WORDS.search(name) is not None
        if _is_task_list(value, named=named):
            found.append(_Found(pointer, inner, value, named))
        elif depth < _MAX_DEPTH:
            below = list(_below(value, pointer, inner, name, depth + 1))
            pending.extend(reversed(below))
    return found


def _below(
    value: dict[str, Json] | list[Json], pointer: str, inner: str, name: str, depth: int
) -> Iterator[tuple[Json, str, str, str, int]]:
    if isinstance(value, dict):
        for member, content in value.items():
            if isinstance(content, dict | list) and member.lower() not in _NO_TASKS_BELOW:
                step = clean(format_step(member))
                yield content, pointer + step, (inner + step).removeprefix("/"), member, depth
        return
    for position, element in enumerate(value[:_MAX_ELEMENTS]):
        if isinstance(element, dict | list):
            called = _name_of(element) or str(position)
            yield element, f"{pointer}/{position}", f"{inner}/{called}".removeprefix("/"), name, depth


def _name_of(value: Json) -> str:
    """Returns what names an element of a list, so that its scope does not change as the list grows."""
    if not isinstance(value, dict):
        return ""
    texts = (scalar_text(value.get(name)) for name in (*_NAMES.id, "title", "name"))
    return next((text for text in texts if text), "").replace("/", "-")


def _is_task_list(value: dict[str, Json] | list[Json], *, named: bool) -> bool:
    if isinstance(value, dict):
        # Members that are not objects make it a record and not a list of records.
        records: list[Json] = list(value.values()) if all(isinstance(member, dict) for member in value.values()) else []
    else:
        records = value
    sample = records[:_SAMPLE]
    tasks = [record for record in sample if isinstance(record, dict) and _has_state(record)]
    # In an object the name of the member may be the id, so a title is asked for. A mere `name` is what most things have.
    wanted = _TITLES if isinstance(value, dict) else _IDENTITY
    if not named:
        wanted -= {"name"}
    tasks = [record for record in tasks if not wanted.isdisjoint(record)]
    if not tasks or 2 * len(tasks) < len(sample):
        return False
    return named or 2 * sum(not _WORK_FIELDS.isdisjoint(record) for record in tasks) >= len(tasks)


def _has_state(record: Record) -> bool:
    for name in _NAMES.status:
        raw = record.get(name)
        if isinstance(raw, str) and raw:
            return is_known_status(normalise_status(raw))
    return any(isinstance(record.get(name), bool) for name in _FLAGS)


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
        flag = next((value[name] for name in _FLAGS if isinstance(value.get(name), bool)), None)
        if flag is not None:
            changed["status"] = "done" if flag else "pending"
    for member in _NESTED:
        nested = value.get(member)
        if isinstance(nested, list):
            changed[member] = [_with_state(element) for element in nested]
    return {**value, **changed} if changed else value
