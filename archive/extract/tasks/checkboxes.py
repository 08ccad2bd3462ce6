"""Reads the checkboxes of Markdown lists, `- [ ]` and `- [x]`, under their headings.

A box that stands deeper than the one before is its child. What looks like a box inside a code fence or an HTML comment
is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from archive.extract.rawtext import clean
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import Refs, name_without_id, scope_of
from archive.extract.tasks.front import front_lines
from archive.extract.tasks.status import is_known_status
from archive.model.documents import Kind
from archive.model.tasks import Anomaly, AnomalyCode, Status, TaskDraft

_BOX = re.compile(r"([ \t]*(?:>[ \t]*)*)(?:[-*+]|\d{1,9}[.)])[ \t]+\[(.)\](?:[ \t]+(.*))?")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_NO_HEADING_TEXT = re.compile(r"\s*$|\s*(?:[-*+>|#]|\d{1,9}[.)])(?:\s|$)| {4}|\t")
_FENCE = re.compile(r"[ \t]*(?:>[ \t]*)*(`{3,}|~{3,})(.*)")
_CONFLICT = ("<<<<<<<", ">>>>>>>")
_TAB = 4
# The marks beyond `x` are those of Obsidian and its kin.
_STATES = {
    " ": Status.PENDING,
    "x": Status.DONE,
    "X": Status.DONE,
    "-": Status.CANCELLED,
    "/": Status.IN_PROGRESS,
    ">": Status.DEFERRED,
}
# Kiro marks what it is at with the sign that others have for dropped tasks.
_KIRO = {**_STATES, "-": Status.IN_PROGRESS}


class _Box(NamedTuple):
    indent: int
    ref: str


class Checkboxes:
    """Knows Markdown with at least one checkbox."""

    name = "checkboxes"
    surest = 0.3

    def matches(self, document: ParsedDocument) -> float:
        """Says 0.3 if there is one."""
        if document.kind is not Kind.MARKDOWN or "] " not in document.text:
            return 0.0
        return 0.3 if next(_boxes(document.text), None) is not None else 0.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        """Yields a task for each box."""
        scope, refs = scope_of(document.path), Refs()
        above: list[_Box] = []
        place: tuple[str, ...] = ()
        notes: tuple[Anomaly, ...] = ()
        if any(line.startswith(_CONFLICT) for line in document.text.split("\n")):
            notes = (Anomaly(AnomalyCode.CONFLICT_MARKERS, "the file is in conflict; lines of both sides are here"),)
        states = _KIRO if "/.kiro/" in f"/{document.path}" else _STATES
        for number, headings, indent, mark, title in _boxes(document.text):
            if headings != place:
                above, place = [], headings
            while above and above[-1].indent >= indent:
                above.pop()
            ref = refs.give(scope, name_without_id(*headings, title))
            yield _task(
                f"L{number}", ref, scope, headings, mark, states.get(mark), title, above[-1].ref if above else "", notes
            )
            above.append(_Box(indent, ref))


def _task(
    pointer: str,
    ref: str,
    scope: str,
    headings: tuple[str, ...],
    mark: str,
    state: Status | None,
    title: str,
    parent_ref: str,
    notes: tuple[Anomaly, ...],
) -> TaskDraft:
    status = state.value if state else clean(mark)
    if not is_known_status(status):
        notes = (*notes, Anomaly(AnomalyCode.UNKNOWN_STATUS, f"no known status: [{status}]"))
    return TaskDraft(
        pointer=pointer,
        ref=ref,
        scope=scope,
        parent_ref=parent_ref,
        kind="checkbox",
        title=title,
        status=status,
        status_raw=f"[{clean(mark)}]",
        project=headings[0] if headings else "",
        phase=" > ".join(headings),
        anomalies=notes,
    )


def _boxes(text: str) -> Iterator[tuple[int, tuple[str, ...], int, str, str]]:
    """Yields line number, headings, indentation, mark and title of each box."""
    way: list[tuple[int, str]] = []
    fence = above = ""
    in_comment = False
    start = front_lines(text)
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")[start:], start + 1):
        if in_comment:
            in_comment = "-->" not in line
            continue
        before, above = above, line
        if opening := _FENCE.fullmatch(line):
            mark, rest = opening[1], opening[2]
            if not fence:
                fence = "" if mark[0] == "`" and "`" in rest else mark
            elif mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip():
                fence = ""
        elif fence:
            continue
        elif line.lstrip().startswith("<!--"):
            in_comment = "-->" not in line
        elif heading := _HEADING.fullmatch(line):
            _enter(way, len(heading[1]), heading[2])
        elif (underline := _UNDERLINE.fullmatch(line)) and not _NO_HEADING_TEXT.match(before):
            _enter(way, 1 if underline[1][0] == "=" else 2, before.strip())
        elif box := _BOX.fullmatch(line):
            indent = len(box[1].replace(">", " ").expandtabs(_TAB))
            yield number, tuple(title for _, title in way), indent, box[2], clean((box[3] or "").strip())


def _enter(way: list[tuple[int, str]], level: int, title: str) -> None:
    """Notes a heading, which ends all of its level and below."""
    while way and way[-1][0] >= level:
        way.pop()
    way.append((level, clean(title)))
