"""The archive explains itself: every table, view and column, and a query for each."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive
from archive.describing import COMMON, OWN, QUERIES, column_notes, describe, description
from archive.storage.migrate import SCHEMA

ISSUED = (
    "current_documents", "document_history", "current_items", "item_history", "current_tasks", "available_tasks",
    "task_history", "snapshot_changes", "current_problems", "problem_history", "storage_by_document",
)  # fmt: skip


def test_every_question_is_a_view_and_stands_first(opened: Archive) -> None:
    tables = opened.schema()
    assert tuple(table.name for table in tables[: len(ISSUED)]) == ISSUED
    assert [table.name for table in tables if table.is_view] == list(ISSUED)


def test_every_table_and_column_that_is_for_people_is_explained(opened: Archive) -> None:
    missing = [
        f"{table.name}.{column.name}"
        for table in opened.schema()
        for column in table.columns
        if not column.description and not table.name.startswith(("items_fts_", "_alembic"))
    ]
    assert missing == []
    for table in opened.schema():
        assert table.is_internal or table.name == "items_fts" or table.description, table.name
        assert table.is_internal or table.query, table.name


def test_no_explanation_is_of_a_column_that_is_not_there(opened: Archive) -> None:
    columns = {(table.name, column.name) for table in opened.schema() for column in table.columns}
    assert OWN.keys() - columns == set()
    assert COMMON.keys() - {name for _, name in columns} == set()
    assert QUERIES.keys() - {table.name for table in opened.schema()} == set()


@pytest.mark.parametrize("name", QUERIES)
def test_a_ready_query_works_in_any_sqlite_and_finds_something(sample: Path, name: str) -> None:
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as connection:
        rows = connection.execute(QUERIES[name]).fetchall()
    # Nothing was restored in the sample, and no word of it is about backups.
    assert rows or name in ("restores", "items_fts")


def test_foreign_keys_are_named(opened: Archive) -> None:
    tables = {table.name: table for table in opened.schema()}
    assert {column.name: column.references for column in tables["versions"].columns if column.references} == {
        "document_id": "documents",
        "blob_id": "blobs",
        "first_snapshot_id": "snapshots",
        "until_snapshot_id": "snapshots",
    }


def test_the_format_page_has_the_number_of_the_schema_and_each_of_its_changes() -> None:
    page = (Path(__file__).parents[2] / "archive" / "FORMAT.md").read_text(encoding="utf-8")
    assert f"is the number of the schema, here {SCHEMA}." in page
    changes = re.findall(r"^- (\d+): ", page.partition("\n## Changes of the format\n")[2], re.MULTILINE)
    assert list(map(int, changes)) == list(range(SCHEMA, 0, -1))


def test_comments_are_read_from_the_statement() -> None:
    table = "CREATE TABLE t (\n  -- What it is,\n  -- and more.\n  id INTEGER PRIMARY KEY,  -- the row\n  name TEXT\n) STRICT"
    view = (
        "CREATE VIEW v AS\n  -- A question.\n  SELECT a.id,  -- the row\n"
        "         max(b) AS most,  -- the most\n  c  -- see\nFROM a"
    )
    assert description(table) == "What it is, and more."
    assert column_notes(table) == {"id": "the row"}
    assert column_notes(view) == {"id": "the row", "most": "the most", "c": "see"}
    assert describe("t", "CREATE TABLE t (x)", []).description == ""


def test_views_of_our_own_explain_each_column_where_it_stands(opened: Archive) -> None:
    for table in opened.schema():
        if table.name in (
            "current_documents",
            "document_history",
            "snapshot_changes",
            "current_problems",
            "storage_by_document",
        ):
            assert set(column_notes(table.sql)) == {column.name for column in table.columns}, table.name


def test_the_descriptions_are_plain_short_texts(opened: Archive) -> None:
    for table in opened.schema():
        for column in table.columns:
            assert len(column.description) <= 120, (table.name, column.name)
            assert not re.search(r"\.$", column.description), (table.name, column.name)
