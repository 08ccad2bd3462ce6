"""Health: what is wrong now, what shrank, how problems came and went, when all was last checked, and what takes the room."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from archive.clock import from_iso
from archive.datasette_plugin.charts import Bar, Part, bars, share
from archive.datasette_plugin.drawing import ago, plural, size
from archive.datasette_plugin.view import View, command
from archive.model.check import CheckDepth, Verdict

PROBLEMS = """
SELECT path, kind, severity, message, first_snapshot_id, first_label, first_at, document_id FROM current_problems
WHERE source = :source AND severity <> 'skipped' ORDER BY severity, path LIMIT 200
"""
SKIPPED = "SELECT kind, count(*) AS files FROM current_problems WHERE source = :source AND severity = 'skipped' GROUP BY kind"
SHRINKS = """
SELECT snapshot_id, label, created_at, path, old_size_bytes, size_bytes, document_id, version_id, old_version_id,
  (SELECT number FROM versions o WHERE o.id = old_version_id) AS old_version, version, parse_state
FROM snapshot_changes WHERE change = 'modified' AND old_size_bytes >= 200 AND size_bytes * 2 < old_size_bytes
  AND document_id IN (SELECT id FROM documents WHERE source_id = :source)
ORDER BY snapshot_id DESC LIMIT 20
"""
COUNTS = """
SELECT id, label, created_at, problems_count, is_complete FROM snapshots WHERE source_id = :source ORDER BY id DESC LIMIT 120
"""
STORAGE = """
SELECT id, path, category, versions, current_bytes, versions_bytes, stored_bytes, is_current
FROM storage_by_document WHERE source = :source ORDER BY stored_bytes DESC, path LIMIT 25
"""
STATES = """
SELECT v.parse_state, count(*) AS documents FROM versions v JOIN documents d ON d.id = v.document_id
WHERE v.until_snapshot_id IS NULL AND d.source_id = :source GROUP BY v.parse_state
"""
TOTALS = """
SELECT (SELECT sum(documents_bytes) FROM (SELECT documents_bytes FROM snapshots WHERE source_id = :source ORDER BY id DESC
    LIMIT 1)) AS now_bytes,
  (SELECT count(*) FROM versions) AS versions, (SELECT sum(size_bytes) FROM versions) AS versions_bytes,
  (SELECT sum(length(data)) FROM deltas) AS deltas_bytes
"""
# What somebody wants to know of checks is when all content was last read; the last one may have been a quick one.
CHECKS = """
SELECT id, created_at, depth, verdict, good_count, bad_count, unknown_count, findings, bytes_hashed, duration_ms, snapshot_id,
  (SELECT count(*) FROM snapshots WHERE id > coalesce(c.snapshot_id, 0)) AS snapshots_since,
  id = (SELECT max(id) FROM checks WHERE depth = 'full') AS is_last_full
FROM checks c WHERE id IN (SELECT max(id) FROM checks UNION ALL SELECT max(id) FROM checks WHERE depth = 'full')
ORDER BY id DESC
"""
OLD_AFTER = timedelta(days=30)
# The code before the words, as in "shrunken: lost most of itself"; programs read it in the table.
_CODE = re.compile(r"^[a-z0-9_]+: ")


def page(view: View) -> dict[str, Any]:
    """Returns what the page shows."""
    name = view.source.name if view.source else ""
    path = view.archive.path
    problems = view.ask(PROBLEMS, source=name)
    for row in problems.rows:
        row["message"] = _CODE.sub("", row["message"])
    counts = view.ask(COUNTS, source=view.source_id)
    storage = view.ask(STORAGE, source=name)
    shrinks = view.ask(SHRINKS, source=view.source_id)
    totals = view.ask(TOTALS, source=view.source_id)
    # This one is of now and not recorded, as pages write nothing. Contents are unknown to it, as it says.
    checked = view.archive.check(depth=CheckDepth.STRUCTURE) if view.get("check") == "1" else None
    top = max((row["stored_bytes"] for row in storage.rows), default=0)
    for row in storage.rows:
        row["bar"] = share(row["stored_bytes"], top, "stored", f"{row['path']}: {size(row['stored_bytes'])}")
    return {
        "problems": problems,
        "skipped": view.ask(SKIPPED, source=name).rows,
        "shrinks": shrinks,
        "states": view.ask(STATES, source=view.source_id),
        "storage": storage,
        "totals": totals.rows[0],
        "file_bytes": sum(file.stat().st_size for file in (path, path.with_name(path.name + "-wal")) if file.exists()),
        "totals_link": totals.link,
        "counts_link": counts.link,
        "chart": _chart(view, counts.rows[::-1]),
        "newest": counts.rows[0] if counts.rows else None,
        "incomplete": sum(not row["is_complete"] for row in counts.rows),
        "check": command("check"),
        **_checks(view),
        "checked": checked,
        "unexamined": sum(finding.verdict is Verdict.UNKNOWN for finding in checked.findings) if checked else 0,
    }


def _checks(view: View) -> dict[str, Any]:
    checks = view.ask(CHECKS)
    for row in checks.rows:
        row["findings"] = json.loads(row["findings"])
        row["ago"] = ago(view.now - from_iso(row["created_at"]))
    full = next((row for row in checks.rows if row["is_last_full"]), None)
    return {
        "checks": checks,
        "last_check": checks.rows[0] if checks.rows else None,
        "last_full": full,
        "is_check_old": full is None or view.now - from_iso(full["created_at"]) > OLD_AFTER,
    }


def _chart(view: View, rows: list[dict[str, Any]]) -> Any:
    if not any(row["problems_count"] for row in rows):
        return ""
    every = max(len(rows) // 8, 1)
    drawn = []
    for place, row in enumerate(rows):
        state = "" if row["is_complete"] else ", incomplete"
        title = f"snapshot {row['id']}, {from_iso(row['created_at']):%Y-%m-%d %H:%M}: "
        title += plural(row["problems_count"], "problem") + state
        colour = "warning" if row["is_complete"] else "bad"
        label = f"#{row['id']}" if place % every == 0 else ""
        link = view.links.table("problem_history", first_snapshot_id__lte=row["id"])
        drawn.append(Bar(label, title, (Part(colour, row["problems_count"]),), link))
    return bars(drawn, "problems that stood in each snapshot", height=120)
