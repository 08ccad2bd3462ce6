"""Turns rows into the table: plain text, Markdown for the README, or JSON that can be turned into either later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.scenario import Row, Target

COLUMNS = ("archive", "restic", "borg", "git")
NONE = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
OK, MISSED, UNKNOWN = "ok", "MISSED", "not measured"


@dataclass(frozen=True)
class Line:
    """One row, judged.

    Attributes:
        ratio: The value of the target's tool (or the archive's) over the reference, or None.
        reference: What the ratio is to: a tool, or `above` for an earlier row.
        verdict: `ok`, `MISSED`, `not measured`, or empty without a target.
    """

    row: Row
    ratio: float | None
    reference: str
    verdict: str


def judge(rows: Sequence[Row]) -> list[Line]:
    """Returns the rows with ratio and verdict; rows without a target get their ratio to restic."""
    by_key = {row.key: row for row in rows}
    return [_judge(row, by_key) for row in rows]


def _judge(row: Row, by_key: Mapping[str, Row]) -> Line:
    target = row.target
    tool, of = (target.tool, target.of) if target else (COLUMNS[0], "restic")
    value = row.value(tool)
    other = by_key.get(target.row) if target and target.row else row
    base = other.value(of) if other and of else None
    ratio = value / base if value is not None and base else None
    reference = ("above" if target and target.row else of) if of else ""
    if target is None:
        return Line(row, ratio, reference, "")
    measured = ratio if target.of else value
    if measured is None:
        return Line(row, ratio, reference, UNKNOWN)
    return Line(row, ratio, reference, OK if measured <= target.factor else MISSED)


def figure(value: float | None, unit: str) -> str:
    """Writes a value with its unit in about three digits."""
    if value is None:
        return NONE
    if unit not in ("s", "ms", "MB"):
        return f"{value:,.0f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def bound(target: Target | None, unit: str) -> str:
    """Writes a target for people."""
    if target is None:
        return ""
    if not target.of:
        return f"≤ {target.factor:g} {unit}"
    reference = "above" if target.row else target.of
    return f"≤ {target.factor:g} {TIMES} {reference}"


def cells(lines: Sequence[Line]) -> list[list[str]]:
    """Returns the table, its header first; a column for other programs appears where one was measured."""
    others = sorted({tool for line in lines for tool in line.row.samples} - set(COLUMNS))
    header = ["", *COLUMNS, *(["other"] if others else []), "ratio", "target", ""]
    table = [header]
    for line in lines:
        row = line.row
        other = ", ".join(f"{figure(row.value(tool), row.unit)} {tool}" for tool in others if row.samples.get(tool))
        ratio = "" if line.ratio is None else f"{line.ratio:.2f} {TIMES} {line.reference}"
        values = [figure(row.value(tool), row.unit) for tool in COLUMNS]
        extra = [other or NONE] if others else []
        table.append([row.label, *values, *extra, ratio, bound(row.target, row.unit), line.verdict])
    return table


def as_text(lines: Sequence[Line]) -> str:
    """Writes the table for a terminal."""
    table = cells(lines)
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    last = len(widths) - 3

    def fit(column: int, cell: str) -> str:
        return cell.rjust(widths[column]) if 0 < column < last else cell.ljust(widths[column])

    return "\n".join("  ".join(fit(column, cell) for column, cell in enumerate(line)).rstrip() for line in table)


def as_markdown(lines: Sequence[Line]) -> str:
    """Writes the table for the README."""
    header, *body = cells(lines)
    rule = ["---" if column in (0, *range(len(header) - 3, len(header))) else "---:" for column in range(len(header))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *body))


def to_json(lines: Sequence[Line], machine: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns everything that was measured as plain data."""
    return {
        "machine": dict(machine),
        "settings": dict(settings),
        "rows": [
            {
                "key": line.row.key,
                "label": line.row.label,
                "unit": line.row.unit,
                "values": {tool: line.row.value(tool) for tool in line.row.samples},
                "spread": {tool: [min(some), max(some)] for tool, some in line.row.samples.items() if some},
                "ratio": line.ratio,
                "target": vars(line.row.target) if line.row.target else None,
                "verdict": line.verdict,
            }
            for line in lines
        ],
    }


def from_json(saved: Mapping[str, Any]) -> list[Line]:
    """Reads what `to_json` wrote; of the samples only the medians remain."""
    rows = []
    for one in saved["rows"]:
        values = {tool: [value] for tool, value in one["values"].items() if value is not None}
        target = Target(**one["target"]) if one["target"] else None
        rows.append(Row(one["key"], one["label"], one["unit"], values, target))
    return judge(rows)
