"""Measures on `history`: many small backups one after another, and what a long past costs afterwards."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchmark.corpora import History, tree_digest
from benchmark.process import CommandError, Taken, warm
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, peak_mb, row, scenario, seconds
from benchmark.scenarios_index import split_rows
from benchmark.tools import ArchiveStore, ArchiveTool, Store, Tool

FEW = 10
# The archive twice: as others back up, and with the search index that they do not have.
INDEXED = "with index"


class HistoryWorld:
    """All states of the corpus, backed up by every tool as they came.

    Attributes:
        taken: What each backup after the first took, by tool.
        first_bytes, last_bytes: Packed size of each store after the first and after the last state.
        loose_bytes: Size after the last state as it lies, before any housekeeping.
        middle: Number of the state half way, with `digests` of it and of the last one.
        few: An archive of the last ten states alone, whose newest state is that of the whole one.
    """

    def __init__(self, bench: Bench) -> None:
        self.settings = bench.settings
        self.root = bench.new_folder("history")
        self.middle = max(1, bench.settings.states // 2)
        self.taken: dict[str, list[Taken]] = {tool.name: [] for tool in _twice(bench.tools)}
        self.first_bytes: dict[str, int] = {}
        self.last_bytes: dict[str, int] = {}
        self.loose_bytes: dict[str, int] = {}
        self.digests: dict[int, str] = {}
        self.stores: dict[str, Store] = {}
        self.few: Store | None = None
        self.versions = self.versions_bytes = 0
        self._tools = [*_twice(bench.tools)]
        self._bench = bench
        self._replay(bench)

    def able(self) -> list[Tool]:
        """Returns the tools that hold every state, the archive once."""
        return [tool for tool in self._tools if tool.name != INDEXED]

    def restore(self, tool: Tool, moment: int, *, verify: bool) -> Taken:
        """Restores a state into an empty folder; with `verify`, makes sure it is that state.

        Raises:
            CommandError: What was restored is not what was backed up.
        """
        folder = self._bench.new_folder(f"restored-{tool.name}")
        folder.mkdir()
        taken = self.stores[tool.name].restore(moment, folder)
        if verify and tree_digest(folder) != self.digests[moment]:
            raise CommandError(f"{tool.name} restored something else than state {moment}")
        return taken

    def _replay(self, bench: Bench) -> None:
        count = self.settings.states
        history = History(self.settings.seed, self.settings.history_files)
        bench.say(f"history: {self.settings.history_files} files, {count} states")
        history.write(self.root)
        warm(self.root)
        self.stores = {tool.name: tool.open(self.root, bench.new_folder(tool.name)) for tool in self._tools}
        for number in range(1, count + 1):
            if number > 1:
                changed = history.apply_state(self.root, number)
                self.versions += len(changed)
                self.versions_bytes += sum((self.root / path).stat().st_size for path in changed)
            for tool in bench.turns(self._tools, number):
                self._back_up(bench, tool, number)
            if number == 1:
                self.first_bytes = {tool.name: self.stores[tool.name].packed_bytes() for tool in self._tools}
            if number in (self.middle, count):
                self.digests[number] = tree_digest(self.root)
            if number > count - FEW:
                self._back_up_few()
            if number % 50 == 0:
                bench.say(f"history: state {number}, " + ", ".join(self._recent()))
        for tool in self._tools:
            self.loose_bytes[tool.name] = self.stores[tool.name].size_bytes()
            self.last_bytes[tool.name] = self.stores[tool.name].packed_bytes()

    def _back_up(self, bench: Bench, tool: Tool, number: int) -> None:
        try:
            taken = self.stores[tool.name].backup()
        except CommandError as error:
            bench.fail(f"history, state {number}: {error}")
            self._tools.remove(tool)
            del self.taken[tool.name]
            return
        if number > 1:
            self.taken[tool.name].append(taken)

    def _back_up_few(self) -> None:
        for tool in self._tools:
            if tool.name == INDEXED:
                self.few = self.few or tool.open(self.root, self._bench.new_folder("few"))
                self.few.backup()

    def _recent(self) -> Iterator[str]:
        for name, taken in self.taken.items():
            yield f"{name} {statistics.median(one.seconds for one in taken[-50:]):.3f} s"


@scenario("history-backup", "500 edited states of 100 files: median backup, growth, size")
def history_backup(bench: Bench) -> Iterator[Row]:
    """Measures every state after the first; growth is taken after each tool's housekeeping (`git gc`)."""
    world = bench.shared(HistoryWorld)
    states = world.settings.states
    if states < 2:
        return
    label = f"history, {states} states"
    taken = {name: some for name, some in world.taken.items() if name != INDEXED}
    yield row("history.time", f"{label}, median backup", "s", seconds(taken), at_most(0.5, of="restic"))
    yield row("history.peak", f"{label}, peak memory", "MB", peak_mb(taken), at_most(150))
    if INDEXED in world.taken:
        with_index = {**taken, ARCHIVE: world.taken[INDEXED]}
        what = f"{label}, median backup with its index"
        yield row("history.indexed", what, "s", seconds(with_index), at_most(0.6, of="restic"))
    sizes = {name: size for name, size in world.last_bytes.items() if name != INDEXED}
    growth = {name: (size - world.first_bytes[name]) / 1e6 for name, size in sizes.items()}
    what = f"growth over {world.versions:,} versions, {world.versions_bytes / 1e6:.0f} MB (git gc)"
    yield row("history.growth", what, "MB", growth, at_most(1.0, of="git"))
    yield row("history.size", f"{label}, size of the store (git gc)", "MB", _mb(sizes))
    yield row("history.loose", f"{label}, size before git gc", "MB", _mb({name: world.loose_bytes[name] for name in sizes}))
    if INDEXED in world.last_bytes:
        with_index_bytes = {**sizes, ARCHIVE: world.last_bytes[INDEXED]}
        yield row("history.indexed-size", f"{label}, size of the store with its index", "MB", _mb(with_index_bytes))
        store = world.stores[INDEXED]
        assert isinstance(store, ArchiveStore)
        yield from split_rows("history", label, store)


