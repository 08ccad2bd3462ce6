"""Transactions: whole or not there, however their block ends, and never left open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from archive.errors import ArchiveError, UsageError
from archive.storage import migrate
from archive.storage.connection import Connection, Database
from archive.storage.rows import fetch, first, stream, value
from tests.faults import hearing_statements


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "archive.db"
    migrate.create(path)
    opened = Database(path, writable=True)
    yield opened
    opened.close()


def add(connection: Connection, name: str = "one") -> None:
    connection.execute("INSERT INTO sources (name, root, rules) VALUES (?, '/x', '{}')", (name,))


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return [name for (name,) in fetch(connection, "SELECT name FROM sources ORDER BY id")]


def write(database: Database) -> None:
    with database.writing() as connection:
        add(connection)


def write_and_raise(database: Database, error: BaseException) -> None:
    with database.writing() as connection:
        add(connection)
        raise error


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_whatever_ends_a_block_what_it_wrote_is_undone(database: Database, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write_and_raise(database, error)
    assert not database.raw.in_transaction
    assert names(database) == []


def test_what_was_written_is_there_when_the_block_has_ended(database: Database) -> None:
    write(database)
    assert names(database) == ["one"]


def test_a_transaction_that_sqlite_has_undone_by_itself_does_not_pass_for_a_committed_one(database: Database) -> None:
    def go_on_after_an_error() -> None:
        with database.writing() as connection:
            add(connection)
            with suppress(sqlite3.IntegrityError):
                connection.execute("INSERT OR ROLLBACK INTO sources (name, root, rules) VALUES ('one', '/x', '{}')")
            assert not connection.in_transaction

    with pytest.raises(ArchiveError, match="no transaction is active"):
        go_on_after_an_error()
    assert names(database) == []


def test_an_error_by_which_sqlite_ends_the_transaction_is_said_as_it_is(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            add(connection)
            connection.execute("INSERT OR ROLLBACK INTO sources (name, root, rules) VALUES ('one', '/x', '{}')")

    with pytest.raises(ArchiveError, match="UNIQUE constraint failed"):
        fail()
    assert names(database) == []


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "COMMIT"])
def test_ctrl_c_while_a_transaction_begins_or_ends_leaves_none_open(database: Database, statement: str) -> None:
    struck = False

    def interrupt(heard: str) -> None:
        nonlocal struck
        if heard == statement and not struck:
            struck = True
            raise KeyboardInterrupt

    with hearing_statements(interrupt):
        again = Database(database.path, writable=True)
        with pytest.raises(KeyboardInterrupt):
            write(again)
        assert not again.raw.in_transaction
        assert names(again) == []
        write(again)
        assert names(again) == ["one"]
        again.close()


def test_rows_that_were_not_read_to_the_end_hold_nothing_back(database: Database) -> None:
    with database.writing() as connection:
        for name in ("one", "two", "three"):
            add(connection, name)
    with database.reading() as connection:
        assert first(connection, "SELECT name FROM sources ORDER BY id") == ("one",)
        assert value(connection, "SELECT name FROM sources ORDER BY id") == "one"
        assert first(connection, "SELECT name FROM sources WHERE id > 3") is None
        assert value(connection, "SELECT name FROM sources WHERE id > 3") is None
        assert next(stream(connection, "SELECT name FROM sources ORDER BY id")) == ("one",)
    # A statement that still ran would keep the log from being emptied, and the mode from being changed.
    database.take_in_log()
    assert database.raw.execute("PRAGMA journal_mode = DELETE").fetchall() == [("delete",)]


def test_a_block_that_is_left_after_its_archive_was_closed_says_nothing(database: Database) -> None:
    block = database.reading()
    block.__enter__()
    database.close()
    block.__exit__(None, None, None)
    with pytest.raises(UsageError):
        names(database)


def test_a_statement_of_a_migration_that_fails_is_the_driver_s_error_and_undoes_the_transaction(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            add(connection)
            with migrate._lent(connection) as lent:
                lent.exec_driver_sql("CREATE TABLE planted (id INTEGER PRIMARY KEY) STRICT")
                lent.exec_driver_sql("no statement at all")

    with pytest.raises(ArchiveError, match="syntax error") as caught:
        fail()
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert names(database) == []
    with database.reading() as connection:
        assert first(connection, "SELECT 1 FROM sqlite_master WHERE name = 'planted'") is None


def test_who_is_lent_the_connection_can_neither_commit_nor_close_it(database: Database) -> None:
    with suppress(ZeroDivisionError), database.writing() as connection:
        add(connection)
        with migrate._lent(connection) as lent:
            lent.commit()
            lent.connection.close()
        assert connection.in_transaction
        raise ZeroDivisionError
    assert names(database) == []
