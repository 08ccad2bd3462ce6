"""Shows plans of restores, asks, carries them out and says how to take them back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archive.cli import faults, progress, trouble, units
from archive.cli.output import Output, styled
from archive.errors import EXIT_FAILED, EXIT_INCOMPLETE
from archive.model.restore import Action, RestorePlan, RestoreResult

if TYPE_CHECKING:
    from archive.cli.locate import Place

_INTERRUPTED = "interrupted; every file is whole, the old one or the new one"
SHOWN = 10
SHOWN_IN_DRY_RUN = 500

# What is said of each action, in the order of weight; the sign and style of its files.
_WORDS = {
    Action.CREATE: ("to create", "+", "green"),
    Action.OVERWRITE: ("to overwrite", "~", "yellow"),
    Action.ATTRIBUTES: ("to get their mode and time back", "t", "dim"),
    Action.DELETE: ("to delete", "-", "red"),
    Action.CONFLICT: ("in the way of something else, left alone", "!", "red"),
    Action.KEEP: ("different, kept", "=", "yellow"),
    Action.EXTRA: ("extra, left alone", "?", "dim"),
    Action.UNCHANGED: ("unchanged", "", ""),
}


def carry_out(ctx: click.Context, place: Place, output: Output, plan: RestorePlan, *, dry_run: bool, yes: bool) -> None:
    """Shows a plan and does what it says, unless it is a dry run or the user declines."""
    if dry_run:
        if output.as_json:
            output.json(plan.to_json())
        else:
            output.say(styled("dry run, nothing was written", "bold"))
            show_plan(output, plan, limit=SHOWN_IN_DRY_RUN)
        return
    if not output.as_json:
        show_plan(output, plan)
    if not (yes or _agrees(plan)):
        output.warn("nothing was changed")
        ctx.exit(EXIT_FAILED)
    ctx.meta[faults.INTERRUPTED_KEY] = _INTERRUPTED + (", and 'archive undo' takes it back" if plan.in_place else "")
    with place.open("write" if plan.in_place else "read") as archive, progress.shown(output) as on_progress:
        result = archive.restore(plan, on_progress=on_progress)
    if output.as_json:
        output.json(result.to_json())
    else:
        show_result(output, plan, result)
    if result.problems:
        ctx.exit(EXIT_INCOMPLETE)


def show_plan(output: Output, plan: RestorePlan, *, limit: int = SHOWN) -> None:
    """Prints what a plan would do: counts and sizes by action, and the files that would change."""
    output.say("to ", styled(str(plan.target), "bold"), f" as of snapshot {plan.snapshot.id} ({plan.snapshot.label})")
    for action, (words, sign, style) in _WORDS.items():
        number = plan.count(action)
        if not number:
            continue
        output.say("  ", styled(f"{units.count(number, 'file')} {words}", style), f", {units.size(plan.size(action))}")
        if sign:
            files = [file for file in plan.files if file.action is action]
            for file in files[:limit]:
                reason = styled(f"  {file.reason}", "dim") if file.reason else ""
                output.say("    ", styled(sign, style), f" {file.path}", reason)
            if len(files) > limit:
                output.say(styled(f"    … and {units.count(len(files) - limit, 'more file')}", "dim"))
    if not plan.files:
        output.say("  no files")


def show_result(output: Output, plan: RestorePlan, result: RestoreResult) -> None:
    """Prints what a restore did and how it can be taken back."""
    done = result.created + result.overwritten + result.attributes + result.deleted
    if not done and not result.problems:
        output.say("nothing to do: the files are as they were then")
        return
    output.say(
        styled("restored", "green"),
        f" snapshot {result.restored.id} ({result.restored.label}):"
        f" {result.created:,} created, {result.overwritten:,} overwritten, {result.deleted:,} deleted,"
        f" {result.unchanged:,} unchanged; {units.size(result.size_bytes)} written and verified"
        f" in {units.seconds(result.duration_ms)}",
    )
    if plan.in_place and done:
        safety = f"the state before is snapshot {result.safety.id}; " if result.safety is not None else ""
        output.say(f"{safety}'archive undo' takes this back")
    trouble.show_problems(output, result.problems, limit=len(result.problems))


def _agrees(plan: RestorePlan) -> bool:
    """Asks whether to go on where something will be lost from the folder, and somebody is there to answer."""
    overwritten, deleted = plan.count(Action.OVERWRITE), plan.count(Action.DELETE)
    if not (overwritten or deleted) or not sys.stdin.isatty():
        return True
    parts = [f"overwrite {units.count(overwritten, 'file')}"] if overwritten else []
    parts += [f"delete {units.count(deleted, 'file')}"] if deleted else []
    question = " and ".join(parts)
    return click.confirm(f"{question[0].upper()}{question[1:]} in {plan.target}?", err=True)
