"""Times questions about tasks, as JSON: `python task_times.py SEED FOLDER`.

A generated task file of 10,000 tasks with 30,000 dependencies is backed up into a fresh archive; then each question is
asked a few times, and the median of the processor time is what counts: other programs may run on the machine.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from archive import Archive
from archive.availability import AvailabilityOptions, evaluate
from archive.storage import taskread

TASKS, DEPENDENCIES = 10_000, 30_000
RUNS = 7
STATUSES = ("pending",) * 5 + ("done",) * 4 + ("in-progress", "cancelled", "blocked", "deferred")
PRIORITIES = ("critical", "high", "medium", "low", "")


def task_file(seed: str) -> dict[str, object]:
    """Returns a Task Master file: every task needs about three earlier ones, a few close rings, a third has a parent."""
    chance = random.Random(seed)
    needs: list[list[int]] = [[] for _ in range(TASKS)]
    for _ in range(DEPENDENCIES):
        task = chance.randrange(1, TASKS)
        near = chance.randrange(max(0, task - 200), task)
        needs[task].append(near if chance.random() < 0.99 else chance.randrange(TASKS))
    return {
        "tasks": [
            {
                "id": number,
                "title": f"Task {number}",
                "description": "What there is to do, in a line or two.",
                "status": chance.choice(STATUSES),
                "priority": chance.choice(PRIORITIES),
                "dependencies": needs[number],
                **({"parentTaskId": number // 10 * 10} if number % 10 and number % 3 == 0 else {}),
            }
            for number in range(TASKS)
        ]
    }


def median_ms(ask: Callable[[], object]) -> float:
    """Returns the median processor time of a question, in milliseconds."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        ask()
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken)


def main(seed: str, folder: Path) -> None:
    """Makes the archive and prints the times."""
    root, path = folder / "project", folder / "archive.db"
    root.mkdir(parents=True)
    (root / "tasks.json").write_text(json.dumps(task_file(seed)))
    found: dict[str, float] = {}
    with Archive.create(path) as archive:
        archive.backup(root)
        newest = archive.snapshot()
        found["whole"] = median_ms(archive.available_tasks)
        with archive._database.reading() as connection:
            tasks = taskread.tasks_at(connection, 1, newest.id)
            assert len(tasks) == TASKS, len(tasks)
            options = AvailabilityOptions(as_of=newest.created_at)
            found["evaluate"] = median_ms(lambda: evaluate(tasks, options).available())
            found["view"] = median_ms(lambda: connection.execute("SELECT * FROM available_tasks").fetchall())
        found["history"] = median_ms(lambda: archive.task_history("5000"))
    started = time.monotonic()
    program = [sys.executable, "-m", "archive", "tasks", "--available", "--json", "--db", str(path)]
    subprocess.run(program, check=True, capture_output=True)
    found["command"] = (time.monotonic() - started) * 1000
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
