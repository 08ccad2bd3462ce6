"""Prints problems of snapshots and restores, grouped by kind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from archive.cli import units
from archive.cli.output import Output, is_terminal, styled
from archive.model.snapshots import PartlyIndexed, Problem, ProblemKind, Severity

SHOWN = 20

_TITLES = {
    ProblemKind.UNREADABLE: "could not be read",
    ProblemKind.FOLDER_UNREADABLE: "folders that could not be read",
    ProblemKind.VANISHED: "vanished while being looked at",
    ProblemKind.CHANGED_WHILE_READ: "changed while being read",
    ProblemKind.SUSPICIOUS: "suspicious",
    ProblemKind.INVALID: "cannot be parsed (stored as they are)",
    ProblemKind.SYMLINK: "links, not followed",
    ProblemKind.SPECIAL_FILE: "special files",
    ProblemKind.TOO_LARGE: "over the size limit",
    ProblemKind.IN_THE_WAY: "left alone: something else is in the way",
    ProblemKind.KEPT: "left alone",
    ProblemKind.NOT_WRITTEN: "could not be written",
}
_EXTENTS = {
    "prefix": "indexed in part, the rest as text",
    "raw": "indexed as the text they are, not by what is in them",
    "path": "not indexed but for their path",
}
_CODED = (ProblemKind.INVALID, ProblemKind.SUSPICIOUS)
_CODE = re.compile(r"[a-z0-9_]+: ")
_STYLES = {Severity.INCOMPLETE: "red", Severity.WARNING: "yellow", Severity.SKIPPED: "dim"}


def show_partly(output: Output, partly: Sequence[PartlyIndexed]) -> None:
    """Prints which sound documents a search finds in part only, and why."""
    for extent, title in _EXTENTS.items():
        members = [one for one in partly if one.extent == extent]
        if members:
            output.say(styled(f"{title}: {len(members):,}", "yellow"))
        for one in members[:SHOWN]:
            output.say("  ", one.path, styled(f"  {without_code(one.note)}", "dim"))
        if len(members) > SHOWN:
            output.say(styled(f"… and {len(members) - SHOWN:,} more; the table index_notes has them all", "dim"))


def show_problems(output: Output, problems: Sequence[Problem], *, see_all: str = "", limit: int = SHOWN) -> None:
    """Prints problems by kind, the gravest first, even when quiet.

    Args:
        see_all: What to type to see those beyond the limit.
        limit: How many to print at most.
    """
    say = output.warn if output.is_quiet else output.say
    room = shutil.get_terminal_size().columns if is_terminal(err=output.is_quiet) else 0
    left = limit
    for kind in ProblemKind:
        members = [problem for problem in problems if problem.kind is kind]
        if not members:
            continue
        say(styled(f"{_TITLES[kind]}: {len(members):,}", _STYLES[kind.severity]))
        for problem in members[:left]:
            message = without_code(problem.message) if kind in _CODED else problem.message
            if room and len(problem.path) + len(message) + 4 > room:
                say("  ", problem.path)
                say("    ", styled(message, "dim"))
            else:
                say("  ", problem.path, styled(f"  {message}", "dim"))
        left -= min(left, len(members))
    if len(problems) > limit:
        more = units.count(len(problems) - limit, "more problem")
        say(styled(f"… and {more}" + (f"; '{see_all}' lists all" if see_all else ""), "dim"))


def without_code(error: str) -> str:
    """Returns what is wrong with a content in words alone; the code in front of them is for programs."""
    return error[match.end() :] if (match := _CODE.match(error)) else error
