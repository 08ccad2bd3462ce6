"""Says what a scenario, a row and a target are, and holds the list of scenarios.

A scenario is a function from a `Bench` to rows, registered by its decorator:

    @scenario("search", "search latencies on `medium`")
    def search(bench: Bench) -> Iterator[Row]:
        world = bench.shared(MediumWorld)
        ...
        yield row("search.p99", "search, p99", "ms", {"archive": times}, at_most(40))

Rows are named values by tool, with at most one target each: an absolute bound, or a factor of another tool's value in
the same row, or of a value in an earlier row.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from benchmark.process import CommandError, Runner, Taken
from benchmark.tools import Tool

T = TypeVar("T")
ARCHIVE = "archive"


@dataclass(frozen=True)
class Target:
    """The largest value a tool may show in a row.

    Attributes:
        factor: The bound itself, or what the reference value is multiplied with.
        of: Tool of the reference value; empty for an absolute bound.
        row: Key of an earlier row with the reference value; empty for the same row.
        tool: Tool that must keep the target.
    """

    factor: float
    of: str = ""
    row: str = ""
    tool: str = ARCHIVE


def at_most(factor: float, *, of: str = "", row: str = "", tool: str = ARCHIVE) -> Target:
    """Returns a target: `at_most(150)`, `at_most(0.6, of="restic")`, `at_most(1.5, of="archive", row="ls.first")`."""
    return Target(factor, of, row, tool)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        key: Names the row in targets and in JSON.
        unit: `s`, `ms`, `MB` or a plural noun.
        samples: What was measured, by tool; the value is the median.
    """

    key: str
    label: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    target: Target | None = None

    def value(self, tool: str) -> float | None:
        """Returns the median of a tool's samples, or None where there are none."""
        samples = self.samples.get(tool)
        return statistics.median(samples) if samples else None


def row(key: str, label: str, unit: str, samples: Mapping[str, Sequence[float] | float], target: Target | None = None) -> Row:
    """Returns a row; a single figure may stand for a sequence of one."""
    listed = {tool: [some] if isinstance(some, int | float) else list(some) for tool, some in samples.items()}
    return Row(key, label, unit, listed, target)


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        runs: Times each measurement is made; states of `history` are run once each.
        states: States of `history`.
        history_files: Files of `history`.
        medium_files: Files of `medium`.
    """

    seed: str = "1"
    runs: int = 3
    states: int = 500
    history_files: int = 100
    medium_files: int = 20_000


@dataclass
class Bench:
    """What a scenario works with.

    Attributes:
        tools: The tools that are there, the archive first.
        cache: Folder for corpora that later runs use again.
        work: Folder for everything else.
        say: Takes one line about the progress.
        failures: Commands that failed; their tool drops out of that measurement.
    """

    tools: tuple[Tool, ...]
    settings: Settings
    cache: Path
    work: Path
    say: Callable[[str], None]
    failures: list[str] = field(default_factory=list)
    _folders: int = 0
    _shared: dict[Callable[[Bench], Any], Any] = field(default_factory=dict)

    def shared(self, make: Callable[[Bench], T]) -> T:
        """Returns what `make` makes of this bench, made once and used by every scenario that asks for it."""
        if make not in self._shared:
            self._shared[make] = make(self)
        made: T = self._shared[make]
        return made

    def new_folder(self, name: str) -> Path:
        """Returns a path in the work folder that nothing had before; its parent exists.

        Nothing is deleted while the benchmark runs: looking for free inodes, ext4 steps one by one over those of files
        deleted in the last minutes, so that a restore after the removal of an earlier one takes several times as long.
        """
        self._folders += 1
        return self.work / f"{self._folders:04d}-{name}"

    def runner(self) -> Runner:
        """Returns a runner with a home that belongs to no tool."""
        return Runner(self.work / "home")

    def turns(self, tools: Sequence[Tool], turn: int) -> Sequence[Tool]:
        """Returns the tools in the order of that turn; each is first as often as the others."""
        start = turn % len(tools) if tools else 0
        return [*tools[start:], *tools[:start]]

    def interleaved(
        self, what: str, measure: Callable[[Tool, int], Taken], *, runs: int = 0, tools: Sequence[Tool] | None = None
    ) -> dict[str, list[Taken]]:
        """Measures each tool in turn, and that several times, so that noise of the machine meets all of them.

        Args:
            what: Stands in messages.
            measure: Gets the tool and the number of the run, from 0.
            runs: How often; by default as the settings say.
            tools: Which; by default all.
        """
        taken: dict[str, list[Taken]] = {}
        able = list(self.tools if tools is None else tools)
        for run in range(runs or self.settings.runs):
            for tool in self.turns(able, run):
                try:
                    taken.setdefault(tool.name, []).append(measure(tool, run))
                except CommandError as error:
                    self.fail(f"{what}: {error}")
                    able.remove(tool)
                    taken.pop(tool.name)
        if taken:
            self.say(f"{what}: " + ", ".join(f"{name} {_median(some):.3f} s" for name, some in sorted(taken.items())))
        return taken

    def fail(self, message: str) -> None:
        """Keeps a failure and says it."""
        self.failures.append(message)
        self.say(f"FAILED {message}")


def _median(taken: Sequence[Taken]) -> float:
    return statistics.median(one.seconds for one in taken)


def seconds(taken: Mapping[str, Sequence[Taken]]) -> dict[str, list[float]]:
    """Returns the wall times, for a row in `s`."""
    return {name: [one.seconds for one in some] for name, some in taken.items()}


def peak_mb(taken: Mapping[str, Sequence[Taken]]) -> dict[str, list[float]]:
    """Returns the largest peak of each tool, for a row in `MB`."""
    return {name: [max(one.peak_bytes for one in some) / 1e6] for name, some in taken.items() if some}


@dataclass(frozen=True)
class Scenario:
    """A registered scenario."""

    name: str
    about: str
    measure: Callable[[Bench], Iterator[Row]]
    is_default: bool


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str, about: str, *, is_default: bool = True
) -> Callable[[Callable[[Bench], Iterator[Row]]], Callable[[Bench], Iterator[Row]]]:
    """Registers the decorated function; scenarios run in the order of registration."""

    def register(measure: Callable[[Bench], Iterator[Row]]) -> Callable[[Bench], Iterator[Row]]:
        assert name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, about, measure, is_default)
        return measure

    return register


def chosen(names: Sequence[str]) -> list[Scenario]:
    """Returns the scenarios named, fully or up to a hyphen; the default ones if none is.

    Raises:
        KeyError: A name fits no scenario.
    """
    if not names:
        return [one for one in SCENARIOS.values() if one.is_default]

    def fits(one: Scenario, name: str) -> bool:
        return one.name == name or one.name.startswith(f"{name}-")

    for name in names:
        if not any(fits(one, name) for one in SCENARIOS.values()):
            raise KeyError(name)
    return [one for one in SCENARIOS.values() if any(fits(one, name) for name in names)]
