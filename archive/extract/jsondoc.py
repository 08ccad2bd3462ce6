"""Examines bytes that should be one JSON document: finds what is wrong with them, the most helpful finding first.

The order: nothing there, a merge conflict, NUL bytes, bytes that are no text, then what the reader of the text meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archive.extract import decoding
from archive.extract.jsontext import WHOLE_FILE, Origin, Reading, read_json
from archive.extract.strict import is_strict
from archive.model.documents import ParseReport, ParseState

_EMPTY = Reading(None, False, "", (), 0)
_GLUED = "every line is a document of its own, as in JSONL"


class Examination(NamedTuple):
    """What was found, and what could be read all the same.

    Attributes:
        fault: Why the bytes are not one whole document, as code and message; empty if they are.
        deviations: What differs from strict JSON in UTF-8 and can be read all the same, each as code and message.
        reading: Its value is the first document where one is complete.
    """

    fault: str
    deviations: tuple[str, ...] = ()
    reading: Reading = _EMPTY

    @property
    def report(self) -> ParseReport:
        """The verdict, with all findings."""
        return report_of([self.fault] if self.fault else [], self.deviations)


def report_of(faults: Sequence[str], deviations: Sequence[str]) -> ParseReport:
    """Returns the verdict that follows from the findings: any fault makes a document invalid."""
    state = ParseState.INVALID if faults else ParseState.LENIENT if deviations else ParseState.VALID
    return ParseReport(state, "; ".join([*faults, *deviations]))


def examine(data: bytes, *, keep: bool, origin: Origin = WHOLE_FILE) -> Examination:
    """Examines a document with care; use it where the quick check was not sure.

    Args:
        keep: Whether to build the value.
        origin: Where the document lies in its file.
    """
    if not data.strip():
        return Examination("empty: holds nothing but white space" if data else "empty: has no bytes")
    encoding = decoding.encoding_of(data)
    body = data[encoding.mark_bytes :] if encoding.mark_bytes else data
    conflict = ""
    if encoding.codec == "utf-8":
        conflict = decoding.fault_of_conflict(data, leftovers=True)
        nuls = decoding.fault_of_nuls(data, byte=origin.byte or 0)
        if nuls and not conflict:
            return _with_nuls(body, nuls, keep=keep, origin=origin)
    try:
        text = body.decode(encoding.codec)
    except UnicodeDecodeError as error:
        return _undecodable(data, body, error, conflict, keep=keep, origin=origin)
    before = None if origin.byte is None else origin.byte + encoding.mark_bytes
    reading = read_json(text, keep=keep, origin=Origin(origin.line, before, encoding.codec))
    fault = reading.fault
    if fault:
        if encoding.codec != "utf-8":
            conflict = decoding.fault_of_conflict(text.encode(), leftovers=True)
        fault = conflict or fault
    if fault.startswith("trailing_data") and _every_line_is_strict(data):
        fault = f"{fault}; {_GLUED}"
    marks = (encoding.deviation,) if encoding.deviation else ()
    return Examination(fault, (*reading.deviations, *marks), reading)


def _with_nuls(body: bytes, fault: str, *, keep: bool, origin: Origin) -> Examination:
    """Looks whether the NULs only follow a document, as a crash of the machine leaves them."""
    head = body.rstrip(b"\0")
    if b"\0" in head or not head.strip():
        return Examination(fault)
    before = examine(head, keep=keep, origin=origin)
    verdict = f"is not whole either: {before.fault}" if before.fault else "is a whole document"
    return Examination(f"{fault}; what comes before {verdict}", before.deviations, before.reading)


def _undecodable(
    data: bytes, body: bytes, error: UnicodeDecodeError, conflict: str, *, keep: bool, origin: Origin
) -> Examination:
    if decoding.is_cut(error) and not conflict:
        # Cut in the middle of a character: that the document is cut says more.
        reading = read_json(body[: error.start].decode(error.encoding), keep=keep, origin=origin)
        if reading.fault.startswith("truncated"):
            return Examination(reading.fault, reading.deviations, reading)
    fault = conflict or decoding.fault_of_decoding(data, error, line=origin.line, byte=origin.byte or 0, whole_if=is_strict)
    return Examination(fault)


def _every_line_is_strict(data: bytes) -> bool:
    return all(is_strict(line) for line in data.split(b"\n") if line.strip())
