"""Draws how tasks hang together, as Mermaid and as Graphviz DOT.

Lines go from what comes first to what comes after it. Text of tasks is escaped so that none of it is taken for syntax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archive.availability.evaluate import Evaluation
from archive.model.tasks import IS_BLOCKER_OF, Availability, Status, Task
from archive.model.taskviews import AVAILABLE, Drawing, Edge, Node

PARENT = "parent"
_MISSING = "missing"
_TITLE_LENGTH = 60
_STATES = {
    Status.DONE.value: "done",
    Status.CANCELLED.value: "cancelled",
    Status.IN_PROGRESS.value: "started",
    Status.REVIEW.value: "started",
}
_FILLS = {
    AVAILABLE: "#d5f5d5",
    "waiting": "#f5f5f5",
    "started": "#d5e5fb",
    "done": "#dddddd",
    "cancelled": "#eeeeee",
    _MISSING: "#fbd5d5",
}
_MERMAID_ENTITIES = str.maketrans({char: f"#{ord(char)};" for char in '#"&<>`\\;'})


def draw(evaluation: Evaluation, keep: Callable[[Task], bool] = lambda _: True) -> Drawing:
    """Returns the tasks to be drawn, in document order, and the dependencies and parents among them.

    A dependency on a task that does not exist is drawn to a node that says so; one on a task that is not kept is left out.
    """
    graph = evaluation.graph
    kept = [number for number, task in enumerate(graph.tasks) if keep(task)]
    names = {number: f"t{place}" for place, number in enumerate(kept, 1)}
    nodes = [_node(names[number], evaluation.verdict(number)) for number in kept]
    missing: dict[tuple[str, str], Node] = {}
    edges = []
    for number in kept:
        for parent in graph.parents[number]:
            if parent in names:
                edges.append(Edge(names[parent], names[number], PARENT, False, True))
        edges += _dependencies(evaluation, number, names, missing)
    blocking = {(edge.source, edge.target) for edge in edges if edge.blocking}
    told = [edge for edge in edges if edge.type != IS_BLOCKER_OF or (edge.source, edge.target) not in blocking]
    return Drawing((*nodes, *missing.values()), tuple(told))


def _dependencies(
    evaluation: Evaluation, number: int, names: dict[int, str], missing: dict[tuple[str, str], Node]
) -> Iterator[Edge]:
    graph = evaluation.graph
    task, own = graph.tasks[number], names[number]
    unsatisfied = {dependency for dependency, _, _ in evaluation.failing(number)}
    for blocking in (True, False):
        for dependency, targets in graph.links(number, blocking=blocking):
            others = [names[target] for target in targets if target in names]
            if not targets:
                called = dependency.target or dependency.raw
                place = (dependency.scope or task.scope, called)
                if place not in missing:
                    missing[place] = Node(f"m{len(missing) + 1}", called, _MISSING, task.project or task.scope)
                others = [missing[place].name]
            for other in others:
                first, then = (own, other) if dependency.type == IS_BLOCKER_OF else (other, own)
                yield Edge(first, then, dependency.type, blocking, dependency not in unsatisfied)


def _node(name: str, verdict: Availability) -> Node:
    task = verdict.task
    title = task.title if len(task.title) <= _TITLE_LENGTH else task.title[: _TITLE_LENGTH - 1] + "…"
    label = f"{task.name}\n{title}" if title and title != task.name else task.name
    state = AVAILABLE if verdict.available else _STATES.get(task.status, "waiting")
    return Node(name, label, state, task.project or task.scope)


def to_mermaid(drawing: Drawing) -> str:
    """Returns the drawing as a Mermaid flowchart, ending with a newline.

    Dotted lines do not block, thick ones still do; a line that ends in a circle goes from a parent to its child.
    """
    lines = ["flowchart LR"]
    for place, (group, nodes) in enumerate(_groups(drawing).items(), 1):
        lines.append(f'    subgraph g{place}["{_mermaid_text(group)}"]')
        lines += [f'        {node.name}["{_mermaid_text(node.label)}"]:::{node.state}' for node in nodes]
        lines.append("    end")
    for edge in drawing.edges:
        arrow = "--o" if edge.type == PARENT else "-.->" if not edge.blocking else "-->" if edge.satisfied else "==>"
        lines.append(f"    {edge.source} {arrow} {edge.target}")
    lines += [f"    classDef {state} fill:{fill},stroke:#555,color:#111" for state, fill in _FILLS.items()]
    return "\n".join(lines) + "\n"


def to_dot(drawing: Drawing) -> str:
    """Returns the drawing as a Graphviz graph, ending with a newline; the lines are those of `to_mermaid`."""
    lines = [
        "digraph tasks {",
        "    rankdir=LR",
        '    node [shape=box, style="rounded,filled", fontname="sans-serif"]',
    ]
    for place, (group, nodes) in enumerate(_groups(drawing).items(), 1):
        lines += [f"    subgraph cluster_{place} {{", f"        label={_dot_text(group)}"]
        lines += [f'        {node.name} [label={_dot_text(node.label)}, fillcolor="{_FILLS[node.state]}"]' for node in nodes]
        lines.append("    }")
    for edge in drawing.edges:
        if edge.type == PARENT:
            style = "arrowhead=odot"
        elif not edge.blocking:
            style = f"style=dotted, label={_dot_text(edge.type)}"
        else:
            style = "style=solid" if edge.satisfied else "style=bold"
        lines.append(f"    {edge.source} -> {edge.target} [{style}]")
    return "\n".join([*lines, "}"]) + "\n"


def _groups(drawing: Drawing) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for node in drawing.nodes:
        groups.setdefault(node.group, []).append(node)
    return groups


def _lines(text: str) -> list[str]:
    """Returns the lines of a label, without what no drawing can show."""
    return ["".join(char if char.isprintable() else " " for char in line) for line in text.split("\n")]


def _mermaid_text(text: str) -> str:
    lines = (line.translate(_MERMAID_ENTITIES) for line in _lines(text))
    return "<br/>".join(lines).strip() or " "


def _dot_text(text: str) -> str:
    lines = (line.replace("\\", "\\\\").replace('"', '\\"') for line in _lines(text))
    return '"' + "\\n".join(lines) + '"'
