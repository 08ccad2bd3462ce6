"""Lists snapshots."""

from __future__ import annotations

import click

from archive.cli import options, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Cell, Column, Output, styled
from archive.model.base import jsonable
from archive.model.snapshots import Snapshot

_COLUMNS = (
    Column("id", is_right=True),
    Column("label"),
    Column("files", is_right=True),
    Column("size", is_right=True, is_optional=True),
    Column("changes"),
    Column("stored", is_right=True, is_optional=True),
    Column("notes", is_wide=True),
)


@as_command(
    "snapshots",
    "archive snapshots",
    "archive snapshots --limit 5 --reverse   # the newest five, newest first",
    "archive snapshots --json | jq -r '.snapshots[-1].label'",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N.")
@click.option("--reverse", is_flag=True, help="Newest first.")
@options.output()
@options.place()
def command(place: Place, output: Output, limit: int | None, reverse: bool) -> None:
    """List the snapshots.

    Oldest first, so that the newest is next to the prompt. Changes are files added (+), changed (~), touched (t: another
    mode or time, the same content) and removed (-) since the snapshot before; stored is the content written for it, compressed.

    With --json: an object with `snapshots`, a list.
    """
    with place.open() as archive:
        found = list(archive.snapshots())
    if limit is not None:
        found = found[-limit:]
    if reverse:
        found.reverse()
    if output.as_json:
        output.json({"snapshots": jsonable(found)})
    elif not found:
        output.say("no snapshots yet")
    else:
        output.table(_COLUMNS, map(_row, found))


def _row(snapshot: Snapshot) -> list[Cell]:
    return [
        str(snapshot.id),
        styled(snapshot.label, "cyan"),
        f"{snapshot.documents:,}",
        units.size(snapshot.size_bytes),
        changes(snapshot.added, snapshot.changed, snapshot.touched, snapshot.removed),
        units.size(snapshot.bytes_stored),
        _notes(snapshot),
    ]


def changes(added: int, changed: int, touched: int, removed: int) -> str:
    """Returns counts of changes in short: `+1 ~2 -1`; a dot where nothing changed."""
    signs = (("+", added), ("~", changed), ("t", touched), ("-", removed))
    return " ".join(f"{sign}{number:,}" for sign, number in signs if number) or "·"


def _notes(snapshot: Snapshot) -> Cell:
    parts = [] if snapshot.is_complete else ["incomplete"]
    if snapshot.problems:
        parts.append(units.count(snapshot.problems, "problem"))
    parts += [snapshot.message] if snapshot.message else []
    parts += [f"[{tag}]" for tag in snapshot.tags]
    return styled(" · ".join(parts), "" if snapshot.is_complete else "yellow")
