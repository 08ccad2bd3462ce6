"""Writing tasks: an upgrade brings them, and a failure at any statement leaves a state from which the next one goes on."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from archive import Archive, TaskFilter
from archive.errors import ArchiveError
from archive.indexing import index_pending
from archive.storage import migrate, taskstore
from archive.storage.connection import Database
from tests.conftest import FixedClock, write_tree
from tests.faults import failing_statement
from tests.tasks.conftest import Project, as_bytes

ALL = TaskFilter(finished=True)
TREE = {
    "tasks.json": as_bytes({"tasks": [{"id": 1, "title": "One", "status": "pending", "dependencies": []}]}),
    "todo.txt": b"Call\n",
}


def make_old(path: Path) -> None:
    """Makes an archive as the schema before tasks had it."""
    path.touch()
    database = Database(path, writable=True)
    with database.writing() as connection, migrate._lent(connection) as lent:
        config = Config()
        config.set_main_option("script_location", str(migrate.migrations_folder()))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = lent
        command.upgrade(config, "0002")
    database.close()


def test_an_older_archive_gets_its_tasks_with_the_upgrade(db_path: Path, clock: FixedClock) -> None:
    db_path.parent.mkdir(parents=True)
    make_old(db_path)
    with closing(sqlite3.connect(db_path)) as connection, connection:
        data = TREE["tasks.json"]
        connection.execute("INSERT INTO sources (id, name, root, rules) VALUES (1, 'old', '/old', '{}')")
        connection.execute(
            "INSERT INTO snapshots (id, source_id, label, created_at, is_complete, documents_count, documents_bytes,"
            " added_count, changed_count, touched_count, removed_count, problems_count, bytes_read, bytes_stored, duration_ms,"
            " digest)"
            " VALUES (1, 1, '20250101_000000', '2025-01-01T00:00:00.000Z', 1, 1, ?, 1, 0, 0, 0, 0, 0, 0, 0, '')",
            (len(data),),
        )
        connection.execute(
            "INSERT INTO documents (id, source_id, path, kind, category) VALUES (1, 1, 'tasks.json', 'json', 'x')"
        )
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        connection.execute("INSERT INTO blobs (id, hash, size_bytes) VALUES (1, ?, ?)", (digest, len(data)))
        connection.execute("INSERT INTO contents (blob_id, data) VALUES (1, ?)", (data.decode(),))
        connection.execute(
            "INSERT INTO versions (id, document_id, number, blob_id, first_snapshot_id, mode, mtime_ns, size_bytes,"
            " parse_state) VALUES (1, 1, 1, 1, 1, 420, 0, ?, 'valid')",
            (len(data),),
        )
        # Its items were all made.
        connection.execute("UPDATE _indexing SET derivation = 2, version_id = 1, snapshot_id = 1")
    before, after = Archive.upgrade(db_path)
    assert (before, after) == (2, migrate.SCHEMA)
    with Archive.open(db_path, mode="write", clock=clock) as archive:
        assert archive.tasks(ALL).waiting == 1
        index_pending(archive._database)
        assert [task.title for task in archive.available_tasks().tasks] == ["One"]
    db_path.unlink()  # its digests are made up, so no check would pass it


def test_a_failure_at_any_statement_is_made_good_by_the_next_indexing(project: Project) -> None:
    write_tree(project.root, TREE)
    project.save(TREE)
    changed = TREE | {"tasks.json": TREE["tasks.json"].replace(b"One", b"Uno"), "todo.txt": b"x Call\nWrite\n"}
    project.save(changed)
    project.save({"tasks.json": b"{", "todo.txt": None})
    database = project.archive._database
    with database.reading() as connection:
        expected = list(taskstore.content(connection))
    assert len(expected) == 6
    struck = 0
    for n in range(1, 1000):
        with database.writing() as connection:
            connection.execute("UPDATE _indexing SET derivation = 0")
        with failing_statement(n) as countdown, closing(Database(database.path, writable=True)) as failing:
            try:
                index_pending(failing)
            except (ArchiveError, sqlite3.Error):
                struck += 1
        if not countdown.has_struck:
            break
        with database.reading() as connection:
            assert list(taskstore.content(connection)) == expected  # the transaction that dropped them was rolled back
        index_pending(database)
        with database.reading() as connection:
            assert list(taskstore.content(connection)) == expected
    assert struck > 10


def test_a_row_that_makes_no_sense_is_damage_and_not_a_crash(project: Project, damaged_on_purpose: None) -> None:
    project.save(TREE)
    with closing(sqlite3.connect(project.archive.path)) as connection, connection:
        connection.execute("UPDATE tasks SET anomalies = '[[1]]'")
    with pytest.raises(ArchiveError) as caught:
        project.archive.tasks(ALL)
    assert caught.value.exit_code == 13
