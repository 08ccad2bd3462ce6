"""Measures on `medium`: the first backup, an unchanged one, one after edits, a restore, and their syncs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from benchmark.corpora import Medium, tree_digest
from benchmark.process import CommandError, Taken, can_count_syncs, warm
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, peak_mb, row, scenario, seconds
from benchmark.tools import ArchiveStore, ArchiveTool, Store, Tool

SETTLE_SECONDS = 2.5


class MediumWorld:
    """A private copy of the corpus and one store for each tool.

    The copy is left alone for a moment before it is used: a tool may rightly read files again whose times are so fresh
    that a later change could hide behind them, and that is not what is measured here.
    """

    def __init__(self, bench: Bench) -> None:
        bench.say(f"making medium: {bench.settings.medium_files} files")
        self.corpus = Medium(bench.settings.seed, bench.settings.medium_files)
        self.root = bench.new_folder("medium")
        self.edits = 0
        self.stores: dict[str, Store] = {}
        self._bench = bench
        shutil.copytree(self.corpus.generate(bench.cache), self.root)
        warm(self.root)
        time.sleep(SETTLE_SECONDS)

    def fresh_store(self, tool: Tool) -> Store:
        """Returns an empty store in place of the one the tool had."""
        self.stores.pop(tool.name, None)
        if isinstance(tool, ArchiveTool):
            tool = tool.without_index()  # what the index costs is measured by itself
        self.stores[tool.name] = tool.open(self.root, self._bench.new_folder(tool.name))
        return self.stores[tool.name]

    def indexed(self) -> ArchiveStore:
        """Returns the archive of the tree as it is now, with its index."""
        store = self.stores.get(ARCHIVE) or self.fresh_store(next(tool for tool in self._bench.tools if tool.name == ARCHIVE))
        assert isinstance(store, ArchiveStore)
        store.backup()
        store.reindex()
        return store

    def backed_up(self) -> list[Tool]:
        """Returns the tools that hold the tree as it is now, after one unmeasured backup by each."""
        able = []
        for tool in self._bench.tools:
            try:
                (self.stores.get(tool.name) or self.fresh_store(tool)).backup()
                able.append(tool)
            except CommandError as error:
                self._bench.fail(f"before the measurement: {error}")
        return able

    def edit(self) -> None:
        """Edits one file in a hundred; others than before."""
        self.corpus.edit_one_percent(self.root, self.edits)
        self.edits += 1

    def restore(self, tool: Tool, expected: str = "", *, verified: bool = False) -> Taken:
        """Restores the newest state into an empty folder and, where a digest is given, makes sure it is the tree.

        Raises:
            CommandError: What was restored is not what was backed up.
        """
        folder = self._bench.new_folder(f"restored-{tool.name}")
        folder.mkdir()
        store = self.stores[tool.name]
        taken = store.restore(store.count, folder, verified=verified)
        if expected and tree_digest(folder) != expected:
            raise CommandError(f"{tool.name} restored something else than it backed up")
        return taken


@scenario("medium-first", "first backup of 20,000 files, 180 MB: time, peak memory, size of the store")
def first_backup(bench: Bench) -> Iterator[Row]:
    """Measures the first backup; the last run's stores stay for the scenarios after it."""
    world = bench.shared(MediumWorld)
    taken = bench.interleaved("first backup of medium", lambda tool, run: world.fresh_store(tool).backup())
    yield row("medium-first.time", "medium, first backup (snapshot durable)", "s", seconds(taken), at_most(0.6, of="restic"))
    yield row("medium-first.peak", "medium, first backup, peak memory", "MB", peak_mb(taken), at_most(150))
    sizes = {name: world.stores[name].size_bytes() / 1e6 for name in taken}
    yield row("medium-first.size", "medium, size of the store", "MB", sizes)


@scenario("medium-unchanged", "backup of 20,000 files when nothing changed")
def unchanged_backup(bench: Bench) -> Iterator[Row]:
    """Measures a backup that finds nothing to do; the first one after a first backup is not counted."""
    world = bench.shared(MediumWorld)
    able = world.backed_up()
    taken = bench.interleaved("unchanged backup", lambda tool, run: world.stores[tool.name].backup(), tools=able)
    yield row("medium-unchanged.time", "medium, unchanged", "s", seconds(taken), at_most(0.4, of="restic"))


@scenario("medium-1pct", "backup of 20,000 files after 1 % were edited in small ways")
def one_percent_changed(bench: Bench) -> Iterator[Row]:
    """Measures a backup after an edit; each run edits other files, and every tool sees the same ones."""
    world = bench.shared(MediumWorld)
    able = world.backed_up()
    before = world.edits

    def measure(tool: Tool, run: int) -> Taken:
        if world.edits == before + run:
            world.edit()
        return world.stores[tool.name].backup()

    taken = bench.interleaved("1 % changed", measure, tools=able)
    yield row("medium-1pct.time", "medium, 1 % changed", "s", seconds(taken), at_most(0.5, of="restic"))


@scenario("medium-restore", "restore of all 20,000 files to an empty folder")
def full_restore(bench: Bench) -> Iterator[Row]:
    """Measures a restore of the newest state; that of the first run is compared with the tree, byte by byte."""
    world = bench.shared(MediumWorld)
    able = world.backed_up()
    digest = tree_digest(world.root)

    def measure(tool: Tool, run: int) -> Taken:
        return world.restore(tool, "" if run else digest)

    taken = bench.interleaved("full restore", measure, tools=able)
    samples = seconds(taken)
    restic = [tool for tool in able if tool.name == "restic"]
    checked = bench.interleaved("full restore, verified", lambda tool, run: world.restore(tool, verified=True), tools=restic)
    if checked and ARCHIVE in samples:
        # The archive always reads back what it wrote; restic does so when it is asked to.
        verified = {ARCHIVE: samples[ARCHIVE], "restic": seconds(checked)["restic"]}
        yield row("medium-restore.verified", "medium, full restore, verified", "s", verified, at_most(0.8, of="restic"))
    yield row("medium-restore.time", "medium, full restore, only archive verified", "s", samples)
    yield row("medium-restore.peak", "medium, full restore, peak memory", "MB", peak_mb(taken), at_most(150))


@scenario("syncs", "calls that wait for the disk, counted with strace", is_default=False)
def syncs(bench: Bench) -> Iterator[Row]:
    """Counts syncs of a first, an unchanged and a changed backup on stores of its own."""
    if not can_count_syncs():
        bench.say("syncs: strace is not installed")
        return
    world = bench.shared(MediumWorld)
    world.stores.clear()
    counts: dict[str, dict[str, float]] = {"first backup": {}, "unchanged": {}, "1 % changed": {}}
    for label, counted in counts.items():
        if label == "1 % changed":
            world.edit()
        for tool in bench.tools:
            try:
                store = world.stores.get(tool.name) or world.fresh_store(tool)
                counted[tool.name] = store.backup(count_syncs=True).syncs or 0
            except CommandError as error:
                bench.fail(f"syncs: {error}")
        yield row(f"syncs.{label}", f"medium, {label}, syncs", "calls", counted)
