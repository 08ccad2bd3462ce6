"""Proves archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archive.cli import options, progress, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import ArchiveError, CorruptArchive
from archive.model.check import CheckDepth, CheckResult, Verdict

if TYPE_CHECKING:
    from archive.api import Archive

SHOWN_AFFECTED = 10


@as_command("check", "archive check", "archive check --quick", "archive check --json | jq .findings")
@click.option("--quick", is_flag=True, help="Check the structure only; contents are not read.")
@click.option("--no-record", is_flag=True, help="Write nothing at all to the archive, not even that it was checked.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(ctx: click.Context, place: Place, output: Output, quick: bool, no_record: bool) -> None:
    """Prove that everything stored is readable and unaltered.

    All content is read and hashed again, and every rule of the format is tested. Nothing is ever repaired. Exits with 13 if
    anything is bad.

    When the archive was checked and what was found is written into it, for 'archive stats' and the page of 'archive inspect'
    that shows its health. Where that cannot be done (read-only media, a backup at work, damage to the file itself) the check is
    as good, and says so. A copy in an emergency package is left as it is.

    With --json: `created_at`, `depth`, `snapshot_id` (the newest that it saw), the numbers of objects `good`, `bad` and
    `unknown`, `findings` (each with `object`, `verdict`, `message`, and the versions `affected`), `bytes_hashed`,
    `duration_ms`, `is_recorded`, and why not as `not_recorded`.
    """
    depth = CheckDepth.STRUCTURE if quick else CheckDepth.FULL
    with _opened(place, to_record=not no_record) as archive, progress.shown(output) as on_progress:
        result = archive.check(depth=depth, on_progress=on_progress)
    if output.as_json:
        output.json(result.to_json())
    else:
        _show(output, place, result, is_silent=no_record)
    if result.findings or result.bad:
        ctx.exit(CorruptArchive.exit_code)


def _opened(place: Place, *, to_record: bool) -> Archive:
    """Opens the archive as it has to be for the check to be recorded, else for reading."""
    from archive.storage.checks import is_backed_up_to

    if to_record and is_backed_up_to(place.db):
        archive = place.open_whole("write")
        try:
            archive.sources()  # only now the file is opened, and whoever may not write to it is told
        except ArchiveError:
            archive.close()
        else:
            return archive
    return place.open_whole()


def _show(output: Output, place: Place, result: CheckResult, *, is_silent: bool) -> None:
    is_bad = bool(result.findings or result.bad)
    say = output.warn if output.is_quiet and is_bad else output.say
    for finding in result.findings:
        style = "red" if finding.verdict is Verdict.BAD else "yellow"
        say(styled(finding.verdict.value, style), f"  {finding.object}: {finding.message}")
        for version in finding.affected[:SHOWN_AFFECTED]:
            say(f"     affects {version}")
        if len(finding.affected) > SHOWN_AFFECTED:
            say(f"     … and {units.count(len(finding.affected) - SHOWN_AFFECTED, 'more version')}")
    counts = f"{units.count(result.good, 'object')} good"
    counts += f", {result.bad:,} bad" if result.bad else ""
    counts += f", {result.unknown:,} not examined" if result.unknown else ""
    read = f"; {units.size(result.bytes_hashed)} read and hashed" if result.depth is CheckDepth.FULL else ""
    verdict = styled("bad", "red") if is_bad else styled("good", "green")
    say(f"{place.db}: ", verdict, f"  ({counts}{read}, {units.seconds(result.duration_ms)})")
    if not (result.is_recorded or is_silent):
        say(styled(f"not recorded in the archive: {result.not_recorded}", "dim"))
    if is_bad:
        say("Keep a copy of the file as it is; everything not listed above can still be restored.")
