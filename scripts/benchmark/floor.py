"""Times the single steps of a backup in one plain Python process: `python floor.py ROOT FOLDER`; prints them as JSON.

What no Python program can do without, for reading the other figures; the folder is made and left.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS: dict[str, float] = {}


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Notes how long the block took."""
    started = time.perf_counter()
    yield
    STEPS[step] = time.perf_counter() - started


def walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yields the files below a folder; their stat is then known."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)
            else:
                entry.stat(follow_symlinks=False)
                yield entry


def read(path: str) -> bytes:
    """Returns the bytes of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 30)
    finally:
        os.close(descriptor)


def main(root: str, folder: str) -> None:
    """Takes the steps one after another."""
    os.makedirs(folder)
    with timed("walk and stat"):
        paths = [entry.path for entry in walk(root)]
    with timed("read"):
        contents = [read(path) for path in paths]
    with timed("SHA-256"):
        hashes = [hashlib.sha256(content).digest() for content in contents]
    with timed("insert, durable"):
        connection = sqlite3.connect(f"{folder}/floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE contents(id INTEGER PRIMARY KEY, path TEXT, hash BLOB, data TEXT) STRICT")
        connection.execute("BEGIN IMMEDIATE")
        texts = (content.decode() for content in contents)
        connection.executemany(
            "INSERT INTO contents(path, hash, data) VALUES (?, ?, ?)", zip(paths, hashes, texts, strict=True)
        )
        connection.execute("COMMIT")
        connection.close()
    with timed("restore loop"):
        made: set[str] = set()
        for path, content in zip(paths, contents, strict=True):
            target = f"{folder}/restored/{os.path.relpath(path, root)}"
            parent = os.path.dirname(target)
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            with open(target + ".new", "wb") as file:
                file.write(content)
            os.rename(target + ".new", target)
    json.dump(STEPS, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
