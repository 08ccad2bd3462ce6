"""Lists tasks, says what can be worked on and why the rest cannot, and shows how that changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from archive.availability import to_dot, to_mermaid, to_svg
from archive.cli import completing, options, progress
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output
from archive.cli.taskcharts import show_burndown
from archive.cli.tasklists import show_changes, show_explanations, show_histories, show_list, show_next
from archive.model.base import jsonable
from archive.model.taskviews import TaskFilter

if TYPE_CHECKING:
    from archive.api import Archive

_MODES = ("available", "why", "next", "history", "changed_since", "graph", "burndown")
_OFFERING = ("include_started", "containers", "cancelled_satisfies")


@as_command(
    "tasks",
    "archive tasks --available",
    "archive tasks --next --assignee claude",
    "archive tasks --why phase_4 --at '2 days ago'",
    "archive tasks --history TASK-12",
    "archive tasks --changed-since '1 week ago'",
    "archive tasks --graph dot | dot -Tsvg > tasks.svg",
    "archive tasks --burndown svg > burndown.svg",
    "archive tasks --json | jq -r '.tasks[] | select(.available) | .title'",
)
@click.option("--status", "statuses", multiple=True, metavar="S", help="Only in this status, normalised or as in the file.")
@click.option("--project", default="", metavar="P", help="Only of this project, milestone, tag or list.")
@click.option("--assignee", default="", metavar="A", help="Only of this one; with --available and --next nobody's too.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="PATTERN",
    shell_complete=completing.documents,
    help="Only of these documents: a path, folder or glob.",
)
@click.option("--all", "finished", is_flag=True, help="Also those that are done or cancelled.")
@click.option("--available", is_flag=True, help="What can be worked on, the most urgent first.")
@click.option("--include-started", is_flag=True, help="Offer what is in progress too.")
@click.option("--containers", is_flag=True, help="Offer tasks with unfinished children too.")
@click.option("--cancelled-satisfies", is_flag=True, help="Let a cancelled dependency count as done.")
@click.option("--next", "next_", is_flag=True, help="The one task to take next, and why that one.")
@click.option("--why", metavar="ID", help="Everything that holds a task back, and what is at the root of it.")
@click.option("--history", metavar="ID", help="Each status a task had, when, and in which snapshot.")
@click.option("--changed-since", metavar="MOMENT", shell_complete=completing.moments, help="What happened to tasks since then.")
@click.option(
    "--graph",
    type=click.Choice(["mermaid", "dot"]),
    is_flag=False,
    flag_value="mermaid",
    help="What depends on what, as Mermaid or Graphviz DOT.",
)
@click.option(
    "--burndown",
    type=click.Choice(["chart", "svg"]),
    is_flag=False,
    flag_value="chart",
    help="Open and done tasks by day, drawn here or as SVG.",
)
@options.at
@options.output()
@options.place()
def command(place: Place, output: Output, at: str, **given: Any) -> None:
    """List tasks, and say what can be worked on.

    Tasks are found in task files of many tools, by their shape. The list has what is not finished, with the codes of what
    holds each task back; --why puts them into words. All of it works for any moment with --at. An ID may be written as
    project/id or path#id where several tasks have it.

    With --json: `snapshot`, `tasks`, `total`, `problems` and `waiting`; with --next a task and its `reason`; with --why
    `explanations`; with --history `histories`; with --changed-since `changes`; with --graph `nodes`, `edges`, `mermaid` and
    `dot`; with --burndown `days`.
    """
    given["next"] = given.pop("next_")
    mode = _mode(given)
    wanted = TaskFilter(
        statuses=given["statuses"],
        project=given["project"],
        assignee=given["assignee"],
        paths=tuple(map(place.document_path, given["paths"])),
        finished=given["finished"] or mode not in ("", "graph"),
    )
    with progress.shown(output) as on_progress, place.open_indexed(on_progress) as archive:
        _RUN[mode](_Request(archive, output, wanted, at, given))


class _Request(NamedTuple):
    """What is asked for."""

    archive: Archive
    output: Output
    wanted: TaskFilter
    at: str
    given: dict[str, Any]

    @property
    def offering(self) -> dict[str, bool]:
        """What is offered beyond the usual."""
        return {name: self.given[name] for name in _OFFERING}


def _mode(given: dict[str, Any]) -> str:
    """Returns which of the questions is asked; empty for the list."""
    asked = [mode for mode in _MODES if given[mode] not in (None, False)]
    if len(asked) > 1:
        first, second = (f"--{mode.replace('_', '-')}" for mode in asked[:2])
        raise click.UsageError(f"{first} and {second} are two questions: ask one after the other")
    mode = asked[0] if asked else ""
    odd = [name for name in _OFFERING if given[name] and mode not in ("available", "next", "why")]
    if odd:
        raise click.UsageError(f"--{odd[0].replace('_', '-')} goes with --available, --next or --why")
    if given["statuses"] and mode not in ("", "graph"):
        raise click.UsageError(f"--status does not go with --{mode.replace('_', '-')}")
    return mode


def _run_list(ask: _Request) -> None:
    found = ask.archive.tasks(ask.wanted, at=ask.at)
    if ask.output.as_json:
        ask.output.json(found.to_json())
    else:
        show_list(ask.output, found, offered=False)


def _run_available(ask: _Request) -> None:
    found = ask.archive.available_tasks(ask.wanted, at=ask.at, assignee=ask.wanted.assignee, **ask.offering)
    if ask.output.as_json:
        ask.output.json(found.to_json())
    else:
        show_list(ask.output, found, offered=True)


def _run_next(ask: _Request) -> None:
    found = ask.archive.next_task(ask.wanted, at=ask.at, assignee=ask.wanted.assignee, **ask.offering)
    if ask.output.as_json:
        ask.output.json(found.to_json())
    else:
        show_next(ask.output, found)


def _run_why(ask: _Request) -> None:
    found = ask.archive.explain_task(ask.given["why"], at=ask.at, **ask.offering)
    if ask.output.as_json:
        ask.output.json({"explanations": jsonable(found)})
    else:
        show_explanations(ask.output, found)


def _run_history(ask: _Request) -> None:
    found = ask.archive.task_history(ask.given["history"], at=ask.at)
    if ask.output.as_json:
        ask.output.json({"histories": jsonable(found)})
    else:
        show_histories(ask.output, found)


def _run_changed_since(ask: _Request) -> None:
    found = ask.archive.changed_tasks(ask.given["changed_since"], at=ask.at, wanted=ask.wanted)
    if ask.output.as_json:
        ask.output.json(found.to_json())
    else:
        show_changes(ask.output, found)


def _run_graph(ask: _Request) -> None:
    drawing = ask.archive.task_graph(ask.wanted, at=ask.at)
    if ask.output.as_json:
        ask.output.json({**drawing.to_json(), "mermaid": to_mermaid(drawing), "dot": to_dot(drawing)})
    else:
        text = to_dot(drawing) if ask.given["graph"] == "dot" else to_mermaid(drawing)
        ask.output.raw(text.encode("utf-8", "replace"))


def _run_burndown(ask: _Request) -> None:
    days = ask.archive.task_burndown(ask.wanted, at=ask.at)
    if ask.output.as_json:
        ask.output.json({"days": jsonable(days)})
    elif ask.given["burndown"] == "svg":
        ask.output.raw(to_svg(days).encode())
    else:
        show_burndown(ask.output, days)


_RUN: dict[str, Callable[[_Request], None]] = {
    "": _run_list,
    "available": _run_available,
    "next": _run_next,
    "why": _run_why,
    "history": _run_history,
    "changed_since": _run_changed_since,
    "graph": _run_graph,
    "burndown": _run_burndown,
}
