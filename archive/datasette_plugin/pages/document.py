"""Documents: the list of a moment, and one document with all of its versions, any two of them side by side."""

from __future__ import annotations

import json
from typing import Any

from archive.clock import from_iso
from archive.datasette_plugin.charts import Point, Series, lines
from archive.datasette_plugin.comparison import compare
from archive.datasette_plugin.drawing import file_time, size, time
from archive.datasette_plugin.pages.moments import choose
from archive.datasette_plugin.view import Download, Redirect, View, command
from archive.errors import DocumentNotFound
from archive.extract.masking import mask_value

LIST = """
SELECT d.id, d.path, d.kind, d.category, v.number AS version, v.size_bytes, v.parse_state, v.parse_error,
  n.created_at AS changed_at, n.id AS snapshot_id,
  (SELECT count(*) FROM versions x WHERE x.document_id = d.id) AS versions
FROM documents d
JOIN versions v ON v.document_id = d.id AND v.first_snapshot_id = (
  SELECT max(x.first_snapshot_id) FROM versions x WHERE x.document_id = d.id AND x.first_snapshot_id <= :at)
JOIN snapshots n ON n.id = v.first_snapshot_id
WHERE d.source_id = :source AND (v.until_snapshot_id IS NULL OR v.until_snapshot_id > :at)
  AND (:path = '' OR instr(lower(d.path), lower(:path))) AND (:category = '' OR d.category = :category)
ORDER BY {order} LIMIT :limit
"""
CATEGORIES = """
SELECT category, count(*) AS documents FROM documents WHERE source_id = :source GROUP BY category ORDER BY documents DESC
"""
DOCUMENT = "SELECT id, path, kind, category FROM documents WHERE source_id = :source AND id = :id"
BY_PATH = "SELECT id, path, kind, category FROM documents WHERE source_id = :source AND path = :path ORDER BY id LIMIT 1"
VERSIONS = """
SELECT version_id, version, size_bytes, parse_state, parse_error, first_snapshot_id, first_label, first_at,
  until_snapshot_id, until_label, until_at, is_current, mode, mtime_ns, hash,
  hash = lag(hash) OVER (ORDER BY version) AS is_touched
FROM document_history WHERE document_id = :id ORDER BY version
"""
CONTENT = "SELECT archive_content(:version_id) AS content"
_ORDERS = {
    "path": "d.path",
    "size": "v.size_bytes DESC, d.path",
    "versions": "versions DESC, d.path",
    "changed": "v.first_snapshot_id DESC, d.path",
}
_LISTED = 200
_ROWS = 300
_SHOWN = 200_000


def page(view: View) -> dict[str, Any] | Download | Redirect:
    """Returns what the page shows, or the content as a file."""
    if view.get("id") or view.get("path"):
        return _document(view)
    if view.source is None:
        return {"documents": None, "document": None}
    return {"document": None, **_list(view)}


def _list(view: View) -> dict[str, Any]:
    moment = choose(view)
    sort = view.get("sort", "path")
    found = view.ask(
        LIST.format(order=_ORDERS.get(sort, _ORDERS["path"])),
        source=view.source_id,
        at=moment.snapshot.id,
        path=view.get("q"),
        category=view.get("category"),
        limit=_LISTED + 1,
    )
    return {
        "documents": found.rows[:_LISTED],
        "is_cut": len(found.rows) > _LISTED,
        "sql_link": found.link,
        "moment": moment,
        "sort": sort if sort in _ORDERS else "path",
        "sorts": {"path": "path", "changed": "last changed", "size": "size", "versions": "versions"},
        "categories": view.ask(CATEGORIES, source=view.source_id).rows,
    }


def _document(view: View) -> dict[str, Any] | Download:
    if view.get("id"):
        found = view.ask(DOCUMENT, source=view.source_id, id=view.number("id"))
    else:
        found = view.ask(BY_PATH, source=view.source_id, path=view.get("path"))
    if not found.rows:
        raise DocumentNotFound("the archive holds no such document", hint="The page Documents lists them all.")
    document = found.rows[0]
    versions = view.ask(VERSIONS, id=document["id"])
    rows = versions.rows
    raw = view.number("download")
    if raw:
        shown = _one(rows, raw)
        return Download(document["path"].rpartition("/")[2], _content(view, shown["version_id"]))
    at = _as_of(view, rows)
    shown = at["version"] or rows[-1]
    return {
        "document": document,
        "versions": rows[::-1][:_ROWS],
        "versions_count": len(rows),
        "versions_link": versions.link,
        "chart": _chart(view, document, rows),
        "at": at,
        "shown": shown,
        "content": _shown_content(view, document, shown),
        "comparison": _comparison(view, document, rows),
        "restore": command("restore", "--at", str(shown["first_snapshot_id"]), "--", document["path"]),
        "cat": command("cat", "--at", str(shown["first_snapshot_id"]), "--", document["path"]),
        "last_valid": next((row for row in reversed(rows) if row["parse_state"] == "valid"), None),
    }


