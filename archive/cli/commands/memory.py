"""Gives a project its memory back."""

from __future__ import annotations

from dataclasses import replace

import click

from archive.cli import completing, options
from archive.cli.escaping import pretty_json
from archive.cli.group import command as as_command
from archive.cli.locate import FOLDER, Place
from archive.cli.output import Cell, Column, Output, styled
from archive.errors import EXIT_INCOMPLETE, ArchiveNotFound, ConfigError, CorruptArchive, SchemaMismatch
from archive.model.memory import Memory, MemoryCategory, MemoryDocument, MemorySource, MemoryTrouble, TroubleKind

_COLUMNS = (
    Column("category"),
    Column("source"),
    Column("snapshot", is_right=True),
    Column("age", is_right=True),
    Column("state"),
    Column("document", is_wide=True),
)
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SOURCES = ("auto", "mcp", "files", "archive")


@as_command(
    "memory",
    "archive memory",
    "archive memory --category tasks --content",
    "archive memory --at '2 hours ago' --json",
    "archive memory --source archive   # as if all files were gone",
)
@click.option(
    "--at",
    default=None,
    metavar="MOMENT",
    help=f"A moment of the past, from the archive alone: {options.MOMENT_HELP}.",
    shell_complete=completing.moments,
)
@click.option("--category", "categories", multiple=True, metavar="NAME", help="Only this category; may be given several times.")
@click.option("--source", "origin", type=click.Choice(_SOURCES), default="auto", help="Ask this source alone.")
@click.option("--content", "is_content", is_flag=True, help="Print the content of each category, as one JSON object.")
@click.option("--strict", is_flag=True, help="Exit with 3 also where something older had to stand in.")
@options.output()
@options.place(source_option="--project")
@click.pass_context
def command(
    ctx: click.Context,
    place: Place,
    output: Output,
    at: str | None,
    categories: tuple[str, ...],
    origin: str,
    is_content: bool,
    strict: bool,
) -> None:
    """Give the project's memory back, whatever of it is broken.

    Each document comes from the first source that has it whole: the memory server named in archive.toml for its knowledge
    graph, else the file, else the newest reliable version in the archive. Files that are missing, empty, torn, full of
    conflict markers, not UTF-8, with a name twice, or suddenly much smaller are passed over, and it says so. Without an
    archive, files and server are all there is.

    Without --category, all categories but docs and data are given; see 'archive init'. Exits with 3 if something has no whole
    content anywhere.

    With --json: `as_of`, `snapshot`, `troubles`, and `categories`, a list; each has `name`, `source`, `path`, `snapshot`,
    `age_s`, `valid` and `troubles` of the document that speaks for it, and all of its `documents` with their `content`.
    """
    memory = _load(place, at, categories, origin)
    if output.as_json:
        output.json(memory.to_json())
    elif is_content:
        output.text(pretty_json({category.name: category.content for category in memory.categories}))
        _show_troubles(output, memory, err=True)
    else:
        _show(output, memory)
    is_valid = all(category.valid for category in memory.categories)
    if not is_valid or (strict and not memory.is_whole):
        ctx.exit(EXIT_INCOMPLETE)


def _load(place: Place, at: str | None, categories: tuple[str, ...], origin: str) -> Memory:
    try:
        settings, rules = place.config.memory, place.config.rules
    except ConfigError as error:
        # The memory is wanted most where files are broken, and the settings are one of them.
        known = replace(place, db_given=place.db_given or place.root / FOLDER / "archive.db")
        try:
            with known.open() as archive:
                memory = archive.load_memory(place.root, at=at, categories=categories, source=origin)
        except ArchiveNotFound:
            raise error from None
        trouble = MemoryTrouble(
            MemorySource.FILES, TroubleKind.UNREADABLE, f"{error.message}; the last backup's settings count"
        )
        return replace(memory, troubles=(trouble, *memory.troubles))
    try:
        with place.open() as archive:
            # Rules that were given to the backup on its command line are known to the archive alone.
            given = rules if place.config.file is not None else None
            return archive.load_memory(place.root, at=at, categories=categories, source=origin, rules=given, settings=settings)
    except (ArchiveNotFound, CorruptArchive, SchemaMismatch) as error:
        if at is not None or origin == "archive":
            raise
        from archive.clock import SystemClock
        from archive.memory import MemoryRequest, load_without_archive
        from archive.storage.connection import files_of

        request = MemoryRequest(
            root=place.root,
            rules=rules,
            settings=settings,
            source=origin,
            categories=categories,
            exclude_paths=files_of(place.db),
        )
        return load_without_archive(error, request, SystemClock())


def _show(output: Output, memory: Memory) -> None:
    rows = [_row(category, document) for category in memory.categories for document in category.documents]
    if rows:
        output.table(_COLUMNS, rows)
    for category in memory.categories:
        if not category.documents:
            output.say(f"nothing was ever kept in category {category.name}")
    if not memory.categories:
        output.say("there is no memory: no document of any category but docs and data")
    _show_troubles(output, memory, err=False)


def _row(category: MemoryCategory, document: MemoryDocument) -> list[Cell]:
    if document.source is MemorySource.NONE:
        state = styled("lost", "red")
    elif not document.valid:
        state = styled("damaged", "red")
    else:
        state = styled("valid, see below", "yellow") if document.troubles else styled("valid", "green")
    return [
        styled(category.name, "bold" if document is category.main else ""),
        document.source.value,
        "-" if document.snapshot is None else str(document.snapshot),
        "-" if document.age_s is None else _age(document.age_s),
        state,
        document.path,
    ]


def _show_troubles(output: Output, memory: Memory, *, err: bool) -> None:
    say = output.warn if err else output.say
    for trouble in memory.troubles:
        say(styled(f"{trouble.source.value}:", "yellow"), f" {trouble.message}")
    for category in memory.categories:
        for document in category.documents:
            for trouble in document.troubles:
                say(
                    styled(f"{trouble.source.value} {trouble.kind.value}:", "yellow"),
                    f" {document.path}  ",
                    styled(trouble.message, "dim"),
                )


def _age(seconds: float) -> str:
    """Returns an age in its largest unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:,.0f} {unit}"
    return "0 s"
