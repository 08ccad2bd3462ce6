"""Turns tasks into rows and rows into tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from sys import intern
from typing import Any, NamedTuple

from archive.extract.tasks.documents import TaskReading
from archive.model.tasks import Anomaly, AnomalyCode, Dependency, Task, TaskDraft
from archive.storage import paths

# The columns that make the state of a task, in the order of `TaskRow.state`.
STATE = (
    "scope, shared_scope, task_id, key, parent, parent_ref, kind, title, description, status, status_raw, priority, rank,"
    " assignees, project, project_status, phase, tag, labels, created, updated, due, not_before, is_work, anomalies"
)
# What follows from it, for the view's sake.
DERIVED = "natural_key"


class TaskRow(NamedTuple):
    """A task as it is written: plain values, quick to send from one process to another."""

    ref: str
    digest: int
    pointer: str
    position: int
    state: tuple[str | int, ...]
    natural_key: str
    dependencies: tuple[tuple[str | None, str, str, str, int], ...]


class PackedTasks(NamedTuple):
    """What was read of one version of a document, as rows; see `TaskReading`."""

    adapter: str
    rows: list[TaskRow]
    broken: str
    problems: tuple[str, ...]


NOTHING = PackedTasks("", [], "", ())


def pack(reading: TaskReading) -> PackedTasks:
    """Returns a reading as rows."""
    return PackedTasks(
        reading.adapter, [_row(draft, reading.adapter) for draft in reading.drafts], reading.broken, reading.problems
    )


def to_plain(packed: PackedTasks) -> tuple[Any, ...] | None:
    """Returns the same as tuples, which are quick to pickle; None if there is nothing."""
    return None if packed == NOTHING else (packed.adapter, [row[:] for row in packed.rows], packed.broken, packed.problems)


def from_plain(plain: tuple[Any, ...] | None) -> PackedTasks:
    """Returns what `to_plain` was given."""
    if plain is None:
        return NOTHING
    adapter, rows, broken, problems = plain
    return PackedTasks(adapter, [TaskRow(*row) for row in rows], broken, problems)


def _row(draft: TaskDraft, adapter: str) -> TaskRow:
    state = (
        *(draft.scope, draft.shared_scope, draft.id, draft.key, draft.parent, draft.parent_ref, draft.kind, draft.title),
        *(draft.description, draft.status, draft.status_raw, draft.priority, draft.rank, _json(draft.assignees)),
        *(draft.project, draft.project_status, draft.phase, draft.tag, _json(draft.labels), draft.created, draft.updated),
        *(draft.due, draft.not_before, int(draft.is_work)),
        _json(tuple([(anomaly.code.value, anomaly.message) for anomaly in draft.anomalies])),
    )
    dependencies = tuple(
        (None if one.scope in ("", draft.scope) else one.scope, one.target, one.type, one.raw, int(one.blocking))
        for one in draft.dependencies
    )
    digest = digest_of(adapter, state, dependencies)
    return TaskRow(draft.ref, digest, draft.pointer, draft.order, state, draft.natural_key, dependencies)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(1024)  # the same few people and labels come again and again; mostly there are none
def _json(value: tuple[object, ...]) -> str:
    return _encode(value)


def digest_of(adapter: str, state: Sequence[str | int], dependencies: Sequence[Sequence[str | int | None]]) -> int:
    """Returns a number by which two states of a task are told apart."""
    # No text holds a NUL, and each dependency has as many parts as the others: so what is joined says what was parted.
    parts = map(str, chain((adapter,), state, *dependencies))
    found = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "big", signed=True)


def anomalies_of(text: str) -> tuple[Anomaly, ...]:
    """Returns the anomalies in a column."""
    return () if text == "[]" else tuple(Anomaly(AnomalyCode(code), message) for code, message in json.loads(text))


def task_of(
    row: Sequence[Any], dependencies: Mapping[int, list[Dependency]], times: Mapping[int, datetime], stale: frozenset[int]
) -> Task:
    """Returns the task of a row with the columns id, document_id, path, ref, pointer, position, first, until and `STATE`.

    Args:
        dependencies: By id of the row.
        times: When the snapshots were made.
        stale: The documents whose tasks are those of their last valid version.
    """
    task_id, document_id, path, ref, pointer, position, first, until = row[:8]
    state = row[8:]
    # What is compared and looked up again and again is made one text each; that makes evaluating twice as quick.
    return Task(
        path=intern(paths.from_key(path)),
        ref=ref,
        pointer=pointer,
        order=position,
        scope=intern(state[0]),
        shared_scope=intern(state[1]),
        id=state[2],
        key=intern(state[3]),
        parent=intern(state[4]),
        parent_ref=state[5],
        kind=intern(state[6]),
        title=state[7],
        description=state[8],
        status=intern(state[9]),
        status_raw=state[10],
        priority=state[11],
        rank=state[12],
        assignees=_texts(state[13]),
        project=state[14],
        project_status=state[15],
        phase=state[16],
        tag=state[17],
        labels=_texts(state[18]),
        created=state[19],
        updated=state[20],
        due=state[21],
        not_before=state[22],
        is_work=bool(state[23]),
        anomalies=anomalies_of(state[24]),
        dependencies=tuple(dependencies.get(task_id, ())),
        since=times.get(first),
        until=None if until is None else times.get(until),
        since_snapshot=first,
        until_snapshot=until,
        from_last_valid=document_id in stale,
    )


def _texts(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))
