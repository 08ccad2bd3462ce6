"""Measures the pages of `archive inspect` on `medium` and after the states of `history`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmark.process import CommandError
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, row, scenario
from benchmark.scenarios_history import INDEXED, HistoryWorld
from benchmark.scenarios_medium import MediumWorld
from benchmark.tools import ROOT, ArchiveStore, Store

HERE = Path(__file__).parent
MOST_MS = 200


@scenario("pages-medium", "the pages of archive inspect over 20,000 files")
def medium_pages(bench: Bench) -> Iterator[Row]:
    """Measures each page on the archive of `medium`."""
    yield from _pages(bench, bench.shared(MediumWorld).indexed(), "medium")


@scenario("pages-history", "the pages of archive inspect after 500 snapshots")
def history_pages(bench: Bench) -> Iterator[Row]:
    """Measures each page on the archive of `history`."""
    yield from _pages(bench, bench.shared(HistoryWorld).stores[INDEXED], "history")


def _pages(bench: Bench, store: Store, corpus: str) -> Iterator[Row]:
    assert isinstance(store, ArchiveStore)
    command = [sys.executable, str(HERE / "page_times.py"), str(store.database)]
    samples: dict[str, list[float]] = {}
    for _ in range(bench.settings.runs):
        said = bench.runner().output(command, {"PYTHONPATH": str(ROOT)})
        if not said:
            raise CommandError("page_times.py failed")
        for page, value in json.loads(said).items():
            samples.setdefault(page, []).append(value)
    for page, values in samples.items():
        yield row(f"pages-{corpus}.{page}", f"{corpus}, page {page}", "ms", {ARCHIVE: values}, at_most(MOST_MS))
