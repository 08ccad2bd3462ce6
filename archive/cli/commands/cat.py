"""Prints documents."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from archive.cli import completing, options
from archive.cli.escaping import pretty_json
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.cli.trouble import without_code
from archive.errors import DocumentNotFound, UsageError
from archive.extract.places import is_text_place
from archive.model.base import Json
from archive.model.documents import ParseState

if TYPE_CHECKING:
    from archive.api import Archive


class Found(NamedTuple):
    """A document, the pointer into it or None, and the moment."""

    path: str
    pointer: str | None
    at: str
    data: bytes


@as_command(
    "cat",
    "archive cat agents/tasks.json --at '2 hours ago'",
    "archive cat 'agents/tasks.json#/active_projects/website/phases' --at latest~3",
    "archive cat 'docs/roadmap.md#/Roadmap/Summer' --at yesterday",
    "archive cat agents/functions.json --version 4 > functions.json",
)
@click.argument("target", metavar="PATH[#POINTER]", type=options.A_PATH, shell_complete=completing.documents)
@options.at
@click.option("--version", "number", type=click.IntRange(min=1), metavar="N", help="Version N, as 'archive log' counts.")
@options.output()
@options.place()
@click.pass_context
def command(ctx: click.Context, place: Place, output: Output, target: str, at: str, number: int | None) -> None:
    """Print a document, or one value of it, as it was.

    Without a pointer, exactly the bytes that were stored. With an RFC 6901 pointer, the value there as JSON; in JSONL the
    first step counts the records from 0, and where a document is damaged the pointer looks into the part that can be read.
    Lines can be named too, as #L10-L20, and in Markdown the way of headings, as #/Plans/Summer: that prints their text. A
    document whose name really contains '#' comes first.

    With --json: `path`, `snapshot`, `state`, `error`, and `text` or, where it is not UTF-8, `base64`; with a pointer `pointer`
    and `value`.
    """
    if number is not None and ctx.get_parameter_source("at") is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--at and --version exclude each other", hint="A version has its own moment; leave --at out.")
    with place.open() as archive:
        if number is None:
            at = str(archive.snapshot(at).id)
        found = _find(archive, place.document_path(target), at, number)
        snapshot = archive.snapshot(found.at)
        named = archive.documents(at=found.at, patterns=[found.path])
        document = next(each for each in named if each.path == found.path)
        value = None if found.pointer is None else archive.read_value(found.path, found.pointer, at=found.at)
    if output.as_json:
        about: dict[str, Json] = {
            "path": found.path,
            "snapshot": snapshot.to_json(),
            "state": document.state.value,
            "error": document.error,
        }
        if found.pointer is None:
            output.json({**about, **_content(found.data)})
        else:
            output.json({**about, "pointer": found.pointer, "value": value})
    elif found.pointer is None:
        output.raw(found.data)
    elif is_text_place(document.kind, found.pointer):
        output.raw(str(value).encode("utf-8", "replace"))
    else:
        output.text(pretty_json(value))
        if document.state is ParseState.INVALID:
            output.warn(styled("damaged:", "yellow"), f" {found.path} {without_code(document.error)}; this is what can be read")


def _find(archive: Archive, target: str, at: str, number: int | None) -> Found:
    """Returns the document that is meant; raises what is wrong with the likeliest reading."""
    wrong: DocumentNotFound | None = None
    for path, pointer in readings(target):
        try:
            moment = at if number is None else _moment_of(archive, path, number)
            return Found(path, pointer, moment, archive.read(path, at=moment))
        except DocumentNotFound as error:
            wrong = error  # in the end, the one about the shortest name: with a pointer behind it, that is what was meant
    assert wrong is not None
    raise wrong


def readings(target: str) -> Iterator[tuple[str, str | None]]:
    """Returns what `PATH#POINTER` can mean: the whole as a path, then each split at a `#`, the last first."""
    yield target, None
    end = len(target)
    while (end := target.rfind("#", 0, end)) > 0:
        yield target[:end], target[end + 1 :]


def _moment_of(archive: Archive, path: str, number: int) -> str:
    """Returns the snapshot that brought a version of a document."""
    versions = archive.history(path).versions
    for version in versions:
        if version.number == number:
            return str(version.snapshot)
    raise DocumentNotFound(
        f"{path} has no version {number}, only {versions[0].number} to {versions[-1].number}",
        hint="Run 'archive log PATH' to see them.",
        path=path,
    )


def _content(data: bytes) -> dict[str, Json]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
