"""Measures questions about tasks on 10,000 tasks with 30,000 dependencies."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmark.process import CommandError
from benchmark.scenario import ARCHIVE, Bench, Row, at_most, row, scenario

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_WHAT = {
    "evaluate": ("what can be worked on, judged by the library", at_most(150)),
    "view": ("`SELECT * FROM available_tasks`", at_most(300)),
    "whole": ("`archive.available_tasks()`, reading included", None),
    "history": ("`archive.task_history(id)`", None),
    "command": ("`archive tasks --available --json`, whole process", None),
}


@scenario("tasks", "10,000 tasks with 30,000 dependencies")
def tasks(bench: Bench) -> Iterator[Row]:
    """Measures processor time within one process, and the command's wall time."""
    samples: dict[str, list[float]] = {}
    for _ in range(bench.settings.runs):
        folder = bench.new_folder("tasks")
        said = bench.runner().output(
            [sys.executable, str(HERE / "task_times.py"), bench.settings.seed, str(folder)], {"PYTHONPATH": str(ROOT)}
        )
        if not said:
            raise CommandError("task_times.py failed")
        for what, value in json.loads(said).items():
            samples.setdefault(what, []).append(value)
    for what, (label, target) in _WHAT.items():
        yield row(f"tasks.{what}", f"10,000 tasks, {label}", "ms", {ARCHIVE: samples[what]}, target)
