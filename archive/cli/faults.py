"""Turns whatever ends a command early into a message, a hint and an exit code; never a traceback."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TextIO

import click

from archive.cli.output import Output, OutputFailed, is_terminal, styled
from archive.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, ArchiveError

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXIT_PIPE = 141  # 128 + SIGPIPE
DEBUG = "ARCHIVE_DEBUG"

# In a click context's `meta`: whether --json was given, and what an interrupt leaves behind.
JSON_KEY = "archive.json"
INTERRUPTED_KEY = "archive.interrupted"

_INTERRUPTED = "interrupted; what was under way is in the archive as a whole or not at all"


def exit_code_for(error: BaseException, *, as_json: bool, interrupted: str = "") -> int:
    """Reports an error and returns the exit code of the process.

    Args:
        error: What was raised.
        as_json: Whether to print the error as an object on the standard output.
        interrupted: What to say after Ctrl-C, where the usual sentence would not be true.
    """
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case BrokenPipeError():
            _let_go_of(sys.stdout)
            return EXIT_PIPE
        case OutputFailed():
            return _output_failed(error)
        case ArchiveError():
            return _report(error.to_json(), as_json=as_json)
        case click.UsageError():
            return _report(_object("usage", _tidy(error.format_message()), _usage_hint(error), EXIT_USAGE), as_json=as_json)
        case click.ClickException():
            return _report(_object("failed", error.format_message(), "", error.exit_code), as_json=as_json)
        case KeyboardInterrupt() | click.Abort() | EOFError():
            if is_terminal(err=True):
                Output().warn()  # behind the ^C that the terminal shows
            message = interrupted or _INTERRUPTED
            return _report(_object("interrupted", message, "", EXIT_INTERRUPTED), as_json=as_json)
    return _unexpected(error, as_json=as_json)


def flush() -> int:
    """Writes out what is still buffered; returns the exit code, since only here a closed pipe or a full disk may show."""
    try:
        sys.stderr.flush()
    except OSError:
        _let_go_of(sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        return exit_code_for(error, as_json=False)
    except OSError as error:
        return _output_failed(error)
    return EXIT_OK


def _output_failed(error: BaseException) -> int:
    """Reports on the error stream, whatever --json says: the other one takes nothing any more."""
    _let_go_of(sys.stdout)
    cause = error.__cause__ or error
    why = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    message = f"the output could not be written: {why.lower()}"
    hint = "The command may have done its work all the same; run 'archive snapshots' to see."
    return _report(_object("failed", message, hint, EXIT_FAILED), as_json=False)


def _unexpected(error: BaseException, *, as_json: bool) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.strerror:
        name = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        message = error.strerror.lower() + name
        hint = f"Check the path and its permissions; {DEBUG}=1 in the environment shows where it happened."
    else:
        message = f"unexpected {type(error).__name__}: {error}" if str(error) else f"unexpected {type(error).__name__}"
        hint = f"Run it again with {DEBUG}=1 in the environment to see where it happened, and report it as a defect."
    return _report(_object("failed", message, hint, EXIT_FAILED), as_json=as_json)


def _report(error: dict[str, object], *, as_json: bool) -> int:
    if as_json:
        try:
            click.echo(json.dumps(error, indent=2, default=str))
        except OSError as failed:
            _output_failed(failed)
    else:
        output = Output()
        output.warn(styled("error:", "red"), " ", str(error["message"]))
        if error["hint"]:
            output.warn(styled("hint:", "cyan"), "  ", str(error["hint"]))
    exit_code = error["exit_code"]
    assert isinstance(exit_code, int)
    return exit_code


def _object(code: str, message: str, hint: str, exit_code: int) -> dict[str, object]:
    return {"error": code, "message": message, "hint": hint, "exit_code": exit_code, "context": {}}


def _tidy(message: str) -> str:
    """Puts one of click's messages in the form of ours: lower case, no period."""
    message = message.strip()
    lowered = message if message[:2].isupper() else message[:1].lower() + message[1:]
    return lowered.removesuffix(".")


def _usage_hint(error: click.UsageError) -> str:
    return f"Run '{error.ctx.command_path} --help' to see how it is used." if error.ctx is not None else ""


def _let_go_of(stream: TextIO) -> None:
    """Sends what is still buffered nowhere, so that Python's own last flush does not complain."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
