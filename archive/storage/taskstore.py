"""Stores tasks over time; the cost is that of what changed.

A task that did not change keeps its row. A document that is broken keeps the rows of its last version that was not, and
that is recorded for as long as it lasts; only where there are none is it given what could be salvaged of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archive.storage.bulk import insert_rows
from archive.storage.connection import Connection
from archive.storage.rows import fetch, stream
from archive.storage.taskrows import DERIVED, NOTHING, STATE, PackedTasks, TaskRow

# So many new tasks are gathered before they are written: many enough for large statements, and few enough that whoever takes
# documents apart meanwhile need not wait.
FLUSH_ROWS = 1_000

LAST_VALID, SALVAGED, ADAPTER = "last_valid", "salvaged", "adapter"


class _Alive(NamedTuple):
    id: int
    digest: int
    pointer: str
    position: int


class _Problem(NamedTuple):
    kind: str
    message: str


def drop_tasks(connection: Connection) -> None:
    """Empties the tables of tasks, to be made again from the first version on."""
    for table in ("task_dependencies", "task_problems", "tasks", "_task_adapters"):
        connection.execute(f"DELETE FROM {table}")


def known_adapters(connection: Connection) -> set[str]:
    """Returns the adapters of third parties that everything that is indexed was offered to."""
    return {name for (name,) in fetch(connection, "SELECT name FROM _task_adapters")}


def set_known_adapters(connection: Connection, names: Sequence[str]) -> None:
    """Records the adapters of third parties with which indexing begins from the first version on."""
    connection.execute("DELETE FROM _task_adapters")
    insert_rows(connection, "INSERT INTO _task_adapters (name)", [[name] for name in sorted(set(names))])


class Content(NamedTuple):
    """Something stored of tasks, to be compared: whose it is, what people call it, and all the rest but ids of rows."""

    document_id: int
    name: str
    values: tuple[object, ...]


def content(connection: Connection) -> Iterator[Content]:
    """Yields all that is stored of tasks, in no order."""
    dependencies = (
        "SELECT json_group_array(json_array(scope, target, type, raw, is_blocking))"
        " FROM (SELECT * FROM task_dependencies WHERE task_id = tasks.id ORDER BY id)"
    )
    for document_id, ref, *rest in stream(
        connection,
        f"SELECT document_id, ref, first_snapshot_id, until_snapshot_id, pointer, position, adapter, digest, {STATE},"
        f" {DERIVED}, ({dependencies}) FROM tasks",
    ):
        yield Content(document_id, f"task {ref}", tuple(rest))
    for document_id, kind, *rest in stream(
        connection, "SELECT document_id, kind, message, first_snapshot_id, until_snapshot_id FROM task_problems"
    ):
        yield Content(document_id, f"task problem {kind}", tuple(rest))


class TaskWriter:
    """Brings the tasks of documents up to date, version after version; `flush` writes what has gathered.

    Attributes:
        added, ended: Counts of states of tasks.
    """

    def __init__(self, connection: Connection) -> None:
        self.added = self.ended = 0
        self._connection = connection
        self._sources: dict[int, int] = {}
        self._alive: dict[int, dict[str, _Alive]] = {}
        self._standing: dict[int, dict[_Problem, int]] = {}  # since which snapshot, or the negated id of the row
        self._fresh: dict[int, list[object]] = {}  # rows that are not written yet, by id
        self._dependencies: list[tuple[int, str | None, str, str, str, int]] = []
        self._ended: list[tuple[int, int]] = []
        self._moved: dict[int, tuple[str, int]] = {}
        self._problems: list[tuple[int, str, str, int, int | None]] = []
        self._settled: list[tuple[int, int]] = []
        self._next_id = self._number("SELECT coalesce(max(id), 0) + 1 FROM tasks")
        # Most documents hold no tasks, and are looked up once; in an archive without any, not even that.
        self._is_known: dict[int, bool] = {}
        self._is_empty = self._next_id == 1 and not self._number("SELECT EXISTS (SELECT 1 FROM task_problems)")

    def replace(
        self, document_id: int, snapshot_id: int, found: PackedTasks, *, source_id: int | None = None, is_first: bool = False
    ) -> None:
        """Makes these the document's tasks from a snapshot on, unless it is broken and has had others.

        Args:
            source_id: The document's source, where it is known.
            is_first: Whether the document is known to have had no tasks before.
        """
        if source_id is not None:
            self._sources[document_id] = source_id
        if is_first:
            self._is_known.setdefault(document_id, False)
        if found == NOTHING and not self._knows(document_id):
            return
        before, standing = self._current(document_id), self._problems_of(document_id)
        is_salvaged = any(problem.kind == SALVAGED for problem in standing)
        problems = [_Problem(ADAPTER, message) for message in found.problems]
        if found.broken and before and not is_salvaged:
            problems.append(_Problem(LAST_VALID, found.broken))
        else:
            self._replace_rows(document_id, snapshot_id, before, found)
            if found.broken and found.rows:
                problems.append(_Problem(SALVAGED, found.broken))
        self._replace_problems(document_id, snapshot_id, standing, problems)
        self._is_known[document_id] = True
        if len(self._fresh) >= FLUSH_ROWS:
            self.flush()

    def remove(self, document_id: int, snapshot_id: int) -> None:
        """Ends all tasks of a document."""
        self.replace(document_id, snapshot_id, NOTHING)

    def flush(self) -> None:
        """Writes what has gathered."""
        run = self._connection.executemany
        if self._ended:
            rows = [(snapshot_id, task_id) for task_id, snapshot_id in self._ended]
            run("UPDATE tasks SET until_snapshot_id = ? WHERE id = ?", rows)
        if self._moved:
            moves = [(*place, task_id) for task_id, place in self._moved.items()]
            run("UPDATE tasks SET pointer = ?, position = ? WHERE id = ?", moves)
        columns = f"id, source_id, document_id, adapter, ref, pointer, position, digest, {STATE}, {DERIVED}"
        insert_rows(
            self._connection,
            f"INSERT INTO tasks ({columns}, first_snapshot_id, until_snapshot_id)",
            list(self._fresh.values()),
        )
        insert_rows(
            self._connection,
            "INSERT INTO task_dependencies (task_id, scope, target, type, raw, is_blocking)",
            self._dependencies,
        )
        if self._settled:
            run("UPDATE task_problems SET until_snapshot_id = ? WHERE id = ?", self._settled)
        standing = [
            (document_id, *problem, since, None)
            for document_id, problems in self._standing.items()
            for problem, since in problems.items()
            if since > 0
        ]
        insert_rows(
            self._connection,
            "INSERT INTO task_problems (document_id, kind, message, first_snapshot_id, until_snapshot_id)",
            [*self._problems, *standing],
        )
        self._alive, self._standing, self._fresh, self._dependencies = {}, {}, {}, []
        self._ended, self._moved, self._problems, self._settled = [], {}, [], []

    def _replace_rows(self, document_id: int, snapshot_id: int, before: dict[str, _Alive], found: PackedTasks) -> None:
        after: dict[str, _Alive] = {}
        gone = dict(before)
        for row in found.rows:
            old = gone.pop(row.ref, None)
            if old is not None and old.digest == row.digest:
                if (old.pointer, old.position) != (row.pointer, row.position):
                    self._move(old.id, row)
                after[row.ref] = _Alive(old.id, row.digest, row.pointer, row.position)
                continue
            if old is not None:
                self._end(old.id, snapshot_id)
            task_id = self._begin(document_id, snapshot_id, found.adapter, row)
            after[row.ref] = _Alive(task_id, row.digest, row.pointer, row.position)
        for old in gone.values():
            self._end(old.id, snapshot_id)
        self._alive[document_id] = after

    def _begin(self, document_id: int, snapshot_id: int, adapter: str, row: TaskRow) -> int:
        task_id = self._next_id
        self._next_id += 1
        self._fresh[task_id] = [
            *(task_id, self._source_of(document_id), document_id, adapter, row.ref, row.pointer, row.position, row.digest),
            *(*row.state, row.natural_key, snapshot_id, None),
        ]
        self._dependencies += [(task_id, *dependency) for dependency in row.dependencies]
        self.added += 1
        return task_id

    def _end(self, task_id: int, snapshot_id: int) -> None:
        self.ended += 1
        row = self._fresh.get(task_id)
        if row is None:
            self._ended.append((task_id, snapshot_id))
        else:
            row[-1] = snapshot_id

    def _move(self, task_id: int, to: TaskRow) -> None:
        row = self._fresh.get(task_id)
        if row is None:
            self._moved[task_id] = (to.pointer, to.position)
        else:
            row[5:7] = to.pointer, to.position

    def _replace_problems(
        self, document_id: int, snapshot_id: int, before: dict[_Problem, int], problems: Sequence[_Problem]
    ) -> None:
        after: dict[_Problem, int] = {}
        for problem in problems:
            after[problem] = before.get(problem, snapshot_id)
        for problem, since in before.items():
            if problem in after:
                continue
            if since < 0:
                self._settled.append((snapshot_id, -since))
            else:
                self._problems.append((document_id, *problem, since, snapshot_id))
        self._standing[document_id] = after

    def _current(self, document_id: int) -> dict[str, _Alive]:
        found = self._alive.get(document_id)
        if found is None:
            if not self._knows(document_id):
                return {}
            rows = fetch(
                self._connection,
                "SELECT ref, id, digest, pointer, position FROM tasks WHERE document_id = ? AND until_snapshot_id IS NULL",
                (document_id,),
            )
            found = self._alive[document_id] = {ref: _Alive(*rest) for ref, *rest in rows}
        return found

    def _problems_of(self, document_id: int) -> dict[_Problem, int]:
        found = self._standing.get(document_id)
        if found is None:
            if not self._knows(document_id):
                return {}
            rows = fetch(
                self._connection,
                "SELECT kind, message, -id FROM task_problems WHERE document_id = ? AND until_snapshot_id IS NULL",
                (document_id,),
            )
            found = {_Problem(kind, message): negated for kind, message, negated in rows}
        return found

    def _knows(self, document_id: int) -> bool:
        """Whether the document has current tasks or problems, or had some since this writer was made."""
        found = self._is_known.get(document_id)
        if found is None:
            found = self._is_known[document_id] = not self._is_empty and bool(
                self._number(
                    "SELECT EXISTS (SELECT 1 FROM tasks WHERE document_id = ?1 AND until_snapshot_id IS NULL)"
                    " OR EXISTS (SELECT 1 FROM task_problems WHERE document_id = ?1 AND until_snapshot_id IS NULL)",
                    document_id,
                )
            )
        return found

    def _source_of(self, document_id: int) -> int:
        found = self._sources.get(document_id)
        if found is None:
            found = self._sources[document_id] = self._number("SELECT source_id FROM documents WHERE id = ?", document_id)
        return found

    def _number(self, statement: str, *values: int) -> int:
        return int(fetch(self._connection, statement, values)[0][0])
