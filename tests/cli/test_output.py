"""Tables, sizes and progress read well, on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.cli import units
from archive.cli.output import Column, Output, styled
from archive.cli.progress import LineDisplay, describe, shown
from archive.model.snapshots import Progress, Stage
from tests.cli.conftest import run_on_terminal


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (12_345, "12.3 KB"),
        (99_949, "99.9 KB"),
        (99_950, "100 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (47_000_000, "47.0 MB"),
        (10**18, "1000 PB"),
    ],
)
def test_sizes_have_three_digits_and_a_decimal_unit(number: int, text: str) -> None:
    assert units.size(number) == text


def test_a_time_that_no_calendar_has_is_a_dash() -> None:
    assert units.file_time(10**30) == "-"
    assert units.file_time(-(10**30)) == "-"


def test_in_a_pipe_columns_are_aligned_also_for_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("name"), Column("n", is_right=True), Column("rest")]
    Output().table(columns, [["犬", "1", "x"], ["long name", "1000", styled("[b]y\n", "red")], ["e\u0301", "1", ""]])
    assert capsys.readouterr().out.splitlines() == [
        "name          n  rest",
        "犬            1  x",
        "long name  1000  [b]y\\n",
        "e\u0301             1",
    ]


def test_quiet_output_says_nothing_but_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(is_quiet=True)
    output.say("a")
    output.table([Column("x")], [["y"]])
    output.warn("trouble")
    assert capsys.readouterr() == ("", "trouble\n")


def ticking(*times: float) -> Callable[[], float]:
    left = list(times)
    return lambda: left.pop(0)


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    display = LineDisplay(ticking(0, 0.5, 1.5, 2, 6, 6.6))
    for done in range(1, 6):
        display.show(Progress(Stage.READ, done * 100, 1000))
    display.close()
    assert capsys.readouterr().err.splitlines() == [
        "reading: 200 of 1,000, about 4 seconds left",
        "reading: 500 of 1,000, about 6 seconds left",
    ]


@pytest.mark.parametrize(
    ("progress", "elapsed", "line"),
    [
        (Progress(Stage.SCAN, 1234, 0), 5.0, "scanning: 1,234"),
        (Progress(Stage.VERIFY, 0, 10), 5.0, "verifying: 0 of 10"),
        (Progress(Stage.WRITE, 5, 10), 0.1, "writing: 5 of 10, about 1 second left"),
        (Progress(Stage.STORE, 10, 10), 5.0, "storing: 10 of 10"),
    ],
)
def test_the_time_left_is_said_where_it_can_be_told(progress: Progress, elapsed: float, line: str) -> None:
    assert describe(progress, elapsed) == line


@pytest.mark.parametrize("output", [Output(as_json=True), Output(is_quiet=True)])
def test_no_progress_is_shown_with_json_or_quiet(output: Output) -> None:
    with shown(output) as callback:
        assert callback is None


BAR = """
from archive.cli.progress import BarDisplay
from archive.model.snapshots import Progress, Stage
now = iter(range(100))
bar = BarDisplay(lambda: next(now))
bar.show(Progress(Stage.SCAN, 1, 0))
for done in range(50):
    bar.show(Progress(Stage.READ, done, 50))
bar.close()
"""


def test_on_a_terminal_progress_is_a_bar_with_counts_that_goes_away(tmp_path: Path) -> None:
    seen = run_on_terminal(cwd=tmp_path, code=BAR).out
    assert "reading" in seen
    assert "/50" in seen
    assert "━" in seen
    assert seen.rstrip().endswith("\x1b[2K")


def test_what_is_done_in_a_moment_shows_no_bar(tmp_path: Path) -> None:
    assert run_on_terminal(cwd=tmp_path, code=BAR.replace("next(now)", "0")).out == ""
