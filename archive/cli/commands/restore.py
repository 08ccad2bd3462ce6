"""Brings files back."""

from __future__ import annotations

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output
from archive.cli.restoring import carry_out
from archive.model.restore import Overwrite


@as_command(
    "restore",
    "archive restore --at '2 hours ago' --dry-run   # what would be done",
    "archive restore agents/functions.json --at latest~2",
    "archive restore --at 20230401_120000 --to ../then",
    "archive restore 'docs/**/*.md' --overwrite never --yes",
)
@options.documents("paths", "[PATH]...")
@options.at
@click.option("--to", "target", metavar="DIR", type=options.A_PATH, help="Write here and not to the project's own folder.")
@click.option(
    "--overwrite",
    type=click.Choice([policy.value for policy in Overwrite]),
    default=Overwrite.IF_CHANGED.value,
    show_default=True,
    help="Which existing files may be replaced.",
)
@click.option("--delete-extra", is_flag=True, help="Also delete files that did not exist then.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(
    ctx: click.Context,
    place: Place,
    output: Output,
    paths: tuple[str, ...],
    at: str,
    target: str | None,
    overwrite: str,
    delete_extra: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Bring back files as they were.

    A PATH is a file, a folder or a glob; without any, everything is restored. Files that did not exist then are listed and
    left alone unless --delete-extra is given; files that no backup would take in are never looked at.

    The plan is shown first. Before anything in the project's own folder is overwritten or deleted, a snapshot of it is
    taken, so that 'archive undo' takes the restore back. On a terminal the command asks first.

    Exits with 3 if a file could not be restored.

    With --json: after --dry-run the plan (`snapshot`, `target`, `in_place`, `counts`, `size_bytes`, `files`), else the
    result (`restored`, `target`, `safety`, counts, `size_bytes`, `duration_ms`, `problems`).
    """
    with place.open() as archive:
        if target is None:
            place.require_source_here(archive)
        plan = archive.plan_restore(
            target,
            at=at,
            paths=place.document_paths(paths),
            overwrite=Overwrite(overwrite),
            delete_extra=delete_extra,
        )
    carry_out(ctx, place, output, plan, dry_run=dry_run, yes=yes)
