"""Indexes a folder the way most people would: `python naive_fts.py ROOT DB`.

Python's sqlite3, one FTS5 row per file holding its path and text, default settings, one transaction. It is the
yardstick for the index of the archive, and on purpose nothing is tuned.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path


def rows(root: Path) -> Iterator[tuple[str, str]]:
    """Yields path and text of each file."""
    for path in root.rglob("*"):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def main(root: str, database: str) -> None:
    """Makes the index."""
    connection = sqlite3.connect(database)
    connection.execute("CREATE VIRTUAL TABLE documents USING fts5(path, text)")
    with connection:
        connection.executemany("INSERT INTO documents(path, text) VALUES (?, ?)", rows(Path(root)))
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
