"""Measures an emergency package of `medium`: making and proving it, and restoring from it with nothing but Python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmark.corpora import tree_digest
from benchmark.process import CommandError, Taken, folder_bytes
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, peak_mb, row, scenario, seconds
from benchmark.scenarios_medium import MediumWorld
from benchmark.tools import ArchiveStore, Tool

PLAIN_PYTHON = [sys.executable, "-I", "-S"]


@scenario("recovery", "emergency package of 20,000 files with some history: made and proven, then restored from")
def recovery(bench: Bench) -> Iterator[Row]:
    """Measures the archive alone, since no peer makes such a thing; what the first package restores is compared."""
    tools = [tool for tool in bench.tools if tool.name == ARCHIVE]
    if not tools:
        bench.say("recovery: only the archive makes packages")
        return
    world = bench.shared(MediumWorld)
    store = tools[0].open(world.root, bench.new_folder("recovery"))
    assert isinstance(store, ArchiveStore)
    store.backup()
    world.edit()
    store.backup()
    made: dict[str, list[Path]] = {"": [], "zip": [], "tar.zst": []}

    def make(tool: Tool, kind: str) -> Taken:
        made[kind].append(bench.new_folder(f"package-{kind or 'folder'}"))
        packed = ["--format", kind] if kind else []
        return bench.runner().run(store.command("recovery-package", str(made[kind][-1]), "--quiet", *packed), extra=tool.extra)

    taken = bench.interleaved("emergency package", lambda tool, run: make(tool, ""), tools=tools)
    yield row("recovery.time", "medium, emergency package, proven", "s", seconds(taken), at_most(25))
    yield row("recovery.peak", "medium, emergency package, peak memory", "MB", peak_mb(taken), at_most(400))
    yield row("recovery.size", "medium, size of the package", "MB", {ARCHIVE: folder_bytes(made[""][0]) / 1e6})
    zipped = bench.interleaved("emergency package and zip", lambda tool, run: make(tool, "zip"), tools=tools)
    yield row("recovery.zip", "medium, emergency package and zip of it", "s", seconds(zipped))
    tarred = bench.interleaved("emergency package and tar.zst", lambda tool, run: make(tool, "tar.zst"), tools=tools)
    yield row("recovery.tar.zst", "medium, emergency package and tar.zst of it", "s", seconds(tarred))
    restored = bench.interleaved(
        "restore from the package", lambda tool, run: _restore(bench, world, made[""][0], compare=run == 0), tools=tools
    )
    yield row("recovery.restore", "medium, restored by the package's restore.py", "s", seconds(restored))


def _restore(bench: Bench, world: MediumWorld, package: Path, *, compare: bool) -> Taken:
    folder = bench.new_folder("restored-from-package")
    taken = bench.runner().run([*PLAIN_PYTHON, str(package / "restore.py"), "restore", "--to", str(folder)])
    if compare and tree_digest(folder) != tree_digest(world.root):
        raise CommandError("the package restored something else than was backed up")
    return taken
