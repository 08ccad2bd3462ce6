"""Lists documents."""

from __future__ import annotations

import click

from archive.cli import options, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Cell, Column, Output, styled
from archive.errors import DocumentNotFound
from archive.model.base import jsonable
from archive.model.documents import DocumentState, ParseState
from archive.selection import Selection

_COLUMNS = (
    Column("mode", is_optional=True),
    Column("size", is_right=True),
    Column("modified", is_optional=True),
    Column("version", is_right=True),
    Column("category", is_optional=True),
    Column("state"),
    Column("path", is_wide=True),
)
_STYLES = {ParseState.INVALID: "red", ParseState.LENIENT: "yellow"}


@as_command(
    "ls",
    "archive ls",
    "archive ls -l agents '*.md' --at '2 hours ago'",
    "archive ls --at 20230401_120000 --json",
)
@options.documents("patterns", "[PATTERN]...")
@options.at
@click.option("-l", "--long", "is_long", is_flag=True, help="Mode, size, time, version, category and parse state too.")
@options.output()
@options.place()
def command(place: Place, output: Output, patterns: tuple[str, ...], at: str, is_long: bool) -> None:
    """List the documents of a moment.

    A PATTERN is a path, a folder or a glob as in .gitignore; without any, all documents are listed.

    With --json: an object with `snapshot` and `documents`, a list.
    """
    wanted = place.document_paths(patterns)
    with place.open() as archive:
        snapshot = archive.snapshot(at)
        found = archive.documents(at=str(snapshot.id), patterns=wanted)
    missing = Selection(wanted).unmatched(document.path for document in found)
    if missing:
        raise DocumentNotFound(
            f"{missing[0]} fits nothing in snapshot {snapshot.label}",
            hint="Run 'archive ls' to see what there is, or 'archive log PATH' to see when something was there.",
            patterns=missing,
        )
    if output.as_json:
        output.json({"snapshot": snapshot.to_json(), "documents": jsonable(found)})
    elif is_long:
        output.table(_COLUMNS, map(_row, found))
    else:
        for document in found:
            output.say(styled(document.path, _STYLES.get(document.state, "")))


def _row(document: DocumentState) -> list[Cell]:
    return [
        units.permissions(document.mode),
        units.size(document.size_bytes),
        units.file_time(document.mtime_ns),
        str(document.version),
        document.category,
        styled(document.state.value, _STYLES.get(document.state, "")),
        document.path,
    ]
