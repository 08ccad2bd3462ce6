"""A file may be called anything: its name is found, kept and shown, and can neither garble nor command a terminal."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, run_on_terminal, run_program

NAMES = [
    b"new\nline.json",
    b"clear\x1b[2J\x1b[31mscreen.json",
    b"title\x1b]0;owned\x07.json",
    b"c1\xc2\x9b31m.json",
    b"back\x08\x08space.json",
    b"return\rreturn.json",
    b"tab\tbed.json",
    b"latin-\xe9-1.json",
    b"bidi-\xe2\x80\xae.json",
    b"[bold red]markup[/bold red].json",
    b":smile:.json",
    b"--json",
    b"-rf.json",
    b"'quoted' \"twice\" `once` $HOME.json",
    b"back\\slash\\n.json",
    b"#hash#/pointer.json",
    b"star*?[x].json",
    b" spaces .json",
    "nfc-é.json".encode(),
    "nfd-é.json".encode(),
    "犬吠埼.json".encode(),
    b"x" * 250 + b".json",
]
# What rich and click write for colours, bold, and bars.
STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[2K|\x1b\[1A")
HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COMMANDS = [
    ["backup", "--dry-run"],
    ["init", "--dry-run"],
    ["ls"],
    ["ls", "-l"],
    ["snapshots"],
    ["diff", "1", "2"],
    ["diff", "1", "2", "--stat"],
    ["problems"],
    ["restore", "--at", "1", "--delete-extra", "--dry-run"],
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots of files with such names and hostile content; messages and tags are hostile too."""
    project = tmp_path_factory.mktemp("hostile")
    for number, name in enumerate(NAMES):
        path = os.fsencode(project) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(b'{"\x7f\\u001b[2J": ["\xe2\x80\xae", "%d"]}\n' % number)
    assert run_program("backup", "--include", "--json", "-m", "a\x1b[2J\n", "--tag", "[red]t", cwd=project).code == 0
    for name in NAMES:
        file = Path(os.fsdecode(os.fsencode(project) + b"/" + name))
        file.write_bytes(file.read_bytes().replace(b'["', b'[["\x1b[2J",'))
    assert run_program("backup", "--include", "--json", cwd=project).code == 0
    return project


def test_every_name_is_kept_and_its_content_printed(hostile: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {os.fsencode(each["path"]) for each in run_program("ls", "--json", cwd=hostile).json["documents"]}
    assert listed >= set(NAMES)
    monkeypatch.chdir(hostile)
    for number, name in enumerate(map(os.fsdecode, NAMES)):
        ran = invoke("cat", "--at", "1", "--", name)
        assert (ran.code, ran.err) == (0, "")
        assert f'"{number}"' in ran.out
        assert invoke("log", "--", name).code == 0
    assert run_program("cat", "--", NAMES[7], cwd=hostile).code == 0


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_in_a_pipe_no_name_breaks_a_line_or_holds_a_control(
    hostile: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    monkeypatch.chdir(hostile)
    ran = invoke(*args)
    assert ran.code == 0, ran.err
    assert HARMFUL.search(ran.out) is None
    if args == ["ls"]:
        assert len(ran.out.splitlines()) == len(invoke("ls", "--json").json["documents"])


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_on_a_terminal_nothing_but_our_own_styles_is_sent(hostile: Path, args: list[str]) -> None:
    ran = run_on_terminal(*args, cwd=hostile)
    assert ran.code == 0
    assert HARMFUL.search(STYLE.sub("", ran.out)) is None


def test_markup_and_emoji_codes_in_names_are_shown_as_they_are(hostile: Path) -> None:
    seen = STYLE.sub("", run_on_terminal("ls", "-l", cwd=hostile, columns=400).out)
    assert "[bold red]markup[/bold red].json" in seen
    assert ":smile:.json" in seen
    assert "[[red]t]" in STYLE.sub("", run_on_terminal("snapshots", cwd=hostile, columns=200).out)


def test_a_name_in_an_error_is_escaped(hostile: Path) -> None:
    ran = run_program("log", b"no\x1b[2J\xe9.json", cwd=hostile)
    assert ran.code == 10
    assert HARMFUL.search(ran.err) is None


def test_values_of_json_are_shown_without_what_a_terminal_would_act_on(hostile: Path) -> None:
    ran = run_on_terminal("cat", "star*?[x].json#", "--at", "1", cwd=hostile)
    assert '"\\u007f\\u001b[2J"' in ran.out
    assert '"\\u202e"' in ran.out
