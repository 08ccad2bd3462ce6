"""Says what the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from benchmark.process import Runner
from benchmark.tools import Tool


def describe(tools: Sequence[Tool], runner: Runner) -> dict[str, str]:
    """Returns the machine and the versions of all that was measured, in the order to print."""
    versions = {tool.name: tool.version(runner).removeprefix(f"{tool.name} ") for tool in tools}
    return {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **versions,
    }


def busy() -> str:
    """Returns a warning when other work keeps the machine busy, or an empty text."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    if load < cores / 2:
        return ""
    return f"the machine is busy (load {load:.1f} on {cores} cores): expect figures that are too high, and ratios that waver"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
