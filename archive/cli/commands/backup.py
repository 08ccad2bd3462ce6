"""Adds snapshots."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from archive.cli import options, progress, trouble, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.config import parse_size
from archive.errors import EXIT_INCOMPLETE, ArchiveExists
from archive.model.snapshots import BackupResult, Problem, ProblemKind, Severity
from archive.rules import Rules

SHOWN_CHANGES = 10
SHOWN_IN_DRY_RUN = 200


def _parsed_size(ctx: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """Returns the bytes that a size such as `4096` or `256 MiB` means."""
    size = None if text is None else parse_size(text)
    if text is not None and size is None:
        raise click.BadParameter(f"{text!r} is not a size; write 4096, '256 MiB' or '1.5 GB'", ctx, parameter)
    return size


@as_command(
    "backup",
    "archive backup",
    "archive backup ~/project -m 'before the merge' --tag release",
    "archive backup --dry-run   # what would be added, changed and removed",
    "archive backup --only-if-changed --quiet   # for cron",
    "archive backup --exclude 'build/' --include '*.csv' --max-file-size '10 MiB'",
)
@click.option("-m", "--message", default="", metavar="TEXT", help="A note for people.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; may be given several times.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done; nothing is written.")
@click.option("--only-if-changed", is_flag=True, help="Add no snapshot if nothing changed since the last one.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Take in these files as well.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out these files or folders as well.")
@click.option("--gitignore", is_flag=True, default=None, help="Leave out what git ignores.")
@click.option("--max-file-size", callback=_parsed_size, metavar="SIZE", help="Leave out larger files.")
@click.option("--moved", is_flag=True, help="The source named by --source stands in this folder from now on.")
@click.option("--no-index", is_flag=True, help="Leave the search index to the next backup or search.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too: files that cannot be parsed, or shrank suddenly.")
@options.output(quiet=True)
@options.place(root_argument=True)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    place: Place,
    output: Output,
    message: str,
    tags: tuple[str, ...],
    dry_run: bool,
    only_if_changed: bool,
    no_index: bool,
    moved: bool,
    strict: bool,
    **rule_options: Any,
) -> None:
    """Add a snapshot of a folder to its archive.

    ROOT is the project's folder; without it, the nearest folder at or above the current one that has an archive or
    settings, else the current one. The archive is created if it is missing. When the command is done, the snapshot is
    durable; if it fails, the archive is as it was.

    What is backed up is said by archive.toml, or [tool.archive] in pyproject.toml; see 'archive init'.

    Exits with 3 if something could not be read; the snapshot holds everything else.

    With --json: `snapshot`, `created`, the paths `added`, `changed`, `touched` and `removed`, the number `unchanged`,
    `problems`, `skipped`, `is_complete`, and `index`: what became of the search index.
    """
    place.require_root()
    settings = {"message": message, "tags": tags, "only_if_changed": only_if_changed, "moved": moved}
    settings["index"] = not no_index
    is_new = not place.db.exists()
    result = _run(place, output, _rules(place.config.rules, **rule_options), dry_run=dry_run, **settings)
    if output.as_json:
        output.json(result.to_json())
    else:
        if is_new and not dry_run:
            output.say("created ", styled(str(place.db), "bold"))
        _show(output, place, result, dry_run=dry_run)
    if not result.is_complete or (strict and any(_is_news(result, problem) for problem in result.problems)):
        ctx.exit(EXIT_INCOMPLETE)


def _is_news(result: BackupResult, problem: Problem) -> bool:
    """Whether a problem holds of what is there now; that something shrank was so when it happened."""
    return problem.kind is not ProblemKind.SUSPICIOUS or problem.path in {*result.added, *result.changed}


def _run(place: Place, output: Output, rules: Rules, *, dry_run: bool, **settings: Any) -> BackupResult:
    from archive.api import Archive
    from archive.backup import BackupRequest, preview
    from archive.clock import SystemClock
    from archive.memory import virtual_documents

    source = place.source or place.config.source
    with progress.shown(output) as on_progress:
        if not place.db.exists():
            if dry_run:
                virtual = virtual_documents(place.config.memory, place.root, SystemClock())
                request = BackupRequest(root=place.root, rules=rules, virtual=virtual, on_progress=on_progress)
                return preview(None, None, request, SystemClock())
            _create(place, output)
        with Archive.open(place.db, mode="read" if dry_run else "write", source=source, wait_s=place.wait_s) as archive:
            settings |= {"dry_run": dry_run, "on_progress": on_progress}
            return archive.backup(place.root, rules=rules, memory=place.config.memory, **settings)


def _create(place: Place, output: Output) -> None:
    from archive.api import Archive

    try:
        Archive.create(place.db, wait_s=place.wait_s).close()
    except ArchiveExists:
        return  # another process was quicker


def _rules(
    rules: Rules,
    *,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    gitignore: bool | None,
    max_file_size: int | None,
) -> Rules:
    """Returns the project's rules with what the options add to them."""
    return replace(
        rules,
        include=(*rules.include, *include),
        exclude=(*rules.exclude, *exclude),
        gitignore=rules.gitignore if gitignore is None else gitignore,
        max_file_bytes=rules.max_file_bytes if max_file_size is None else max_file_size,
    )


