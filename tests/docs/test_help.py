"""Every command explains itself: a sentence, its options, its JSON, and examples that parse."""

from __future__ import annotations

import re

import click
import pytest

from archive.cli import main
from archive.cli.group import COMMANDS, NAME, TOPICS, Command

CONTEXT = click.Context(main, info_name=NAME)


def found(name: str) -> Command:
    command = main.get_command(CONTEXT, name)
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says_of_itself(name: str) -> None:
    command = found(name)
    assert command.name == name
    assert command.help is not None
    assert command.help.partition("\n")[0] == COMMANDS[name]
    assert len(COMMANDS[name]) <= 64  # or it would be wrapped at 80 columns


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_parse(name: str) -> None:
    command = found(name)
    assert command.examples
    for example, arguments in zip(command.examples, command.example_arguments(), strict=True):
        assert example.startswith(f"{NAME} {name}")
        # Only what is in front of a pipe or a redirection is the command's.
        own = re.split(r"[|>]+", " ".join(arguments))[0].split() if re.search(r" [|>]", example) else arguments
        with command.make_context(name, list(own), parent=click.Context(main)) as context:
            assert context.params


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_documents_its_json_and_every_option(name: str) -> None:
    command = found(name)
    help_ = command.get_help(click.Context(command, info_name=name, parent=CONTEXT))
    assert "With --json: " in " ".join(help_.split())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith("."), parameter.help
            assert parameter.opts[-1] in help_
    assert "Examples:\n" in help_


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_eighty_columns_but_for_examples(name: str) -> None:
    command = found(name)
    help_ = command.get_help(click.Context(command, info_name=name, parent=CONTEXT, terminal_width=80))
    text, _, examples = help_.partition("Examples:\n")
    assert max(map(len, text.splitlines())) <= 80
    assert max(map(len, examples.splitlines())) <= 100


def test_the_exit_codes_are_documented_on_the_first_page() -> None:
    help_ = main.get_help(CONTEXT)
    for code in ("0  done", "3  done, but", "10  no such", "11  locked", "12  archive of", "13  corrupt"):
        assert code in help_


def test_every_command_stands_under_one_topic() -> None:
    names = [name for topic in TOPICS.values() for name in topic]
    assert sorted(names) == sorted(set(names)) == sorted(COMMANDS)
