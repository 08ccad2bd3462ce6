"""Plain SQL, the library and a slow obvious evaluation agree on any set of tasks, and what is stored is what was given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.availability import AvailabilityOptions, evaluate, order_key
from archive.clock import to_iso
from archive.extract.tasks.documents import TaskReading
from archive.model.tasks import Task
from archive.storage import taskread, taskrows, taskstore
from archive.storage.connection import Connection, Database
from tests.unit.tasks.make import NOW, task
from tests.unit.tasks.slow import SlowEvaluation
from tests.unit.tasks.strategies import PATHS, task_sets
from tests.unit.tasks.test_evaluation_properties import place


@pytest.fixture(scope="module")
def database(empty_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An archive with a source, a snapshot and the two documents of `task_sets`, and no tasks."""
    path = tmp_path_factory.mktemp("view") / "archive.db"
    path.write_bytes(empty_archive.read_bytes())
    opened = Database(path, writable=True)
    with opened.writing() as connection:
        run = connection.execute
        run("INSERT INTO sources (id, name, root, rules) VALUES (1, 'one', '/one', '{}')")
        for number in (1, 2):
            run(
                "INSERT INTO snapshots (id, source_id, label, created_at, is_complete, documents_count, documents_bytes,"
                " added_count, changed_count, touched_count, removed_count, problems_count, bytes_read, bytes_stored,"
                " duration_ms, digest) VALUES (?, 1, ?, ?, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')",
                (number, str(number), to_iso(NOW)),
            )
        run("INSERT INTO documents (id, source_id, path, kind, category) VALUES (1, 1, 'a.json', 'json', 'x')")
        run("INSERT INTO documents (id, source_id, path, kind, category) VALUES (2, 1, 'b.json', 'json', 'x')")
    yield opened
    opened.close()


def store(connection: Connection, tasks: list[Task], snapshot_id: int = 1) -> None:
    writer = taskstore.TaskWriter(connection)
    for document_id, path in enumerate(PATHS, 1):
        reading = TaskReading("test", tuple(task for task in tasks if task.path == path))
        writer.replace(document_id, snapshot_id, taskrows.pack(reading))
    writer.flush()


def view(connection: Connection) -> list[tuple[str, str]]:
    return [(path, ref) for path, ref in connection.execute("SELECT path, ref FROM available_tasks")]


def read(connection: Connection) -> list[Task]:
    return taskread.tasks_at(connection, 1, 2)


def bare(task: Task) -> Task:
    """Returns a task without its place in time, and with scopes of dependencies in the short form."""
    own = tuple(replace(each, scope="" if each.scope == task.scope else each.scope) for each in task.dependencies)
    return replace(task, since=None, since_snapshot=None, dependencies=own)


class RolledBack(Exception):
    pass


def assert_agreement(database: Database, tasks: list[Task]) -> None:
    options = AvailabilityOptions(as_of=NOW)
    slow = SlowEvaluation(tasks, options)
    expected = [place(task) for task in sorted(tasks, key=order_key) if not slow.codes(task)]
    try:
        with database.writing() as connection:
            store(connection, tasks)
            assert sorted(map(bare, read(connection)), key=place) == sorted(map(bare, tasks), key=place)
            assert [place(task) for task in evaluate(read(connection), options).available()] == expected
            assert view(connection) == expected
            raise RolledBack
    except RolledBack:
        pass


@settings(max_examples=120)
@given(tasks=task_sets())
def test_the_view_the_library_and_the_slow_evaluation_agree(database: Database, tasks: list[Task]) -> None:
    assert_agreement(database, tasks)


@pytest.mark.slow
@settings(max_examples=600)
@given(tasks=task_sets(max_size=25))
def test_they_agree_on_larger_sets(database: Database, tasks: list[Task]) -> None:
    assert_agreement(database, tasks)


@settings(max_examples=60)
@given(tasks=task_sets(), chance=st.randoms(use_true_random=False), closed=st.integers(0, 8))
def test_in_the_view_order_of_rows_means_nothing_and_closing_takes_nothing_away(
    database: Database, tasks: list[Task], chance: object, closed: int
) -> None:
    finished = [replace(task, status="done") if number == closed else task for number, task in enumerate(tasks)]
    try:
        with database.writing() as connection:
            store(connection, tasks)
            before = view(connection)
            store(connection, tasks[::-1])
            assert view(connection) == before
            store(connection, finished, 2)
            gone = set(before) - set(view(connection))
            assert gone <= {place(task) for task in tasks[closed : closed + 1]}
            # The states before are still there.
            assert sorted(map(place, taskread.tasks_at(connection, 1, 1))) == sorted(map(place, tasks))
            raise RolledBack
    except RolledBack:
        pass


def test_fifty_levels_and_long_chains_are_no_danger_in_sql(database: Database) -> None:
    def nested(number: int) -> Task:
        parent = str(number - 1) if number else ""
        return task(str(number), ref=f"r{number}", order=number, parent=parent)

    tasks = [nested(number) for number in range(50)]
    assert_agreement(database, tasks)
    assert_agreement(database, [replace(task, parent_ref=task.parent and f"r{task.order - 1}") for task in tasks])
