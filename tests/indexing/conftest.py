"""What the tests of the derived tier share: a look at its rows, beside what they should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.extract.documents import extract_document
from archive.extract.items import Extractor

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def rows(db_path: Path) -> Query:
    """Runs a statement on the archive's file and returns the rows."""

    def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
        return query(db_path, statement, *values)

    return run


def query(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement, values).fetchall()


def found(path: Path, match: str, *, past: bool = False) -> list[str]:
    """Returns the pointers of the items that an FTS5 expression finds, now or in the past."""
    sign = "<" if past else ">"
    return [
        pointer
        for (pointer,) in query(
            path,
            "SELECT i.pointer FROM items_fts f JOIN items i ON i.id = f.rowid"
            f" WHERE items_fts MATCH ? AND f.rowid {sign} 0 ORDER BY i.id",
            match,
        )
    ]


def assert_items_are_those_of_the_versions(path: Path) -> None:
    """Asserts that in every snapshot exactly those items are alive that are in the documents as they were."""
    extractor = Extractor()
    with Archive.open(path) as archive:
        for snapshot in archive.snapshots():
            expected = set()
            for document in archive.documents(at=str(snapshot.id)):
                data = archive.read(document.path, at=str(snapshot.id))
                for draft in extract_document(document.path, data, extractor).drafts:
                    key, _, kind, title, text, words, boilerplate, *_ = draft
                    expected.add((document.path, key, kind, title, text, words, int(bool(boilerplate))))
            alive = query(
                path,
                "SELECT d.path, i.key, i.kind, i.title, i.text, i.words, i.is_boilerplate"
                " FROM items i JOIN documents d ON d.id = i.document_id WHERE i.first_snapshot_id <= ?1"
                " AND (i.until_snapshot_id IS NULL OR i.until_snapshot_id > ?1)",
                snapshot.id,
            )
            assert len(alive) == len(set(alive)) == len(expected)
            assert set(alive) == expected
