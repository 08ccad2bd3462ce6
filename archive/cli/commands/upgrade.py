"""Brings the schema up to date."""

from __future__ import annotations

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output


@as_command("upgrade", "archive upgrade --dry-run", "archive upgrade")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@options.output(quiet=True)
@options.place()
def command(place: Place, output: Output, dry_run: bool) -> None:
    """Bring an archive of an older version up to date.

    Wholly or not at all: if it fails, the archive is as it was.

    With --json: `path`, the schema `before` and `after`, and `dry_run`.
    """
    from archive.api import Archive

    before, after = Archive.upgrade(place.db, dry_run=dry_run, wait_s=place.wait_s)
    if output.as_json:
        output.json({"path": str(place.db), "before": before, "after": after, "dry_run": dry_run})
    elif before == after:
        output.say(f"{place.db} is up to date (schema {after})")
    else:
        would = "would be" if dry_run else "was"
        output.say(f"{place.db} {would} upgraded from schema {before} to {after}")
