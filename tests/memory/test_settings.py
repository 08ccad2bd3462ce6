from __future__ import annotations

from pathlib import Path

import pytest

from archive.config import load_config
from archive.errors import ConfigError
from archive.model.memory import MemoryServer, MemorySettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MemorySettings()),
        ("[memory]\nshrunken_below = 0.8", MemorySettings(shrunken_below=0.8)),
        ("[memory]\nshrunken_below = 0", MemorySettings(shrunken_below=0.0)),
        ('[mcp]\ncommand = ["a", "b"]', MemorySettings(server=MemoryServer(command=("a", "b")))),
        ('[mcp]\ncommand = "a"', MemorySettings(server=MemoryServer(command=("a",)))),
        (
            '[mcp]\nurl = "https://x/mcp"\nheaders = {A = "b"}\ntimeout = 5\nname = "team"',
            MemorySettings(server=MemoryServer(url="https://x/mcp", headers={"A": "b"}, timeout_s=5.0, name="team")),
        ),
        ('[mcp]\nfile = "memory.jsonl"', MemorySettings(server=MemoryServer(file="memory.jsonl"))),
        (
            '[mcp]\ncommand = ["a"]\nenv = {MEMORY_FILE_PATH = "/m"}',
            MemorySettings(server=MemoryServer(command=("a",), env={"MEMORY_FILE_PATH": "/m"}, file="/m")),
        ),
        (  # the server takes it from its own folder, which is not known here
            '[mcp]\ncommand = ["a"]\nenv = {MEMORY_FILE_PATH = "m"}',
            MemorySettings(server=MemoryServer(command=("a",), env={"MEMORY_FILE_PATH": "m"})),
        ),
    ],
)
def test_what_the_tables_say_is_what_the_settings_are(tmp_path: Path, text: str, expected: MemorySettings) -> None:
    (tmp_path / "archive.toml").write_text(text)
    assert load_config(tmp_path).memory == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mcp]", "[mcp] has to have either a command or a url"),
        ('[mcp]\ncommand = ["a"]\nurl = "http://x"', "[mcp] has to have either a command or a url"),
        ("[mcp]\ncommand = []", "command has to name a program"),
        ("[mcp]\ncommand = [1]", "command has to be a list of texts"),
        ('[mcp]\ncommand = ""', "command has to name a program"),
        ('[mcp]\nurl = "localhost:3000"', "url has to begin with http:// or https://, and 'localhost:3000' does not"),
        ('[mcp]\nurl = ""', "url has to be a text that is not empty"),
        ('[mcp]\ncommand = ["a"]\ntimeout = "2 s"', "timeout has to be a number from 0.01 to 600"),
        ('[mcp]\ncommand = ["a"]\ntimeout = 0', "timeout has to be a number from 0.01 to 600"),
        ('[mcp]\ncommand = ["a"]\ntimeout = true', "timeout has to be a number from 0.01 to 600"),
        ('[mcp]\ncommand = ["a"]\nname = "../x"', "'../x' is no name of a document"),
        ('[mcp]\ncommand = ["a"]\nenv = {A = 1}', "env has to be a table of texts"),
        ('[mcp]\nurl = "http://x"\nenv = {A = "1"}', "env is for a command"),
        ('[mcp]\ncommand = ["a"]\nheaders = {A = "1"}', "headers are for a url"),
        ('[mcp]\ncomand = ["a"]', "'comand' is not a setting of [mcp]"),
        ("[memory]\nshrunken_below = 1.5", "shrunken_below has to be a number from 0 to 1"),
        ("[memory]\nshrunken_below = nan", "shrunken_below has to be a number from 0 to 1"),
        ("[memory]\nshrunken = 0.5", "'shrunken' is not a setting of [memory]"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "archive.toml").write_text(f"db = 'x.db'\n\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert message in caught.value.message
    assert caught.value.message.startswith("archive.toml line ")
    assert caught.value.hint


def test_a_name_that_is_nearly_right_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "archive.toml").write_text('[mcp]\ncomand = ["a"]')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert caught.value.hint == "Did you mean 'command'?"
