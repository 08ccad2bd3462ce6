"""Reads todo.txt: one task a line.

    x 2025-08-18 2025-08-16 (A) Call Mum +Family @phone due:2025-08-20 t:2025-08-17

A line has no id unless it gives itself one with `id:`; it is named by its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.extract.rawtext import clean
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Place, Refs, name_without_id, scope_of
from archive.extract.tasks.reading import Reader
from archive.extract.tasks.status import priority_rank
from archive.model.documents import Kind
from archive.model.tasks import AnomalyCode, Status, TaskDraft

_DATE = r"\d{4}-\d\d-\d\d"
_LINE = re.compile(rf"(?:(x) )?(?:\(([A-Z])\) )?(?:({_DATE}) )?(?:({_DATE}) )?(?:\(([A-Z])\) )?(.*)", re.ASCII)
_MARK = re.compile(r"(?<!\S)(?:([A-Za-z][\w-]*):([^\s:/]\S*)|\+(\S+)|@(\S+))", re.ASCII)
_OWN_NAMES = re.compile(r"(?:.*[._-])?(?:todo|done)\.txt", re.IGNORECASE)
_TYPICAL = re.compile(rf"(?:x {_DATE} |x \S|\([A-Z]\) |{_DATE} \S)", re.ASCII)
_MAX_LINES_SEEN = 200
_CONFLICT = ("<<<<<<<", ">>>>>>>")
_HIDDEN = "h"


class TodoTxt:
    """Knows a file by its name, or by lines of which most begin as todo.txt lines do."""

    name = "todo-txt"

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.9 for the name, 0.7 for typical lines."""
        if document.kind is not Kind.TEXT or not document.text.strip():
            return 0.0
        if _OWN_NAMES.fullmatch(document.name):
            return 0.9
        lines = [line for line in document.text.split("\n")[:_MAX_LINES_SEEN] if line.strip()]
        typical = sum(_TYPICAL.match(line) is not None for line in lines)
        return 0.7 if document.name.endswith(".txt") and typical >= 2 and 10 * typical >= 7 * len(lines) else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields a task for each line that is neither empty nor a conflict marker."""
        refs = Refs()
        place = Place(pointer="", scope=scope_of(document.path))
        in_conflict = any(line.startswith(_CONFLICT) for line in document.text.split("\n"))
        for number, line in enumerate(document.text.split("\n"), 1):
            text = clean(line).strip()
            if text and not text.startswith(_CONFLICT) and not (in_conflict and text == "======="):
                yield _task(text, f"L{number}", place.scope, refs, in_conflict=in_conflict)


def _task(line: str, pointer: str, scope: str, refs: Refs, *, in_conflict: bool) -> TaskDraft:
    found = _LINE.fullmatch(line)
    assert found is not None  # every part may be absent
    done, early, first, second, late, text = found.groups()
    marks = {mark[1]: mark[2] for mark in _MARK.finditer(text) if mark[1]}
    title = " ".join(_MARK.sub("", text).split())
    # A finished line has the day it was finished before the day it was made; alone, the day is the former.
    created, finished = (second, first) if done else (first, None)
    priority = early or late or marks.get("pri", "").upper()
    reader = Reader({**marks, "created": created, "finished": finished})
    if in_conflict:
        reader.note(AnomalyCode.CONFLICT_MARKERS, "the file is in conflict; lines of both sides are here")
    status = Status.DONE if done else Status.PENDING
    return TaskDraft(
        pointer=pointer,
        ref=refs.give(scope, marks.get("id") or name_without_id(title)),
        scope=scope,
        id=marks.get("id", ""),
        key=marks.get("id", ""),
        title=title,
        status=status.value,
        status_raw="x" if done else "",
        priority=f"({priority})" if priority else "",
        rank=priority_rank(f"({priority})" if priority else ""),
        project=next((mark[3] for mark in _MARK.finditer(text) if mark[3]), ""),
        labels=tuple(mark[4] for mark in _MARK.finditer(text) if mark[4]),
        created=reader.date(("created",)),
        updated=reader.date(("finished",)),
        due=reader.date(("due",)),
        not_before=reader.date(("t",)),
        is_work=marks.get(_HIDDEN) != "1",
        anomalies=tuple(reader.anomalies),
    )
