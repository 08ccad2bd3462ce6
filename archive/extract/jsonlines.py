"""Examines bytes that should hold one JSON value on each line (JSONL, NDJSON), line by line.

A bad line never costs more than itself. Blank lines are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

from archive.extract import decoding
from archive.extract.jsondoc import examine, report_of
from archive.extract.jsontext import Origin
from archive.extract.strict import READABLE_DEPTH, is_strict, strict_value
from archive.model.base import Json
from archive.model.documents import ParseReport

_MAX_NAMED = 20  # lines named


class Record(NamedTuple):
    """One record of a JSONL document.

    Attributes:
        line: The number of its line, from 1; blank and bad lines count.
    """

    line: int
    value: Json


@dataclass(frozen=True, slots=True)
class LinesExamination:
    """What was found.

    Attributes:
        records: All that could be read, in order; empty if they were not to be kept.
        bad_lines: The numbers of the lines that do not parse, or are nested too deeply to be given as a value.
    """

    report: ParseReport
    records: tuple[Record, ...]
    bad_lines: tuple[int, ...]


@dataclass(slots=True)
class _Findings:
    lines: int = 0  # those that are not blank
    last: int = 0  # the number of the last of them
    bad: dict[int, str] = field(default_factory=dict)  # fault by line
    too_deep: list[int] = field(default_factory=list)
    deviating: dict[str, list[int]] = field(default_factory=dict)  # lines by code
    first_deviation: dict[str, str] = field(default_factory=dict)  # the whole text by code


def examine_lines(data: bytes, *, keep: bool) -> LinesExamination:
    """Examines all lines; the report names the bad ones.

    Args:
        keep: Whether to collect the records.
    """
    findings = _Findings()
    encoding = decoding.encoding_of(data)
    lines = _read(data, encoding, findings, keep=keep)
    records = tuple(lines)  # empty if they are not to be kept
    deviations = [f"{findings.first_deviation[code]}{_and_more(numbers)}" for code, numbers in findings.deviating.items()]
    if encoding.deviation:
        deviations.append(encoding.deviation)
    report = report_of(_faults(data, encoding, findings), deviations)
    return LinesExamination(report, records, tuple(sorted([*findings.bad, *findings.too_deep])))


def read_lines(data: bytes) -> Iterator[Record]:
    """Yields the records that can be read, one at a time, for documents too large to be held as values."""
    return _read(data, decoding.encoding_of(data), _Findings(), keep=True)


def _read(data: bytes, encoding: decoding.Encoding, findings: _Findings, *, keep: bool) -> Iterator[Record]:
    """Reads all lines; yields records only if they are to be kept."""
    body = data[encoding.mark_bytes :] if encoding.mark_bytes else data
    offset: int | None = encoding.mark_bytes
    if encoding.codec != "utf-8":
        body = body.decode(encoding.codec, "replace").encode()
        offset = None
    for number, line in enumerate(BytesIO(body), 1):  # splits at line feeds alone, as the format says
        value = strict_value(line) if keep else None
        if value is not None:
            yield Record(number, value[0])
        elif keep or not is_strict(line):
            if not line.strip():
                continue
            yield from _careful(line, Origin(number, offset), findings, keep=keep)
        findings.lines += 1
        findings.last = number
        if offset is not None:
            offset += len(line)


def _careful(line: bytes, origin: Origin, findings: _Findings, *, keep: bool) -> Iterator[Record]:
    found = examine(line.rstrip(b"\r\n"), keep=keep, origin=origin)
    if found.fault:
        findings.bad[origin.line] = found.fault
        return
    for deviation in found.deviations:
        code = deviation.partition(":")[0]
        findings.deviating.setdefault(code, []).append(origin.line)
        findings.first_deviation.setdefault(code, deviation)
    if found.reading.depth > READABLE_DEPTH:
        findings.too_deep.append(origin.line)
    elif keep:
        yield Record(origin.line, found.reading.value)


def _and_more(lines: list[int]) -> str:
    return f", and on {len(lines) - 1:,} more line{'' if len(lines) == 2 else 's'}" if len(lines) > 1 else ""


def _faults(data: bytes, encoding: decoding.Encoding, findings: _Findings) -> list[str]:
    faults = []
    if encoding.codec != "utf-8":
        try:
            data[encoding.mark_bytes :].decode(encoding.codec)
        except UnicodeDecodeError as error:
            faults.append(decoding.fault_of_decoding(data, error))
    if findings.bad and (conflict := decoding.fault_of_conflict(data, leftovers=True)):
        faults.append(conflict)
    torn = findings.bad.get(findings.last, "")
    if not torn.startswith("truncated"):
        torn = ""
    bad = [number for number in findings.bad if not torn or number != findings.last]
    if bad:
        faults.append(_bad_lines(bad, findings))
        if is_strict(data):
            faults[-1] += "; the file as a whole is one JSON document"
    if torn:
        whole = findings.lines - len(findings.bad)
        rest = f"{whole:,} line{' is' if whole == 1 else 's are'} whole"
        faults.append(f"truncated_last_line: {torn.partition(': ')[2]}; {rest}")
    return faults


def _bad_lines(bad: list[int], findings: _Findings) -> str:
    named = ", ".join(f"{number}" for number in bad[:_MAX_NAMED])
    more = f" and {len(bad) - _MAX_NAMED:,} more" if len(bad) > _MAX_NAMED else ""
    verb = "does not parse" if len(bad) == 1 else "do not parse"
    lines = f"{findings.lines:,} line{'' if findings.lines == 1 else 's'}"
    return f"bad_lines: {len(bad):,} of {lines} {verb}: {named}{more} ({findings.bad[bad[0]]})"
