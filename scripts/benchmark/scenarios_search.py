"""Measures searches in the library on `medium` and on `history`, now and over all states."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmark.process import CommandError
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, row, scenario
from benchmark.scenarios_history import INDEXED, HistoryWorld
from benchmark.scenarios_medium import MediumWorld
from benchmark.tools import ROOT, ArchiveStore, Store

HERE = Path(__file__).parent
Times = Mapping[str, list[float]]


@scenario("search-medium", "200 mixed queries on `medium`: median and 99th percentile")
def search_medium(bench: Bench) -> Iterator[Row]:
    """Measures the library in one warm process; the slowest kind of query has a row of its own."""
    world = bench.shared(MediumWorld)
    if not [tool for tool in bench.tools if tool.name == ARCHIVE]:
        return
    taken = _times(bench, world.indexed())
    yield row("search-medium.median", "medium, 200 queries, median", "ms", {ARCHIVE: _all(taken)}, at_most(3))
    yield row("search-medium.p99", "medium, 200 queries, p99", "ms", {ARCHIVE: _percentile(_all(taken), 0.99)}, at_most(40))
    for kind, some in taken.items():
        yield row(f"search-medium.{kind}", f"medium, {kind}, median", "ms", {ARCHIVE: some})


@scenario("search-history", "200 mixed queries behind 500 states: now beside an archive of one, and over all of it")
def search_history(bench: Bench) -> Iterator[Row]:
    """Measures the same tree and queries in two archives: one knows its last state alone, the other all."""
    world = bench.shared(HistoryWorld)
    tool = next((tool for tool in bench.tools if tool.name == ARCHIVE), None)
    if tool is None or INDEXED not in world.stores:
        return
    whole, newest = world.stores[INDEXED], tool.open(world.root, bench.new_folder("newest"))
    newest.backup()
    one, now = _all(_times(bench, newest)), _all(_times(bench, whole, words_of=newest))
    over_all = _all(_times(bench, whole, "history"))
    states = world.settings.states
    yield row("search-history.one", "history, 200 queries, 1 state, median", "ms", {ARCHIVE: one})
    target = at_most(1.5, of=ARCHIVE, row="search-history.one")
    yield row("search-history.now", f"history, 200 queries, {states} states, median", "ms", {ARCHIVE: now}, target)
    label = f"history, 200 queries with --history, {states} states"
    yield row("search-history.median", f"{label}, median", "ms", {ARCHIVE: over_all})
    yield row("search-history.p99", f"{label}, p99", "ms", {ARCHIVE: _percentile(over_all, 0.99)}, at_most(20))


def _times(bench: Bench, store: Store, mode: str = "now", *, words_of: Store | None = None) -> Times:
    """Returns how long queries take [ms], by kind; they are made of the words of another archive if one is given."""
    made_of = words_of or store
    assert isinstance(store, ArchiveStore)
    assert isinstance(made_of, ArchiveStore)
    command = [sys.executable, str(HERE / "search_times.py"), str(store.database), mode, str(made_of.database)]
    said = bench.runner().output(command, {"PYTHONPATH": str(ROOT)})
    if not said:
        raise CommandError("search_times.py failed")
    times: Times = json.loads(said)
    return times


def _all(times: Times) -> list[float]:
    return [one for some in times.values() for one in some]


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
