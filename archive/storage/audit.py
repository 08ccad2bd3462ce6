"""Reads what a check needs: SQLite's own verdicts, the rows that break the format's rules, and all content.

Each function answers one question and changes nothing. The rules are those that archive/FORMAT.md states.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archive import codec
from archive.extract.parse import kind_of
from archive.hashing import chain_digest, hash_bytes
from archive.storage import paths
from archive.storage.blobs import MAX_HEIGHT
from archive.storage.connection import Connection
from archive.storage.faults import DATABASE_ERRORS
from archive.storage.rows import fetch, stream, value
from archive.storage.snapshots import HEADER
from archive.storage.writer import problem_line, removal_line, version_line


class BlobVerdict(NamedTuple):
    """What re-reading one blob showed; `error` is empty where it matches its hash."""

    blob_id: int
    data: bytes
    error: str


class Understood(NamedTuple):
    """What a version says of its content."""

    path: str
    kind: str
    number: int
    state: str


# Name of the rule, and the query for the rows that break it: (object, message).
RULES: dict[str, str] = {
    "versions of a document follow each other": """
        SELECT 'version ' || number || ' of ' || path, 'its interval overlaps the one before, or its number does not follow'
        FROM (SELECT d.path, v.number, v.first_snapshot_id,
                lag(v.until_snapshot_id) OVER w AS before_until, lag(v.number, 1, 0) OVER w AS before_number
              FROM versions v JOIN documents d ON d.id = v.document_id
              WINDOW w AS (PARTITION BY v.document_id ORDER BY v.number))
        WHERE number != before_number + 1 OR (before_number > 0 AND coalesce(before_until, 1e18) > first_snapshot_id)""",
    "a version has the size of its blob": """
        SELECT 'version ' || v.number || ' of ' || d.path,
               'it says ' || v.size_bytes || ' bytes, its content has ' || b.size_bytes
        FROM versions v JOIN documents d ON d.id = v.document_id JOIN blobs b ON b.id = v.blob_id
        WHERE v.size_bytes != b.size_bytes""",
    "a version lies in snapshots of its document's source": """
        SELECT 'version ' || v.number || ' of ' || d.path, 'it begins or ends in a snapshot of another source'
        FROM versions v JOIN documents d ON d.id = v.document_id
        JOIN snapshots f ON f.id = v.first_snapshot_id LEFT JOIN snapshots u ON u.id = v.until_snapshot_id
        WHERE f.source_id != d.source_id OR u.source_id != d.source_id""",
    "every document has a version": """
        SELECT 'document ' || d.path, 'it has no version' FROM documents d
        WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.document_id = d.id)""",
    "content is plain if and only if it is current": """
        SELECT 'blob ' || b.id,
               CASE WHEN c.blob_id IS NULL THEN 'it is current and not plain' ELSE 'it is plain and not current' END
        FROM blobs b LEFT JOIN contents c ON c.blob_id = b.id
        WHERE (c.blob_id IS NOT NULL) != EXISTS (
          SELECT 1 FROM versions v WHERE v.blob_id = b.id AND v.until_snapshot_id IS NULL)""",
    "content is in exactly one place": """
        SELECT 'blob ' || b.id,
               CASE WHEN c.blob_id IS NULL THEN 'its content is nowhere' ELSE 'its content is in two places' END
        FROM blobs b LEFT JOIN contents c ON c.blob_id = b.id LEFT JOIN deltas d ON d.blob_id = b.id
        WHERE (c.blob_id IS NULL) = (d.blob_id IS NULL)""",
    "content belongs to a version": """
        SELECT 'blob ' || b.id, 'no version has it' FROM blobs b
        WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id)""",
    "a problem stands from a snapshot to a later one, with the severity of its kind": """
        SELECT 'problem ' || p.id, 'its interval, its kind or its severity makes no sense'
        FROM problems p LEFT JOIN snapshots f ON f.id = p.first_snapshot_id
        WHERE p.until_snapshot_id <= p.first_snapshot_id OR f.source_id != p.source_id OR p.severity != CASE
          WHEN p.kind IN ('unreadable', 'folder_unreadable', 'vanished', 'changed_while_read') THEN 'incomplete'
          WHEN p.kind IN ('suspicious', 'invalid') THEN 'warning'
          WHEN p.kind IN ('symlink', 'special_file', 'too_large') THEN 'skipped' ELSE '' END""",
    "no problem stands twice": """
        SELECT 'problem ' || max(id), 'it stands twice' FROM problems WHERE until_snapshot_id IS NULL
        GROUP BY source_id, path, kind, message HAVING count(*) > 1""",
    "chains of deltas grow by one and end": """
        SELECT 'blob ' || d.blob_id, 'its place in the chain of deltas makes no sense'
        FROM deltas d LEFT JOIN deltas b ON b.blob_id = d.base_id AND b.base_id IS NOT NULL
        WHERE d.height NOT BETWEEN 0 AND 31 OR (d.base_id IS NULL AND d.height != 0) OR b.height <= d.height""",
    "a restore is of snapshots of its source": """
        SELECT 'restore ' || r.id, 'its snapshots are of another source, or its changes are no list'
        FROM restores r JOIN snapshots n ON n.id = r.snapshot_id JOIN snapshots s ON s.id = r.safety_snapshot_id
        WHERE n.source_id != r.source_id OR s.source_id != r.source_id OR json_type(r.changes) != 'array'""",
    "the record of a check agrees with itself": """
        SELECT 'check ' || id, 'its verdict is not what it counted and found, or its findings are no list' FROM checks
        WHERE json_type(findings) != 'array' OR (verdict = 'bad') != (bad_count > 0)
          OR (verdict = 'good') != (json_array_length(findings) = 0)""",
    "tags are a list and rules an object": """
        SELECT 'snapshot ' || id, 'its tags are no list' FROM snapshots WHERE json_type(tags) != 'array'
        UNION ALL SELECT 'source ' || name, 'its rules are no object' FROM sources WHERE json_type(rules) != 'object'""",
    "a snapshot counts its changes": """
        SELECT 'snapshot ' || n.id, 'its counts of changes are not those of its versions'
        FROM snapshots n LEFT JOIN (
          SELECT snapshot_id, sum(change IN ('added', 'returned')) AS added, sum(change = 'modified') AS changed,
                 sum(change = 'touched') AS touched, sum(change = 'removed') AS removed
          FROM snapshot_changes GROUP BY snapshot_id) c ON c.snapshot_id = n.id
        WHERE (n.added_count, n.changed_count, n.touched_count, n.removed_count)
          != (coalesce(c.added, 0), coalesce(c.changed, 0), coalesce(c.touched, 0), coalesce(c.removed, 0))""",
    "an incomplete snapshot has a reason, a complete one none": """
        SELECT 'snapshot ' || n.id, CASE n.is_complete WHEN 1 THEN 'it says it is complete and has problems that say otherwise'
          ELSE 'it says it is incomplete and has no problem that says why' END
        FROM snapshots n WHERE n.is_complete = EXISTS (
          SELECT 1 FROM problems p WHERE p.source_id = n.source_id AND p.severity = 'incomplete'
          AND p.first_snapshot_id <= n.id AND coalesce(p.until_snapshot_id, 1e18) > n.id)""",
}


def integrity(connection: Connection) -> list[str]:
    """Returns what SQLite's integrity check says is wrong with the file; empty where it says ok."""
    rows = [str(message) for (message,) in fetch(connection, "PRAGMA integrity_check(100)")]
    return [] if rows == ["ok"] else rows


