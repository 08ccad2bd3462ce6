"""Prints scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from archive.cli import options
from archive.cli.group import COMPLETE, NAME
from archive.cli.group import command as as_command
from archive.cli.output import Output

SHELLS = ("bash", "zsh", "fish")


@as_command(
    "completion",
    "archive completion bash >> ~/.bashrc",
    "archive completion zsh >> ~/.zshrc",
    "archive completion fish > ~/.config/fish/completions/archive.fish",
)
@click.argument("shell", type=click.Choice(SHELLS))
@options.output()
@click.pass_context
def command(ctx: click.Context, output: Output, shell: str) -> None:
    """Print the script that completes commands in a shell.

    Commands, options, labels of snapshots and paths of documents are completed.

    With --json: `shell` and `script`.
    """
    completion = get_completion_class(shell)
    assert completion is not None
    script = completion(ctx.find_root().command, {}, NAME, COMPLETE).source()
    if output.as_json:
        output.json({"shell": shell, "script": script})
    else:
        output.text(script)
