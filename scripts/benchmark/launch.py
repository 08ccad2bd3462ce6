"""Runs one command and writes its wall time and peak memory as JSON: `python -I -S launch.py RESULT COMMAND…`.

A process of its own, because Linux counts the memory of the process that forked into the peak of the child, and the
benchmark itself is larger than some of what it measures. The floor of the figures is therefore this small interpreter
(about 9 MB). Where a command starts further processes, the largest sum of what the tree holds at once is sampled
(proportional set size, so shared pages count once); for a single process the kernel's exact figure stands.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

SAMPLE_SECONDS = 0.05


def descendants(pid: int) -> list[int]:
    """Returns the process and all it started that still run, as far as the kernel tells."""
    found = [pid]
    for parent in found:
        try:
            threads = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    found += [int(child) for child in file.read().split()]
            except OSError:
                continue
    return found


def held_bytes(pids: list[int]) -> int:
    """Returns the sum of the proportional set sizes."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


def watch(pid: int, done: threading.Event, peak: list[int]) -> None:
    """Keeps the largest sum seen while more than one process runs."""
    while not done.wait(SAMPLE_SECONDS):
        pids = descendants(pid)
        if len(pids) > 1:
            peak[0] = max(peak[0], held_bytes(pids))


def main(result: str, command: list[str]) -> None:
    """Runs the command and writes what it took."""
    peak = [0]
    done = threading.Event()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    watcher = threading.Thread(target=watch, args=(pid, done, peak), daemon=True)
    watcher.start()
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    done.set()
    watcher.join()
    unit = 1 if sys.platform == "darwin" else 1024
    measured = {
        "seconds": seconds,
        "peak_bytes": max(usage.ru_maxrss * unit, peak[0]),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(measured, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
