"""Says whether content can be relied on, and if not, in the few words that a reader of the memory needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from archive.extract.parse import load
from archive.model.base import Json
from archive.model.documents import Kind, ParseReport, ParseState
from archive.model.memory import SHRUNKEN_BELOW, MemorySource, MemoryTrouble, TroubleKind
from archive.suspicion import shrinkage

_KINDS = {
    "empty": TroubleKind.EMPTY,
    "conflict_markers": TroubleKind.CONFLICT_MARKERS,
    "not_utf8": TroubleKind.NOT_UTF8,
}
_DUPLICATE = re.compile(r"(?:\A|; )(duplicate_keys: .*)")
_OTHER_ENCODING = re.compile(r"(?:\A|; )utf16: (.*?)(?:; |\Z)")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be held of one content.

    Attributes:
        trouble: Why it is not to be relied on; None where it is.
        value: What can be read of it.
        readable: Whether anything can.
    """

    trouble: MemoryTrouble | None
    value: Json = None
    readable: bool = False


def judge(
    kind: Kind, data: bytes, source: MemorySource, older: bytes | None = None, shrunken_below: float = SHRUNKEN_BELOW
) -> Judgement:
    """Returns what is to be held of content.

    Args:
        source: Where it is from. An answer of the server may be empty: then it knows nothing yet.
        older: What the last snapshot holds of the same document, to see whether much of it is missing.
    """
    if not data.strip() and source is not MemorySource.MCP and kind is not Kind.JSON:
        return Judgement(MemoryTrouble(source, TroubleKind.EMPTY, "holds nothing" if data else "has no bytes"))
    loaded = load(kind, data)
    found = _fault(loaded.report)
    if found is None and not loaded.whole:
        found = TroubleKind.UNREADABLE, "is too large or too deeply nested to be read"
    if found is None and older is not None:
        lost = shrinkage(kind, older, data, shrunken_below=shrunken_below)
        found = (TroubleKind.SHRUNKEN, lost.partition(": ")[2]) if lost else None
    trouble = None if found is None else MemoryTrouble(source, *found)
    return Judgement(trouble, loaded.value, loaded.readable)


def is_reliable(state: ParseState, error: str) -> bool:
    """Says whether a version can be relied on, by what the archive recorded of it."""
    return state is not ParseState.INVALID and _fault(ParseReport(state, error)) is None


def _fault(report: ParseReport) -> tuple[TroubleKind, str] | None:
    if report.state is ParseState.INVALID:
        return _KINDS.get(report.code, TroubleKind.TORN), report.error.partition(": ")[2] or report.error
    if match := _OTHER_ENCODING.search(report.error):
        return TroubleKind.NOT_UTF8, f"is {match[1]}"
    # Of the other deviations this one alone may have lost something: readers keep one of the values.
    if match := _DUPLICATE.search(report.error):
        return TroubleKind.DUPLICATE_KEYS, f"a name occurs twice: {match[1].partition(': ')[2]}"
    return None


class Offer(NamedTuple):
    """What one source gives of a document.

    Attributes:
        mtime_ns: When it was last changed; None where that is not known.
        snapshot: The snapshot that brought this content; None where none holds it.
    """

    source: MemorySource
    kind: Kind
    mtime_ns: int | None
    snapshot: int | None
    judgement: Judgement
