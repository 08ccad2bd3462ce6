"""SQL through the library: it reads and does nothing else, as of any moment, within its time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import Archive
from archive.errors import QueryError, SnapshotNotFound
from archive.model.tables import Table
from tests.conftest import FixedClock, write_tree
from tests.sql.sample import STATES


def the_number(archive: Archive, statement: str, **options: Any) -> int:
    """Returns the one number that answers a statement."""
    ((value,),) = archive.sql(statement, **options).rows
    assert isinstance(value, int)
    return value


def test_rows_have_the_names_of_their_columns(opened: Archive) -> None:
    found = opened.sql(
        "SELECT path, version FROM document_history WHERE path = :path ORDER BY version", {"path": "docs/old.md"}
    )
    assert found == Table(("path", "version"), (("docs/old.md", 1),))


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM versions",
        "INSERT INTO sources VALUES (9, 'x', 'x', '{}')",
        "UPDATE snapshots SET message = ''",
        "UPDATE sqlite_master SET sql = ''",
        "DROP TABLE items",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "ATTACH '/tmp/other.db' AS other",
        "VACUUM INTO '/tmp/other.db'",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 1",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "SELECT load_extension('/tmp/evil.so')",
        "INSERT INTO items_fts (items_fts) VALUES ('rebuild')",
        "SELECT 1; DELETE FROM versions",
        "WITH x AS (SELECT 1) DELETE FROM versions",
    ],
)
def test_what_would_do_more_than_read_is_refused(copied: Path, mode: str, statement: str) -> None:
    before = copied.read_bytes()
    with Archive.open(copied, mode="write" if mode == "write" else "read") as archive:
        with pytest.raises(QueryError):
            archive.sql(statement)
        assert archive.sql("SELECT count(*) FROM snapshots").rows == ((len(STATES),),)
    assert copied.read_bytes() == before


@pytest.mark.parametrize("statement", ["", "SELEC 1", "SELECT nothing FROM documents", "SELECT * FROM nowhere", "SELECT :a"])
def test_what_cannot_be_understood_says_where_to_look(opened: Archive, statement: str) -> None:
    if not statement:
        assert opened.sql(statement) == Table((), ())
        return
    with pytest.raises(QueryError) as caught:
        opened.sql(statement)
    assert "archive schema" in caught.value.hint


def test_pragmas_that_tell_and_full_text_search_are_allowed(opened: Archive) -> None:
    assert opened.sql("SELECT name FROM pragma_table_info('snapshots') LIMIT 1").rows == (("id",),)
    assert the_number(opened, "PRAGMA user_version") >= 4
    assert the_number(opened, "SELECT count(*) FROM items_fts WHERE items_fts MATCH 'lighthouse'") >= 4


def test_a_statement_that_runs_away_is_stopped_in_time_and_the_archive_goes_on(opened: Archive) -> None:
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(QueryError, match=r"took longer than 0\.05 s") as caught:
        Archive.open(opened.path).sql(endless, time_limit_s=0.05)
    assert caught.value.context["interrupted"]
    assert opened.sql("SELECT 1").rows == ((1,),)


def test_documents_items_and_tasks_are_those_of_the_moment(opened: Archive) -> None:
    for number, (_, tree) in enumerate(STATES, 1):
        at = str(number)
        paths = {row[0] for row in opened.sql("SELECT path FROM documents", at=at).rows}
        assert ("docs/old.md" in paths) == ("docs/old.md" in tree)
        assert len(paths) == len(tree)
        content = opened.sql("SELECT content FROM documents WHERE path = 'agents/tasks.json'", at=at).rows[0][0]
        assert content == tree["agents/tasks.json"].decode()
        assert len(opened.sql("SELECT 1 FROM tasks", at=at).rows) == 3
    status = "SELECT status FROM {} WHERE title = 'draw the map'"
    for name in ("tasks", "current_tasks"):
        assert opened.sql(status.format(name), at="1").rows == (("pending",),)
        assert opened.sql(status.format(name), at="2").rows == (("done",),)
    assert opened.sql(status.format("current_tasks")).rows == (("done",),)
    old = "SELECT count(*) FROM items WHERE path = 'docs/old.md'"
    assert the_number(opened, old, at="2") > 0
    assert opened.sql(old, at="3").rows == ((0,),)


def test_what_could_be_worked_on_and_what_was_wrong_are_those_of_the_moment_too(opened: Archive) -> None:
    seen = set()
    for number in range(1, len(STATES) + 1):
        at = str(number)
        expected = [verdict.task.title for verdict in opened.available_tasks(at=at).verdicts]
        assert [row[0] for row in opened.sql("SELECT title FROM Available_Tasks", at=at).rows] == expected
        problems = {(problem.path, problem.kind.value) for problem in opened.problems(at=at)}
        assert set(opened.sql("SELECT path, kind FROM current_problems", at=at).rows) == problems
        seen.add((tuple(expected), frozenset(problems)))
    assert len(seen) > 1
    for name in ("available_tasks", "current_problems"):
        now = opened.sql(f"SELECT * FROM {name}")
        then = opened.sql(f"SELECT {', '.join(now.columns)} FROM {name}", at="latest")
        assert sorted(then.rows) == sorted(now.rows)


@pytest.mark.parametrize("name", ["documents", "items", "tasks"])
def test_the_views_of_a_moment_have_the_columns_of_those_of_now(opened: Archive, name: str) -> None:
    now = set(opened.sql(f"SELECT * FROM current_{name} LIMIT 0").columns)
    assert set(opened.sql(f"SELECT * FROM {name} LIMIT 0", at="1").columns) == now


def test_a_ready_query_about_now_can_be_asked_of_the_latest_snapshot_with_the_same_answer(opened: Archive) -> None:
    for name in ("current_documents", "current_items", "current_tasks"):
        statement = f"SELECT * FROM {name} ORDER BY id"
        now = opened.sql(statement)
        then = opened.sql(f"SELECT {', '.join(now.columns)} FROM {name} ORDER BY id", at="latest")
        assert then == now


def test_the_moment_is_forgotten_with_the_statement(opened: Archive) -> None:
    opened.sql("SELECT 1 FROM documents", at="3")
    assert ("docs/old.md",) in opened.sql("SELECT path FROM documents").rows
    with pytest.raises(SnapshotNotFound):
        opened.sql("SELECT 1", at="99")


_READS: dict[str, Callable[[Archive], object]] = {
    "snapshots": lambda archive: archive.snapshots(),
    "sources": lambda archive: archive.sources(),
    "a statement": lambda archive: archive.sql("SELECT count(*) FROM snapshots").rows,
    "a search": lambda archive: archive.search("lighthouse").items,
    "statistics": lambda archive: archive.stats().snapshots,
}


@pytest.mark.parametrize("first", _READS)
def test_one_moment_is_seen_whatever_others_write_and_whatever_is_read_first(copied: Path, first: str) -> None:
    root = copied.parent / "project"
    with Archive.open(copied, source="boat") as reader, Archive.open(copied, mode="write", clock=FixedClock()) as writer:
        before = reader.snapshots()
        with reader.one_moment():
            read = _READS[first](reader)
            write_tree(root, {"new.md": b"# New lighthouse\n"})
            writer.backup(root)
            assert _READS[first](reader) == read
            assert reader.sql("SELECT count(*) FROM snapshots").rows == ((len(before),),)
            assert reader.snapshots() == before
            assert len(reader.sources()) == 1
        assert reader.sql("SELECT count(*) FROM snapshots").rows == ((len(before) + 1,),)
        assert len(reader.sources()) == 2  # the copied folder is another one


def test_one_moment_inside_another_is_the_same_one(opened: Archive) -> None:
    with opened.one_moment(), opened.one_moment():
        assert opened.sql("SELECT 1").rows == ((1,),)
        assert opened.snapshots()
    assert opened.snapshots()


@given(text=st.text(), values=st.lists(st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text()), max_size=3))
def test_no_text_makes_anything_but_an_answer_or_a_query_error(sample: Path, text: str, values: list[object]) -> None:
    with Archive.open(sample) as archive:
        for statement, parameters in ((text, ()), (f"SELECT {text}", ()), ("SELECT ?, ?, ?", values)):
            with suppress(QueryError):  # anything else fails the test
                archive.sql(statement, parameters)


def test_the_answer_is_the_one_that_sqlite_gives(sample: Path, opened: Archive) -> None:
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as connection:
        for table in opened.schema():
            if table.query:
                assert list(opened.sql(table.query).rows) == connection.execute(table.query).fetchall()


def test_asking_for_a_moment_leaves_an_archive_that_is_open_for_writing_writable(
    archive: Archive, root: Path, db_path: Path
) -> None:
    write_tree(root, {"a.json": b"{}"})
    archive.backup(root)
    assert archive.sql("SELECT count(*) FROM documents", at="latest").rows[0][0] == 1
    write_tree(root, {"b.json": b"{}"})
    assert archive.backup(root).added == ("b.json",)


def test_regexp_is_a_search_by_python_s_regular_expressions(opened: Archive) -> None:
    statement = "SELECT 'harbour' REGEXP '^h.r', 'harbour' REGEXP 'arb', 'harbour' REGEXP '^arb', NULL REGEXP 'a'"
    assert opened.sql(statement).rows == ((1, 1, 0, None),)
