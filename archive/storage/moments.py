"""Binds temporary views to a moment: what SQL of users sees as `documents`, `items` and `tasks` is then as it was."""

from __future__ import annotations

from collections.abc import Sequence

from archive.storage import paths
from archive.storage.connection import Connection, temporary_tables

_DOCUMENTS = """
CREATE TEMP VIEW documents AS
  SELECT d.id, s.name AS source, d.path, d.kind, d.category, v.id AS version_id, v.number AS version, v.size_bytes,
         v.parse_state, v.parse_error, v.mtime_ns / 1000000000 AS mtime, n.id AS snapshot_id, n.created_at AS changed_at,
         b.hash, iif(typeof(archive_content(v.id)) = 'text' AND json_valid(archive_content(v.id)), archive_content(v.id), NULL)
           AS content,
         iif(typeof(archive_content(v.id)) = 'text' AND NOT json_valid(archive_content(v.id)), archive_content(v.id), NULL)
           AS text
  FROM main.documents d
  JOIN main.sources s ON s.id = d.source_id
  JOIN main.versions v ON v.document_id = d.id AND v.first_snapshot_id = (
    SELECT max(x.first_snapshot_id) FROM main.versions x WHERE x.document_id = d.id AND x.first_snapshot_id <= {at})
  JOIN main.snapshots n ON n.id = v.first_snapshot_id
  JOIN main.blobs b ON b.id = v.blob_id
  WHERE d.source_id = {source} AND (v.until_snapshot_id IS NULL OR v.until_snapshot_id > {at})
"""

_ITEMS = """
CREATE TEMP VIEW items AS
  SELECT i.id, s.name AS source, d.path, d.category, d.kind AS document_kind, i.kind, i.key, i.pointer, i.title, i.text,
         i.is_boilerplate, i.first_snapshot_id, f.created_at AS first_at, i.document_id
  FROM main.items i
  JOIN main.documents d ON d.id = i.document_id
  JOIN main.sources s ON s.id = d.source_id
  JOIN main.snapshots f ON f.id = i.first_snapshot_id
  WHERE d.source_id = {source} AND i.first_snapshot_id <= {at} AND (i.until_snapshot_id IS NULL OR i.until_snapshot_id > {at})
"""

_TASKS = """
CREATE TEMP VIEW tasks AS
  SELECT t.id, s.name AS source, d.path, t.pointer, t.task_id, t.kind, t.title, t.description, t.status, t.status_raw,
         t.priority, t.rank, t.assignees, t.project, t.project_status, t.phase, t.tag, t.parent,
         (SELECT json_group_array(json_object('target', target, 'type', type, 'is_blocking', is_blocking)) FROM
           (SELECT target, type, is_blocking FROM main.task_dependencies x WHERE x.task_id = t.id ORDER BY x.id))
           AS dependencies,
         t.labels, t.created, t.updated, t.due, t.not_before, t.anomalies, t.is_work,
         EXISTS (SELECT 1 FROM main.task_problems x WHERE x.document_id = t.document_id AND x.kind = 'last_valid'
           AND x.first_snapshot_id <= {at} AND (x.until_snapshot_id IS NULL OR x.until_snapshot_id > {at}))
           AS is_from_last_valid,
         t.adapter, t.scope, t.key, t.ref, t.first_snapshot_id, f.created_at AS first_at, t.document_id
  FROM main.tasks t
  JOIN main.documents d ON d.id = t.document_id
  JOIN main.sources s ON s.id = t.source_id
  JOIN main.snapshots f ON f.id = t.first_snapshot_id
  WHERE t.source_id = {source} AND t.first_snapshot_id <= {at} AND (t.until_snapshot_id IS NULL OR t.until_snapshot_id > {at})
"""

_PROBLEMS = """
CREATE TEMP VIEW current_problems AS
  SELECT p.id, s.name AS source, p.path, p.kind, p.severity, p.message, p.first_snapshot_id, f.label AS first_label,
         f.created_at AS first_at, d.id AS document_id
  FROM main.problems p
  JOIN main.sources s ON s.id = p.source_id
  JOIN main.snapshots f ON f.id = p.first_snapshot_id
  LEFT JOIN main.documents d ON d.source_id = p.source_id AND d.path = p.path
  WHERE p.source_id = {source} AND p.first_snapshot_id <= {at} AND (p.until_snapshot_id IS NULL OR p.until_snapshot_id > {at})
"""

# Which tasks may be worked on is judged over all of them together; what was judged comes in here, in its order.
_AVAILABLE = """
CREATE TEMP VIEW available_tasks AS
  SELECT t.* FROM temp._available a JOIN temp.tasks t ON t.id = a.task_id ORDER BY a.place
"""
_JUDGED = """
INSERT INTO temp._available (place, task_id)
  SELECT ?, t.id FROM main.documents d JOIN main.tasks t ON t.document_id = d.id
  WHERE d.source_id = ? AND coalesce(d.path_bytes, d.path) = ? AND t.ref = ? AND t.first_snapshot_id <= ?
    AND (t.until_snapshot_id IS NULL OR t.until_snapshot_id > ?)
"""

# The views of what is current, so that every query that is ready for now can be asked of any moment.
_CURRENT = "CREATE TEMP VIEW current_{name} AS SELECT * FROM temp.{name}"


def bind(connection: Connection, source_id: int, snapshot_id: int, available: Sequence[tuple[str, str]] | None = None) -> None:
    """Makes the views, in the transaction that is open; they replace those of an earlier moment.

    Args:
        available: The tasks that could be worked on then, by path and ref, in their order; None where nobody will ask.
    """
    with temporary_tables(connection):
        for name, statement in (("documents", _DOCUMENTS), ("items", _ITEMS), ("tasks", _TASKS)):
            connection.execute(f"DROP VIEW IF EXISTS temp.current_{name}")
            connection.execute(f"DROP VIEW IF EXISTS temp.{name}")
            connection.execute(statement.format(source=int(source_id), at=int(snapshot_id)))
            connection.execute(_CURRENT.format(name=name))
        connection.execute("DROP VIEW IF EXISTS temp.current_problems")
        connection.execute(_PROBLEMS.format(source=int(source_id), at=int(snapshot_id)))
        connection.execute("DROP VIEW IF EXISTS temp.available_tasks")
        connection.execute("DROP TABLE IF EXISTS temp._available")
        if available is not None:
            connection.execute("CREATE TEMP TABLE _available (place INTEGER PRIMARY KEY, task_id INTEGER)")
            connection.executemany(
                _JUDGED,
                [
                    (place, source_id, paths.to_key(path), ref, snapshot_id, snapshot_id)
                    for place, (path, ref) in enumerate(available)
                ],
            )
            connection.execute(_AVAILABLE)
