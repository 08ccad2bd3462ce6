"""Prints tasks: lists, the reasons against one, its history, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

from archive.cli import units
from archive.cli.output import Cell, Column, Output, styled
from archive.cli.trouble import without_code
from archive.model.tasks import Availability, Status, Task
from archive.model.taskviews import (
    AVAILABLE,
    DEADLOCK,
    Explanation,
    NextTask,
    RootCause,
    StatusPeriod,
    TaskChange,
    TaskChangeKind,
    TaskChanges,
    TaskHistory,
    TaskList,
    TaskProblemKind,
)

_STYLES = {
    Status.IN_PROGRESS.value: "blue",
    Status.REVIEW.value: "blue",
    Status.BLOCKED.value: "red",
    Status.DONE.value: "green",
    Status.CANCELLED.value: "dim",
    Status.DEFERRED.value: "dim",
}
_CHANGE_STYLES = {
    TaskChangeKind.FINISHED: "green",
    TaskChangeKind.STARTED: "blue",
    TaskChangeKind.OPENED: "cyan",
    TaskChangeKind.REOPENED: "yellow",
    TaskChangeKind.REMOVED: "red",
}
_PROBLEMS = {
    TaskProblemKind.LAST_VALID: "broken now; its tasks are those of its last valid version",
    TaskProblemKind.SALVAGED: "broken, and never was whole; its tasks are what can be read of it",
    TaskProblemKind.ADAPTER: "adapters that failed",
}
_SHOWN = 8


def show_list(output: Output, found: TaskList, *, offered: bool) -> None:
    """Prints tasks as a table; `offered` ones are all available, so nothing is said of what holds them back."""
    if found.verdicts:
        columns = [Column("id"), Column("status"), Column("priority", is_optional=True), Column("title", is_wide=True)]
        # Where several tasks have one id, the project tells them apart.
        names = [(verdict.task.name, verdict.task.scope) for verdict in found.verdicts]
        is_told = len({name for name, _ in names}) == len(set(names))
        columns += [Column("project", is_wide=not is_told, is_optional=is_told), Column("assignee", is_optional=True)]
        columns += [] if offered else [Column("held back by")]
        columns += [Column("document", is_optional=True)]
        _show_table(output, columns, [_row(verdict, offered=offered) for verdict in found.verdicts])
    count = units.count(len(found.verdicts), "available task" if offered else "task")
    total = f" of {found.total:,}" if found.total != len(found.verdicts) else ""
    ready = sum(verdict.available for verdict in found.verdicts)
    output.say(styled(f"{count}{total}" + ("" if offered else f", {ready:,} available"), "dim"))
    show_problems(output, found)


def _show_table(output: Output, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Prints a table without the columns in which nothing stands."""
    kept = [place for place in range(len(columns)) if any(_text(row[place]) for row in rows)]
    output.table([columns[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def show_problems(output: Output, found: TaskList) -> None:
    """Prints what was wrong with documents of tasks, and whether some are missing."""
    for kind in TaskProblemKind:
        members = [problem for problem in found.problems if problem.kind is kind]
        if not members:
            continue
        output.say(styled(f"{_PROBLEMS[kind]}: {len(members):,}", "yellow"))
        for problem in members[:_SHOWN]:
            if problem.path:
                output.say("  ", problem.path)
            output.say("    ", styled(without_code(problem.message), "dim"))
        if len(members) > _SHOWN:
            output.say(styled(f"  … and {len(members) - _SHOWN:,} more", "dim"))
    if found.waiting:
        versions = units.count(found.waiting, "version")
        output.warn(styled(f"{versions} not indexed yet, whose tasks are missing here; 'archive reindex' adds them", "yellow"))


def _row(verdict: Availability, *, offered: bool) -> list[Cell]:
    task = verdict.task
    held = [] if offered else [_held(verdict)]
    return [
        styled(task.name, "bold" if verdict.available else ""),
        _status(task),
        task.priority,
        task.title or styled("(no title)", "dim"),
        _project(task),
        ", ".join(task.assignees),
        *held,
        styled(task.path, "dim"),
    ]


def _status(task: Task) -> Cell:
    mark = " (last valid)" if task.from_last_valid else ""
    return styled(task.status + mark, _STYLES.get(task.status, ""))


def _project(task: Task) -> str:
    return task.project or task.tag


def _held(verdict: Availability) -> Cell:
    if verdict.available:
        return styled("nothing", "green")
    # A finished task is held back by nothing but that.
    codes = dict.fromkeys(reason.code for reason in verdict.reasons if not reason.code.startswith("status:"))
    return ", ".join(codes) or styled("its status", "dim")


def show_next(output: Output, found: NextTask) -> None:
    """Prints the one task to take next, and why that one."""
    if found.task is None:
        output.say(found.reason)
        return
    _show_head(output, found.task)
    output.say(styled(f"chosen because {found.reason}", "dim"))
    if found.task.description:
        for line in found.task.description.split("\n")[:_SHOWN]:
            output.say("  ", line)


def _show_head(output: Output, task: Task) -> None:
    output.say(styled(task.name, "bold"), "  ", task.title or styled("(no title)", "dim"))
    facts = [
        f"{task.status_raw} ({task.status})" if task.status_raw.casefold() not in ("", task.status) else task.status,
        f"priority {task.priority}" if task.priority else "",
        f"project {_project(task)}" if _project(task) else "",
        f"assigned to {', '.join(task.assignees)}" if task.assignees else "",
        f"due {task.due[:10]}" if task.due else "",
        "from the last valid version" if task.from_last_valid else "",
    ]
    output.say("  ", " · ".join(filter(None, facts)))
    output.say("  ", styled(f"{task.path}#{task.pointer}", "dim"))


def show_explanations(output: Output, found: Sequence[Explanation]) -> None:
    """Prints what holds tasks back, and what is at the root of it."""
    for number, explanation in enumerate(found):
        if number:
            output.say("")
        verdict = explanation.verdict
        _show_head(output, verdict.task)
        for anomaly in verdict.task.anomalies:
            output.say("  ", styled(f"odd: {anomaly.message}", "yellow"))
        if verdict.available:
            output.say(styled("  it can be worked on", "green"))
            continue
        output.say("held back by")
        width = max(len(reason.code) for reason in verdict.reasons)
        for reason in verdict.reasons:
            output.say("  ", styled(f"{reason.code:<{width}}", "yellow"), "  ", reason.detail)
        _show_roots(output, explanation.roots, verdict.task)


def _show_roots(output: Output, roots: Sequence[RootCause], asked: Task) -> None:
    deep = [root for root in roots if root.task != asked or root.code == DEADLOCK]
    if not deep:
        return
    output.say("at the root of it")
    for root in deep:
        style = "green" if root.code == AVAILABLE else "yellow"
        output.say("  ", styled(root.task.name, "bold"), "  ", root.task.title, styled(f"  {root.detail}", style))
        if len(root.way) > 2:
            output.say("    ", styled(f"by way of {' → '.join(root.way)}", "dim"))


def show_histories(output: Output, found: Sequence[TaskHistory]) -> None:
    """Prints each status that tasks had."""
    for number, history in enumerate(found):
        if number:
            output.say("")
        gone = styled("  gone", "red") if history.is_gone else ""
        project = styled(f"  {history.project}", "dim") if history.project else ""
        output.say(styled(history.name, "bold"), "  ", history.title, project, gone)
        moved = len({period.path for period in history.periods}) > 1
        columns = [Column("since"), Column("snapshot"), Column("status"), Column("in the file", is_optional=True)]
        columns += [Column("until"), *([Column("document")] if moved else [])]
        output.table(columns, [_period(period, moved=moved) for period in history.periods])
        if len(found) > 1 and not moved:
            output.say(styled(history.periods[-1].path, "dim"))


def _period(period: StatusPeriod, *, moved: bool) -> list[Cell]:
    until = "now" if period.until is None else f"{units.local_time(period.until)}  {period.until_label}"
    return [
        units.local_time(period.since),
        styled(period.since_label, "cyan"),
        styled(period.status, _STYLES.get(period.status, "")),
        period.status_raw,
        until,
        *([period.path] if moved else []),
    ]


def show_changes(output: Output, found: TaskChanges) -> None:
    """Prints what happened to tasks between two moments."""
    if found.changes:
        columns = (
            Column("change"),
            Column("id"),
            Column("title", is_wide=True),
            Column("status"),
            Column("project", is_optional=True),
            Column("document", is_optional=True),
        )
        _show_table(output, columns, [_change(change) for change in found.changes])
    counts = [
        f"{number:,} {kind.value}" for kind in TaskChangeKind if (number := sum(each.kind is kind for each in found.changes))
    ]
    output.say(styled(f"{', '.join(counts) or 'no task changed'} from {found.since.label} to {found.until.label}", "dim"))


def _change(change: TaskChange) -> list[Cell]:
    before, after = change.before, change.after
    state = after or before
    assert state is not None
    steps = [one.status for one in (before, after) if one is not None]
    return [
        styled(change.kind.value, _CHANGE_STYLES.get(change.kind, "")),
        state.name,
        state.title,
        " → ".join(steps) + ("" if after else " → gone"),
        state.project,
        styled(state.path, "dim"),
    ]
