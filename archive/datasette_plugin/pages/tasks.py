"""Tasks: a board by status, what may be worked on and why the rest may not, and how much is left, at any moment.

Counts and the chart come from SQL that costs a step for each change of a task. What may be worked on has to be judged over
all tasks together; where there are too many to do that while somebody waits, the page offers it as a second step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from archive.datasette_plugin.charts import Point, Series, lines, share
from archive.datasette_plugin.pages.moments import MomentChoice, choose
from archive.datasette_plugin.view import View
from archive.model.tasks import FINISHED, Availability, Status
from archive.model.taskviews import TaskFilter

STEPS = """
SELECT x.snapshot_id, substr(n.created_at, 1, 10) AS day, x.status, x.is_work, sum(x.step) AS step FROM (
  SELECT first_snapshot_id AS snapshot_id, status, is_work, count(*) AS step FROM tasks
  WHERE source_id = :source AND first_snapshot_id <= :at AND (:project = '' OR project = :project) GROUP BY 1, 2, 3
  UNION ALL
  SELECT until_snapshot_id, status, is_work, -count(*) FROM tasks
  WHERE source_id = :source AND until_snapshot_id <= :at AND (:project = '' OR project = :project) GROUP BY 1, 2, 3) x
JOIN snapshots n ON n.id = x.snapshot_id GROUP BY 1, 3, 4 ORDER BY 1
"""
BOARD = """
SELECT t.task_id, t.title, t.status, t.priority, t.rank, t.assignees, d.path, t.pointer
FROM tasks t JOIN documents d ON d.id = t.document_id
WHERE t.source_id = :source AND t.first_snapshot_id <= :at AND (t.until_snapshot_id IS NULL OR t.until_snapshot_id > :at)
  AND t.status = :status AND (:project = '' OR t.project = :project) LIMIT :limit
