"""Reads tasks of Backlog.md: one Markdown file a task, with front matter.

They stand in `tasks/`, `completed/`, `archive/` and `drafts/`. The whole tree above those folders is one scope. Ids are
compared as the tool compares them: without regard to case and to leading zeros, and a bare number gets the prefix of
the task that names it. A task in `completed/` is done and one in `archive/` cancelled whatever it says itself; a draft
is no work yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Names, Place, Refs, read_task
from archive.extract.tasks.front import FrontMatter, front_text, read_front
from archive.extract.tasks.reading import Reader, printable_path
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import DEPENDS_ON, FINISHED, AnomalyCode, Status, TaskDraft

_TASKS, _COMPLETED, _ARCHIVE, _DRAFTS = "tasks", "completed", "archive", "drafts"
_FOLDERS = frozenset({_TASKS, _COMPLETED, _ARCHIVE, _DRAFTS})
_OTHER_FOLDERS = frozenset({"decisions", "docs", "milestones"})
_FIELD = re.compile(r"(?m)^(id|title|status)[ \t]*:")
_FILE_ID = re.compile(r"([A-Za-z][\w]*-\d+(?:\.\d+)*)(?: - .*)?\.md", re.ASCII)
_NUMERIC_ID = re.compile(r"(?:([^\d\s][^\s]*?)-)?(\d+(?:\.\d+)*)", re.ASCII)
_COMMENT = re.compile(r"<!--.*?-->[ \t]*\n?", re.DOTALL)
_NAMES = Names(
    id=("id",),
    title=("title",),
    description=(),
    status=("status",),
    priority=("priority",),
    assignees=("assignee", "assignees"),
    project=("milestone", "project"),
    phase=(),
    labels=("labels", "tags"),
    created=("created_date", "created", "createdDate"),
    updated=("updated_date", "updated", "updatedDate"),
    due=("due_date", "dueDate", "due"),
    not_before=(),
    parent=("parent_task_id", "parentTaskId", "parent"),
    dependencies=(("dependencies", DEPENDS_ON),),
)


class Backlog:
    """Knows a task by `id`, `title` and `status` in the front matter."""

    name = "backlog"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 if all three are there, 0.6 for two of them in a folder of the tool; 0 for decisions and docs."""
        if document.kind is not Kind.MARKDOWN or not document.text.startswith(("---", "\ufeff---")):
            return 0.0
        fields = set(_FIELD.findall(front_text(document.text) or ""))
        folders = document.path.split("/")[:-1]
        if len(fields) < 2 or (folders and folders[-1] in _OTHER_FOLDERS):
            return 0.0
        if len(fields) == 3:
            return 0.9
        return 0.6 if _FOLDERS.intersection(folders) and ("id" in fields or _FILE_ID.fullmatch(document.name)) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields the one task."""
        front = read_front(document.text)
        if front is None:
            return
        root, folders = tree_of(document.path)
        named = _FILE_ID.fullmatch(document.name)
        place = Place(pointer="", scope=root, id=named[1] if named else "", status="To Do")
        reader = _reader(front)
        prefix = _prefix(reader.text(_NAMES.id) or place.id)

        def key_of(name: str) -> str:
            return backlog_key(name, prefix)

        draft = read_task(reader, _NAMES, place, Refs(), key_of, key_of)
        yield _in_folder(replace(draft, description=_COMMENT.sub("", front.body).strip(), parent=_parent(draft)), folders)


def tree_of(path: str) -> tuple[str, frozenset[str]]:
    """Returns the folder that is the whole tree, and the tool's folders between it and the file."""
    folders = path.split("/")[:-1]
    end = next((number for number in reversed(range(len(folders))) if folders[number] in _FOLDERS), None)
    if end is None:
        return printable_path("/".join(folders)) or ".", frozenset()
    start = end
    while start > 0 and folders[start - 1] in _FOLDERS:
        start -= 1
    return printable_path("/".join(folders[:start])) or ".", frozenset(folders[start : end + 1])


def backlog_key(name: str, prefix: str = "") -> str:
    """Returns an id in the form in which ids of a backlog are compared."""
    found = _NUMERIC_ID.fullmatch(name)
    if found is None:
        return name.upper()
    numbers = ".".join(part.lstrip("0") or "0" for part in found[2].split("."))
    own = found[1] or prefix
    return f"{own.upper()}-{numbers}" if own else numbers


def _prefix(name: str) -> str:
    found = _NUMERIC_ID.fullmatch(name)
    return found[1] or "" if found else ""


def _reader(front: FrontMatter) -> Reader:
    members = dict(front.members)
    dependencies = members.get("dependencies")
    if isinstance(dependencies, list):  # one element may hold several ids
        members["dependencies"] = [part for element in dependencies for part in _parts(element)]
    reader = Reader(members)
    if front.in_conflict:
        reader.note(AnomalyCode.CONFLICT_MARKERS, "the front matter is in conflict; of two values the first counts")
    elif not front.is_yaml:
        reader.note(AnomalyCode.FRONT_MATTER, "the front matter is no YAML; it was read line by line")
    return reader


def _parts(element: Json) -> list[Json]:
    return [part for part in element.split(",") if part.strip()] if isinstance(element, str) else [element]


def _parent(draft: TaskDraft) -> str:
    parent = draft.parent or draft.key.rpartition(".")[0]
    return parent if parent != draft.key else ""


def _in_folder(draft: TaskDraft, folders: frozenset[str]) -> TaskDraft:
    """Returns the task with what the folder says of it, which counts more than its status."""
    if _ARCHIVE in folders:
        return draft if draft.status in FINISHED else replace(draft, status=Status.CANCELLED.value)
    if _COMPLETED in folders:
        return replace(draft, status=Status.DONE.value)
    if _DRAFTS in folders:
        return replace(draft, kind="draft", is_work=False)
    return draft
