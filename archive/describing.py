"""Explains the tables and views of an archive from the statements that made them, whose comments stay in the file.

    CREATE TABLE things (
      -- What it is: the description.
      id INTEGER PRIMARY KEY,  -- what the column is
    CREATE VIEW …
      SELECT d.path,  -- what the column is

Columns that mean the same everywhere are explained once, here; so is the query that shows what a table is good for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archive.model.tables import ColumnInfo, TableInfo

_HEAD = re.compile(r"\s*CREATE\s+(?:VIRTUAL\s+)?(?:TABLE|VIEW)[^\n]*\n((?:\s*--[^\n]*\n)*)", re.IGNORECASE)
_NOTED = re.compile(r"^(?P<code>.*?),?\s*--\s*(?P<note>.*)$")
_NAME = re.compile(r"(?:\bAS\s+|\.|^\s*(?:SELECT\s+)?)(?P<name>[a-z_]\w*)\s*$", re.IGNORECASE)
_TABLE_COLUMN = re.compile(r"^\s*(?P<name>[a-z_]\w*)\s+(?:INTEGER|TEXT|BLOB|ANY|REAL)\b")
_INTERNAL = frozenset({"blobs", "contents", "deltas", "index_notes", "task_problems"})

# What columns mean in one table, where its statement does not say it.
OWN = {
    ("documents", "kind"): "json, jsonl, markdown or text",
    ("documents", "category"): "as the newest backup that saw it sorted it: agent, config, docs …",
    ("versions", "parse_state"): "valid, lenient, invalid or unchecked",
    ("problems", "kind"): "invalid, suspicious, unreadable, vanished, symlink …",
    ("items", "kind"): "document, object, text, record, section or raw",
    ("current_items", "kind"): "document, object, text, record, section or raw",
    ("item_history", "kind"): "document, object, text, record, section or raw",
    ("current_tasks", "kind"): "task, subtask, phase, feature, bug, issue, epic, checkbox …",
    ("available_tasks", "kind"): "task, subtask, phase, feature, bug, issue, epic, checkbox …",
    ("task_history", "kind"): "task, subtask, phase, feature, bug, issue, epic, checkbox …",
    ("task_problems", "kind"): "last_valid, salvaged or adapter",
    ("task_dependencies", "task_id"): "the state of the task that has it",
    ("snapshots", "message"): "what was said to the backup",
    ("snapshots", "created_at"): "when the backup was made, UTC",
    ("restores", "created_at"): "when it was done, UTC",
    ("checks", "depth"): "structure, or full: all content was read and hashed again",
    ("checks", "verdict"): "good, bad or unknown",
    ("current_tasks", "task_id"): "its id as people write it; '': none",
    ("available_tasks", "task_id"): "its id as people write it; '': none",
    ("task_history", "task_id"): "its id as people write it; '': none",
    ("current_tasks", "key"): "its id as it is compared in its scope; '': none",
    ("available_tasks", "key"): "its id as it is compared in its scope; '': none",
    ("tasks", "sort_date"): "not_before, else due, where it is a date",
    ("tasks", "sort_created"): "created, where it is a date",
    ("items_fts", "words"): "further tokens: parts of names, single characters of unspaced scripts",
}

# What columns mean wherever they have no comment of their own.
COMMON = {
    "id": "identity of the row",
    "source_id": "the source",
    "source": "name of the source",
    "document_id": "the document",
    "version_id": "the version",
    "snapshot_id": "the snapshot",
    "blob_id": "the content",
    "task_id": "the task",
    "name": "its name, unique",
    "path": "relative to the root of the source, with /",
    "kind": "what it is",
    "category": "as the newest backup sorted the document: agent, config, docs …",
    "document_kind": "json, jsonl, markdown or text",
    "key": "identity in the document: the pointer with list positions replaced by ids",
    "pointer": "RFC 6901, or lines as L10-L20, in the newest version that has it",
    "title": "one line; empty where nothing names it",
    "text": "what is searched and shown; secrets are masked",
    "is_boilerplate": "1: it explains the file's own form (schema, instructions)",
    "first_snapshot_id": "the snapshot that brought it",
    "until_snapshot_id": "the snapshot in which it was no longer so; NULL: current",
    "first_label": "label of the snapshot that brought it",
    "first_at": "time of the snapshot that brought it, UTC",
    "until_label": "label of the snapshot in which it was no longer so",
    "until_at": "time of the snapshot in which it was no longer so, UTC",
    "is_current": "1: so it is now",
    "created_at": "time, UTC",
    "message": "for people",
    "label": "local wall clock as YYYYMMDD_HHMMSS",
    "size_bytes": "size of the content",
    "documents_bytes": "size of all documents",
    "removed_count": "documents that were gone",
    "duration_ms": "how long the backup took",
    "mtime_ns": "time of modification, nanoseconds since 1970",
    "ctime_ns": "time of the last change of the inode, nanoseconds since 1970",
    "inode": "number of the inode",
    "data": "the bytes",
    "note": "why",
    "extent": "prefix, raw or path: how much of the version is indexed",
    "description": "longer text",
    "status": "pending, in_progress, blocked, review, done, cancelled, deferred; another word is not known",
    "status_raw": "the word in the file",
    "priority": "as it stands in the file",
    "rank": "priority as a number, 0 is the most urgent, 4 the least",
    "assignees": "JSON array of texts",
    "labels": "JSON array of texts",
    "project": "the project, milestone or list it belongs to",
    "project_status": "status of the project, where it has one of its own",
    "phase": "the stage or heading it stands under",
    "tag": "the list it stands in, where a file holds several",
    "parent": "key of the parent; '': none",
    "dependencies": "JSON array of objects: target, type, is_blocking",
    "created": "UTC, ISO-8601; what is no date is as in the file",
    "updated": "UTC, ISO-8601; what is no date is as in the file",
    "due": "UTC, ISO-8601; what is no date is as in the file",
    "not_before": "UTC, ISO-8601; what is no date is as in the file",
    "anomalies": "JSON array: what is odd about the record",
    "is_work": "0: nobody works on it (a message, a gate)",
    "is_from_last_valid": "1: the file cannot be read now, this is from its last version that could",
    "adapter": "what read it: rengine, task-master, beads …",
    "scope": "where ids mean something: a project, a tag, a file, a folder",
    "ref": "identity of the task: the same in all of its states",
    "type": "of the dependency",
    "raw": "what stands in the file",
    "is_blocking": "1: the task has to wait",
    "severity": "incomplete, warning or skipped",
    "hash": "sha256 of the content",
    "changes": "JSON array of [path, action]",
    "version_num": "the newest migration",
}

# What one would ask of each view and table; also the order in which they are listed.
QUERIES = {
    "current_documents": "SELECT path, content ->> '$.metadata.version' AS version FROM current_documents"
    " WHERE kind = 'json' ORDER BY path",
    "document_history": "SELECT path, version, first_at, until_at, size_bytes, parse_state FROM document_history"
    " ORDER BY path, version",
    "current_items": "SELECT path, pointer, title FROM current_items WHERE kind = 'object' ORDER BY path, pointer LIMIT 50",
    "item_history": "SELECT path, key, title, first_at, until_at FROM item_history"
    " ORDER BY path, key, first_snapshot_id LIMIT 50",
    "current_tasks": "SELECT task_id, title, status, priority, path FROM current_tasks ORDER BY rank, path LIMIT 50",
    "available_tasks": "SELECT task_id, title, priority, path FROM available_tasks LIMIT 20",
    "task_history": "SELECT title, status, first_at, until_at FROM task_history ORDER BY path, ref, first_snapshot_id LIMIT 50",
    "snapshot_changes": "SELECT label, change, path FROM snapshot_changes ORDER BY snapshot_id DESC, path LIMIT 50",
    "current_problems": "SELECT severity, path, message FROM current_problems ORDER BY severity, path",
    "problem_history": "SELECT path, kind, message, first_at, until_at FROM problem_history ORDER BY first_snapshot_id DESC",
    "storage_by_document": "SELECT path, versions, current_bytes, stored_bytes FROM storage_by_document"
    " ORDER BY stored_bytes DESC LIMIT 20",
    "sources": "SELECT name, root FROM sources",
    "snapshots": "SELECT id, label, created_at, added_count, changed_count, removed_count FROM snapshots ORDER BY id DESC",
    "documents": "SELECT category, kind, count(*) AS documents FROM documents GROUP BY category, kind ORDER BY documents DESC",
    "versions": "SELECT parse_state, count(*) AS versions FROM versions GROUP BY parse_state",
    "problems": "SELECT kind, severity, count(*) AS problems FROM problems GROUP BY kind, severity",
    "restores": "SELECT created_at, snapshot_id, safety_snapshot_id, changes FROM restores ORDER BY id DESC",
    "checks": "SELECT created_at, depth, verdict, bad_count, findings FROM checks ORDER BY id DESC",
    "items": "SELECT kind, count(*) AS items FROM items WHERE until_snapshot_id IS NULL GROUP BY kind",
    "items_fts": "SELECT i.title, i.pointer FROM items_fts JOIN items i ON i.id = items_fts.rowid"
    " WHERE items_fts MATCH 'backup' AND items_fts.rowid > 0 ORDER BY items_fts.rank LIMIT 20",
    "tasks": "SELECT status, count(*) AS tasks FROM tasks WHERE until_snapshot_id IS NULL GROUP BY status",
    "task_dependencies": "SELECT t.title, x.type, x.target FROM task_dependencies x JOIN tasks t ON t.id = x.task_id"
    " WHERE t.until_snapshot_id IS NULL",
}


class RawColumn(NamedTuple):
    """A column as SQLite tells of it."""

    name: str
    type: str
    references: str


def describe(name: str, sql: str, columns: Sequence[RawColumn]) -> TableInfo:
    """Returns what there is to say of a table or view."""
    notes = column_notes(sql)
    return TableInfo(
        name=name,
        is_view=sql.lstrip().upper().startswith("CREATE VIEW"),
        is_internal=is_internal(name),
        description=description(sql),
        columns=tuple(
            ColumnInfo(column.name, column.type, _meaning(name, column.name, notes), column.references) for column in columns
        ),
        query=QUERIES.get(name, ""),
        sql=sql,
    )


def rank(name: str) -> int:
    """Returns where a table stands in the list of all: the questions first."""
    return list(QUERIES).index(name) if name in QUERIES else len(QUERIES)


def _meaning(table: str, column: str, notes: Mapping[str, str]) -> str:
    return OWN.get((table, column)) or notes.get(column) or COMMON.get(column, "")


def is_internal(name: str) -> bool:
    """Whether a table is there for the program; people find what is in it elsewhere."""
    return name.startswith(("_", "items_fts_", "sqlite_")) or name in _INTERNAL


def description(sql: str) -> str:
    """Returns the comment that follows the head of a statement, on one line."""
    match = _HEAD.match(sql)
    lines = match[1].splitlines() if match else []
    return " ".join(line.strip().removeprefix("--").strip() for line in lines).strip()


def column_notes(sql: str) -> dict[str, str]:
    """Returns the comments behind columns; of several selects of a view, those of the first one that has any."""
    notes: dict[str, str] = {}
    is_view = sql.lstrip().upper().startswith("CREATE VIEW")
    for line in sql.splitlines():
        noted = _NOTED.match(line)
        if noted is None or not noted["code"].strip():
            continue
        name = (_NAME.search if is_view else _TABLE_COLUMN.match)(noted["code"])
        if name is not None:
            notes.setdefault(name["name"], noted["note"].strip())
    return notes
