"""The timeline: what happened on which day, how the archive grew, and every snapshot with what it changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from archive.clock import from_iso
from archive.datasette_plugin.charts import Bar, Part, Point, Series, bars, lines
from archive.datasette_plugin.drawing import plural, size
from archive.datasette_plugin.view import View, command

SNAPSHOTS = """
SELECT id, label, created_at, message, tags, is_complete, documents_count, documents_bytes, added_count, changed_count,
  touched_count, removed_count, problems_count, bytes_stored, duration_ms
FROM snapshots WHERE source_id = :source ORDER BY id DESC LIMIT :limit OFFSET :offset
"""
CHANGES = """
SELECT change, path, version, size_bytes, old_size_bytes, parse_state, document_id
FROM snapshot_changes WHERE snapshot_id = :snapshot AND change <> 'touched' LIMIT :limit
"""
DAYS = """
SELECT substr(created_at, 1, 10) AS day, count(*) AS snapshots, sum(added_count) AS added, sum(changed_count) AS changed,
  sum(removed_count) AS removed, max(id) AS last_id
FROM snapshots WHERE source_id = :source GROUP BY day ORDER BY day
"""
GROWTH = """
SELECT id, created_at, documents_bytes, sum(bytes_stored) OVER (ORDER BY id) AS stored_bytes
FROM snapshots WHERE source_id = :source ORDER BY id
"""
_PER_PAGE = 20
_SHOWN = 6
# From this many days on a bar is a week.
_MOST_DAYS = 120


def page(view: View) -> dict[str, Any]:
    """Returns what the page shows."""
    offset = view.number("offset")
    snapshots = view.ask(SNAPSHOTS, source=view.source_id, limit=_PER_PAGE + 1, offset=offset)
    days = view.ask(DAYS, source=view.source_id)
    growth = view.ask(GROWTH, source=view.source_id)
    cards = [_card(view, row) for row in snapshots.rows[:_PER_PAGE]]
    return {
        "cards": cards,
        "snapshots_link": snapshots.link,
        "older": view.link(offset=offset + _PER_PAGE) if len(snapshots.rows) > _PER_PAGE else "",
        "newer": view.link(offset=max(offset - _PER_PAGE, 0) or None) if offset else "",
        "activity": activity(view, days.rows),
        "activity_link": days.link,
        "growth": _growth(growth.rows),
        "growth_link": growth.link,
        "total": sum(row["snapshots"] for row in days.rows),
        "latest": growth.rows[-1] if growth.rows else None,
    }


def _card(view: View, row: dict[str, Any]) -> dict[str, Any]:
    count = row["added_count"] + row["changed_count"] + row["removed_count"]
    changes = view.ask(CHANGES, snapshot=row["id"], limit=_SHOWN) if count else None
    return row | {
        "tags": json.loads(row["tags"]),
        "changes": changes.rows if changes else [],
        "more": max(count - _SHOWN, 0),
        "all_link": view.links.table("snapshot_changes", snapshot_id=row["id"], _sort="path"),
        "sql_link": changes.link if changes else "",
        "tasks_link": view.link("tasks", at=row["id"]),
        "documents_link": view.link("document", at=row["id"]),
        "command": command("restore", "--at", str(row["id"]), "--dry-run"),
    }


def activity(view: View, rows: Sequence[dict[str, Any]]) -> Any:
    """Draws the strip: a bar a day, or a week where there are many days."""
    if not rows:
        return ""
    first, last = date.fromisoformat(rows[0]["day"]), date.fromisoformat(rows[-1]["day"])
    by_week = (last - first).days > _MOST_DAYS
    if by_week:
        first -= timedelta(days=first.weekday())
        first = max(first, last - timedelta(weeks=_MOST_DAYS))
    step = timedelta(days=7 if by_week else 1)
    bins: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        day = date.fromisoformat(row["day"])
        if day >= first:
            bins.setdefault(first + (day - first) // step * step, []).append(row)
    count = (last - first) // step + 1
    every = max(-(-count // 8), 1)
    drawn = []
    for place in range(count):
        day = first + place * step
        label = f"{day:%b %d}" if place % every == 0 else ""
        drawn.append(_bar(view, day, label, bins.get(day, []), by_week=by_week))
    return bars(drawn, f"changed documents by {'week' if by_week else 'day'}")


def _bar(view: View, day: date, label: str, rows: Sequence[dict[str, Any]], *, by_week: bool) -> Bar:
    totals = {name: sum(row[name] for row in rows) for name in ("snapshots", "added", "changed", "removed")}
    when = f"{'week of ' if by_week else ''}{day}"
    title = f"{when}: {plural(totals['snapshots'], 'snapshot')}" if rows else f"{when}: no snapshot"
    if rows:
        title += f", {totals['added']} added, {totals['changed']} changed, {totals['removed']} removed"
    parts = tuple(Part(name, totals[name]) for name in ("changed", "added", "removed"))
    return Bar(label, title, parts, view.link("document", at=rows[-1]["last_id"]) if rows else "")


def _growth(rows: Sequence[dict[str, Any]]) -> Any:
    if len(rows) < 2:
        return ""
    documents = [Point(from_iso(row["created_at"]), row["documents_bytes"]) for row in rows]
    stored = [
        Point(from_iso(row["created_at"]), row["stored_bytes"], "stored", f"snapshot {row['id']}: {size(row['stored_bytes'])}")
        for row in rows
    ]
    return lines(
        [Series("plain", "size of the documents", documents), Series("stored", "content added to the archive", stored)],
        "growth of the archive",
        is_stepped=True,
        filled=True,
    )
