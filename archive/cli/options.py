"""Holds the options that commands share, each as a decorator that hands on one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from archive.cli import completing, faults
from archive.cli.locate import DB_VARIABLE, DEFAULT_WAIT_S, find_place
from archive.cli.output import Output

Function = Callable[..., Any]
# Whether a path can be read is not for click to say: it calls that wrong usage.
A_PATH = click.Path(readable=False)
MOMENT_HELP = "id, label (20230401_120000), ISO time, '2 hours ago', latest, latest~3"


def place(
    *, root_argument: bool = False, is_new: bool = False, source_option: str = "--source"
) -> Callable[[Function], Function]:
    """Gives the command a `place`: where the project and the archive are.

    Args:
        root_argument: Whether the root is an argument of the command rather than an option.
        is_new: Whether the command is about a project to be: then it is the current folder and none above it.
        source_option: What the option that names the archive's source is called.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, root: str | None, db: str | None, source: str | None, wait: float, **rest: Any) -> Any:
            if is_new and root is None:
                root = "."
            # A program may run commands in an environment of its own; the demonstration does.
            found = find_place(
                root=root, db=db, source=source, wait_s=wait, **(click.get_current_context().find_root().obj or {})
            )
            return function(*args, place=found, **rest)

        call = click.option(
            "--wait",
            type=click.FloatRange(min=0, max=10**6),
            default=DEFAULT_WAIT_S,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait while another process writes to the archive.",
        )(call)
        call = click.option(source_option, "source", metavar="NAME", help="The source, where the archive holds several.")(call)
        call = click.option(
            "--db",
            metavar="PATH",
            type=click.Path(dir_okay=False, readable=False),
            help=f"The archive's file; else {DB_VARIABLE}, else what archive.toml says, else .archive/archive.db.",
        )(call)
        if root_argument:
            return click.argument("root", required=False, type=A_PATH)(call)
        return click.option(
            "-C", "--root", metavar="DIR", type=A_PATH, help="The project's folder, if it is not the current one."
        )(call)

    return decorate


def output(*, quiet: bool = False) -> Callable[[Function], Function]:
    """Gives the command an `output`: --json, and where it may be long or loud, --quiet."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, as_json: bool, is_quiet: bool = False, **rest: Any) -> Any:
            return function(*args, output=Output(as_json=as_json, is_quiet=is_quiet), **rest)

        if quiet:
            call = click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Print nothing but trouble.")(call)
        return click.option(
            "--json", "as_json", is_flag=True, is_eager=True, callback=_remember_json, help="Print the result as JSON."
        )(call)

    return decorate


def at(function: Function) -> Function:
    """Gives the command `at`: the moment it is about."""
    return click.option(
        "--at",
        default="latest",
        metavar="MOMENT",
        help=f"The moment: {MOMENT_HELP}.",
        shell_complete=completing.moments,
    )(function)


def documents(name: str, metavar: str) -> Callable[[Function], Function]:
    """Gives the command any number of paths, folders and globs."""
    return click.argument(name, nargs=-1, metavar=metavar, type=A_PATH, shell_complete=completing.documents)


def _remember_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
    """Lets the handler of errors know, whatever goes wrong later."""
    if value:
        ctx.meta[faults.JSON_KEY] = True
    return value
