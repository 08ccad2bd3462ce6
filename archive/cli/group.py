"""Lists the commands, imports each one only when it is run, and turns errors into exit codes.

`archive --help` and `archive version` import neither the database nor rich: what help says of a command stands here, and
is compared with the command's own help by a test.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from archive.cli import faults

NAME = "archive"
COMPLETE = "_ARCHIVE_COMPLETE"

# Commands by topic, in the order in which people meet them.
TOPICS: dict[str, dict[str, str]] = {
    "Back up": {
        "init": "Write archive.toml and show what a backup would take in.",
        "backup": "Add a snapshot of a folder to its archive.",
        "demo": "Show it all on a small sample project.",
    },
    "Look back": {
        "snapshots": "List the snapshots.",
        "ls": "List the documents of a moment.",
        "cat": "Print a document, or one value of it, as it was.",
        "log": "List all versions of a document, the last valid one marked.",
        "diff": "Show what changed between two moments.",
        "problems": "List what could not be read, understood or taken in.",
    },
    "Ask": {
        "search": "Find what was said where, now and over all history.",
        "tasks": "List tasks, and say what can be worked on.",
        "inspect": "Show the archive in a browser, with Datasette.",
        "sql": "Ask the archive with SQL, reading only.",
        "schema": "Explain the tables and views, with a query for each.",
    },
    "Bring back": {
        "restore": "Bring back files as they were.",
        "undo": "Take the last restore in place back.",
        "memory": "Give the project's memory back, whatever of it is broken.",
        "recovery-package": "Make a folder that brings it all back without this program.",
    },
    "Look after the archive": {
        "check": "Prove that everything stored is readable and unaltered.",
        "stats": "Show what the archive holds and what it costs.",
        "reindex": "Make the search index anew, or prove that it is right.",
        "upgrade": "Bring an archive of an older version up to date.",
    },
    "About the program": {
        "version": "Show the version of the program.",
        "completion": "Print the script that completes commands in a shell.",
    },
}
COMMANDS = {name: help_ for topic in TOPICS.values() for name, help_ in topic.items()}


class Command(click.Command):
    """Is a command whose help ends with examples.

    Attributes:
        examples: Command lines, each with an explanation behind a `#` if it wants one.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, each on a line of its own however long it is."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(" " * formatter.current_indent + example + "\n")
        super().format_epilog(ctx, formatter)

    def example_arguments(self) -> list[list[str]]:
        """Returns the arguments of each example, as a shell would pass them to this command."""
        return [shlex.split(example, comments=True)[2:] for example in self.examples]


def command(name: str, *examples: str, **attributes: Any) -> Callable[[Callable[..., None]], Command]:
    """Makes a function the command of that name."""
    return click.command(name, cls=Command, short_help=COMMANDS[name], examples=examples, **attributes)


class CommandGroup(click.Group):
    """Is the program: finds commands by name and holds the rules of how it ends."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"archive.cli.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that is to be run; a wrong name gets the names like it."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command '{name}'{_did_you_mean(name)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands by topic, without importing them."""
        width = max(map(len, COMMANDS))
        for topic, commands in TOPICS.items():
            with formatter.section(topic):
                formatter.write_dl([(f"{name:<{width}}", help_) for name, help_ in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Completes names of commands, without importing them."""
        found = [CompletionItem(name, help=help_) for name, help_ in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs the program and exits; click's own handling of errors is not used."""
        if not standalone_mode or os.environ.get(COMPLETE):
            return super().main(args, prog_name or NAME, complete_var, standalone_mode, **extra)
        _require_streams()
        _let_anything_be_printed()
        return self._run_and_exit(list(sys.argv[1:] if args is None else args) or ["--help"], extra)

    def _run_and_exit(self, args: list[str], extra: dict[str, Any]) -> NoReturn:
        context: click.Context | None = None
        try:
            context = self.make_context(NAME, args.copy(), **extra)
            with context:
                self.invoke(context)
            code = 0
        except BaseException as error:  # the outermost frame: what is raised here would be a traceback
            if isinstance(error, SystemExit | GeneratorExit):
                raise
            meta = {} if context is None else context.meta
            code = faults.exit_code_for(
                error,
                as_json=meta.get(faults.JSON_KEY, isinstance(error, click.UsageError) and _asks_for_json(args)),
                interrupted=meta.get(faults.INTERRUPTED_KEY, ""),
            )
        sys.exit(faults.flush() or code)


def _asks_for_json(args: list[str]) -> bool:
    """Whether --json is among arguments that could not be parsed as a whole."""
    return "--json" in (args[: args.index("--")] if "--" in args else args)


def _did_you_mean(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 2)
    return f", did you mean {' or '.join(near)}?" if near else ""


def _require_streams() -> None:
    """Opens standard streams that were closed (`>&-`, some daemons): else the archive's file would get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def _let_anything_be_printed() -> None:
    """Where the locale's encoding lacks a character, it is escaped rather than an error in the middle of the output."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
