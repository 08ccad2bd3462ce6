"""Prints results: as JSON, for people at a terminal, or as plain lines for pipes and logs.

Everything that comes from files is escaped before it is printed, and no markup in it is ever interpreted. Styles and rich
tables are for terminals; elsewhere the same rows are aligned with spaces and nothing is cut off.
"""

from __future__ import annotations

import json
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import click

from archive.cli.escaping import escape, escape_line
from archive.model.base import Json

_GAP = "  "  # between columns


class Styled(NamedTuple):
    """A text that is safe to print, and how it is to look on a terminal: `bold`, `dim` or the name of a colour."""

    text: str
    style: str


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        is_wide: Whether its cells take several lines where the terminal is too narrow.
        is_optional: Whether it is left out there first.
    """

    title: str
    is_right: bool = False
    is_wide: bool = False
    is_optional: bool = False


Cell: TypeAlias = "str | Styled"


class OutputFailed(Exception):
    """Says that a result could not be printed, which says nothing about the work itself."""


@contextmanager
def printing() -> Iterator[None]:
    """Tells a standard output that takes nothing, a full disk say, from trouble with what the command is about."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader has enough
    except OSError as error:
        raise OutputFailed(str(error)) from error


def styled(text: str, style: str) -> Styled:
    """Returns a name or value, escaped, with its style."""
    return Styled(escape(text), style)


def document_line(text: str, style: str = "") -> Styled:
    """Returns a line of a document, escaped but for its tabs, with its style."""
    return Styled(escape_line(text), style)


@dataclass(frozen=True, slots=True)
class Output:
    """Is where a command prints to.

    Attributes:
        as_json: Whether one JSON value is to be printed, and nothing else.
        is_quiet: Whether only trouble is worth a line.
    """

    as_json: bool = False
    is_quiet: bool = False

    def json(self, value: Json) -> None:
        """Prints a value as JSON, in ASCII, so that it survives every locale and every name of a file.

        What JSON has no number for (`NaN`, `Infinity` in a lenient document) is printed as a string.
        """
        try:
            text = json.dumps(value, indent=2, allow_nan=False)
        except ValueError:
            text = json.dumps(_without_nan(value), indent=2)
        self.text(text)

    def text(self, text: str) -> None:
        """Prints a text as it is, and a line break."""
        with printing():
            click.echo(text)

    def raw(self, data: bytes) -> None:
        """Prints bytes as they are."""
        with printing():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)

    def say(self, *parts: Cell) -> None:
        """Prints one line."""
        if not self.is_quiet:
            _print_line(parts)

    def warn(self, *parts: Cell) -> None:
        """Prints one line on the error stream, also when quiet."""
        _print_line(parts, err=True)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        """Prints rows below the titles of their columns."""
        if self.is_quiet:
            return
        cells = [[_cell(cell) for cell in row] for row in rows]
        if is_terminal():
            _print_rich(columns, cells)
        else:
            for line in _aligned(columns, cells):
                self.text(line)

    def facts(self, facts: Iterable[tuple[str, Cell]]) -> None:
        """Prints names and values, one pair a line, the values below each other."""
        facts = list(facts)
        width = max((len(name) for name, _ in facts), default=0)
        for name, value in facts:
            self.say(styled(f"{name:<{width}}", "dim"), "  ", value)


def is_terminal(*, err: bool = False) -> bool:
    """Whether the stream goes to a person's terminal."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty()


def has_colour(*, err: bool = False) -> bool:
    """Whether the stream takes styles; see https://no-color.org."""
    return is_terminal(err=err) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _without_nan(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nan(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_nan(member) for member in value]
    return json.dumps(value) if isinstance(value, float) and not math.isfinite(value) else value


def _print_line(parts: Iterable[Cell], *, err: bool = False) -> None:
    colour = has_colour(err=err)
    text = "".join(_ansi(cell) if colour else cell.text for cell in map(_cell, parts))
    # What cannot be said on the error stream cannot be said at all, and must not stop the work.
    with suppress(OSError) if err else printing():
        click.echo(text.rstrip(" "), err=err, color=colour)


def _cell(cell: Cell) -> Styled:
    return cell if isinstance(cell, Styled) else Styled(escape(cell), "")


def _ansi(cell: Styled) -> str:
    if not cell.style:
        return cell.text
    if cell.style in ("bold", "dim"):
        return click.style(cell.text, bold=cell.style == "bold" or None, dim=cell.style == "dim" or None)
    return click.style(cell.text, fg=cell.style)


def _print_rich(columns: Sequence[Column], rows: Sequence[Sequence[Styled]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False, no_color=not has_colour())
    shown = _fitting(columns, _widths(columns, rows), console.width)
    table = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    for index in shown:
        column = columns[index]
        justify: Literal["right", "left"] = "right" if column.is_right else "left"
        table.add_column(Text(column.title), justify=justify, no_wrap=not column.is_wide, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[index].text, style=row[index].style) for index in shown))
    with printing():
        console.print(table)


def _fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Returns which columns to show: optional ones go, the last first, until the rest fits."""
    shown = list(range(len(columns)))
    for index in reversed(range(len(columns))):
        if sum(widths[each] + len(_GAP) for each in shown) - len(_GAP) <= width:
            break
        if columns[index].is_optional:
            shown.remove(index)
    return shown


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Styled]]) -> list[int]:
    return [max([_width(column.title), *(_width(row[index].text) for row in rows)]) for index, column in enumerate(columns)]


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[Styled]]) -> Iterator[str]:
    widths = _widths(columns, rows)
    for row in [[Styled(column.title, "") for column in columns], *rows]:
        parts = []
        for column, width, cell in zip(columns, widths, row, strict=True):
            gap = " " * (width - _width(cell.text))
            parts.append(gap + cell.text if column.is_right else cell.text + gap)
        yield _GAP.join(parts).rstrip(" ")


def _width(text: str) -> int:
    """How many columns the text takes: East Asian characters two, marks on top of others none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)
