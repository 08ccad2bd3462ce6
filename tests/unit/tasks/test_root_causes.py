"""Why a task cannot be worked on: the reasons are followed down to where they end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from archive.availability import root_causes
from archive.model.tasks import Task
from tests.unit.tasks.make import judged, task
from tests.unit.tasks.strategies import task_sets


def roots(tasks: list[Task], name: str) -> list[tuple[str, str, str]]:
    evaluation = judged(tasks)
    [number] = evaluation.find(name)
    return [(cause.code, cause.task.name, " ".join(cause.way)) for cause in root_causes(evaluation, number)]


CHAIN = [task("1", needs="2 3"), task("2", needs="4"), task("3", "done"), task("4", needs="5 9"), task("5")]


@pytest.mark.parametrize(
    ("tasks", "name", "expected"),
    [
        ([task("1")], "1", [("available", "1", "1")]),
        ([task("1", "done")], "1", [("status:done", "1", "1")]),
        (CHAIN, "1", [("dep:missing", "4", "1 2 4"), ("available", "5", "1 2 4 5")]),
        ([task("1", needs="2"), task("2", "in_progress")], "1", [("status:in_progress", "2", "1 2")]),
        ([task("1", needs="2"), task("2", "cancelled")], "1", [("dep:cancelled", "1", "1")]),
        ([task("1"), task("2", parent="1"), task("3", "done", parent="1")], "1", [("available", "2", "1 2")]),
        (
            [task("1", "blocked", needs="3"), task("2", parent="1"), task("3")],
            "2",
            [("status:blocked", "1", "2 1"), ("available", "3", "2 1 3")],
        ),
        ([task("1", needs="3"), task("2", parent="1"), task("3", not_before="x")], "2", [("not_before", "3", "2 1 3")]),
        ([task("1", needs="2"), task("2", needs="1")], "1", [("dep:cycle", "1", "1")]),
        (
            [task("0", needs="1"), task("1", needs="2"), task("2", needs="1 3"), task("3")],
            "0",
            [("dep:cycle", "1", "0 1"), ("available", "3", "0 1 2 3")],
        ),
        ([task("1"), task("2", parent="1", needs="1")], "2", [("deadlock", "2", "2")]),
        ([task("1", needs="3"), task("2", parent="1"), task("3", needs="2")], "3", [("deadlock", "3", "3")]),
        (
            [task("1", needs="2"), task("2", ref="a", pointer="/a"), task("2", ref="b", pointer="/b")],
            "1",
            [("dep:ambiguous", "1", "1")],
        ),
    ],
)
def test_reasons_are_followed_to_their_root(tasks: list[Task], name: str, expected: list[tuple[str, str, str]]) -> None:
    assert roots(tasks, name) == expected


def test_the_middle_of_a_long_way_is_left_out() -> None:
    chain = [task(str(number), needs=str(number + 1) if number < 3_000 else "") for number in range(3_001)]
    assert roots(chain, "0") == [("available", "3000", "0 1 2 3 4 … 2996 2997 2998 2999 3000")]


def test_a_task_that_waits_for_very_many_has_as_many_roots_as_were_asked_for() -> None:
    many = [task(str(number)) for number in range(1, 300)]
    evaluation = judged([task("0", needs=" ".join(one.key for one in many)), *many])
    [number] = evaluation.find("0")
    assert len(root_causes(evaluation, number)) == 100
    assert len(root_causes(evaluation, number, limit=7)) == 7


@settings(max_examples=100)
@given(task_sets())
def test_every_task_has_a_root(tasks: list[Task]) -> None:
    evaluation = judged(tasks)
    for number, one in enumerate(evaluation.graph.tasks):
        causes = root_causes(evaluation, number)
        assert causes
        assert all(cause.way[0] == one.name and cause.way[-1] == cause.task.name for cause in causes)
        assert evaluation.verdict(number).available == (causes[0].code == "available" and len(causes[0].way) == 1)
