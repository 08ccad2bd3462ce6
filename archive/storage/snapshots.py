"""Reads and writes sources and snapshots, and finds the snapshot that a moment means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from archive.clock import from_iso, to_iso, to_label
from archive.errors import SnapshotNotFound, SourceNotFound
from archive.model.base import Json
from archive.model.snapshots import Snapshot, Source
from archive.moment import ById, ByLabel, Latest, Moment
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, first, value

_COLUMNS = (
    "n.id, s.name, n.label, n.created_at, n.message, n.tags, n.is_complete, n.documents_count, n.documents_bytes,"
    " n.added_count, n.changed_count, n.touched_count, n.removed_count, n.problems_count, n.bytes_read, n.bytes_stored,"
    " n.duration_ms, n.digest"
)
_SELECT = f"SELECT {_COLUMNS} FROM snapshots n JOIN sources s ON s.id = n.source_id"


@reads_rows
def sources(connection: Connection) -> list[Source]:
    """Returns all sources, by id."""
    rows = fetch(connection, "SELECT id, name, root, rules FROM sources ORDER BY id")
    return [Source(id=row[0], name=row[1], root=row[2], rules=json.loads(row[3])) for row in rows]


def has_one_source(connection: Connection) -> bool:
    """Whether there is no second source."""
    return fetch(connection, "SELECT count(*) FROM sources") == [(1,)]


def find_source(connection: Connection, name: str | None) -> Source:
    """Returns the source of that name, or the only one where no name is given.

    Raises:
        SourceNotFound: There is none, or there are several and none was named.
    """
    found = sources(connection)
    matching = [source for source in found if name is None or source.name == name]
    if len(matching) == 1:
        return matching[0]
    names = [source.name for source in found]
    if not found:
        raise SourceNotFound("the archive is empty", hint="Run 'archive backup' to add the first snapshot.")
    if name is None:
        raise SourceNotFound(
            f"the archive holds {len(found)} sources: {', '.join(names)}",
            hint="Choose one with --source NAME.",
            names=names,
        )
    raise SourceNotFound(f"the archive holds no source called {name!r}", hint=f"It holds: {', '.join(names)}.", names=names)


def add_source(connection: Connection, name: str, root: str, rules: Json) -> Source:
    """Adds a source; a name that is taken gets `-2`, `-3` … behind it."""
    taken = {source.name for source in sources(connection)}
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    ((source_id,),) = fetch(
        connection, "INSERT INTO sources (name, root, rules) VALUES (?, ?, ?) RETURNING id", (unique, root, json.dumps(rules))
    )
    return Source(id=source_id, name=unique, root=root, rules=rules)


def update_source(connection: Connection, source: Source) -> None:
    """Records where the source stands now and what is taken in of it."""
    connection.execute(
        "UPDATE sources SET root = ?, rules = ? WHERE id = ?", (source.root, json.dumps(source.rules), source.id)
    )


def all_snapshots(connection: Connection, source_id: int) -> list[Snapshot]:
    """Returns the snapshots of a source, oldest first."""
    rows = fetch(connection, f"{_SELECT} WHERE n.source_id = ? ORDER BY n.id", (source_id,))
    return [_snapshot(row) for row in rows]


def newest(connection: Connection, source_id: int) -> Snapshot | None:
    """Returns the newest snapshot of a source, or None if it has none."""
    rows = fetch(connection, f"{_SELECT} WHERE n.source_id = ? ORDER BY n.id DESC LIMIT 1", (source_id,))
    return _snapshot(rows[0]) if rows else None


def newest_id(connection: Connection, source_id: int) -> int | None:
    """Returns the id of the newest snapshot of a source, or None if it has none."""
    rows = fetch(connection, "SELECT id FROM snapshots WHERE source_id = ? ORDER BY id DESC LIMIT 1", (source_id,))
    return int(rows[0][0]) if rows else None


def by_id(connection: Connection, snapshot_id: int) -> Snapshot:
    """Returns the snapshot with this id, which exists."""
    return _snapshot(first(connection, f"{_SELECT} WHERE n.id = ?", (snapshot_id,)))


def resolve(connection: Connection, source_id: int, moment: Moment) -> Snapshot:
    """Returns the snapshot that a moment means.

    Raises:
        SnapshotNotFound: None matches; the hint and `context["nearest"]` name those nearest to it.
    """
    values: list[int | str]
    if isinstance(moment, ById):
        where, values, order = "n.id = ?", [moment.id], "n.id"
    elif isinstance(moment, ByLabel):
        return _by_label(connection, source_id, moment.label)
    elif isinstance(moment, Latest):
        where, values, order = "1", [], f"n.id DESC LIMIT 1 OFFSET {moment.back}"
    else:
        where, values, order = "n.created_at <= ?", [to_iso(moment.time)], "n.created_at DESC, n.id DESC LIMIT 1"
    row = first(connection, f"{_SELECT} WHERE n.source_id = ? AND {where} ORDER BY {order}", (source_id, *values))
    if row is None:
        raise _not_found(connection, source_id, moment)
    return _snapshot(row)


def free_label(connection: Connection, source_id: int, now: datetime) -> str:
    """Returns the label of a snapshot made now, with a number behind it if the second has one already."""
    label = to_label(now)
    # "`" follows "_", so this is the range of all labels that are the label itself or have a number behind it.
    rows = fetch(
        connection,
        "SELECT label FROM snapshots WHERE source_id = ? AND label >= ? AND label < ?",
        (source_id, label, label + "`"),
    )
    numbers = [int(taken[len(label) + 1 :] or 1) for (taken,) in rows]
    return f"{label}_{max(numbers) + 1}" if numbers else label


# What the digest covers of a snapshot's own row: all of it but the digest.
HEADER = (
    "id, source_id, label, created_at, message, tags, is_complete, documents_count, documents_bytes, added_count,"
    " changed_count, touched_count, removed_count, problems_count, bytes_read, bytes_stored, duration_ms"
)


def header(source_id: int, snapshot: Snapshot) -> tuple[int | str, ...]:
    """Returns the values of the columns `HEADER`, as they are stored and as the digest covers them."""
    return (
        snapshot.id,
        source_id,
        snapshot.label,
        to_iso(snapshot.created_at),
        snapshot.message,
        json.dumps(snapshot.tags),
        int(snapshot.is_complete),
        snapshot.documents,
        snapshot.size_bytes,
        snapshot.added,
        snapshot.changed,
        snapshot.touched,
        snapshot.removed,
        snapshot.problems,
        snapshot.bytes_read,
        snapshot.bytes_stored,
        snapshot.duration_ms,
    )


def insert(connection: Connection, source_id: int, snapshot: Snapshot) -> None:
    """Writes the row of a snapshot, the last statement of a backup's transaction."""
    values = (*header(source_id, snapshot), snapshot.digest)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO snapshots ({HEADER}, digest) VALUES ({marks})", values)


