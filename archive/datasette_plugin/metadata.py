"""Says to Datasette what the tables and columns are, how to search, facet and sort them, and which queries are ready.

Everything is taken from `Archive.schema`, which reads the comments in the archive's own DDL; only what concerns Datasette
alone stands here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from archive.api import Archive
from archive.errors import ArchiveError
from archive.model.tables import TableInfo

DESCRIPTION = "Every state of a project's JSON data and documents, from the first backup on."

# Facets are offered where few values are likely and somebody would narrow by them.
_FACETS: dict[str, list[str | dict[str, str]]] = {
    "current_items": ["category", "document_kind", "kind"],
    "item_history": ["category", "kind", "is_current"],
    "items": ["kind"],
    "current_documents": ["category", "kind", "parse_state"],
    "document_history": ["parse_state", "is_current"],
    "documents": ["category", "kind"],
    "snapshot_changes": ["change"],
    "current_tasks": ["status", "priority", "kind", {"array": "assignees"}],
    "available_tasks": ["priority", "kind", {"array": "assignees"}],
    "task_history": ["status", "kind"],
    "tasks": ["status", "priority", "kind", {"array": "assignees"}],
    "current_problems": ["kind", "severity"],
    "problem_history": ["kind", "severity", "is_current"],
    "problems": ["kind", "severity"],
    "checks": ["depth", "verdict"],
    "storage_by_document": ["category", "kind", "is_current"],
}
_SORTED = {
    "snapshots": ("sort_desc", "id"),
    "snapshot_changes": ("sort_desc", "snapshot_id"),
    "storage_by_document": ("sort_desc", "stored_bytes"),
    "current_documents": ("sort_desc", "changed_at"),
    "document_history": ("sort_desc", "first_at"),
    "problem_history": ("sort_desc", "first_at"),
    "restores": ("sort_desc", "id"),
    "checks": ("sort_desc", "id"),
}
_LABELS = {
    "sources": "name",
    "snapshots": "label",
    "documents": "path",
    "items": "title",
    "tasks": "title",
    "problems": "message",
    "blobs": "hash",
    "versions": "number",
}
# Views whose rows have the ids of items.
_SEARCHED = ("items", "current_items", "item_history")
# So that a page of 100 rows stays small where rows hold whole documents.
_SIZES = {"current_documents": 20, "current_items": 50, "item_history": 50}
_JSON = {
    "snapshots": ["tags"],
    "sources": ["rules"],
    "restores": ["changes"],
    "checks": ["findings"],
    "tasks": ["assignees", "labels", "anomalies"],
    "current_tasks": ["assignees", "labels", "anomalies"],
    "available_tasks": ["assignees", "labels", "anomalies"],
}


def metadata_of(database: Any) -> dict[str, Any]:
    """Returns the metadata of a database of Datasette that is an archive; empty where it cannot be opened."""
    try:
        found = Path(database.path).stat()
    except OSError:
        return {}
    try:
        # A file that was replaced while Datasette runs is another archive; a new snapshot changes nothing here.
        return _cached(str(database.path), found.st_ino)
    except ArchiveError:
        return {}  # locked, of another version, or damaged: Datasette shows it as it shows any database, and asks again


def metadata(tables: tuple[TableInfo, ...]) -> dict[str, Any]:
    """Returns the metadata of an archive's database: the form that Datasette knows as `databases.<name>`."""
    return {
        "description": DESCRIPTION,
        "tables": {table.name: _table(table) for table in tables},
        "queries": {
            f"ask_{table.name}": {"sql": table.query, "title": table.description or table.name, "hide_sql": False}
            for table in tables
            if table.query and table.is_view
        },
    }


@lru_cache(maxsize=16)
def _cached(path: str, inode: int) -> dict[str, Any]:
    del inode  # tells one file from the next of that name
    with Archive.open(path) as archive:
        return metadata(archive.schema())


def _table(table: TableInfo) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    found: dict[str, Any] = {
        "description": table.description,
        "columns": {column.name: column.description for column in table.columns if column.description},
    }
    if table.is_internal or table.name == "items_fts":
        found["hidden"] = True
    if table.name in _LABELS:
        found["label_column"] = _LABELS[table.name]
    if table.name in _FACETS:
        found["facets"] = [facet for facet in _FACETS[table.name] if isinstance(facet, dict) or facet in names]
    if table.name in _SORTED:
        key, column = _SORTED[table.name]
        found[key] = column
    if table.is_view:
        found["sortable_columns"] = [name for name in names if name not in ("content", "text")]
    if table.name in _SEARCHED:
        found |= {"fts_table": "items_fts", "fts_pk": "id"}
    if table.name in _SIZES:
        found["size"] = _SIZES[table.name]
    if table.name in _JSON:
        found["column_types"] = dict.fromkeys(_JSON[table.name], "json")
    return found