@scenario("history-length", "whether an unchanged backup and a listing cost more behind 500 snapshots than behind 10")
def history_length(bench: Bench) -> Iterator[Row]:
    """Measures two archives of one tree in pairs: one knows the last ten states, the other all."""
    world = bench.shared(HistoryWorld)
    states, runs = world.settings.states, max(9, bench.settings.runs)
    unchanged: dict[int, dict[str, list[Taken]]] = {FEW: {}, states: {}}
    listing: dict[int, dict[str, list[Taken]]] = {FEW: {}, states: {}}
    for _ in range(runs if world.few and INDEXED in world.stores else 0):
        assert world.few is not None
        for size, store, moment in ((FEW, world.few, FEW // 2), (states, world.stores[INDEXED], world.middle)):
            unchanged[size].setdefault(ARCHIVE, []).append(store.backup())
            listing[size].setdefault(ARCHIVE, []).append(store.list_files(moment))
    others = [tool for tool in world.able() if tool.name != ARCHIVE]
    unchanged[states] |= bench.interleaved(
        "unchanged, long history", lambda tool, run: world.stores[tool.name].backup(), tools=others
    )
    listing[states] |= bench.interleaved(
        "listing", lambda tool, run: world.stores[tool.name].list_files(world.middle), tools=others
    )
    for key, what, taken in (("unchanged", "unchanged backup", unchanged), ("ls", "listing of a past state", listing)):
        few = f"history-length.{key}-{FEW}"
        yield row(few, f"history, {what}, {FEW} snapshots", "s", seconds(taken[FEW]))
        label = f"history, {what}, {states} snapshots"
        target = at_most(1.5, of=ARCHIVE, row=few)
        yield row(f"history-length.{key}-all", label, "s", seconds(taken[states]), target)


@scenario("history-restore", "restore of the state half way beside that of the newest")
def history_restore(bench: Bench) -> Iterator[Row]:
    """Measures two restores in pairs; those of the first run are compared with the state, byte by byte."""
    world = bench.shared(HistoryWorld)
    newest: dict[str, list[Taken]] = {}

    def measure(tool: Tool, run: int) -> Taken:
        newest.setdefault(tool.name, []).append(world.restore(tool, world.settings.states, verify=run == 0))
        return world.restore(tool, world.middle, verify=run == 0)

    runs = max(5, bench.settings.runs)
    middle = bench.interleaved(f"restore of state {world.middle}", measure, tools=world.able(), runs=runs)
    whole = {name: taken for name, taken in newest.items() if name in middle}
    label = f"history, restore of state {world.settings.states}"
    yield row("history-restore.newest", label, "s", seconds(whole))
    label = f"history, restore of state {world.middle}"
    target = at_most(1.5, of=ARCHIVE, row="history-restore.newest")
    yield row("history-restore.middle", label, "s", seconds(middle), target)


def _twice(tools: Sequence[Tool]) -> Iterator[Tool]:
    for tool in tools:
        if isinstance(tool, ArchiveTool):
            yield tool.without_index()
            yield tool.named(INDEXED)
        else:
            yield tool


def _mb(sizes: dict[str, int]) -> dict[str, float]:
    return {name: size / 1e6 for name, size in sizes.items()}
