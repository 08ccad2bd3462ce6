"""Measures what the search index costs: in the first backup, beside the simplest index, and after many states."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmark.process import Taken
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, peak_mb, row, scenario, seconds
from benchmark.scenarios_medium import MediumWorld
from benchmark.scenarios_small import HERE, NAIVE
from benchmark.tools import ArchiveStore, ArchiveTool, Store, Tool

UNINDEXED = "without index"
TABLES = {
    "content": ("contents", "blobs", "documents", "versions", "snapshots"),
    "deltas": ("deltas",),
    "items": ("items", "index_notes"),
    "index": ("items_fts_data", "items_fts_idx", "items_fts_docsize", "items_fts_config"),
    "tasks": ("tasks", "task_dependencies", "task_problems"),
}


@scenario("index-first", "first backup of `medium` with its whole index, beside restic's and the naive index")
def first_index(bench: Bench) -> Iterator[Row]:
    """Measures a first backup with and without the index, and the naive index, in turn."""
    world = bench.shared(MediumWorld)
    restic = [tool for tool in bench.tools if tool.name == "restic"]
    with_index = next(tool for tool in bench.tools if tool.name == ARCHIVE)
    assert isinstance(with_index, ArchiveTool)
    bare = with_index.without_index().named(UNINDEXED)
    tools = [with_index, bare, *restic]
    stores: dict[str, Store] = {}
    naive: list[Taken] = []

    def measure(tool: ArchiveTool, run: int) -> Taken:
        if tool is with_index:
            command = [sys.executable, str(HERE / "naive_fts.py"), str(world.root), str(bench.new_folder("naive.db"))]
            naive.append(bench.runner().run(command))
        stores[tool.name] = tool.open(world.root, bench.new_folder(tool.name))
        return stores[tool.name].backup()

    taken = bench.interleaved("first backup with index", measure, tools=tools)  # type: ignore[arg-type]
    times = seconds({**taken, NAIVE: naive})
    yield row("index-first.time", "medium, first backup with index", "s", times, at_most(3, of="restic"))
    yield row("index-first.peak", "medium, first backup with index, peak memory", "MB", peak_mb(taken), at_most(400))
    if not {ARCHIVE, UNINDEXED} <= times.keys():
        return  # one of them failed, which is said already
    part = [one - other for one, other in zip(times[ARCHIVE], times[UNINDEXED], strict=True)]
    samples = {ARCHIVE: part, NAIVE: times[NAIVE]}
    yield row("index-first.part", "medium, the index part of it", "s", samples, at_most(1.2, of=NAIVE))
    store = stores[ARCHIVE]
    assert isinstance(store, ArchiveStore)
    yield from split_rows("index-first", "medium", store)
    backups = [tool for tool in tools if tool.name in (ARCHIVE, "restic")]
    for each in stores.values():
        each.backup()  # the first one after a first backup reads what was too fresh to trust
    unchanged = bench.interleaved("unchanged backup with index", lambda tool, run: stores[tool.name].backup(), tools=backups)
    yield row("index-unchanged.time", "medium, unchanged, with index", "s", seconds(unchanged), at_most(0.4, of="restic"))
    before = world.edits

    def after_edits(tool: Tool, run: int) -> Taken:
        if world.edits == before + run:
            world.edit()
        return stores[tool.name].backup()

    changed = bench.interleaved("1 % changed with index", after_edits, tools=backups)
    yield row("index-1pct.time", "medium, 1 % changed, with index", "s", seconds(changed), at_most(0.6, of="restic"))


def split_rows(key: str, label: str, store: ArchiveStore) -> Iterator[Row]:
    """Yields what takes the room in an archive, part by part, in MB."""
    for part, size in split(store.database).items():
        yield row(f"{key}.{part}", f"{label}, {part} in the archive", "MB", {ARCHIVE: size})


def split(path: Path) -> dict[str, float]:
    """Returns the sizes of the parts of an archive [MB]; empty where this SQLite has no dbstat."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute(
                "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
            ).fetchall()
        except sqlite3.OperationalError:
            return {}
    sizes = dict(rows)
    return {part: sum(sizes.get(table, 0) for table in tables) / 1e6 for part, tables in TABLES.items()}