def _one(rows: list[dict[str, Any]], number: int) -> dict[str, Any]:
    for row in rows:
        if row["version"] == number:
            return row
    raise DocumentNotFound(f"there is no version {number} of it", hint="The page of the document lists its versions.")


def _as_of(view: View, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the version that `at` or `version` means; no version where the document did not exist then."""
    if view.get("version"):
        return {"text": "", "version": _one(rows, view.number("version")), "snapshot": None}
    if not view.get("at"):
        current = rows[-1] if rows[-1]["is_current"] else None
        return {"text": "", "version": current, "snapshot": None}
    snapshot = view.archive.snapshot(view.get("at"))
    fitting = [
        row
        for row in rows
        if row["first_snapshot_id"] <= snapshot.id
        and (row["until_snapshot_id"] is None or row["until_snapshot_id"] > snapshot.id)
    ]
    return {"text": view.get("at"), "version": fitting[-1] if fitting else None, "snapshot": snapshot}


def _content(view: View, version_id: int) -> bytes:
    content = view.archive.sql(CONTENT, {"version_id": version_id}).rows[0][0]
    return content if isinstance(content, bytes) else str(content if content is not None else "").encode("utf-8")


def _shown_content(view: View, document: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    data = _content(view, shown["version_id"])
    text = data.decode("utf-8", "backslashreplace")
    rules = view.archive.secret_rules()
    is_pretty = is_masked = False
    if document["kind"] == "json" and view.get("as") != "stored" and len(text) <= _SHOWN:
        try:
            value = json.loads(text)
            shown_value = mask_value(value, rules)
            text, is_masked = json.dumps(shown_value, indent=2, ensure_ascii=False), shown_value != value
            is_pretty = True
        except (ValueError, RecursionError):
            is_pretty = False
    if not is_pretty:
        # What is left out is masked too, for a secret may begin in what is shown and end behind it.
        masked = rules.mask(text)
        text, is_masked = masked, masked != text
    return {
        "text": text[:_SHOWN],
        "is_cut": len(text) > _SHOWN,
        "is_pretty": is_pretty,
        "is_masked": is_masked,
        "link": view.links.sql(CONTENT, version_id=shown["version_id"]),
    }


def _comparison(view: View, document: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns the two versions that are asked for side by side; None where none are."""
    if not (view.get("a") and view.get("b")):
        return None
    old, new = _one(rows, view.number("a")), _one(rows, view.number("b"))
    as_text = view.get("diff") == "text"
    found = compare(
        document["kind"],
        _content(view, old["version_id"]),
        _content(view, new["version_id"]),
        document["path"],
        view.archive.secret_rules(),
        as_text=as_text,
    )
    return {
        "old": old,
        "new": new,
        "as_text": as_text,
        "touched": _touched(old, new) if old["hash"] == new["hash"] else [],
        "link": view.links.sql("SELECT archive_diff(:a, :b) AS difference", a=old["version_id"], b=new["version_id"]),
        **found,
    }


def _touched(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Returns what differs between versions of the same bytes: its name, before and after."""
    found = []
    if old["mtime_ns"] != new["mtime_ns"]:
        found.append(("time of modification", file_time(old["mtime_ns"]), file_time(new["mtime_ns"])))
    if old["mode"] != new["mode"]:
        found.append(("mode", f"{old['mode']:04o}", f"{new['mode']:04o}"))
    return found


def _chart(view: View, document: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    if len(rows) < 2:
        return ""
    points = [
        Point(
            from_iso(row["first_at"]),
            row["size_bytes"],
            row["parse_state"],
            f"version {row['version']} of {time(row['first_at'])}: {size(row['size_bytes'])}, {row['parse_state']}",
            view.links.page("document", id=document["id"], version=row["version"], source=view.get("source")),
        )
        for row in rows
    ]
    return lines([Series("plain", "size", points)], "size of the versions over time", is_stepped=True, with_points=True)
