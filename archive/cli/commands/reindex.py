"""Makes the search index anew."""

from __future__ import annotations

import click

from archive.cli import options, progress, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import CorruptArchive
from archive.model.reindex import ReindexResult

SHOWN_DIFFERENCES = 20


@as_command(
    "reindex",
    "archive reindex",
    "archive reindex --verify   # changes nothing",
    "archive reindex --dry-run",
)
@click.option("--verify", is_flag=True, help="Change nothing; say what would be different if it were made anew.")
@click.option("--dry-run", is_flag=True, help="Change nothing; only say how much would be gone through.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(ctx: click.Context, /, place: Place, output: Output, *, verify: bool, dry_run: bool) -> None:
    """Make the search index anew, or prove that it is right.

    Items, their index and the tasks are derived from what was backed up, which is never touched; a backup keeps them up to
    date by itself. Making them anew helps where 'archive check' says so. If it is cut short, the next backup or search goes
    on where it ended.

    With --verify a copy of the archive is reindexed in the folder for temporary files, and compared. Exits with 13 if
    anything differs; then 'archive reindex' puts it right.

    With --json: the `versions` gone through, their `size_bytes`, the number of `items`, `verified`, the `differences` (each
    with `path` and `what`), and how many versions were still `waiting`.
    """
    if verify and dry_run:
        raise click.UsageError("--verify changes nothing anyway; leave out --dry-run")
    with place.open_whole("read" if verify or dry_run else "write") as archive, progress.shown(output) as on_progress:
        result = archive.reindex(verify=verify, dry_run=dry_run, on_progress=on_progress)
    if output.as_json:
        output.json(result.to_json())
    else:
        _show(output, place, result, dry_run=dry_run)
    if not result.is_good:
        ctx.exit(CorruptArchive.exit_code)


def _show(output: Output, place: Place, result: ReindexResult, *, dry_run: bool) -> None:
    amount = f"{units.count(result.versions, 'version')}, {units.size(result.size_bytes)}"
    if dry_run:
        output.say(styled("dry run, nothing was written", "bold"), f"; a reindexing would go through {amount}")
        return
    if not result.verified:
        output.say(f"{place.db}: made {units.count(result.items, 'item')} from {amount}")
        return
    if result.waiting:
        output.say(styled(f"{units.count(result.waiting, 'version')} not indexed yet; the next backup does that", "dim"))
    if result.is_good:
        output.say(f"{place.db}: ", styled("good", "green"), f"  ({units.count(result.items, 'item')} from {amount})")
        return
    for difference in result.differences[:SHOWN_DIFFERENCES]:
        output.warn(f"  {difference.path}: {difference.what}" if difference.path else f"  {difference.what}")
    if len(result.differences) > SHOWN_DIFFERENCES:
        output.warn(f"  … and {units.count(len(result.differences) - SHOWN_DIFFERENCES, 'more difference')}")
    output.warn(f"{place.db}: ", styled("bad", "red"), f"  ({units.count(len(result.differences), 'difference')})")
    output.warn("Run 'archive reindex' to make it anew; what was backed up is not affected.")
