"""Keeps the record of checks, so that people see when the archive was last found sound."""

from __future__ import annotations

import json
import os
from pathlib import Path

from archive.clock import from_iso, to_iso
from archive.model.check import CheckDepth, CheckRecord, CheckResult, Verdict
from archive.storage.connection import Connection
from archive.storage.faults import reads_rows
from archive.storage.rows import first

# A damaged archive can have as many findings as rows; the record is for people.
MAX_FINDINGS = 100


def record(connection: Connection, result: CheckResult) -> None:
    """Writes down what a check found."""
    findings = [[finding.object, finding.verdict.value, finding.message] for finding in result.findings[:MAX_FINDINGS]]
    connection.execute(
        "INSERT INTO checks (created_at, depth, verdict, snapshot_id, good_count, bad_count, unknown_count, findings,"
        " bytes_hashed, duration_ms) VALUES (?, ?, ?, (SELECT id FROM snapshots WHERE id = ?), ?, ?, ?, ?, ?, ?)",
        (
            to_iso(result.created_at),
            result.depth.value,
            result.verdict.value,
            result.snapshot_id,
            result.good,
            result.bad,
            result.unknown,
            json.dumps(findings),
            result.bytes_hashed,
            result.duration_ms,
        ),
    )


@reads_rows
def last(connection: Connection, *depths: CheckDepth) -> CheckRecord | None:
    """Returns the last check of one of the depths that was recorded."""
    row = first(
        connection,
        "SELECT created_at, depth, verdict, bad_count, unknown_count, snapshot_id, duration_ms FROM checks"
        " WHERE depth IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1",
        (json.dumps([depth.value for depth in depths]),),
    )
    if row is None:
        return None
    created_at, depth, verdict, bad, unknown, snapshot_id, duration_ms = row
    return CheckRecord(
        created_at=from_iso(created_at),
        depth=CheckDepth(depth),
        verdict=Verdict(verdict),
        bad=bad,
        unknown=unknown,
        snapshot_id=snapshot_id,
        duration_ms=duration_ms,
    )


def is_backed_up_to(path: Path) -> bool:
    """Whether the file is one that backups may write to, and no copy that is to stay as it is.

    Opening it for writing leaves it in write-ahead mode, and the copy in an emergency package never is: its hash is known.
    """
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return False
    try:
        with path.open("rb") as file:
            return file.read(20)[18:20] == b"\x02\x02"
    except OSError:
        return False
