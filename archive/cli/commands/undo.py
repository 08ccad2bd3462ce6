"""Takes restores back."""

from __future__ import annotations

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output
from archive.cli.restoring import carry_out


@as_command("undo", "archive undo --dry-run", "archive undo --yes")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(ctx: click.Context, place: Place, output: Output, dry_run: bool, yes: bool) -> None:
    """Take the last restore in place back.

    The files it touched become what they were before it; all others are left alone. An undo is a restore too: undoing it
    repeats what it took back.

    With --json: the same objects as 'archive restore' prints.
    """
    with place.open() as archive:
        place.require_source_here(archive)
        plan = archive.plan_undo()
    carry_out(ctx, place, output, plan, dry_run=dry_run, yes=yes)