"""
ALL = """
SELECT t.task_id, t.title, t.status, t.priority, t.project, d.path, t.pointer
FROM tasks t JOIN documents d ON d.id = t.document_id
WHERE t.source_id = :source AND t.first_snapshot_id <= :at AND (t.until_snapshot_id IS NULL OR t.until_snapshot_id > :at)
ORDER BY t.status, t.rank, d.path, t.position
"""
AVAILABLE = "SELECT task_id, title, priority, project, path FROM available_tasks"
PROJECTS = "SELECT DISTINCT project FROM tasks WHERE source_id = :source AND project <> '' ORDER BY project LIMIT 300"
PROBLEMS = """
SELECT d.path, p.kind, p.message FROM task_problems p JOIN documents d ON d.id = p.document_id
WHERE d.source_id = :source AND p.first_snapshot_id <= :at AND (p.until_snapshot_id IS NULL OR p.until_snapshot_id > :at)
LIMIT 20
"""
WAITING = "SELECT count(*) AS n FROM versions WHERE id > (SELECT version_id FROM _indexing)"
# So many are judged within a fifth of a second.
JUDGED_AT_ONCE = 5_000
_COLUMNS = [status.value for status in Status]
# A column shows so many; the table has them all.
_CARDS = 30
_READY = 10
_REASONS = 3
_REASONS_SAID = {
    "dep:unfinished": "waits for another task",
    "dep:missing": "waits for one that is nowhere",
    "dep:ambiguous": "waits for an id that several have",
    "dep:cancelled": "waits for one that was cancelled",
    "dep:cycle": "waits for itself in the end",
    "parent:dep": "its parent waits",
    "container": "its children are the work",
    "not_before": "its day has not come",
    "duplicate_id": "its id is not its own",
    "nonwork": "is no work",
}


def page(view: View) -> dict[str, Any]:
    """Returns what the page shows."""
    if view.source is None:
        return {"moment": None}
    moment = choose(view)
    at, project = moment.snapshot.id, view.get("project")
    steps = view.ask(STEPS, source=view.source_id, at=at, project=project)
    counts: Counter[str] = Counter()
    for row in steps.rows:
        counts[row["status"]] += row["step"]
    total = sum(counts.values())
    is_judged = total <= JUDGED_AT_ONCE or view.get("judge") == "1"
    verdicts = _judged(view, at, project) if is_judged else []
    return {
        "moment": moment,
        "project": project,
        "projects": [row["project"] for row in view.ask(PROJECTS, source=view.source_id).rows],
        "total": total,
        "columns": _columns(view, counts, verdicts, moment) if is_judged else _plain_columns(view, counts, moment),
        "judge_link": "" if is_judged else view.link(judge=1),
        **_ready(verdicts),
        "problems": view.ask(PROBLEMS, source=view.source_id, at=at).rows,
        "waiting": view.ask(WAITING).rows[0]["n"],
        "burndown": _burndown([row for row in steps.rows if row["is_work"]], moment.snapshot.created_at),
        "board_link": view.links.sql(ALL, source=view.source_id, at=at),
        "available_link": view.links.sql(AVAILABLE),
        "steps_link": steps.link,
        "cards": _CARDS,
    }


def _judged(view: View, at: int, project: str) -> list[Availability]:
    return list(view.archive.tasks(TaskFilter(project=project, finished=True), at=str(at)).verdicts)


def _ready(verdicts: Sequence[Availability]) -> dict[str, Any]:
    ready = [found.task for found in verdicts if found.available]
    return {"ready": ready[:_READY], "ready_count": len(ready), "held": _held(verdicts)}


def _columns(view: View, counts: Counter[str], verdicts: Sequence[Availability], moment: MomentChoice) -> list[dict[str, Any]]:
    """Returns the columns of the board with what stands against each task."""
    columns = []
    for name in _names(counts):
        found = [each for each in verdicts if each.task.status == name][:_CARDS]
        cards = [
            {
                "title": each.task.title or each.task.name,
                "id": each.task.id,
                "priority": each.task.priority,
                "rank": each.task.rank,
                "assignees": ", ".join(each.task.assignees),
                "is_ready": each.available,
                "reasons": [] if name in FINISHED else _told(each),
                "link": _document_link(view, each.task.path, moment),
            }
            for each in found
        ]
        columns.append({"name": name, "count": counts[name], "tasks": cards})
    return columns


def _told(found: Availability) -> list[str]:
    """Returns what stands against a task; that it is in its column, everybody sees."""
    return [reason.detail for reason in found.reasons if not reason.code.startswith("status:")][:_REASONS]


def _plain_columns(view: View, counts: Counter[str], moment: MomentChoice) -> list[dict[str, Any]]:
    """Returns the columns without reasons, in the order of the documents."""
    columns = []
    for name in _names(counts):
        found = view.ask(
            BOARD,
            source=view.source_id,
            at=moment.snapshot.id,
            status=name,
            project=view.get("project"),
            limit=_CARDS,
        )
        cards = [
            {
                "title": row["title"] or row["task_id"] or row["pointer"],
                "id": row["task_id"],
                "priority": row["priority"],
                "rank": row["rank"],
                "assignees": "",
                "is_ready": False,
                "reasons": [],
                "link": _document_link(view, row["path"], moment),
            }
            for row in found.rows
        ]
        columns.append({"name": name, "count": counts[name], "tasks": cards})
    return columns


def _names(counts: Counter[str]) -> list[str]:
    return [name for name in _COLUMNS if counts[name]] + sorted(name for name in +counts if name not in _COLUMNS)


def _document_link(view: View, path: str, moment: MomentChoice) -> str:
    return view.link("document", path=path, at=None if moment.is_latest else moment.snapshot.id)


def _held(verdicts: Sequence[Availability]) -> list[dict[str, Any]]:
    """Counts what stands against tasks that are still to be done."""
    codes = Counter(
        code
        for found in verdicts
        if found.task.status == Status.PENDING.value
        for code in {reason.code for reason in found.reasons}
    )
    most = codes.most_common(8)
    top = most[0][1] if most else 0
    return [
        {"code": _REASONS_SAID.get(code, code), "count": count, "bar": share(count, top, "pending", f"{code}: {count}")}
        for code, count in most
    ]


def _burndown(rows: Sequence[dict[str, Any]], until: datetime) -> Any:
    """Draws how many tasks were open, done and cancelled at the end of each day, up to the moment."""
    steps: dict[date, Counter[str]] = {}
    for row in rows:
        name = row["status"] if row["status"] in FINISHED else "open"
        steps.setdefault(date.fromisoformat(row["day"]), Counter())[name] += row["step"]
    last = until.astimezone(UTC).date()
    if not steps or min(steps) == last:
        return ""
    counts: Counter[str] = Counter()
    points: dict[str, list[Point]] = {"open": [], "done": [], "cancelled": []}
    day = min(steps)
    while day <= last:
        counts.update(steps.get(day, Counter()))
        for name, drawn in points.items():
            drawn.append(Point(datetime.combine(day, time(), UTC), max(counts[name], 0)))
        day += timedelta(days=1)
    series = [Series(name, name, drawn) for name, drawn in points.items() if any(point.value for point in drawn)]
    return lines(series, "open and finished tasks by day", unit=lambda value: f"{value:,.0f}", filled=True)