def dangling(connection: Connection) -> list[str]:
    """Returns the rows whose foreign keys lead nowhere."""
    rows = fetch(connection, "PRAGMA foreign_key_check")
    return [f"row {rowid} of {table} refers to a row of {parent} that is not there" for table, rowid, parent, _ in rows]


def schema(connection: Connection) -> set[tuple[str, str, str]]:
    """Returns type, name and statement of everything in the schema."""
    rows = fetch(connection, "SELECT type, name, coalesce(sql, '') FROM sqlite_master")
    return {(type_, name, sql) for type_, name, sql in rows}


def broken(connection: Connection, rule: str) -> list[tuple[str, str]]:
    """Returns the objects that break one of `RULES`, with what is wrong."""
    return [(str(name), str(message)) for name, message in fetch(connection, RULES[rule])]


def counts(connection: Connection) -> dict[str, int]:
    """Returns how many rows the enduring tables have."""
    tables = ("snapshots", "documents", "versions", "blobs")
    return {table: value(connection, f"SELECT count(*) FROM {table}") for table in tables}


def newest_snapshot(connection: Connection) -> int | None:
    """Returns the id of the newest snapshot, of whichever source."""
    found = value(connection, "SELECT max(id) FROM snapshots")
    return None if found is None else int(found)


def wrong_snapshots(connection: Connection) -> Iterator[tuple[int, str]]:
    """Recomputes each snapshot from its row, versions and problems; yields those that differ, with what is wrong."""
    changes: dict[int, list[Sequence[object]]] = defaultdict(list)
    growth: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    _add_versions(connection, changes, growth)
    _add_problems(connection, changes)
    digests: dict[int, str] = defaultdict(str)
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    rows = stream(connection, f"SELECT digest, documents_count, documents_bytes, {HEADER} FROM snapshots ORDER BY id")
    for digest, documents, size_bytes, *header in rows:
        snapshot_id, source_id = header[:2]
        total = totals[source_id]
        total[0] += growth[snapshot_id][0]
        total[1] += growth[snapshot_id][1]
        if chain_digest(digests[source_id], header, changes[snapshot_id]) != digest:
            yield snapshot_id, "its digest does not match what it says, its changes and the digest before it"
        if total != [documents, size_bytes]:
            yield (
                snapshot_id,
                f"it says {documents} documents, {size_bytes} bytes; its versions give {total[0]}, {total[1]}",
            )
        # Go on from what is written, so that one bad digest does not blame all that follow.
        digests[source_id] = digest


