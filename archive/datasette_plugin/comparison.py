"""Sets two contents side by side: changed values by pointer, or lines beside each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archive.diff import diff_content, diff_text
from archive.diff.text import MAX_LINE_CHARACTERS
from archive.extract.masking import mask_at
from archive.extract.parse import text_of
from archive.extract.secrets import SecretRules
from archive.model.diff import PointerChange, ValueChange
from archive.model.documents import Kind

# Larger ones are compared on the command line: nobody waits in front of a page.
MAX_BYTES = 8 * 1024 * 1024
_VALUES = 500
_LINES = 2_000
_LONGEST = 600
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class SideBySide(NamedTuple):
    """A row of the comparison; a number of None is a side where there is no line."""

    kind: str
    old_number: int | None
    old: str
    new_number: int | None
    new: str


class ChangedValue(NamedTuple):
    """A changed value, both sides as JSON; None where there is none."""

    pointer: str
    change: str
    old: str | None
    new: str | None


def compare(kind: str, old: bytes, new: bytes, path: str, rules: SecretRules, *, as_text: bool = False) -> dict[str, Any]:
    """Returns changed values, or rows of lines, and a note; and what was left out for its length.

    What is masked is compared all the same: that a secret changed can be seen, and not how.
    """
    if len(old) + len(new) > MAX_BYTES:
        return {"changed": [], "lines": [], "note": "too large to compare here; 'archive diff' does it", "left_out": 0}
    if as_text:
        values: Sequence[PointerChange] = ()
        lines, note = diff_text(old, new, path)
    else:
        values, lines, note = diff_content(Kind(kind), old, new, path)
    rows = list(side_by_side(lines))
    return {
        "changed": [_shown(change, rules) for change in values[:_VALUES]],
        "lines": list(_masked(rows[:_LINES], _hidden_lines(old, rules), _hidden_lines(new, rules))),
        "note": note,
        "left_out": max(len(values) - _VALUES, 0) + max(len(rows) - _LINES, 0),
    }


def side_by_side(lines: Sequence[str]) -> Iterator[SideBySide]:
    """Yields the rows of a unified diff: what went beside what came in its place."""
    old_number = new_number = 0
    gone: list[str] = []
    come: list[str] = []

    def flush() -> Iterator[SideBySide]:
        nonlocal old_number, new_number
        for place in range(max(len(gone), len(come))):
            old = gone[place] if place < len(gone) else None
            new = come[place] if place < len(come) else None
            kind = "changed" if old is not None and new is not None else "removed" if new is None else "added"
            yield SideBySide(
                kind, None if old is None else old_number, old or "", None if new is None else new_number, new or ""
            )
            old_number += old is not None
            new_number += new is not None
        gone.clear()
        come.clear()

    for line in lines[2:]:
        if line.startswith("-"):
            if come:
                yield from flush()
            gone.append(line[1:])
        elif line.startswith("+"):
            come.append(line[1:])
        else:
            yield from flush()
            if match := _HUNK.match(line):
                old_number, new_number = int(match[1]), int(match[2])
                yield SideBySide("hunk", None, line, None, "")
            elif not line.startswith("\\"):
                yield SideBySide("same", old_number, line[1:], new_number, line[1:])
                old_number, new_number = old_number + 1, new_number + 1
    yield from flush()


def _hidden_lines(data: bytes, rules: SecretRules) -> dict[int, str]:
    """Returns the lines that masking changes, by their number; masking keeps the number of lines."""
    text = text_of(data)
    masked = rules.mask(text)
    if masked == text:
        return {}
    pairs = zip(text.split("\n"), masked.split("\n"), strict=True)
    return {number: line[:MAX_LINE_CHARACTERS] for number, (real, line) in enumerate(pairs, start=1) if line != real}


def _masked(rows: Sequence[SideBySide], old: dict[int, str], new: dict[int, str]) -> Iterator[SideBySide]:
    for row in rows:
        yield row._replace(
            old=row.old if row.old_number is None else old.get(row.old_number, row.old),
            new=row.new if row.new_number is None else new.get(row.new_number, row.new),
        )


def _shown(change: PointerChange, rules: SecretRules) -> ChangedValue:
    if change.change in (ValueChange.MOVED, ValueChange.REORDERED):
        return ChangedValue(change.pointer or "/", change.change.value, change.old_pointer, change.pointer)
    before = change.pointer if change.old_pointer is None else change.old_pointer
    old = None if change.change is ValueChange.ADDED else _as_json(mask_at(before, change.old, rules))
    new = None if change.change is ValueChange.REMOVED else _as_json(mask_at(change.pointer, change.new, rules))
    return ChangedValue(change.pointer or "/", change.change.value, old, new)


def _as_json(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text):,} characters in all"
