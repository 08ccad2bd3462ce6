"""Shows everything on a sample."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.output import Output
from archive.errors import EXIT_FAILED


@as_command("demo", "archive demo", "archive demo --keep   # leaves the folder for you to try things in")
@click.option("--keep", is_flag=True, help="Leave the sample project and its archive.")
@options.output()
@click.pass_context
def command(ctx: click.Context, output: Output, keep: bool) -> None:
    """Show it all on a small sample project.

    Writes the project into a temporary folder, backs it up, edits and damages it, backs it up again, looks back, restores
    the first moment and compares every file, and takes the restore back. Nothing else on this machine is touched.

    With --json: `folder`, `is_kept`, `files`, `commands`, `restored_exactly`, `undone_exactly`, `is_good`, `duration_ms`.
    """
    from archive.cli.demo.story import Story

    folder = Path(tempfile.mkdtemp(prefix="archive-demo-")).resolve()
    try:
        result = Story(ctx.find_root().command, output, folder).tell(is_kept=keep)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if output.as_json:
        output.json(result.to_json())
    else:
        output.say()
        output.say(
            f"The sample is in {folder}: try 'archive log agents/memory.json' there."
            if keep
            else "Next: 'archive init' in a project of yours."
        )
    if not result.is_good:
        ctx.exit(EXIT_FAILED)
