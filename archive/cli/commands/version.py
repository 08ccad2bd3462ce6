"""Tells which program this is."""

from __future__ import annotations

import platform

from archive import __version__
from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.output import Output


@as_command("version", "archive version", "archive version --json")
@options.output()
def command(output: Output) -> None:
    """Show the version of the program.

    With --json: `version`, `python` and `platform`.
    """
    if output.as_json:
        output.json({"version": __version__, "python": platform.python_version(), "platform": platform.platform()})
    else:
        output.say(f"archive {__version__} (Python {platform.python_version()})")
