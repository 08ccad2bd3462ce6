"""Says what may be worked on: pure functions over the tasks of one moment.

    evaluation = evaluate(tasks, AvailabilityOptions(as_of=snapshot.created_at))
    evaluation.available()
    [root_causes(evaluation, number) for number in evaluation.find("phase_4")]

`evaluate` gives the rules.
"""

from __future__ import annotations

from archive.availability.causes import root_causes
from archive.availability.changes import change_kind, changed_tasks
from archive.availability.choice import next_task
from archive.availability.drawing import draw, to_dot, to_mermaid
from archive.availability.evaluate import AvailabilityOptions, Evaluation, evaluate, is_for
from archive.availability.graph import TaskGraph, order_key
from archive.availability.naming import named, near_names
from archive.availability.svg import to_svg
from archive.availability.trends import burndown

__all__ = [
    "AvailabilityOptions",
    "Evaluation",
    "TaskGraph",
    "burndown",
    "change_kind",
    "changed_tasks",
    "draw",
    "evaluate",
    "is_for",
    "named",
    "near_names",
    "next_task",
    "order_key",
    "root_causes",
    "to_dot",
    "to_mermaid",
    "to_svg",
]
