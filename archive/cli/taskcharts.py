"""Draws a burndown with characters, as wide as the terminal is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from archive.cli import units
from archive.cli.output import Cell, Column, Output, is_terminal, styled
from archive.model.taskviews import BurndownDay

_ROWS = 12
_SIDE = 8  # for the scale
_COLUMNS = (
    Column("day"),
    Column("open", is_right=True),
    Column("done", is_right=True),
    Column("cancelled", is_right=True),
)
# Told apart without colours too.
_OPEN, _DONE, _CANCELLED = ("█", "blue"), ("▒", "green"), ("·", "dim")


def show_burndown(output: Output, days: Sequence[BurndownDay]) -> None:
    """Prints a chart on a terminal; elsewhere a line for each day on which something changed, and the last one."""
    if not days:
        output.say("there never were any tasks")
        return
    if not is_terminal():
        output.table(_COLUMNS, [_row(day) for day in _turning(days)])
        return
    for line in _chart(days, shutil.get_terminal_size().columns):
        output.say(*line)
    last = days[-1]
    output.say(
        styled(f"{_OPEN[0]} open {last.open:,}   ", _OPEN[1]),
        styled(f"{_DONE[0]} done {last.done:,}   ", _DONE[1]),
        styled(f"{_CANCELLED[0]} cancelled {last.cancelled:,}", _CANCELLED[1]),
    )


def _row(day: BurndownDay) -> list[Cell]:
    return [day.day.isoformat(), f"{day.open:,}", f"{day.done:,}", f"{day.cancelled:,}"]


def _turning(days: Sequence[BurndownDay]) -> list[BurndownDay]:
    """Returns the days that differ from the day before, and the last one."""
    kept = [
        day
        for before, day in zip([None, *days], days, strict=False)
        if before is None or (before.open, before.done, before.cancelled) != (day.open, day.done, day.cancelled)
    ]
    return kept if kept[-1] is days[-1] else [*kept, days[-1]]


def _chart(days: Sequence[BurndownDay], width: int) -> list[list[Cell]]:
    room = max(10, width - _SIDE - 1)
    shown = _spread(days, room)
    most = max(1, *(day.open + day.done + day.cancelled for day in shown))
    lines: list[list[Cell]] = []
    for row in range(_ROWS, 0, -1):
        scale = f"{round(most * row / _ROWS):>{_SIDE - 2},} " if row in (_ROWS, _ROWS // 2) else " " * (_SIDE - 1)
        line: list[Cell] = [styled(f"{scale}│", "dim")]
        for text, style in _runs([_mark(day, row, most) for day in shown]):
            line.append(styled(text, style))
        lines.append(line)
    lines.append([styled(" " * (_SIDE - 2) + "0 └" + "─" * len(shown), "dim")])
    first, last = days[0].day.isoformat(), days[-1].day.isoformat()
    gap = len(shown) - len(first) - len(last)
    dates = f"{first}{' ' * gap}{last}" if gap > 0 else f"{first} to {last}" if first != last else first
    lines.append([styled(" " * _SIDE + dates, "dim"), styled(f"  {units.count(len(days), 'day')}", "dim")])
    return lines


def _spread(days: Sequence[BurndownDay], room: int) -> list[BurndownDay]:
    """Returns a day for each column: some of the days where there is no room for all, each of few several times."""
    if len(days) >= room:
        return [days[round(place * (len(days) - 1) / (room - 1))] for place in range(room)]
    times = max(1, min(8, room // len(days)))
    return [day for day in days for _ in range(times)]


def _mark(day: BurndownDay, row: int, most: int) -> tuple[str, str]:
    """Returns what stands in one place of the chart: what the middle of the row falls on."""
    height = most * (row - 0.5) / _ROWS
    if height < day.open:
        return _OPEN
    if height < day.open + day.done:
        return _DONE
    return _CANCELLED if height < day.open + day.done + day.cancelled else (" ", "")


def _runs(marks: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns equal neighbours together, so that few changes of style are printed."""
    runs: list[tuple[str, str]] = []
    for text, style in marks:
        if runs and runs[-1][1] == style and runs[-1][0][-1] == text:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    return runs
