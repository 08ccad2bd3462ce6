"""Lists the versions of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from archive.cli import completing, options, progress, units
from archive.cli.changes import field_cells
from archive.cli.commands.cat import readings
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Cell, Column, Output, styled
from archive.cli.trouble import without_code
from archive.errors import DocumentNotFound
from archive.extract.printable import shell_word
from archive.model.documents import History, ParseState, Version
from archive.model.search import ItemChange, ItemHistory, ItemState

if TYPE_CHECKING:
    from archive.api import Archive

_COLUMNS = (
    Column("version", is_right=True),
    Column("seen", is_optional=True),
    Column("size", is_right=True),
    Column("snapshot"),
    Column("change"),
    Column("state", is_wide=True),
)
_CHANGES = {
    ItemChange.ADDED: "green",
    ItemChange.CHANGED: "yellow",
    ItemChange.RETURNED: "green",
    ItemChange.REMOVED: "red",
    ItemChange.DAMAGED: "red",
}
_LONGEST = 120
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
    "archive log 'agents/tasks.json#/active_projects/website/phases/phase_1'",
    "archive log agents/tasks.json --json | jq '.versions[] | select(.last_valid)'",
)
@click.argument("target", metavar="PATH[#ITEM]", type=options.A_PATH, shell_complete=completing.documents)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N versions or states.")
@options.output()
@options.place()
def command(place: Place, output: Output, target: str, limit: int | None) -> None:
    """List all versions of a document, the last valid one marked.

    Oldest first. Each line says when the version was first seen and by which snapshot, what it did to the document, and
    whether it can be parsed. 'archive cat PATH --version N' prints one of them.

    Behind a '#' an item can be named: by its pointer, by lines (#L10-L20), by headings (#/Plans/Summer), or by its key. Then
    all of its states are listed, wherever in the document it stood; each says what changed, removals and returns included.

    With --json: `path`, `kind`, `category` and `versions`, a list; for an item `path`, `key` and `states`. --limit does not
    apply to it.
    """
    with progress.shown(output) as on_progress, place.open_indexed(on_progress) if "#" in target else place.open() as archive:
        found = _find(archive, place.document_path(target))
    if output.as_json:
        output.json(found.to_json())
    elif isinstance(found, ItemHistory):
        _show_item(output, found, limit)
    else:
        _show(output, found, limit)


def _find(archive: Archive, target: str) -> History | ItemHistory:
    """Returns what is meant; raises what is wrong with the likeliest reading."""
    wrong: DocumentNotFound | None = None
    for path, pointer in readings(target):
        try:
            return archive.history(path) if pointer is None else archive.item_history(path, pointer)
        except DocumentNotFound as error:
            wrong = error
    assert wrong is not None
    raise wrong


def _show(output: Output, history: History, limit: int | None) -> None:
    shown = history.versions if limit is None else history.versions[-limit:]
    if len(shown) < len(history.versions):
        output.say(styled(f"… {units.count(len(history.versions) - len(shown), 'older version')}", "dim"))
    before = [None, *history.versions][-len(shown) - 1 :]
    output.table(_COLUMNS, map(_row, shown, before))
    newest, valid = history.versions[-1], history.last_valid
    if newest.removed:
        output.say(f"removed by snapshot {newest.until}")
    if newest.state is not ParseState.VALID and valid is not None:
        output.say("last valid: ", styled(f"archive cat {shell_word(history.path)} --version {valid.number}", "bold"))
    elif valid is None and newest.state is ParseState.INVALID:
        output.say("no version was ever valid")


def _show_item(output: Output, history: ItemHistory, limit: int | None) -> None:
    states = history.states
    shown = states if limit is None else states[-limit:]
    output.say(styled(history.path, "bold"), " ", styled(history.key, "cyan"))
    if len(shown) < len(states):
        output.say(styled(f"… {units.count(len(states) - len(shown), 'older state')}", "dim"))
    for number in range(len(states) - len(shown), len(states)):
        state = states[number]
        before = next((each for each in reversed(states[:number]) if not each.change.is_absence), None)
        head = f"{units.local_time(state.since.at)}  {state.since.label}  "
        output.say(styled(head, "dim"), styled(f"{state.change.value:<8}", _CHANGES[state.change]), "  ", *_said(state, before))
    newest = states[-1]
    if not newest.change.is_absence:
        target = f"{history.path}#{newest.pointer}" if newest.pointer else history.path
        output.say("now: ", styled(f"archive cat {shell_word(target)}", "bold"))


def _said(state: ItemState, before: ItemState | None) -> Iterator[Cell]:
    """Yields what a state is like: its title, and what is other than it was before."""
    from archive.diff import diff_states

    if state.change is ItemChange.DAMAGED:
        yield styled("the document cannot be read, so nothing is known of it", "dim")
    if state.change.is_absence:
        return
    if before is None:
        snippet = " · ".join(state.text.split("\n"))
        shown = snippet if len(snippet) <= _LONGEST else snippet[: _LONGEST - 1] + "…"
        yield styled(state.title, "bold") if state.title else ""
        yield f"  {shown}" if state.title and shown else shown
        return
    if state.title != before.title:
        yield styled(before.title, "red")
        yield " → "
        yield styled(state.title, "green")
        yield "  "
    fields = diff_states(before.text, state.text)
    yield from field_cells(fields)
    if not fields and state.title == before.title:
        yield "as before"


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
