"""Migrations: the only DDL, all or nothing, and the file says what it is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from archive.errors import ArchiveExists, ArchiveNotFound, ArchiveTooNew, ArchiveTooOld, NotAnArchive
from archive.storage import migrate
from archive.storage.connection import Database


def test_a_new_archive_is_private_durable_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "archive.db"

    migrate.create(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["archive.db"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (migrate.APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (migrate.SCHEMA,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_creating_over_something_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    path.write_text("mine")

    with pytest.raises(ArchiveExists):
        migrate.create(path)

    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["archive.db"]


def test_a_creation_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise sqlite3.OperationalError("planted")

    monkeypatch.setattr(migrate, "_run_migrations", fail)

    with pytest.raises(Exception, match="planted"):
        migrate.create(tmp_path / "archive.db")

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_creation_left_is_removed_by_the_next(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    for process_id in (gone.pid, os.getpid()):
        (tmp_path / f".archive.db-new-{process_id}").touch()
        (tmp_path / f".archive.db-new-{process_id}-wal").touch()
    (tmp_path / ".archive.db-new-mine").touch()

    migrate.create(tmp_path / "archive.db")

    ours = f".archive.db-new-{os.getpid()}"  # this process runs, and may be at it in another thread
    assert {file.name for file in tmp_path.iterdir()} == {"archive.db", ".archive.db-new-mine", ours, f"{ours}-wal"}


def test_every_table_is_strict_and_every_constraint_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    migrate.create(path)

    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()

    ours = {name: sql for name, sql in rows if not name.startswith("_alembic")}
    # The full-text index is a virtual table with tables of SQLite's own behind it.
    ours = {name: sql for name, sql in ours.items() if not name.startswith("items_fts")}
    assert len(ours) > 10
    for name, sql in ours.items():
        statement = "\n".join(line.partition("--")[0] for line in sql.splitlines())
        assert statement.rstrip().endswith("STRICT"), name
        words = statement.replace("(", " ( ").split()
        for keyword in ("REFERENCES", "CHECK", "UNIQUE"):
            for position, word in enumerate(words):
                if word == keyword:
                    assert words[position - 2] == "CONSTRAINT", f"{name}: {' '.join(words[position - 2 : position + 3])}"


def test_a_file_of_something_else_is_not_an_archive(tmp_path: Path) -> None:
    other, text = tmp_path / "other.db", tmp_path / "notes.txt"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    text.write_text("no database at all, but long enough to be looked at" * 40)

    for path in (other, text, tmp_path):
        with pytest.raises(NotAnArchive):
            migrate.require_current(path)
    with pytest.raises(ArchiveNotFound):
        migrate.require_current(tmp_path / "none.db")


@pytest.mark.parametrize(("schema", "error"), [(migrate.SCHEMA + 1, ArchiveTooNew), (0, ArchiveTooOld)])
def test_another_schema_is_an_error_that_says_what_to_do(tmp_path: Path, schema: int, error: type[Exception]) -> None:
    path = tmp_path / "archive.db"
    migrate.create(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema}")

    with pytest.raises(error) as caught:
        migrate.require_current(path)

    assert getattr(caught.value, "hint", "")


def test_upgrading_a_current_archive_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    migrate.create(path)
    before = path.read_bytes()

    assert migrate.upgrade(path, wait_s=1) == (migrate.SCHEMA, migrate.SCHEMA)
    assert path.read_bytes() == before


def test_a_failing_migration_leaves_no_half_schema(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    database = Database(path.absolute(), writable=True)
    sqlite3.connect(path).close()
    path.touch()

    def fail() -> None:
        with database.writing() as connection:
            migrate._run_migrations(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    database.close()

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
