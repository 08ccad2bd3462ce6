"""Times 200 mixed queries in the library: `python search_times.py DB now|history WORDS`; prints milliseconds by kind as JSON.

The queries are made of what the index of the archive WORDS holds: rare words, common ones (the most common of all among
them), two words, phrases, beginnings of words, and words in a part of the paths. Each is timed once, after one other round
that warms the caches.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from collections.abc import Callable

from archive import Archive

ROUNDS = 34  # of six kinds


def main(database: str, mode: str, words: str) -> None:
    """Times the queries."""
    queries = make_queries(words)
    times: dict[str, list[float]] = {}
    with Archive.open(database) as archive:
        for is_warm in (False, True):
            for kind, query in queries:
                started = time.perf_counter()
                archive.search(query, history=mode == "history")
                if is_warm:
                    times.setdefault(kind, []).append((time.perf_counter() - started) * 1000)
    json.dump(times, sys.stdout)


def make_queries(database: str) -> list[tuple[str, str]]:
    """Returns kinds and queries, always the same for the same archive."""
    chance = random.Random(7)
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, items_fts, 'row')")
    count = connection.execute("SELECT count(*) FROM items").fetchone()[0]
    words = [
        (term, items)
        for term, items in connection.execute("SELECT term, doc FROM temp.terms ORDER BY doc DESC, term")
        if term.isalpha() and len(term) > 2
    ]
    common = [term for term, _ in words[:40]]
    medium = [term for term, items in words[40:] if items > count / 2000][:1000] or common
    rare = [term for term, items in words if items <= 50]
    step = max(1, count // 400)
    texts = [text.split() for (text,) in connection.execute("SELECT text FROM items WHERE id > 0 AND id % ? = 0", (step,))]
    texts = [text for text in texts if len(text) > 6]
    folders = [path.split("/") for (path,) in connection.execute("SELECT path FROM documents ORDER BY id")]
    connection.close()

    def phrase() -> str:
        text = chance.choice(texts)
        start = chance.randrange(len(text) - 3)
        return '"' + " ".join(text[start : start + 3]).replace('"', "") + '"'

    makers: dict[str, Callable[[], str]] = {
        "rare": lambda: chance.choice(rare),
        "common": lambda: chance.choice(common),
        "two words": lambda: f"{chance.choice(medium)} {chance.choice(medium)}",
        "phrase": phrase,
        "prefix": lambda: f"{chance.choice(medium)[:4]}*",
        "filter": lambda: f"{chance.choice(medium)} path:{chance.choice(chance.choice(folders))}",
    }
    return [(kind, make()) for _ in range(ROUNDS) for kind, make in makers.items()][:200]


if __name__ == "__main__":
    main(*sys.argv[1:])
