"""Asks the archive with SQL."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import click

from archive.cli import completing, options, progress
from archive.cli.escaping import escape
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, printing
from archive.model.base import jsonable
from archive.model.tables import Cell, Table

if TYPE_CHECKING:
    from archive.api import Archive
    from archive.api.opening import OnProgress

# What stands in JSON as \u…, as all commands print it.
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


@as_command(
    "sql",
    "archive sql \"SELECT path, change FROM snapshot_changes WHERE label LIKE '2023%'\"",
    "archive sql \"SELECT path, content ->> '$.version' FROM documents\" --at '2 hours ago' --csv",
    'archive sql "SELECT title FROM available_tasks" --json',
    'archive sql "SELECT * FROM document_history WHERE path = :path" -p path tasks.json --nl',
)
@click.argument("statement")
@click.option(
    "--at",
    metavar="MOMENT",
    help=f"Let documents, items and tasks show this moment: {options.MOMENT_HELP}.",
    shell_complete=completing.moments,
)
@click.option("-p", "--param", "parameters", type=(str, str), multiple=True, metavar="NAME VALUE", help="The value of :NAME.")
@click.option("--table", "form", flag_value="table", help="Print a table; so it is done if nothing is said.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values.")
@click.option("--tsv", "form", flag_value="tsv", help="Print tab-separated values.")
@click.option("--nl", "form", flag_value="nl", help="Print one JSON object a line.")
@click.option("--limit", "limit_s", type=click.FloatRange(min=0), metavar="SECONDS", help="Give up after this time.")
@options.output()
@options.place()
def command(
    place: Place,
    output: Output,
    statement: str,
    at: str | None,
    parameters: tuple[tuple[str, str], ...],
    form: str | None,
    limit_s: float | None,
) -> None:
    """Ask the archive with SQL, reading only.

    'archive schema' lists the tables and views, each with a query to start from. Beside SQLite's own functions there are
    archive_content(version_id), archive_json(version_id, pointer), archive_at(moment) and
    archive_diff(version_id, version_id). Statements that would change anything, or reach another file, are refused; Ctrl-C
    ends one that takes too long.

    With --at, documents, items and tasks are views of that moment with the columns of current_documents, current_items and
    current_tasks; these, current_problems and available_tasks show it too. Histories and counts of the whole file stay as they
    are.

    With --json: a list of objects, one for each row; bytes as {"$base64": true, "encoded": …}.
    """
    if output.as_json and form is not None:
        raise click.UsageError("--json stands alone")
    with progress.shown(output) as on_progress, _opened(place, statement, at, on_progress) as archive:
        found = archive.sql(statement, dict(parameters), at=at, time_limit_s=limit_s)
    with printing():
        for line in lines(found, "json" if output.as_json else form or "table"):
            click.echo(line)
        sys.stdout.flush()


def _opened(place: Place, statement: str, at: str | None, on_progress: OnProgress | None) -> Archive:
    """Opens the archive; what has to be made of the documents first is made where the statement may be about it."""
    if re.search("item|task", statement, re.IGNORECASE):
        return place.open_indexed(on_progress, whole=at is None)
    return place.open_whole() if at is None else place.open()


def lines(table: Table, form: str) -> Iterator[str]:
    """Yields a table in the words of sqlite-utils; a table for people has everything a terminal would act on escaped."""
    from sqlite_utils import cli as words

    if form in ("json", "nl"):
        # Nothing asked, nothing given: no line, where sqlite-utils would write an empty list.
        if table.rows or form == "json":
            rows = (tuple(map(_finite, row)) for row in table.rows)
            for line in words.output_rows(rows, list(table.columns), form == "nl", False, False):  # type: ignore[no-untyped-call]
                yield line if form == "nl" else _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], line)
    elif form == "table":
        if table.columns:
            shown = [[_shown(cell) for cell in row] for row in table.rows]
            yield from words.tabulate.tabulate(  # type: ignore[attr-defined]
                shown, headers=table.columns, tablefmt="simple", disable_numparse=True
            ).splitlines()
    else:
        writer = csv.writer(sys.stdout, dialect="excel-tab" if form == "tsv" else "excel")
        writer.writerows(chain([table.columns] if table.columns else [], map(_plain, table.rows)))


def _finite(cell: Cell) -> Cell:
    """Returns what JSON has a number for, and infinity as text, as all commands print it."""
    return str(jsonable(cell)) if isinstance(cell, float) and not math.isfinite(cell) else cell


def _plain(row: Sequence[Cell]) -> list[Cell]:
    return [cell.decode("utf-8", "backslashreplace") if isinstance(cell, bytes) else cell for cell in row]


def _shown(cell: Cell) -> str:
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "backslashreplace")
    return "" if cell is None else escape(str(cell))
