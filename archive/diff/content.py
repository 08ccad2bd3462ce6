"""Chooses how two contents of one document are compared."""

from __future__ import annotations

from archive.diff.text import diff_text
from archive.diff.values import diff_values
from archive.extract.parse import Loaded, load
from archive.model.diff import PointerChange
from archive.model.documents import Kind, ParseState

MAX_VALUES = 10_000


def diff_content(
    kind: Kind, old: bytes | None, new: bytes | None, path: str
) -> tuple[tuple[PointerChange, ...], tuple[str, ...], str]:
    """Returns the changed values, or the lines of a unified diff, and a note where there is something to say of them.

    JSON and JSONL are compared by value if all of both sides can be read; else as text, and the note says why. If only
    the layout differs (white space, order of names), there are no changed values, and lines instead.

    Args:
        old, new: The contents; None for a file that does not exist, which makes it a comparison of text.
    """
    if old == new:
        return (), (), ""
    if kind not in (Kind.JSON, Kind.JSONL) or old is None or new is None:
        lines, note = diff_text(old, new, path)
        return (), lines, note
    sides = {"old": load(kind, old), "new": load(kind, new)}
    unreadable = [f"the {name} version {_why_not(side)}" for name, side in sides.items() if not side.whole]
    if unreadable:
        lines, note = diff_text(old, new, path)
        return (), lines, _joined("compared as text: " + ", ".join(unreadable), note)
    notes = [
        f"the {name} version is not strict: {side.report.error}"
        for name, side in sides.items()
        if side.report.state is ParseState.LENIENT
    ]
    values = diff_values(sides["old"].value, sides["new"].value, limit=MAX_VALUES + 1)
    if len(values) > MAX_VALUES:
        return values[:MAX_VALUES], (), _joined(f"only the first {MAX_VALUES:,} changed values are given", *notes)
    if values:
        return values, (), _joined(*notes)
    lines, note = diff_text(old, new, path)
    same = "the values are the same; white space, order of names, spelling of values or encoding differ"
    return (), lines, _joined(same, *notes, note)


def _why_not(side: Loaded) -> str:
    if side.report.state is ParseState.INVALID:
        return f"does not parse ({side.report.error})"
    if not side.readable and not side.bad_lines:
        return "is too large or too deeply nested to be compared by value"
    return "has lines that are too deeply nested to be compared by value"


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))
