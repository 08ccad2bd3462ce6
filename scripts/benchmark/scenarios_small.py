"""Measures what needs no tools' stores: start-up, the floor of plain Python, the naive full-text index."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmark.process import CommandError, Taken
from benchmark.scenario import Bench, Row, at_most, peak_mb, row, scenario, seconds
from benchmark.scenarios_medium import MediumWorld

HERE = Path(__file__).parent
NAIVE = "naive FTS5"
FLOOR = "plain Python"


@scenario("start", "start-up: the command that prints the version")
def start(bench: Bench) -> Iterator[Row]:
    """Measures the least each program can do."""
    runner = bench.runner()
    runs = max(5, bench.settings.runs)
    taken = bench.interleaved("start-up", lambda tool, run: tool.start(runner), runs=runs)
    yield row("start.time", "`version`", "s", seconds(taken), at_most(0.2))


@scenario("naive-fts", "the simplest search index a user would write, over `medium`", is_default=False)
def naive_fts(bench: Bench) -> Iterator[Row]:
    """Measures one FTS5 row a file through Python's sqlite3 with its default settings, as a whole process."""
    world = bench.shared(MediumWorld)
    taken: list[Taken] = []
    for _ in range(bench.settings.runs):
        database = bench.new_folder("naive.db")
        command = [sys.executable, str(HERE / "naive_fts.py"), str(world.root), str(database)]
        taken.append(bench.runner().run(command))
    yield row("naive-fts.time", "medium, one FTS5 row a file", "s", seconds({NAIVE: taken}))
    yield row("naive-fts.peak", "medium, one FTS5 row a file, peak memory", "MB", peak_mb({NAIVE: taken}))
    yield row("naive-fts.size", "medium, one FTS5 row a file, size", "MB", {NAIVE: database.stat().st_size / 1e6})


@scenario("floor", "what the single steps cost one plain Python process, for orientation", is_default=False)
def floor(bench: Bench) -> Iterator[Row]:
    """Measures walk, read, hash, insert and restore on `medium`."""
    world = bench.shared(MediumWorld)
    samples: dict[str, list[float]] = {}
    for _ in range(bench.settings.runs):
        folder = bench.new_folder("floor")
        said = bench.runner().output([sys.executable, str(HERE / "floor.py"), str(world.root), str(folder)])
        if not said:
            raise CommandError("floor.py failed")
        for step, value in json.loads(said).items():
            samples.setdefault(step, []).append(value)
    for step, values in samples.items():
        yield row(f"floor.{step}", f"medium, {step}", "s", {FLOOR: values})
