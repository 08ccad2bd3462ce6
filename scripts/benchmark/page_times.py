"""Times the pages of an archive: `python page_times.py ARCHIVE` prints medians in milliseconds as JSON.

One Datasette as `archive inspect` makes it, asked through its own client: everything but the network. The first request
of each page is not counted; it imports and compiles.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

TIMES = 9
PAGES = {
    "timeline": "/-/timeline",
    "documents": "/-/document",
    "document": "/-/document?id=1",
    "documents then": "/-/document?at=1&sort=size",
    "search": "/-/search?q=backup+memory",
    "search of history": "/-/search?q=the&history=1",
    "tasks": "/-/tasks",
    "tasks then": "/-/tasks?at=1",
    "health": "/-/health",
}


async def measure(path: Path) -> dict[str, float]:
    """Returns the median of each page."""
    from archive.cli.commands.inspect import make

    datasette = make(path)
    await datasette.invoke_startup()
    medians = {}
    for name, page in PAGES.items():
        taken = []
        for _ in range(TIMES + 1):
            started = time.perf_counter()
            response = await datasette.client.get(f"/{path.stem}{page}")
            taken.append((time.perf_counter() - started) * 1000)
            assert response.status_code == 200, (name, response.status_code, response.text)
        medians[name] = statistics.median(taken[1:])
    return medians


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Path(sys.argv[1])))))