def _add_versions(connection: Connection, changes: dict[int, list[Sequence[object]]], growth: dict[int, list[int]]) -> None:
    rows = stream(
        connection,
        "SELECT coalesce(d.path_bytes, d.path), v.first_snapshot_id, v.until_snapshot_id, b.hash, v.size_bytes, v.mode,"
        " v.mtime_ns, v.parse_state, v.parse_error, EXISTS (SELECT 1 FROM versions x WHERE x.document_id = v.document_id"
        " AND x.first_snapshot_id = v.until_snapshot_id)"
        " FROM versions v JOIN documents d ON d.id = v.document_id JOIN blobs b ON b.id = v.blob_id",
    )
    for key, first, until, hash_, size_bytes, mode, mtime_ns, state, error, is_replaced in rows:
        path = paths.from_key(key)
        changes[first].append(version_line(path, hash_, size_bytes, mode, mtime_ns, state, error))
        growth[first][0] += 1
        growth[first][1] += size_bytes
        if until is not None:
            growth[until][0] -= 1
            growth[until][1] -= size_bytes
            if not is_replaced:
                changes[until].append(removal_line(path))


def _add_problems(connection: Connection, changes: dict[int, list[Sequence[object]]]) -> None:
    rows = stream(connection, "SELECT path, kind, message, first_snapshot_id, until_snapshot_id FROM problems")
    for path, kind, message, first, until in rows:
        changes[first].append(problem_line(path, kind, message, begins=True))
        if until is not None:
            changes[until].append(problem_line(path, kind, message, begins=False))


