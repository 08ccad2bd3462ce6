"""On a terminal output fits its width, has colours unless they are not wanted, and a restore asks first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import LATER, TREE, run_on_terminal
from tests.conftest import read_tree

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("args", [["snapshots"], ["ls", "-l"], ["log", "agents/memory"], ["init", "--dry-run"]], ids=" ".join)
def test_tables_fit_the_terminal(backed_up: Path, args: list[str], columns: int) -> None:
    seen = run_on_terminal(*args, cwd=backed_up, columns=columns)
    assert seen.code == 0
    table = [line for line in STYLE.sub("", seen.out).splitlines() if "/" not in line.partition("  ")[0]]
    assert max(map(len, table)) <= columns


def test_a_narrow_terminal_costs_optional_columns_and_no_path(backed_up: Path) -> None:
    wide = run_on_terminal("ls", "-l", cwd=backed_up, columns=120).out
    narrow = run_on_terminal("ls", "-l", cwd=backed_up, columns=60).out
    assert "category" in wide
    assert "category" not in narrow
    assert "agents/tasks.json" in narrow


def test_colours_are_left_out_where_they_are_not_wanted(backed_up: Path) -> None:
    for args in (["snapshots"], ["diff", "1", "2"]):
        assert STYLE.search(run_on_terminal(*args, cwd=backed_up).out)
        assert "\x1b[3" not in run_on_terminal(*args, cwd=backed_up, NO_COLOR="1").out
        assert not STYLE.search(run_on_terminal(*args, cwd=backed_up, TERM="dumb").out)


def test_a_diff_is_coloured_by_what_happened(backed_up: Path) -> None:
    seen = run_on_terminal("diff", "1", "2", cwd=backed_up, columns=200).out
    assert "status \x1b[31mpending\x1b[0m → \x1b[32mdone\x1b[0m" in seen
    assert "\x1b[31m-- the map\x1b[0m" in seen
    assert "\x1b[32m+- the tides\x1b[0m" in seen


def test_a_restore_asks_before_it_overwrites_and_takes_no_for_an_answer(backed_up: Path) -> None:
    ran = run_on_terminal("restore", "--at", "1", cwd=backed_up, answer=b"n\n", columns=200)
    assert (ran.code, f"Overwrite 3 files in {backed_up}? [y/N]" in ran.out) == (1, True)
    assert "nothing was changed" in ran.out
    assert read_tree(backed_up) == {**LATER}


def test_end_of_input_is_no_too(backed_up: Path) -> None:
    ran = run_on_terminal("restore", "--at", "1", cwd=backed_up, answer=b"\x04", columns=200)
    assert ran.code == 130
    assert read_tree(backed_up) == LATER


def test_yes_restores_and_says_how_to_undo(backed_up: Path) -> None:
    ran = run_on_terminal("restore", "--at", "1", "--delete-extra", cwd=backed_up, answer=b"y\n", columns=200)
    assert ran.code == 0
    assert "Overwrite 3 files and delete 1 file in" in ran.out
    assert "'archive undo' takes this back" in ran.out
    assert read_tree(backed_up) == TREE
    assert run_on_terminal("undo", cwd=backed_up, answer=b"y\n").code == 0
    assert read_tree(backed_up) == LATER


@pytest.mark.parametrize("args", [["-y"], ["--yes", "-q"], ["--overwrite", "never"], ["--to", "elsewhere"]], ids=" ".join)
def test_nothing_is_asked_where_all_is_said_or_nothing_is_lost(backed_up: Path, args: list[str]) -> None:
    ran = run_on_terminal("restore", "--at", "1", *args, cwd=backed_up, columns=200)
    assert (ran.code, "[y/N]" in ran.out) == (0, False)


def test_the_locale_may_lack_characters_that_are_printed(backed_up: Path) -> None:
    ran = run_on_terminal("diff", "1", "2", cwd=backed_up, columns=200, PYTHONIOENCODING="latin-1")
    assert ran.code == 0
    assert "\\u2192" in ran.out
