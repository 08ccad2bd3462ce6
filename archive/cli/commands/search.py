"""Searches what the archive holds, now and over all history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

from archive.cli import completing, options, progress, units
from archive.cli.group import COMMANDS, Command
from archive.cli.locate import Place
from archive.cli.output import Cell, Output, styled
from archive.errors import UsageError
from archive.model.documents import Kind, ParseState
from archive.model.search import Hit, Note, NoteKind, Page, Span

# What click would take for an option, and a user means as a word to leave out.
_LEFT_OUT = re.compile(r"-(?![Ch]$|C[./~])[^\W_]|-\"")
_MARK = "\0"  # cannot be in an argument


class SearchCommand(Command):
    """Is a command whose arguments may begin with a dash: words to leave out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hides words to leave out from the parser of options; behind `--` all is words anyway."""
        valued = {
            name for one in self.get_params(ctx) if isinstance(one, click.Option) and not one.is_flag for name in one.opts
        }
        end = args.index("--") if "--" in args else len(args)
        given = [
            _MARK + arg if number < end and _LEFT_OUT.match(arg) and (not number or args[number - 1] not in valued) else arg
            for number, arg in enumerate(args)
        ]
        return super().parse_args(ctx, given)


@click.command(
    "search",
    cls=SearchCommand,
    short_help=COMMANDS["search"],
    examples=(
        "archive search map tiles",
        "archive search '\"light house\" OR beacon -draft path:agents/'",
        "archive search title:deploy --history",
        "archive search loadJsonMemory --at '2 hours ago'",
        "archive search --regex 'TASK-\\d+' --kind markdown",
    ),
)
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@click.option(
    "--at", metavar="MOMENT", help=f"Exactly what was there then: {options.MOMENT_HELP}.", shell_complete=completing.moments
)
@click.option("--history", is_flag=True, help="Everything that ever was, each item once.")
@click.option("--category", metavar="NAME", help="Only documents of this category.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only documents of this kind.")
@click.option("--path", "path", metavar="GLOB", help="Only documents with such a path, or with this text in it.")
@click.option("--since", metavar="MOMENT", help="Only what came or changed since.")
@click.option("--until", metavar="MOMENT", help="Only what came or changed until then.")
@click.option("--substring", is_flag=True, help="Find the text inside words too; looks at every item.")
@click.option("--regex", is_flag=True, help="Take it as a regular expression; looks at every item.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="At most so many.")
@click.option("--cursor", metavar="CURSOR", help="The next page: what the page before says.")
@options.output()
@options.place()
def command(
    place: Place,
    output: Output,
    words: tuple[str, ...],
    at: str | None,
    history: bool,
    category: str | None,
    kind: str | None,
    path: str | None,
    since: str | None,
    until: str | None,
    substring: bool,
    regex: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """Find what was said where, now and over all history.

    What is found are items: objects of JSON, records of JSONL, sections of Markdown, stretches of other text. All words must
    be found, in any order and in any field of one item: "phrases", this OR that, -not, begin*, and title:,
    key:, path: or category: before a word. Anything else is text. Where nothing has all words, any of them counts, and the
    answer says so.

    Without options the current state is searched. --history finds each item once, as it was last when it matched, with the
    snapshots from the first to the last one that had it so.

    With --json: `items`, `total`, `total_is_exact`, `limit`, `cursor`, `notes`, and `sql`, the statement that finds the same.
    """
    query = " ".join(word.removeprefix(_MARK) for word in words)
    if at is not None and history:
        raise UsageError("--at and --history exclude each other", hint="Leave one of them out.")
    with progress.shown(output) as on_progress, place.open_indexed(on_progress) as archive:
        page = archive.search(
            query,
            at=at,
            history=history,
            category=category,
            kind=kind,
            path=path,
            since=since,
            until=until,
            substring=substring,
            regex=regex,
            limit=limit,
            cursor=cursor,
            on_progress=on_progress,
        )
    if output.as_json:
        output.json(page.to_json())
        return
    for note in page.notes:
        if note.kind is NoteKind.RELAXED:
            output.say(styled(note.message, "yellow"))
    for hit in page.items:
        for line in hit_lines(hit):
            output.say(*line)
    _close(output, page, is_history=history)


def hit_lines(hit: Hit) -> Iterator[tuple[Cell, ...]]:
    """Yields the lines that show a hit: where it is and what it is called, its words, when it was so, how to see it."""
    head: list[Cell] = [styled(hit.path, "bold")]
    around, _, last = hit.place.rpartition(" > ")
    is_named = last == hit.title  # then the title stands for the last part of the place, its words marked
    place = around if is_named else hit.place
    if place:
        head += [" ", *_marked(place, [span for span in hit.place_spans if span.end <= len(place)], "cyan")]
    if hit.title:
        head += [" > " if is_named and place else "  ", *_marked(hit.title, hit.title_spans)]
    if hit.state is ParseState.INVALID:
        head += ["  ", styled("damaged", "red")]
    elif hit.extent:
        head += ["  ", styled("by its path only" if hit.extent == "path" else "as text", "yellow")]
    if not hit.present:
        head += ["  ", styled("past", "yellow")]
    yield tuple(head)
    if hit.snippet:
        yield ("  ", *_marked(hit.snippet, hit.snippet_spans))
    yield "  ", styled(_span(hit), "dim"), "  ", styled(hit.command, "dim")


def _marked(text: str, spans: Sequence[Span], style: str = "") -> Iterator[Cell]:
    at = 0
    for start, end in spans:
        yield styled(text[at:start], style)
        yield styled(text[start:end], "yellow")
        at = end
    yield styled(text[at:], style)


def _span(hit: Hit) -> str:
    first, last = hit.first_seen, hit.last_seen
    since = f"{units.local_time(first.at)} ({first.snapshot})"
    states = f", {hit.states} states" if hit.states > 1 else ""
    if hit.present:
        return f"since {since}{states}"
    if first.snapshot == last.snapshot:
        return f"only {since}"
    return f"{since} to {units.local_time(last.at)} ({last.snapshot}){states}"


def _close(output: Output, page: Page[Hit], *, is_history: bool) -> None:
    if not page.items:
        output.say(styled("nothing found", "dim"))
    for note in page.notes:
        if note.kind is NoteKind.RELAXED:
            continue  # stands before the hits
        output.say(styled(_said(note, is_history=is_history), "yellow"))
        for suggestion in note.suggestions:
            output.say("  ", styled(suggestion, "bold"))
    if not page.items:
        return
    total = f"{'' if page.total_is_exact else 'at least '}{page.total:,}"
    is_part = page.total > len(page.items) or not page.total_is_exact
    output.say(styled(f"{len(page.items):,} of {total} hits" if is_part else units.count(page.total, "hit"), "dim"))
    if page.cursor:
        output.say(styled(f"next page: the same with --cursor {page.cursor}", "dim"))


def _said(note: Note, *, is_history: bool) -> str:
    if note.kind is NoteKind.PAST and not is_history:
        return note.message.partition(";")[0] + "; --history shows what was"
    if note.kind is NoteKind.DID_YOU_MEAN:
        return "did you mean"
    if note.kind is NoteKind.NOT_INDEXED and "wait" in note.message:
        return f"{note.message}: the next 'archive backup' indexes them, 'archive reindex' does so now"
    return note.message