def misnamed(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yields the documents whose shown path is not that of their exact name, or whose kind is not the one of their name."""
    rows = stream(connection, "SELECT path, path_bytes, kind FROM documents")
    for shown, exact, kind in rows:
        path = paths.from_key(exact if exact is not None else shown)
        if paths.to_columns(path) != (shown, exact):
            yield f"document {shown}", "its path is not how its exact name is shown"
        if (expected := kind_of(path)) is not None and expected.value != kind:
            yield f"document {shown}", f"it says that its kind is {kind}, and its name says {expected.value}"


def understood(connection: Connection) -> dict[int, set[Understood]]:
    """Returns what versions say of their content, by blob; those that were not looked at are left out."""
    found: dict[int, set[Understood]] = defaultdict(set)
    rows = stream(
        connection,
        "SELECT v.blob_id, coalesce(d.path_bytes, d.path), d.kind, v.number, v.parse_state"
        " FROM versions v JOIN documents d ON d.id = v.document_id WHERE v.parse_state != 'unchecked'",
    )
    for blob_id, key, kind, number, state in rows:
        found[blob_id].add(Understood(paths.from_key(key), kind, number, state))
    return found


def reread(connection: Connection) -> Iterator[BlobVerdict]:
    """Decodes and hashes every blob; each delta once, from its base down its chain."""
    hashes = {row[0]: (row[1], row[2]) for row in stream(connection, "SELECT id, hash, size_bytes FROM blobs")}
    dependents: dict[int | None, list[int]] = defaultdict(list)
    for blob_id, base_id in stream(connection, "SELECT blob_id, base_id FROM deltas ORDER BY blob_id"):
        dependents[base_id].append(blob_id)
    plain = {row[0] for row in stream(connection, "SELECT blob_id FROM contents")}
    seen: set[int] = set()
    for root in [*sorted(plain), *dependents[None]]:
        # Bases are kept only along one way down, at most MAX_HEIGHT of them.
        stack: list[tuple[int, bytes | None, int]] = [(root, None, 0)]
        while stack:
            blob_id, base, steps = stack.pop()
            if blob_id in seen:
                continue
            seen.add(blob_id)
            data, error = _content(connection, blob_id) if blob_id in plain else _decoded(connection, blob_id, base)
            hash_, size_bytes = hashes.get(blob_id, ("", 0))
            if not error and hash_bytes(data) != hash_:
                error = "it does not match its hash"
            elif not error and size_bytes != len(data):
                error = f"it says {size_bytes} bytes and has {len(data)}"
            elif not error and steps > MAX_HEIGHT:
                error = f"it takes {steps} steps to decode, more than {MAX_HEIGHT}"
            yield BlobVerdict(blob_id, data, error)
            stack.extend((dependent, data, steps + 1) for dependent in dependents.get(blob_id, ()))
    for blob_id in sorted(hashes.keys() - seen):
        yield BlobVerdict(blob_id, b"", "its content cannot be reached")


def users_of(connection: Connection, blob_id: int) -> list[str]:
    """Returns the versions that have this content, as `path@number`."""
    rows = fetch(
        connection,
        "SELECT d.path, v.number FROM versions v JOIN documents d ON d.id = v.document_id WHERE v.blob_id = ?",
        (blob_id,),
    )
    return [f"{path}@{number}" for path, number in rows]


def _content(connection: Connection, blob_id: int) -> tuple[bytes, str]:
    # One damaged page must not end the check: every row is asked for on its own.
    try:
        data = value(connection, "SELECT CAST(data AS BLOB) FROM contents WHERE blob_id = ?", (blob_id,))
    except DATABASE_ERRORS as error:
        return b"", f"it cannot be read: {error}"
    return (data, "") if isinstance(data, bytes) else (b"", "its content is not there")


def _decoded(connection: Connection, blob_id: int, base: bytes | None) -> tuple[bytes, str]:
    try:
        frame = value(connection, "SELECT data FROM deltas WHERE blob_id = ?", (blob_id,))
        if not isinstance(frame, bytes):
            return b"", "its delta is not there"
        return codec.decode(frame, base), ""
    except DATABASE_ERRORS as error:
        return b"", f"it cannot be read: {error}"
    except codec.DecodeError as error:
        return b"", f"it does not decode: {error}"
