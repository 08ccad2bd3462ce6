"""Is the command line: finds the archive, calls the library, and prints what it returns.

It holds no rules of its own about backups. Here alone the environment is read and the terminal written to.
"""

from __future__ import annotations

import click

from archive import __version__
from archive.cli.group import CommandGroup


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s", prog_name="archive")
def main() -> None:
    """Remember every state of a project's JSON data and documents in one SQLite file.

    Start with 'archive backup' in the project's folder, or look at 'archive demo'. Commands find the project by going up
    from the current folder to one that holds archive.toml or .archive.

    \b
    Exit codes:
      0  done                   10  no such archive, snapshot or document
      1  failed                 11  locked by another process
      2  wrong usage            12  archive of another version
      3  done, but some files   13  corrupt
         could not be read
    """  # noqa: D301 (click takes the control character \\b for "leave this paragraph as it is")
