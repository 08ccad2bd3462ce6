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
    made: dict[str, list[Path]] = {kind: [] for kind in ("zip", "tar.zst", "folder")}

    def make(tool: Tool, kind: str) -> Taken:
        made[kind].append(bench.new_folder(f"package-{kind}"))
        command = store.command("recovery-package", str(made[kind][-1]), "--quiet", "--format", kind)
        return bench.runner().run(command, extra=tool.extra)

    taken = bench.interleaved("emergency package and zip", lambda tool, run: make(tool, "zip"), tools=tools)
    package = made["zip"][0]
    yield row("recovery.time", "medium, emergency package and zip of it, proven", "s", seconds(taken), at_most(25))
    yield row("recovery.peak", "medium, emergency package and zip of it, peak memory", "MB", peak_mb(taken), at_most(400))
    yield row("recovery.size", "medium, size of the package", "MB", {ARCHIVE: folder_bytes(package) / 1e6})
    zip_bytes = package.with_name(f"{package.name}.zip").stat().st_size
    yield row("recovery.zip-size", "medium, size of the zip of it", "MB", {ARCHIVE: zip_bytes / 1e6})
    tarred = bench.interleaved("emergency package and tar.zst", lambda tool, run: make(tool, "tar.zst"), tools=tools)
    yield row("recovery.tar.zst", "medium, emergency package and tar.zst of it", "s", seconds(tarred))
    alone = bench.interleaved("emergency package alone", lambda tool, run: make(tool, "folder"), tools=tools)
    yield row("recovery.folder", "medium, emergency package, folder alone", "s", seconds(alone))
    restored = bench.interleaved(
        "restore from the package", lambda tool, run: _restore(bench, world, package, compare=run == 0), tools=tools
    )
    yield row("recovery.restore", "medium, restored by the package's restore.py", "s", seconds(restored))


def _restore(bench: Bench, world: MediumWorld, package: Path, *, compare: bool) -> Taken:
    folder = bench.new_folder("restored-from-package")
    taken = bench.runner().run([*PLAIN_PYTHON, str(package / "restore.py"), "restore", "--to", str(folder)])
    if compare and tree_digest(folder) != tree_digest(world.root):
        raise CommandError("the package restored something else than was backed up")
    return taken
