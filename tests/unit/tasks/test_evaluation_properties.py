"""Availability: the quick evaluation agrees with a slow and plain one, and what must always hold does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.availability import AvailabilityOptions, evaluate, order_key
from archive.model.tasks import ReasonCode, Task
from tests.unit.tasks.make import NOW, judged
from tests.unit.tasks.slow import SlowEvaluation
from tests.unit.tasks.strategies import task_sets

options = st.builds(
    AvailabilityOptions,
    as_of=st.just(NOW),
    include_started=st.booleans(),
    containers=st.booleans(),
    cancelled_satisfies=st.booleans(),
)


def place(task: Task) -> tuple[str, str]:
    return task.path, task.ref


@settings(max_examples=200)
@given(task_sets(), options)
def test_the_quick_evaluation_gives_the_reasons_of_the_slow_one(tasks: list[Task], options: AvailabilityOptions) -> None:
    slow = SlowEvaluation(tasks, options)
    quick = {place(verdict.task): {reason.code for reason in verdict.reasons} for verdict in evaluate(tasks, options).verdicts}
    assert quick == {place(task): slow.codes(task) for task in tasks}


@settings(max_examples=100)
@given(task_sets(), options, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(tasks: list[Task], options: AvailabilityOptions, chance: random.Random) -> None:
    shuffled = chance.sample(tasks, len(tasks))
    assert evaluate(shuffled, options).verdicts == evaluate(tasks, options).verdicts
    assert evaluate(shuffled, options).available() == evaluate(tasks, options).available()


@settings(max_examples=150)
@given(task_sets(), options, st.data())
def test_closing_a_task_never_makes_another_less_available(
    tasks: list[Task], options: AvailabilityOptions, data: st.DataObject
) -> None:
    if not tasks:
        return
    closed = data.draw(st.integers(0, len(tasks) - 1))
    after = [replace(task, status="done") if number == closed else task for number, task in enumerate(tasks)]
    before = {place(verdict.task): verdict for verdict in evaluate(tasks, options).verdicts}
    for verdict in evaluate(after, options).verdicts:
        if place(verdict.task) != place(tasks[closed]):
            codes = {reason.code for reason in verdict.reasons}
            assert codes <= {reason.code for reason in before[place(verdict.task)].reasons}


@settings(max_examples=100)
@given(task_sets(), options)
def test_every_task_is_available_or_has_a_reason_of_a_known_code(tasks: list[Task], options: AvailabilityOptions) -> None:
    evaluation = evaluate(tasks, options)
    offered = [place(task) for task in evaluation.available()]
    assert offered == [place(verdict.task) for verdict in evaluation.verdicts if verdict.available]
    assert len(evaluation.verdicts) == len(tasks)
    whole = {code.value for code in ReasonCode if not code.endswith(":")}
    for verdict in evaluation.verdicts:
        assert verdict.available == (not verdict.reasons)
        for reason in verdict.reasons:
            assert reason.code in whole or reason.code.startswith(("status:", "parent:", "project:"))
            assert reason.detail
            assert reason.target or not reason.code.startswith(("dep:", "parent:"))


@given(task_sets())
def test_the_order_is_total_and_a_cycle_is_never_alone(tasks: list[Task]) -> None:
    assert len({order_key(task) for task in tasks}) == len(tasks)
    for verdict in judged(tasks).verdicts:
        codes = {reason.code for reason in verdict.reasons}
        assert "dep:cycle" not in codes or "dep:unfinished" in codes


@pytest.mark.slow
@settings(max_examples=300)
@given(task_sets(max_size=40), options)
def test_the_evaluations_agree_on_larger_sets(tasks: list[Task], options: AvailabilityOptions) -> None:
    slow = SlowEvaluation(tasks, options)
    for verdict in evaluate(tasks, options).verdicts:
        assert {reason.code for reason in verdict.reasons} == slow.codes(verdict.task)