def next_id(connection: Connection) -> int:
    """Returns the id of the next snapshot; it stays free while the caller's transaction holds the lock."""
    return int(value(connection, "SELECT coalesce(max(id), 0) + 1 FROM snapshots"))


def _by_label(connection: Connection, source_id: int, label: str) -> Snapshot:
    rows = fetch(
        connection,
        f"{_SELECT} WHERE n.source_id = ? AND n.label >= ? AND n.label < ? ORDER BY n.id",
        (source_id, label, label + "`"),
    )
    exact = [row for row in rows if row[2] == label]
    if len(rows) == 1 or exact:
        return _snapshot((exact or rows)[0])
    if rows:
        labels = [row[2] for row in rows]
        raise SnapshotNotFound(
            f"{len(rows)} snapshots have a label that begins with {label}",
            hint=f"Choose one of {', '.join(labels[:5])}.",
            nearest=labels[:5],
        )
    raise _not_found(connection, source_id, ByLabel(label))


def _not_found(connection: Connection, source_id: int, moment: Moment) -> SnapshotNotFound:
    labels = [
        label for (label,) in fetch(connection, "SELECT label FROM snapshots WHERE source_id = ? ORDER BY id", (source_id,))
    ]
    if not labels:
        return SnapshotNotFound("there is no snapshot yet", hint="Run 'archive backup' to make one.", nearest=[])
    if isinstance(moment, ByLabel):
        text, nearest = f"no snapshot has the label {moment.label}", _around(sorted(labels), moment.label)
    elif isinstance(moment, ById):
        text, nearest = f"there is no snapshot {moment.id}", labels[-3:]
    elif isinstance(moment, Latest):
        text, nearest = f"there are only {len(labels)} snapshots", labels[:1]
    else:
        text, nearest = f"no snapshot is as old as {to_iso(moment.time)}", labels[:1]
    names = ", ".join(nearest)
    return SnapshotNotFound(text, hint=f"Nearest: {names}. Run 'archive snapshots' to see all.", nearest=nearest)


def _around(labels: Sequence[str], label: str) -> list[str]:
    before = [other for other in labels if other < label][-2:]
    return before + [other for other in labels if other > label][:2]


@reads_rows
def _snapshot(row: Any) -> Snapshot:
    return Snapshot(
        id=row[0],
        source=row[1],
        label=row[2],
        created_at=from_iso(row[3]),
        message=row[4],
        tags=tuple(json.loads(row[5])),
        is_complete=bool(row[6]),
        documents=row[7],
        size_bytes=row[8],
        added=row[9],
        changed=row[10],
        touched=row[11],
        removed=row[12],
        problems=row[13],
        bytes_read=row[14],
        bytes_stored=row[15],
        duration_ms=row[16],
        digest=row[17],
    )
