"""The SQL functions give the same on every connection: ours, sqlite-utils' and a bare one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive import SystemClock
from archive.sqlite_utils_plugin import prepare_connection
from archive.storage.functions import register
from tests.sql.sample import FIRST, NOT_UTF8, STATES


@pytest.fixture
def connection(sample: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as found:
        register(found, SystemClock())
        yield found


def version_id(connection: sqlite3.Connection, path: str, number: int = 1) -> int:
    row = connection.execute(
        "SELECT version_id FROM document_history WHERE path = ? AND version = ?", (path, number)
    ).fetchone()
    return int(row[0])


def one(connection: sqlite3.Connection, statement: str, *parameters: object) -> Any:
    return connection.execute(statement, parameters).fetchone()[0]


def test_content_is_that_of_any_version_current_or_past(connection: sqlite3.Connection) -> None:
    first = version_id(connection, "agents/tasks.json")
    second = version_id(connection, "agents/tasks.json", 2)
    assert one(connection, "SELECT archive_content(?)", first) == FIRST["agents/tasks.json"].decode()
    assert one(connection, "SELECT archive_content(?)", second) == STATES[1][1]["agents/tasks.json"].decode()


def test_content_that_is_not_utf8_is_a_blob(connection: sqlite3.Connection) -> None:
    found = version_id(connection, "odd/caf\\xe9.txt")
    assert one(connection, "SELECT archive_content(?)", found) == FIRST[NOT_UTF8]


@pytest.mark.parametrize("argument", [None, 0, 10**12, "one", b"1", 1.5])
def test_a_version_that_does_not_exist_has_no_content(connection: sqlite3.Connection, argument: object) -> None:
    for name in ("archive_content(?)", "archive_json(?, '')", "archive_diff(?, 1)", "archive_diff(1, ?)"):
        assert one(connection, f"SELECT {name}", argument) is None


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/tasks/0/title", "draw the map"),
        ("/tasks/1/id", 2),
        ("/tasks/1/dependencies", "[1]"),
        ("/tasks/0/nothing", None),
        ("/tasks/99", None),
    ],
)
def test_a_value_is_text_number_or_json(connection: sqlite3.Connection, pointer: str, value: object) -> None:
    assert one(connection, "SELECT archive_json(?, ?)", version_id(connection, "agents/tasks.json"), pointer) == value


def test_records_of_jsonl_are_counted_from_zero(connection: sqlite3.Connection) -> None:
    assert one(connection, "SELECT archive_json(?, '/1/name')", version_id(connection, "agents/memory.jsonl")) == "Bertil"


def test_a_moment_is_a_snapshot(connection: sqlite3.Connection) -> None:
    assert one(connection, "SELECT archive_at('latest')") == len(STATES)
    assert one(connection, "SELECT archive_at('latest~1')") == len(STATES) - 1
    assert one(connection, "SELECT archive_at('20200102_120000')") == 2
    assert one(connection, "SELECT archive_at('2020-01-03T13:00:00Z')") == 3
    assert one(connection, "SELECT archive_at('1999-01-01')") is None
    assert one(connection, "SELECT archive_at(NULL)") is None
    assert one(connection, "SELECT archive_at('1', 'boat')") == 1


# Once Datasette is loaded, SQLite reports what a function raises beside handing it on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_text_that_is_no_moment_is_an_error(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        one(connection, "SELECT archive_at('the day before')")


def test_a_difference_is_an_object_with_values_text_and_note(connection: sqlite3.Connection) -> None:
    first, second = (version_id(connection, "agents/tasks.json", number) for number in (1, 2))
    found = json.loads(one(connection, "SELECT archive_diff(?, ?)", first, second))
    assert {change["pointer"]: change["new"] for change in found["values"]} == {
        "/tasks/0/status": "done",
        "/tasks/2/status": "in_progress",
    }
    old, new = (version_id(connection, "docs/roadmap.md", number) for number in (1, 2))
    found = json.loads(one(connection, "SELECT archive_diff(?, ?)", old, new))
    assert found["values"] == []
    assert "+The tides are next." in found["text"]


# Once Datasette is loaded, SQLite reports what a function raises beside handing it on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damaged_content_is_an_error_and_not_a_wrong_answer(copied: Path) -> None:
    with closing(sqlite3.connect(copied)) as connection:
        register(connection, SystemClock())
        found = version_id(connection, "docs/copy.md")
        connection.execute(
            "UPDATE contents SET data = 'forged' WHERE blob_id = (SELECT blob_id FROM versions WHERE id = ?)", (found,)
        )
        with pytest.raises(sqlite3.OperationalError):
            one(connection, "SELECT archive_content(?)", found)


def test_the_functions_are_given_to_sqlite_utils(sample: Path) -> None:
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as connection:
        prepare_connection(connection)
        assert one(connection, "SELECT archive_at('latest')") == len(STATES)


def test_a_limit_of_the_statement_reaches_into_the_functions(connection: sqlite3.Connection) -> None:
    """The progress handler is what Datasette sets a time limit with."""
    calls = 0

    def over() -> bool:
        nonlocal calls
        calls += 1
        return calls > 50

    connection.set_progress_handler(over, 1000)
    statement = (
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000)"
        " SELECT count(archive_content(x % 5 + 1)) FROM n"
    )
    with pytest.raises(sqlite3.OperationalError, match=r"^interrupted$"):
        connection.execute(statement).fetchall()
