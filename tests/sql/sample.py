"""A small archive in which everything that one can ask about has happened: the states of a project."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from archive import Archive
from tests.conftest import FixedClock, Tree, write_tree

NASTY = "odd/<script>alert('x')&\"quote\"\n.md"
NOT_UTF8 = os.fsdecode(b"odd/caf\xe9.txt")
SCRIPT = b"# <script>alert(1)</script>\n\n<img src=x onerror=alert(2)> lighthouse\n"


def tasks(*statuses: str) -> bytes:
    """Returns a task file: the map, the tides that wait for it, the boat."""
    titles = ("draw the map", "chart the tides", "mend the boat")
    rows = [
        {"id": number, "title": title, "status": status, "priority": "high", "dependencies": [1] if number == 2 else []}
        for number, (title, status) in enumerate(zip(titles, statuses, strict=True), 1)
    ]
    return json.dumps({"metadata": {"version": f"1.{len(statuses)}"}, "tasks": rows}, indent=1).encode() + b"\n"


MEMORY = b"".join(
    json.dumps(
        {"type": "entity", "name": name, "observations": [f"{name} was seen near the lighthouse, again and again"]}
    ).encode()
    + b"\n"
    for name in ("Aino", "Bertil", "Cecilia", "Dagny", "Einar", "Frida")
)
FIRST: Tree = {
    "agents/tasks.json": tasks("pending", "pending", "pending"),
    "agents/memory.json": json.dumps({"metadata": {"version": "2.0"}, "people": ["Aino", "Bertil"] * 40}).encode(),
    "agents/memory.jsonl": MEMORY,
    "docs/roadmap.md": b"# Roadmap\n\nFirst the map, then the lighthouse.\n",
    "docs/copy.md": b"# Roadmap\n\nFirst the map, then the lighthouse.\n",
    "docs/again.md": b"# Roadmap\n\nFirst the map, then the lighthouse.\n",
    "docs/old.md": b"# Old\n\nThe lighthouse keeper left.\n",
    NASTY: SCRIPT,
    NOT_UTF8: "na\xefve\n".encode("latin-1"),
}
STATES: list[tuple[str, Tree]] = [
    ("the first", FIRST),
    ("the map is drawn", FIRST | {"agents/tasks.json": tasks("done", "pending", "in_progress")}),
    (
        "an <b>accident</b>",
        {path: data for path, data in FIRST.items() if path != "docs/old.md"}
        | {"agents/tasks.json": tasks("done", "pending", "in_progress"), "agents/memory.json": b'{"people": ["Ai'},
    ),
    (
        "more work",
        {path: data for path, data in FIRST.items() if path != "docs/old.md"}
        | {
            "agents/tasks.json": tasks("done", "pending", "done"),
            "agents/memory.json": b'{"people": ["Ai',
            "docs/roadmap.md": b"# Roadmap\n\nThe tides are next.\n",
        },
    ),
]


def build(folder: Path) -> Path:
    """Makes the archive, indexed, and returns its file; the project lies beside it."""
    root = folder / "project"
    root.mkdir(parents=True)
    path = folder / "archive.db"
    clock = FixedClock(datetime(2020, 1, 1, 12, tzinfo=UTC))
    with Archive.create(path, source="boat", clock=clock) as archive:
        for message, tree in STATES:
            write_tree(root, tree)
            archive.backup(root, message=message, tags=["kept"])
            archive.search("lighthouse")  # an archive that is open for writing indexes first
            clock.tick(days=1)
        archive.check()
    return path
