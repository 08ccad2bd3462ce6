"""Understands the bytes of documents: their kind, whether they are what the kind promises, and the value in them.

Nothing here raises, whatever the bytes. What is whole and strict, which is nearly everything, is settled by a quick
check; only the rest is read with care, for a message that helps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.extract import decoding
from archive.extract.jsondoc import examine, report_of
from archive.extract.jsonlines import Record, examine_lines, read_lines
from archive.extract.jsontext import read_json
from archive.extract.strict import READABLE_DEPTH, is_strict, strict_value
from archive.model.base import Json
from archive.model.documents import Kind, ParseReport, ParseState

__all__ = ["MAX_LOAD_BYTES", "Loaded", "Record", "classify", "kind_of", "load", "read_lines", "sniff", "text_of"]

MAX_LOAD_BYTES = 64 << 20
"""Documents larger than this are classified, but not turned into values: that takes up to thirty times their size."""

_KINDS = {".json": Kind.JSON, ".jsonl": Kind.JSONL, ".ndjson": Kind.JSONL, ".md": Kind.MARKDOWN}
_SNIFFED_BYTES = 64 << 10
_SNIFFED_LINES = 20
# How JSON begins, damaged or not, and hardly anything else ([section], [[link]], [ "$1" ] && exit, { shell; }).
_LIKE_JSON = re.compile(r'\{\s*["}]|\[\s*(?:"[^"\n]*"\s*,|\{\s*["}]|\[\s*[-\["{0-9\]])')
_VALID = ParseReport(ParseState.VALID)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What readers get of a document.

    Attributes:
        report: What `classify` says of the bytes.
        value: For JSON the value, for JSONL the list of the values of the records that can be read, for Markdown and
            text the text, with a replacement character for each byte that cannot be read.
        readable: Whether there is a value. JSON that is invalid has one if a first whole document is followed by
            something else; JSONL always has one.
        records: For JSONL, the records with the numbers of their lines.
        bad_lines: For JSONL, the numbers of the lines that are missing from the records.
    """

    report: ParseReport
    value: Json = None
    readable: bool = False
    records: tuple[Record, ...] = ()
    bad_lines: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the value is all there is in the document."""
        return self.readable and self.report.state is not ParseState.INVALID and not self.bad_lines


def kind_of(path: str) -> Kind | None:
    """Returns the kind that the name promises; None for a name without an extension, whose content is to be sniffed."""
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    kind = _KINDS.get(f".{extension.lower()}") if dot else None
    if kind is None and stem and extension:
        return Kind.TEXT
    return kind


def sniff(data: bytes) -> Kind | None:
    """Returns JSON or JSONL if the first 64 KB look like it, damaged or not; else None."""
    head = data[:_SNIFFED_BYTES]
    encoding = decoding.encoding_of(head)
    text = head[encoding.mark_bytes :].decode(encoding.codec, "replace").strip(" \t\r\n")
    if not text.startswith(("{", "[")):
        return None
    lines = [line for line in text.split("\n") if line.strip()][: _SNIFFED_LINES + 1]
    complete = lines[:-1] if len(data) > len(head) or len(lines) > _SNIFFED_LINES else lines
    records = [_is_record(line) for line in complete]
    # One record alone is a JSON document.
    if len(lines) > 1 and records and (records[0] or 2 * sum(records) >= len(records)):
        return Kind.JSONL
    if _LIKE_JSON.match(text):
        return Kind.JSON
    fault = read_json(text, keep=False).fault
    return Kind.JSON if not fault or fault.startswith("truncated") else None


def _is_record(line: str) -> bool:
    text = line.strip()
    return text.startswith(("{", "[")) and not read_json(text, keep=False).fault


def classify(kind: Kind, data: bytes) -> ParseReport:
    """Says whether the bytes are what their kind promises.

    The error's code is one of:

    - `lenient` JSON: `duplicate_keys`, `not_a_number`, `lone_surrogate`, `comments`, `trailing_comma`,
      `byte_order_mark`, `utf16`;
    - `invalid` JSON: `empty`, `conflict_markers`, `nul_bytes`, `not_utf8`, `trailing_data`, `truncated`, `too_deep`,
      `syntax`;
    - JSONL: the lenient ones of JSON, `bad_lines`, `truncated_last_line`, `conflict_markers`, `not_utf8`;
    - Markdown and text: `conflict_markers`, `nul_bytes`, `not_utf8`; lenient `byte_order_mark`, `utf16`.

    Takes memory of a few times the size at most where all is well.
    """
    if kind is Kind.JSON:
        return _VALID if is_strict(data) else examine(data, keep=False).report
    if kind is Kind.JSONL:
        return examine_lines(data, keep=False).report
    return _classify_text(data)


def load(kind: Kind, data: bytes) -> Loaded:
    """Returns the value of a document, or of as much of it as can be read, with the report of `classify`.

    Order of names is kept; of a name that occurs twice the last value counts. Integers are exact (a `LongInteger`,
    which is text, beyond 4,300 digits); other numbers are doubles and may be infinite or NaN. No value is nested deeper
    than `READABLE_DEPTH`, so that readers may recurse.
    """
    if kind not in (Kind.JSON, Kind.JSONL):
        return Loaded(_classify_text(data), text_of(data), True)
    if len(data) > MAX_LOAD_BYTES:
        return Loaded(classify(kind, data))
    if kind is Kind.JSONL:
        lines = examine_lines(data, keep=True)
        return Loaded(lines.report, [record.value for record in lines.records], True, lines.records, lines.bad_lines)
    value = strict_value(data)
    if value is not None:
        return Loaded(_VALID, value[0], True)
    found = examine(data, keep=True)
    readable = found.reading.complete and found.reading.depth <= READABLE_DEPTH
    return Loaded(found.report, found.reading.value if readable else None, readable)


def text_of(data: bytes) -> str:
    """Returns the bytes as text for people, in the encoding they seem to have, with replacements where it fails."""
    encoding = decoding.encoding_of(data)
    body = data[encoding.mark_bytes :]
    try:
        return body.decode(encoding.codec)
    except UnicodeDecodeError:
        guess = decoding.guessed_encoding(body) if encoding.codec == "utf-8" else ""
        mixed = guess and not body.decode("utf-8", "ignore").isascii()
        return body.decode(guess) if guess and not mixed else body.decode(encoding.codec, "replace")


def _classify_text(data: bytes) -> ParseReport:
    encoding = decoding.encoding_of(data)
    body = data[encoding.mark_bytes :] if encoding.mark_bytes else data
    faults = []
    plain = data
    try:
        text = body.decode(encoding.codec)
        if encoding.codec != "utf-8":
            plain = text.encode()
    except UnicodeDecodeError as error:
        faults.append(decoding.fault_of_decoding(data, error))
    if b"<<<<<<<" in plain and (conflict := decoding.fault_of_conflict(plain, leftovers=False)):
        faults.insert(0, conflict)
    if b"\0" in plain and not (encoding.codec != "utf-8" and plain is data):
        faults.insert(0, decoding.fault_of_nuls(plain))
    return report_of(faults, [encoding.deviation] if encoding.deviation else [])
