"""Shows what changed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from archive.cli import completing, options, units
from archive.cli.changes import apart, compact, cut, item_lines
from archive.cli.group import COMMANDS, Command
from archive.cli.locate import Place
from archive.cli.output import Cell, Output, document_line, styled
from archive.clock import SystemClock
from archive.errors import QueryError
from archive.model.diff import Diff, FileChange, FileDiff, PointerChange, ValueChange
from archive.moment import parse_moment

_SIGNS = {
    FileChange.ADDED: styled("+", "green"),
    FileChange.REMOVED: styled("-", "red"),
    FileChange.MODIFIED: styled("~", "yellow"),
    FileChange.TOUCHED: styled("t", "dim"),
}
# In the context's `meta`: the arguments behind `--`.
_BEHIND = "archive.diff.paths"


class DiffCommand(Command):
    """Is a command that remembers which of its arguments stood behind `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes everything behind `--` out of the arguments, so that no path there is taken for a moment."""
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_BEHIND] = tuple(args[end + 1 :])
        return super().parse_args(ctx, args[:end])


@click.command(
    "diff",
    cls=DiffCommand,
    short_help=COMMANDS["diff"],
    examples=(
        "archive diff   # what the last backup brought",
        "archive diff latest~3 agents/tasks.json",
        "archive diff yesterday now agents '*.md'",
        "archive diff 12 20230401_120000 --stat",
        "archive diff 12 -- now   # a file called 'now'",
    ),
)
@click.argument("arguments", nargs=-1, metavar="[A] [B] [PATH]...", type=options.A_PATH, shell_complete=completing.moments)
@click.option("--touched", is_flag=True, help="Also list files of which only the mode or the time changed.")
@click.option("--stat", is_flag=True, help="Name the files only.")
@click.option("--values", "by_pointer", is_flag=True, help="Show each changed value of JSON by its pointer.")
@options.output()
@options.place()
@click.pass_context
def command(
    ctx: click.Context,
    place: Place,
    output: Output,
    arguments: tuple[str, ...],
    stat: bool,
    by_pointer: bool,
    touched: bool,
) -> None:
    """Show what changed between two moments.

    A is the older moment, latest~1 by default; B is the newer one, latest by default. The second argument is B if it has
    the form of a moment (an id, a label, a time), else a path; everything behind -- is a path. Paths can be folders and
    globs too.

    For JSON it says which items came, went and changed, and what in them: ~ changed, + added, - removed; --values shows
    each value by its pointer instead. For other text it is a unified diff. Files are marked + added, - removed, ~ modified,
    t touched: other mode or time, same content; these are only counted unless --touched is given.

    With --json: the snapshots `old` and `new`, and `files`, a list with `items`, `values` and `text`.
    """
    old, new, paths = understand(arguments, ctx.meta[_BEHIND])
    _require_moment(old)
    with place.open() as archive:
        # Ids, so that both ends are those of one moment although another process may be writing.
        new = str(archive.snapshot(new).id)
        old = str(archive.snapshot(old).id)
        found = archive.diff(old, new, patterns=place.document_paths(paths), inside=not stat)
    if output.as_json:
        output.json(found.to_json())
    else:
        _show(output, found, with_touched=touched, by_pointer=by_pointer)


def understand(arguments: tuple[str, ...], behind: tuple[str, ...] = ()) -> tuple[str, str, tuple[str, ...]]:
    """Returns the older moment, the newer one and the paths that the arguments mean.

    Args:
        arguments: Those in front of `--`.
        behind: Those behind it.
    """
    old = arguments[0] if arguments else "latest~1"
    rest = arguments[1:]
    if rest and _is_moment(rest[0]):
        return old, rest[0], (*rest[1:], *behind)
    return old, "latest", (*rest, *behind)


def _is_moment(text: str) -> bool:
    try:
        parse_moment(text, SystemClock().now(), SystemClock().localize)
    except QueryError:
        return False
    return True


def _require_moment(text: str) -> None:
    """Raises where the first argument is none; it is mostly a path then."""
    if not _is_moment(text):
        raise QueryError(
            f"{text!r} is not a moment",
            hint=f"Give the moment first, as in: archive diff latest~1 {shlex.quote(text)}",
            at=text,
        )


def _show(output: Output, diff: Diff, *, with_touched: bool, by_pointer: bool) -> None:
    old, new = diff.old, diff.new
    output.say(styled(f"{old.id} ({old.label}) → {new.id} ({new.label})", "dim"))
    for file in diff.files:
        if file.change is FileChange.TOUCHED and not with_touched:
            continue
        for line in _file_lines(file, by_pointer=by_pointer):
            output.say(*line)
    summary = _summary(diff)
    if not with_touched and any(file.change is FileChange.TOUCHED for file in diff.files):
        summary += " (mode or time only; --touched lists them)"
    output.say(styled(summary, "dim"))


def _file_lines(file: FileDiff, *, by_pointer: bool) -> Iterator[tuple[Cell, ...]]:
    yield _SIGNS[file.change], " ", styled(file.path, "bold"), styled(f"  {_sizes(file)}", "dim")
    if by_pointer:
        for change in file.values:
            yield "    ", *_value_line(change)
    else:
        for line in item_lines(file.items):
            yield "    ", *line
    for text in file.text:
        yield "    ", document_line(text, _line_style(text))
    if file.note:
        yield "    ", styled(file.note, "dim")


def _value_line(change: PointerChange) -> tuple[Cell, ...]:
    pointer = styled(change.pointer or "(the whole document)", "cyan")
    if change.change is ValueChange.ADDED:
        return styled("+ ", "green"), pointer, ": ", styled(cut(change.new), "green")
    if change.change is ValueChange.REMOVED:
        return styled("- ", "red"), pointer, ": ", styled(cut(change.old), "red")
    old, new = apart(compact(change.old), compact(change.new))
    return styled("~ ", "yellow"), pointer, ": ", styled(old, "red"), " → ", styled(new, "green")


def _line_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


def _sizes(file: FileDiff) -> str:
    if file.old is None or file.new is None:
        state = file.new or file.old
        return "" if state is None else units.size(state.size_bytes)
    if file.change is FileChange.TOUCHED:
        return "mode or time only"
    return f"{units.size(file.old.size_bytes)} → {units.size(file.new.size_bytes)}"


def _summary(diff: Diff) -> str:
    if not diff.files:
        return "no differences"
    counts = [(change, sum(file.change is change for file in diff.files)) for change in FileChange]
    return ", ".join(f"{number:,} {change.value}" for change, number in counts if number)
