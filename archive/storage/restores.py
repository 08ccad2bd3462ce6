"""Keeps the record of restores in place, which is what `undo` goes by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from archive.clock import to_iso
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import fetch, first


class RecordedRestore(NamedTuple):
    """A restore in place: what was restored, the snapshot of the state before, and what it did to which path."""

    id: int
    snapshot_id: int
    safety_snapshot_id: int
    changes: list[tuple[str, str]]


def record(
    connection: Connection,
    source_id: int,
    *,
    now: datetime,
    snapshot_id: int,
    safety_snapshot_id: int,
    changes: Sequence[tuple[str, str]],
) -> int:
    """Records a restore before its first file is put in place; returns its id."""
    ((restore_id,),) = fetch(
        connection,
        "INSERT INTO restores (source_id, created_at, snapshot_id, safety_snapshot_id, changes) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        # ASCII: names that are not UTF-8 are kept as escapes of their surrogates.
        (source_id, to_iso(now), snapshot_id, safety_snapshot_id, json.dumps(changes)),
    )
    return int(restore_id)


@reads_rows
def last(connection: Connection, source_id: int) -> RecordedRestore | None:
    """Returns the last restore in place of a source, carried out to its end or cut short."""
    row = first(
        connection,
        "SELECT id, snapshot_id, safety_snapshot_id, changes FROM restores WHERE source_id = ? ORDER BY id DESC LIMIT 1",
        (source_id,),
    )
    if row is None:
        return None
    return RecordedRestore(row[0], row[1], row[2], [(path, action) for path, action in json.loads(row[3])])
