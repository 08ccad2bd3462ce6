"""The statement that a page names finds with SQL what the search found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from archive import Archive
from tests.search.conftest import Remember
from tests.search.project import JUDGED

OPTIONS: list[dict[str, Any]] = [
    {},
    {"kind": "jsonl"},
    {"category": "Docs"},
    {"path": "agents/"},
    {"path": "*.MD"},
    {"path": "tasks.json"},
]


def asked(archive: Archive, query: str, **options: Any) -> tuple[list[Any], list[Any]]:
    """Returns path and pointer of all hits, and of what stock SQLite finds with the page's statement."""
    page = archive.search(query, limit=1000, **options)
    assert page.sql is not None
    with closing(sqlite3.connect(archive.path)) as connection:
        rows = connection.execute(page.sql.text, dict(page.sql.parameters)).fetchall()
    return [(hit.path, hit.pointer) for hit in page.items], [row[:2] for row in rows]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_finds_the_same_in_the_same_order(sample: Archive, options: dict[str, Any]) -> None:
    queries = [query for query, *_ in JUDGED if query.isascii()]
    more = [
        "task OR memory",
        "memory -texture",
        "title:shader",
        "key:phase",
        "-memory path:agents",
        "path:docs",
        "nothingatall",
    ]
    found = 0
    for query in [*queries, *more, "path:a*/*.json memory", "-category:docs the", "category:docs category:agents a"]:
        hits, rows = asked(sample, query, **options)
        assert sorted(rows) == sorted(hits), query
        # Equal scores of equally old items have no order of their own.
        assert rows == hits or len({hit.score for hit in sample.search(query, limit=1000, **options).items}) < len(hits), query
        found += len(hits)
    assert found > 10


def test_it_is_of_the_moment_and_of_the_time_that_is_asked_for(archive: Archive, remember: Remember) -> None:
    for number in range(1, 5):
        remember({f"{n}.json": f'{{"note": "the kettle {n if n < number else "boils"}"}}'.encode() for n in range(number)})
    for options in ({"at": "2"}, {"at": "3"}, {"since": "2"}, {"until": "2"}, {"since": "2", "until": "3", "at": "4"}):
        for query in ("kettle", "boils", "path:1"):
            hits, rows = asked(archive, query, **options)
            assert sorted(rows) == sorted(hits), (options, query)
            assert hits or query != "kettle"


def test_it_finds_every_state_over_history(archive: Archive, remember: Remember) -> None:
    for number in range(1, 4):
        remember({"a.json": f'{{"note": "kettle {number}"}}'.encode()})
    hits, rows = asked(archive, "kettle", history=True)
    assert (len(hits), len(rows)) == (1, 3)


def test_a_part_of_a_text_can_be_asked_for_and_a_regular_expression_not(archive: Archive, remember: Remember) -> None:
    remember({"a.json": b'{"note": "the Kettles"}', "b.json": b'{"note": "a pan"}'})
    hits, rows = asked(archive, "ettle", substring=True)
    assert hits == rows == [("a.json", "")]
    assert archive.search("k.ttle", regex=True).sql is None
