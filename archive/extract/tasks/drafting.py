"""Makes task drafts of records, and completes the drafts of one document.

An adapter says where a record stands (`Place`) and what its fields are called (`Names`); `read_task` does the rest.
`finish` is run by the registry over what any adapter returned, so that also a third party's drafts have keys, refs, an
order, scopes for their dependencies, and the anomalies that show only when all records of a document are seen together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import lru_cache
from typing import NamedTuple

from archive.extract.rawtext import clean
from archive.extract.tasks.reading import KeyOf, Reader, Record, printable_path
from archive.extract.tasks.status import is_known_status, priority_rank
from archive.model.tasks import BLOCKED_BY, DEPENDS_ON, IS_BLOCKER_OF, Anomaly, AnomalyCode, Dependency, TaskDraft

_NAME_LENGTH = 80
_STATUS_NOTES = frozenset({AnomalyCode.NO_STATUS, AnomalyCode.UNKNOWN_STATUS})
_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
_MOST_FIELDS = 100  # of a record whose set of fields is worth remembering


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """Says what the fields of a tool's records are called.

    The first that is present counts, except in `description`, which takes all.
    """

    id: tuple[str, ...] = ("id", "key", "uuid", "task_id", "taskId", "issue_id", "number", "identifier")
    title: tuple[str, ...] = ("title", "name", "subject", "summary", "task", "content", "text", "description")
    description: tuple[str, ...] = ("description", "details", "notes", "acceptance_criteria")
    status: tuple[str, ...] = ("status", "state")
    priority: tuple[str, ...] = ("priority", "severity")
    assignees: tuple[str, ...] = ("assignee", "assignees", "assigned_to", "assignedTo", "owner", "agent")
    project: tuple[str, ...] = ("project",)
    phase: tuple[str, ...] = ("phase", "milestone", "sprint", "section", "category")
    labels: tuple[str, ...] = ("labels", "tags")
    created: tuple[str, ...] = ("created", "created_at", "createdAt", "created_date", "date")
    updated: tuple[str, ...] = ("updated", "updated_at", "updatedAt", "updated_date", "last_updated", "modified")
    due: tuple[str, ...] = ("due", "due_date", "dueDate", "due_at", "deadline", "target_date")
    not_before: tuple[str, ...] = ("not_before", "defer_until", "deferUntil", "scheduled", "wait", "start_date")
    parent: tuple[str, ...] = ("parent", "parent_id", "parentId", "parent_task_id", "parentTaskId", "parent_task")
    dependencies: tuple[tuple[str, str], ...] = (
        ("dependencies", DEPENDS_ON),
        ("depends_on", DEPENDS_ON),
        ("dependsOn", DEPENDS_ON),
        ("depends", DEPENDS_ON),
        ("blocked_by", BLOCKED_BY),
        ("blockedBy", BLOCKED_BY),
        ("blocks", IS_BLOCKER_OF),
    )

    def of(self, record: Record) -> Names:
        """Returns the names without those that the record does not have; most records of a file have the same fields."""
        return _present(self, tuple(record)) if len(record) <= _MOST_FIELDS else self


@lru_cache(256)
def _present(names: Names, record: tuple[str, ...]) -> Names:
    there = frozenset(record)
    found: dict[str, tuple[str, ...]] = {
        field.name: tuple(name for name in getattr(names, field.name) if name in there)
        for field in fields(names)
        if field.name != "dependencies"
    }
    dependencies = tuple((name, default) for name, default in names.dependencies if name in there)
    return Names(**found, dependencies=dependencies)


class Place(NamedTuple):
    """Says where a record stands, and what it takes over from there if it does not say it itself.

    Attributes:
        id: Its id where that is the name of the member it stands under.
        parent: Key of the record around it.
        parent_ref: Ref of the record around it.
    """

    pointer: str
    scope: str
    shared_scope: str = ""
    id: str = ""
    parent: str = ""
    parent_ref: str = ""
    kind: str = "task"
    status: str = ""
    priority: str = ""
    project: str = ""
    project_status: str = ""
    phase: str = ""
    tag: str = ""


class Refs:
    """Gives every record of a document version a name of its own.

    Attributes:
        count: How many were given.
    """

    def __init__(self) -> None:
        self.count = 0
        self._seen: dict[str, int] = {}

    def give(self, scope: str, name: str) -> str:
        """Returns scope and name as one text, made unique."""
        return self.keep(f"{scope}/{name}" if "#" in scope else f"{scope}#{name}")

    def keep(self, ref: str) -> str:
        """Returns the ref as it is if it is new, else with `~2`, `~3` … behind it."""
        self.count += 1
        while (times := self._seen.get(ref, 0)) > 0:
            self._seen[ref] = times + 1
            ref = f"{ref}~{times + 1}"
        self._seen[ref] = 1
        return ref


def scope_of(path: str, inner: str = "") -> str:
    """Returns the scope of a document, or of a named part of it."""
    scope = printable_path(path)
    return f"{scope}#{inner}" if inner else scope


def name_without_id(*parts: str) -> str:
    """Returns the name, for a ref, of a record that has no id: what its title and headings say."""
    words = (_NOT_IN_NAMES.sub("-", part.lower()).strip("-")[:_NAME_LENGTH] for part in parts)
    return "~" + "/".join(word for word in words if word)


def read_task(reader: Reader, names: Names, place: Place, refs: Refs, key_of: KeyOf, dependency_key: KeyOf) -> TaskDraft:
    """Makes a draft of one record; inside of another one it is spoken of by its whole key.

    Args:
        key_of: Makes the key of the record's own id.
        dependency_key: Makes a key of an id that the record names.
    """
    names = names.of(reader.record)
    task_id = reader.text(names.id) or place.id
    key = key_of(task_id) if task_id else ""
    title = reader.text(names.title)
    status, status_raw = reader.status(names.status, place.status)
    priority = reader.text(names.priority)
    parent = reader.text(names.parent) if not place.parent else ""
    dependencies = reader.dependencies(names.dependencies, dependency_key)
    order = refs.count
    return TaskDraft(
        pointer=place.pointer,
        order=order,
        ref=refs.give(place.scope, key or name_without_id(title)),
        scope=place.scope,
        shared_scope=place.shared_scope,
        id=key if place.parent else task_id,
        key=key,
        parent=place.parent or (dependency_key(parent) if parent else ""),
        parent_ref=place.parent_ref,
        kind=place.kind,
        title=title,
        description=reader.prose(_except_title(names, reader, title)),
        status=status,
        status_raw=status_raw,
        priority=priority,
        rank=priority_rank(priority or place.priority),
        assignees=reader.words(names.assignees),
        project=reader.text(names.project) or place.project,
        project_status=place.project_status,
        phase=reader.text(names.phase) or place.phase,
        tag=place.tag,
        dependencies=dependencies,
        labels=reader.words(names.labels),
        created=reader.date(names.created),
        updated=reader.date(names.updated),
        due=reader.date(names.due),
        not_before=reader.date(names.not_before),
        anomalies=tuple(reader.anomalies),
    )


def _except_title(names: Names, reader: Reader, title: str) -> tuple[str, ...]:
    """Returns the names of the prose fields without the one that already serves as the title."""
    used = next((name for name in names.title if reader.record.get(name) not in (None, "")), "") if title else ""
    return tuple(name for name in names.description if name != used)


def finish(path: str, drafts: Iterable[TaskDraft]) -> tuple[TaskDraft, ...]:
    """Completes the drafts of one document version; see the module."""
    drafts, scope, refs = tuple(drafts), scope_of(path), Refs()
    keys: dict[str, Counter[str]] = {}
    for draft in drafts:
        keys.setdefault(draft.scope or scope, Counter())[draft.key or draft.id] += 1
    return tuple(_finished(draft, order, scope, refs, keys) for order, draft in enumerate(drafts))


def storable(draft: TaskDraft) -> TaskDraft:
    """Returns a third party's draft with all texts such that they can be stored, and the rank in its bounds.

    Raises:
        TypeError: A field holds what it cannot hold.
    """
    changes: dict[str, object] = {"rank": min(max(int(draft.rank), 0), 4), "is_work": bool(draft.is_work)}
    for field in fields(draft):
        value = getattr(draft, field.name)
        if field.name in ("assignees", "labels"):
            changes[field.name] = tuple(_text(field.name, word) for word in value)
        elif isinstance(field.default, str) or field.default is MISSING:
            changes[field.name] = _text(field.name, value)
    changes["dependencies"] = tuple(
        Dependency(*(_text(name.name, getattr(one, name.name)) for name in fields(Dependency))) for one in draft.dependencies
    )
    changes["anomalies"] = tuple(Anomaly(AnomalyCode(one.code), _text("message", one.message)) for one in draft.anomalies)
    return replace(draft, **changes)  # type: ignore[arg-type]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text but {type(value).__name__}")
    return clean(str(value))


def _finished(draft: TaskDraft, order: int, path: str, refs: Refs, keys: dict[str, Counter[str]]) -> TaskDraft:
    scope = draft.scope or path
    key = draft.key or draft.id
    own = keys[scope]
    ref = refs.keep(draft.ref) if draft.ref else refs.give(scope, key or name_without_id(draft.title))
    dependencies = draft.dependencies
    if draft.shared_scope:
        dependencies = tuple(_scoped(dependency, draft.shared_scope, own) for dependency in dependencies)
    anomalies = tuple(dict.fromkeys((*draft.anomalies, *_oddities(draft, key, own[key]))))
    # Mostly all of it is there already, and copying a draft takes longer than reading it.
    if (scope, key, ref, order, anomalies) == (draft.scope, draft.key, draft.ref, draft.order, draft.anomalies) and (
        dependencies is draft.dependencies
    ):
        return draft
    return replace(draft, scope=scope, key=key, ref=ref, order=order, dependencies=dependencies, anomalies=anomalies)


def _scoped(dependency: Dependency, shared_scope: str, own: Counter[str]) -> Dependency:
    """Points a dependency to the shared scope where the document itself has no such task."""
    if dependency.scope or dependency.target in own:
        return dependency
    return replace(dependency, scope=shared_scope)


def _oddities(draft: TaskDraft, key: str, count: int) -> Iterator[Anomaly]:
    if not draft.title:
        yield Anomaly(AnomalyCode.NO_TITLE, "the record has no title")
    # Records that are no work may have a state of their own kind.
    if draft.is_work and not is_known_status(draft.status) and not any(note.code in _STATUS_NOTES for note in draft.anomalies):
        yield Anomaly(AnomalyCode.UNKNOWN_STATUS, f"no known status: {draft.status}")
    if key and count > 1:
        yield Anomaly(AnomalyCode.DUPLICATE_ID, f"{count} records have the id {key}")
    if (
        key
        and draft.dependencies
        and any(dependency.blocking and dependency.target == key for dependency in draft.dependencies)
    ):
        yield Anomaly(AnomalyCode.SELF_DEPENDENCY, "the task depends on itself")
