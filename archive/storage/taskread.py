"""Reads tasks: those of a moment, and the states they had over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from sys import intern
from typing import Any, NamedTuple

from archive.clock import from_iso
from archive.model.tasks import Dependency, Task
from archive.model.taskviews import StatusPeriod, TaskHistory, TaskProblem, TaskProblemKind
from archive.storage import paths
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, stream, value
from archive.storage.taskrows import STATE, task_of

_PATH = "coalesce(d.path_bytes, d.path)"


class TaskName(NamedTuple):
    """What a state of a task is called."""

    ref: str
    id: str
    key: str
    path: str
    project: str
    tag: str
    pointer: str


class TaskSpan(NamedTuple):
    """A state of a task that is work, as far as counting over time and the filters need it; until is None while it lasts."""

    status: str
    status_raw: str
    project: str
    tag: str
    assignees: str
    path: str
    since: datetime
    until: datetime | None


class _Then(NamedTuple):
    """Says which rows of `t` held in a snapshot, as a condition and its values."""

    where: str
    values: tuple[int, ...]


@reads_rows
def tasks_at(connection: Connection, source_id: int, snapshot_id: int) -> list[Task]:
    """Returns the tasks of a source in a snapshot, in the order of their rows."""
    then = _then(connection, source_id, snapshot_id, "t.source_id")
    columns = ", ".join(f"t.{name.strip()}" for name in STATE.split(","))
    rows = fetch(
        connection,
        f"SELECT t.id, t.document_id, {_PATH}, t.ref, t.pointer, t.position, t.first_snapshot_id, t.until_snapshot_id,"
        f" {columns} FROM tasks t JOIN documents d ON d.id = t.document_id WHERE {then.where} ORDER BY t.id",
        then.values,
    )
    dependencies: dict[int, list[Dependency]] = {}
    for task_id, scope, target, kind, raw in fetch(
        connection,
        "SELECT x.task_id, x.scope, x.target, x.type, x.raw FROM tasks t"
        f" CROSS JOIN task_dependencies x ON x.task_id = t.id WHERE {then.where} ORDER BY x.id",
        then.values,
    ):
        found = Dependency(intern(target), intern(kind), raw, "" if scope is None else intern(scope))
        dependencies.setdefault(task_id, []).append(found)
    stale = frozenset(
        document_id
        for document_id, _, kind, _ in _problem_rows(connection, source_id, snapshot_id)
        if kind == TaskProblemKind.LAST_VALID.value
    )
    times = _times(connection, source_id, chain.from_iterable(row[6:8] for row in rows))
    return [task_of(row, dependencies, times, stale) for row in rows]


@reads_rows
def problems_at(connection: Connection, source_id: int, snapshot_id: int) -> list[TaskProblem]:
    """Returns what was wrong with the tasks of documents in a snapshot, by path."""
    found = [
        TaskProblem(paths.from_key(path), TaskProblemKind(kind), message)
        for _, path, kind, message in _problem_rows(connection, source_id, snapshot_id)
    ]
    return sorted(found, key=attrgetter("path", "kind", "message"))


@reads_rows
def all_names(connection: Connection, source_id: int, snapshot_id: int) -> list[TaskName]:
    """Returns the names of all tasks that there were up to a snapshot, the newest first; each once."""
    rows = stream(
        connection,
        f"SELECT t.ref, t.task_id, t.key, {_PATH}, t.project, t.tag, t.pointer FROM tasks t"
        " JOIN documents d ON d.id = t.document_id WHERE t.source_id = ? AND t.first_snapshot_id <= ? ORDER BY t.id DESC",
        (source_id, snapshot_id),
    )
    return list(dict.fromkeys(TaskName(row[0], row[1], row[2], paths.from_key(row[3]), row[4], row[5], row[6]) for row in rows))


@reads_rows
def history(connection: Connection, source_id: int, refs: Sequence[str], snapshot_id: int) -> list[TaskHistory]:
    """Returns what each of the refs went through up to a snapshot, in the order of the refs.

    Consecutive states with the same status in the same document are one period.
    """
    return [
        TaskHistory(ref, states[-1].id or states[-1].pointer, states[-1].title, states[-1].project, tuple(_periods(states)))
        for ref in refs
        if (states := _states(connection, source_id, ref, snapshot_id))
    ]


@reads_rows
def spans(connection: Connection, source_id: int, snapshot_id: int) -> list[TaskSpan]:
    """Returns how long each state of each task that is work lasted, as it was known in a snapshot."""
    rows = fetch(
        connection,
        f"SELECT t.status, t.status_raw, t.project, t.tag, t.assignees, {_PATH}, t.first_snapshot_id, t.until_snapshot_id"
        " FROM tasks t JOIN documents d ON d.id = t.document_id"
        " WHERE t.source_id = ? AND t.first_snapshot_id <= ? AND t.is_work",
        (source_id, snapshot_id),
    )
    times = _times(connection, source_id, chain.from_iterable(row[6:8] for row in rows))
    return [_span(row, times, snapshot_id) for row in rows]


def _span(row: Sequence[Any], times: Mapping[int, datetime], snapshot_id: int) -> TaskSpan:
    status, status_raw, project, tag, assignees, path, first, until = row
    # What ended later than the moment had not ended then.
    ended = times[until] if until is not None and until <= snapshot_id else None
    return TaskSpan(status, status_raw, project, tag, assignees, paths.from_key(path), times[first], ended)


class _State(NamedTuple):
    id: str
    title: str
    project: str
    pointer: str
    status: str
    status_raw: str
    path: str
    first: int
    first_label: str
    first_at: str
    until: int | None
    until_label: str | None
    until_at: str | None


def _states(connection: Connection, source_id: int, ref: str, snapshot_id: int) -> list[_State]:
    rows = fetch(
        connection,
        f"SELECT t.task_id, t.title, t.project, t.pointer, t.status, t.status_raw, {_PATH}, f.id, f.label, f.created_at,"
        " u.id, u.label, u.created_at FROM tasks t JOIN documents d ON d.id = t.document_id"
        " JOIN snapshots f ON f.id = t.first_snapshot_id"
        # What ended later than the moment had not ended then.
        " LEFT JOIN snapshots u ON u.id = t.until_snapshot_id AND u.id <= ?"
        " WHERE t.source_id = ? AND t.ref = ? AND t.first_snapshot_id <= ? ORDER BY t.first_snapshot_id, t.id",
        (snapshot_id, source_id, ref, snapshot_id),
    )
    return [_State(*(*row[:6], paths.from_key(row[6]), *row[7:])) for row in rows]


def _periods(states: Sequence[_State]) -> Iterator[StatusPeriod]:
    runs: list[list[_State]] = []
    for state in states:
        last = runs[-1][-1] if runs else None
        same = last is not None and (last.status, last.status_raw, last.path) == (state.status, state.status_raw, state.path)
        if last is not None and same and last.until == state.first:
            runs[-1].append(state)
        else:
            runs.append([state])
    for run in runs:
        first, last = run[0], run[-1]
        yield StatusPeriod(
            first.status,
            first.status_raw,
            first.path,
            from_iso(first.first_at),
            first.first,
            first.first_label,
            None if last.until_at is None else from_iso(last.until_at),
            last.until,
            last.until_label or "",
        )


def _then(connection: Connection, source_id: int, snapshot_id: int, source: str) -> _Then:
    newest = value(connection, "SELECT max(id) FROM snapshots WHERE source_id = ?", (source_id,))
    if snapshot_id == newest:
        return _Then(f"{source} = ? AND t.until_snapshot_id IS NULL", (source_id,))
    return _Then(
        f"{source} = ? AND t.first_snapshot_id <= ? AND (t.until_snapshot_id IS NULL OR t.until_snapshot_id > ?)",
        (source_id, snapshot_id, snapshot_id),
    )


def _problem_rows(connection: Connection, source_id: int, snapshot_id: int) -> list[tuple[int, str | bytes, str, str]]:
    then = _then(connection, source_id, snapshot_id, "d.source_id")
    rows = fetch(
        connection,
        f"SELECT t.document_id, {_PATH}, t.kind, t.message FROM task_problems t JOIN documents d ON d.id = t.document_id"
        f" WHERE {then.where}",
        then.values,
    )
    return [(document_id, path, kind, message) for document_id, path, kind, message in rows]


def _times(connection: Connection, source_id: int, wanted: Iterable[int | None]) -> dict[int, datetime]:
    ids = {snapshot_id for snapshot_id in wanted if snapshot_id is not None}
    rows = fetch(connection, "SELECT id, created_at FROM snapshots WHERE source_id = ?", (source_id,))
    return {snapshot_id: from_iso(created_at) for snapshot_id, created_at in rows if snapshot_id in ids}
