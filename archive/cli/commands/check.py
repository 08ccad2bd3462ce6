"""Proves archives."""

from __future__ import annotations

import click

from archive.cli import options, progress, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import CorruptArchive
from archive.model.check import CheckDepth, CheckResult, Verdict

SHOWN_AFFECTED = 10


@as_command("check", "archive check", "archive check --quick", "archive check --json | jq .findings")
@click.option("--quick", is_flag=True, help="Check the structure only; contents are not read.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(ctx: click.Context, place: Place, output: Output, quick: bool) -> None:
    """Prove that everything stored is readable and unaltered.

    All content is read and hashed again, and every rule of the format is tested. Nothing is ever repaired or written. Exits
    with 13 if anything is bad.

    With --json: `depth`, the numbers of objects `good`, `bad` and `unknown`, `findings` (each with `object`, `verdict`,
    `message`, and the versions `affected`), `bytes_hashed` and `duration_ms`.
    """
    depth = CheckDepth.STRUCTURE if quick else CheckDepth.FULL
    with place.open_whole() as archive, progress.shown(output) as on_progress:
        result = archive.check(depth=depth, on_progress=on_progress)
    if output.as_json:
        output.json(result.to_json())
    else:
        _show(output, place, result)
    if result.findings or result.bad:
        ctx.exit(CorruptArchive.exit_code)


def _show(output: Output, place: Place, result: CheckResult) -> None:
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
    if is_bad:
        say("Keep a copy of the file as it is; everything not listed above can still be restored.")
