"""Lists the versions of a document."""

from __future__ import annotations

import shlex

import click

from archive.cli import completing, options, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Cell, Column, Output, styled
from archive.cli.trouble import without_code
from archive.model.documents import ParseState, Version

_COLUMNS = (
    Column("version", is_right=True),
    Column("seen", is_optional=True),
    Column("size", is_right=True),
    Column("snapshot"),
    Column("change"),
    Column("state", is_wide=True),
)
_STYLES = {
    ParseState.VALID: "green",
    ParseState.LENIENT: "yellow",
    ParseState.INVALID: "red",
    ParseState.UNCHECKED: "dim",
}


@as_command(
    "log",
    "archive log agents/functions.json",
    "archive log agents/tasks.json --limit 10",
    "archive log agents/tasks.json --json | jq '.versions[] | select(.last_valid)'",
)
@click.argument("path", type=options.A_PATH, shell_complete=completing.documents)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N versions.")
@options.output()
@options.place()
def command(place: Place, output: Output, path: str, limit: int | None) -> None:
    """List all versions of a document, the last valid one marked.

    Oldest first. Each line says when the version was first seen and by which snapshot, what it did to the document, and
    whether it can be parsed. 'archive cat PATH --version N' prints one of them.

    With --json: `path`, `kind`, `category` and `versions`, a list; --limit does not apply to it.
    """
    with place.open() as archive:
        history = archive.history(place.document_path(path))
    if output.as_json:
        output.json(history.to_json())
        return
    shown = history.versions if limit is None else history.versions[-limit:]
    if len(shown) < len(history.versions):
        output.say(styled(f"… {units.count(len(history.versions) - len(shown), 'older version')}", "dim"))
    before = [None, *history.versions][-len(shown) - 1 :]
    output.table(_COLUMNS, map(_row, shown, before))
    newest, valid = history.versions[-1], history.last_valid
    if newest.removed:
        output.say(f"removed by snapshot {newest.until}")
    if newest.state is not ParseState.VALID and valid is not None:
        output.say("last valid: ", styled(f"archive cat {shlex.quote(history.path)} --version {valid.number}", "bold"))
    elif valid is None and newest.state is ParseState.INVALID:
        output.say("no version was ever valid")


def _row(version: Version, before: Version | None) -> list[Cell]:
    state = version.state.value
    if version.error:
        is_same = before is not None and before.error == version.error
        state += ", as before" if is_same else f": {without_code(version.error)}"
    if version.last_valid:
        state += "  ← last valid"
    return [
        str(version.number),
        units.local_time(version.seen_at),
        units.size(version.size_bytes),
        styled(version.label, "cyan"),
        version.change.value,
        styled(state, _STYLES[version.state]),
    ]
