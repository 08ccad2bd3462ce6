"""The benchmark's table: what keeps its target, what misses it, and what was not measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmark import report
from benchmark.process import CommandError, Taken
from benchmark.scenario import SCENARIOS, Bench, Row, Settings, Target, at_most, chosen, row, scenario
from benchmark.tools import Store, Tool


class Named(Tool):
    """A tool that is never started."""

    version_command = ("none",)
    extra: dict[str, str] = {}  # noqa: RUF012  never changed

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, root: Path, folder: Path) -> Store:
        raise NotImplementedError


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    tools = (Named("archive"), Named("restic"), Named("git"))
    return Bench(tools, Settings(runs=3), tmp_path, tmp_path, lambda line: None)


@pytest.mark.parametrize(
    ("samples", "target", "verdict"),
    [
        ({"archive": [1.0, 9.0, 2.0], "restic": [4.0]}, at_most(0.5, of="restic"), report.OK),
        ({"archive": 2.1, "restic": 4.0}, at_most(0.5, of="restic"), report.MISSED),
        ({"archive": 2.0}, at_most(0.5, of="restic"), report.UNKNOWN),
        ({"restic": 4.0}, at_most(0.5, of="restic"), report.UNKNOWN),
        ({"archive": 150}, at_most(150), report.OK),
        ({"archive": 150.1, "restic": 500}, at_most(150), report.MISSED),
        ({"restic": 4.0}, at_most(150), report.UNKNOWN),
        ({"archive": 150}, None, ""),
        ({"archive": 3.0, "naive": 2.0}, at_most(1.2, of="naive"), report.MISSED),
        ({"archive": []}, at_most(1), report.UNKNOWN),
    ],
)
def test_a_median_is_held_against_its_target(
    samples: dict[str, list[float] | float], target: Target | None, verdict: str
) -> None:
    [line] = report.judge([row("key", "label", "s", samples, target)])
    assert line.verdict == verdict


def test_a_target_can_refer_to_an_earlier_row() -> None:
    few = row("few", "10 snapshots", "s", {"archive": 0.2})
    many = row("many", "500 snapshots", "s", {"archive": 0.4}, at_most(1.5, of="archive", row="few"))
    lines = report.judge([few, many])
    assert [line.verdict for line in lines] == ["", report.MISSED]
    assert lines[1].ratio == pytest.approx(2.0)


def test_a_target_that_refers_to_a_row_nobody_measured_is_not_measured() -> None:
    [line] = report.judge([row("many", "500 snapshots", "s", {"archive": 0.4}, at_most(1.5, of="archive", row="few"))])
    assert line.verdict == report.UNKNOWN


def rows() -> list[Row]:
    return [
        row("a", "first backup", "s", {"archive": [1.234], "restic": [2.0], "git": [0.0123]}, at_most(0.6, of="restic")),
        row("b", "peak", "MB", {"archive": 1234.5}, at_most(150)),
        row("c", "syncs", "calls", {"borg": 25, "naive FTS5": 3}),
    ]


def test_the_table_shows_every_figure_with_its_unit_and_a_dash_where_there_is_none() -> None:
    none, by = report.NONE, f"{report.TIMES} restic"
    assert report.cells(report.judge(rows())) == [
        ["", "archive", "restic", "borg", "git", "other", "ratio", "target", ""],
        ["first backup", "1.23 s", "2.00 s", none, "0.012 s", none, f"0.62 {by}", f"≤ 0.6 {by}", "MISSED"],
        ["peak", "1,234 MB", none, none, none, none, "", "≤ 150 MB", "MISSED"],
        ["syncs", none, none, "25", none, "3 naive FTS5", "", "", ""],
    ]


def test_the_markdown_table_has_one_rule_and_as_many_cells_in_each_line() -> None:
    lines = report.as_markdown(report.judge(rows())).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[1] == "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |"


def test_columns_of_the_plain_table_line_up() -> None:
    header, first, *_ = report.as_text(report.judge(rows())).splitlines()
    assert header.index("restic") + len("restic") == first.index("2.00 s") + len("2.00 s")


def test_a_saved_run_gives_the_same_table() -> None:
    lines = report.judge(rows())
    saved = json.loads(json.dumps(report.to_json(lines, {"cores": "2"}, {"runs": 3})))
    assert report.as_text(report.from_json(saved)) == report.as_text(lines)


def test_tools_take_turns_in_changing_order(bench: Bench) -> None:
    order: list[str] = []

    def measure(tool: Tool, run: int) -> Taken:
        order.append(f"{tool.name} {run}")
        return Taken(1.0, 1, 1.0)

    taken = bench.interleaved("nothing", measure)
    assert order[:6] == ["archive 0", "restic 0", "git 0", "restic 1", "git 1", "archive 1"]
    assert {name: len(some) for name, some in taken.items()} == {"archive": 3, "restic": 3, "git": 3}


def test_a_tool_that_fails_drops_out_and_the_others_go_on(bench: Bench) -> None:
    def measure(tool: Tool, run: int) -> Taken:
        if tool.name == "archive" and run == 1:
            raise CommandError("archive backup exited with 1: no room")
        return Taken(1.0, 1, 1.0)

    taken = bench.interleaved("first backup", measure)
    assert {name: len(some) for name, some in taken.items()} == {"restic": 3, "git": 3}
    assert bench.failures == ["first backup: archive backup exited with 1: no room"]


def test_what_scenarios_share_is_made_once(bench: Bench) -> None:
    made: list[Bench] = []

    def make(bench: Bench) -> int:
        made.append(bench)
        return len(made)

    assert [bench.shared(make), bench.shared(make)] == [1, 1]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.scenario.SCENARIOS", {})
    for name in ("medium-first", "medium-restore", "mediumish", "floor"):

        @scenario(name, "about", is_default=name != "floor")
        def measure(bench: Bench) -> Iterator[Row]:
            yield row("key", "label", "s", {})


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["medium-first", "medium-restore", "mediumish"]),
        (["medium"], ["medium-first", "medium-restore"]),
        (["medium-restore", "floor"], ["medium-restore", "floor"]),
    ],
)
def test_scenarios_are_chosen_by_name_or_its_start_up_to_a_hyphen(names: list[str], expected: list[str]) -> None:
    assert [one.name for one in chosen(names)] == expected


@pytest.mark.usefixtures("registered")
def test_a_name_that_fits_no_scenario_is_an_error() -> None:
    with pytest.raises(KeyError, match="medi"):
        chosen(["medi"])


def test_the_real_scenarios_can_be_listed() -> None:
    from benchmark.cli import main

    assert main(["--list"]) == 0
    assert {"medium-first", "history-backup", "start", "naive-fts"} <= SCENARIOS.keys()