def _show(output: Output, place: Place, result: BackupResult, *, dry_run: bool) -> None:
    snapshot = result.snapshot
    total = len(result.added) + len(result.changed) + len(result.touched) + len(result.removed)
    if dry_run:
        output.say(styled("dry run, nothing was written", "bold"), f"; a backup of {place.root} would find:")
    elif not result.created and snapshot is not None:
        output.say(f"nothing changed since snapshot {snapshot.id} ({snapshot.label}); no snapshot was added")
    elif snapshot is not None:
        output.say(
            styled(f"snapshot {snapshot.id}", "green"),
            f"  {snapshot.label}",
            f"  {snapshot.message}" if snapshot.message else "",
            styled("".join(f"  [{tag}]" for tag in snapshot.tags), "cyan"),
        )
        output.say(
            f"  {units.count(snapshot.documents, 'file')}, {units.size(snapshot.size_bytes)}; read"
            f" {units.size(snapshot.bytes_read)}, stored {units.size(snapshot.bytes_stored)}"
            f" in {units.seconds(snapshot.duration_ms)}"
        )
    if result.created or dry_run:
        output.say(f"  {_counts(result)}")
    if result.index is not None and result.index.problem:
        output.warn(f"  not indexed yet: {result.index.problem}; the next backup or search goes on with it")
    if total <= (SHOWN_IN_DRY_RUN if dry_run else SHOWN_CHANGES):
        _show_changes(output, result)
    _show_trouble(output, result, dry_run=dry_run)
    if result.index is not None:
        trouble.show_partly(output, result.index.partly)


def _counts(result: BackupResult) -> str:
    counts = [f"{len(getattr(result, name)):,} {name}" for name in ("added", "changed", "touched", "removed")]
    return ", ".join([*(text for text in counts if not text.startswith("0 ")), f"{result.unchanged:,} unchanged"])


def _show_changes(output: Output, result: BackupResult) -> None:
    signs = (("+", "green", result.added), ("~", "yellow", result.changed), ("t", "dim", result.touched))
    for sign, style, paths in (*signs, ("-", "red", result.removed)):
        for path in paths:
            output.say("  ", styled(sign, style), f" {path}")


def _show_trouble(output: Output, result: BackupResult, *, dry_run: bool) -> None:
    """Prints the problems that are new; those that stood before are counted, or each backup would repeat them."""
    looked_at = {*result.added, *result.changed}
    new = [each for each in result.problems if each.severity is Severity.INCOMPLETE or each.path in looked_at]
    trouble.show_problems(output, new, see_all="" if dry_run else "archive problems")
    older = len(result.problems) - len(new)
    if older:
        output.say(styled(f"{units.count(older, 'older warning')} still standing; 'archive problems' lists all", "dim"))
    if result.skipped:
        output.say(styled(f"skipped: {len(result.skipped):,} (links, special files, files over the limit)", "dim"))
    if not result.is_complete:
        output.warn(styled("incomplete:", "red"), " some of it could not be read; what was known of it was kept")
