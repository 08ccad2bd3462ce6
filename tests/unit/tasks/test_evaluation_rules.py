"""Availability: each rule with its reason, one table for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.availability import next_task
from archive.model.tasks import Dependency, Task
from tests.unit.tasks.make import codes, judged, names, task


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"status": "in_progress"}, ["status:in_progress"]),
        ({"status": "done"}, ["status:done"]),
        ({"status": "on_ice"}, ["status:on_ice"]),
        ({"status": "unknown"}, ["status:unknown"]),
        ({"is_work": False}, ["nonwork"]),
        ({"not_before": "2026-03-15T12:00:00.000Z"}, []),
        ({"not_before": "2026-03-15T12:00:00.001Z"}, ["not_before"]),
        ({"not_before": "when it rains"}, ["not_before"]),
        ({"project_status": "done"}, []),
        ({"project_status": "cancelled"}, ["project:cancelled"]),
        ({"project_status": "deferred"}, ["project:deferred"]),
        ({"project_status": "blocked"}, ["project:blocked"]),
        (
            {"status": "deferred", "is_work": False, "not_before": "x", "needs": "9"},
            ["status:deferred", "nonwork", "not_before", "dep:missing"],
        ),
    ],
)
def test_a_task_alone(changes: dict[str, object], expected: list[str]) -> None:
    status = str(changes.get("status", "pending"))
    more = {name: value for name, value in changes.items() if name != "status"}
    assert codes([task("1", status, **more)])["1"] == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("others", "needs", "expected"),
    [
        ([], "9", ["dep:missing"]),
        ([("2", "done")], "2", []),
        ([("2", "pending")], "2", ["dep:unfinished"]),
        ([("2", "in_progress")], "2", ["dep:unfinished"]),
        ([("2", "review")], "2", ["dep:unfinished"]),
        ([("2", "odd")], "2", ["dep:unfinished"]),
        ([("2", "cancelled")], "2", ["dep:cancelled"]),
        ([("2", "done"), ("2", "done")], "2", ["dep:ambiguous"]),
        ([("2", "done"), ("3", "pending"), ("4", "cancelled")], "2 3 4 9", ["dep:unfinished", "dep:cancelled", "dep:missing"]),
        ([], "1", ["dep:unfinished", "dep:cycle"]),
        ([], "", []),
    ],
)
def test_a_task_with_dependencies(others: list[tuple[str, str]], needs: str, expected: list[str]) -> None:
    more = [task(key, status, ref=f"o{number}") for number, (key, status) in enumerate(others)]
    assert codes([task("1", needs=needs), *more])["1"] == expected


@pytest.mark.parametrize("kind", ["depends-on", "blocked-by", "blocks", "conditional-blocks", "waits-for"])
def test_these_types_of_dependency_block(kind: str) -> None:
    assert codes([task("1", needs=[Dependency("2", kind)]), task("2")])["1"] == ["dep:unfinished"]


@pytest.mark.parametrize(
    "kind", ["related", "discovered-from", "tracks", "parent-child", "is-blocker-of", "soft", "", "anything"]
)
def test_other_types_of_dependency_never_block(kind: str) -> None:
    assert codes([task("1", needs=[Dependency("2", kind), Dependency("9", kind)]), task("2")])["1"] == []


def test_ids_count_in_their_scope() -> None:
    tasks = [task("1", needs="2"), task("2", "done", scope="t", ref="t#2"), task("1", scope="t", ref="t#1", needs="2")]
    found = [(verdict.task.scope, [reason.code for reason in verdict.reasons]) for verdict in judged(tasks).verdicts]
    assert sorted(found) == [("s", ["dep:missing"]), ("t", []), ("t", ["status:done"])]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", []),
        ("in_progress", []),
        ("done", []),
        ("review", []),
        ("odd", []),
        ("cancelled", ["parent:cancelled"]),
        ("deferred", ["parent:deferred"]),
        ("blocked", ["parent:blocked"]),
    ],
)
def test_a_child_is_held_back_by_what_stands_above_it(status: str, expected: list[str]) -> None:
    tasks = [task("1", status), task("2", parent="1"), task("3", parent="2")]
    assert codes(tasks)["3"] == expected
    nested = [task("1", status), task("2", parent_ref="s#1"), task("3", parent_ref="s#2")]
    assert codes(nested)["3"] == expected


def test_a_child_is_held_back_by_what_its_parents_wait_for() -> None:
    tasks = [task("1", needs="5"), task("2", parent="1"), task("3", parent="2"), task("4", parent="9"), task("5")]
    assert codes(tasks) == {
        "1": ["dep:unfinished", "container"],
        "2": ["parent:dep", "container"],
        "3": ["parent:dep"],
        "4": [],
        "5": [],
    }


def test_a_parent_that_waits_for_its_own_children_holds_nothing_back() -> None:
    tasks = [task("1", needs="2 3"), task("2", parent="1"), task("3", parent="2", needs="4"), task("4", parent="1")]
    assert codes(tasks) == {"1": ["container"], "2": ["container"], "3": ["dep:unfinished"], "4": []}
    assert codes([task("1", needs="2"), task("2", "done", parent="1")])["1"] == []


def test_a_child_that_waits_for_its_parent_waits() -> None:
    assert codes([task("1"), task("2", parent="1", needs="1")]) == {"1": ["container"], "2": ["dep:unfinished"]}


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ([("pending", True)], ["container"]),
        ([("done", True), ("blocked", True)], ["container"]),
        ([("done", True), ("cancelled", True)], []),
        ([("pending", False)], []),
        ([], []),
    ],
)
def test_a_parent_is_a_container_while_children_are_unfinished(children: list[tuple[str, bool]], expected: list[str]) -> None:
    below = [task(f"1.{number}", status, parent="1", is_work=work) for number, (status, work) in enumerate(children)]
    assert codes([task("1"), *below])["1"] == expected
    assert codes([task("1"), *below], containers=True)["1"] == []


def test_a_ring_of_parents_hides_its_members_and_no_one_else() -> None:
    ring = [task("1", parent="3"), task("2", parent="1"), task("3", parent="2"), task("4", parent="4"), task("5")]
    assert codes(ring) == {"1": ["container"], "2": ["container"], "3": ["container"], "4": [], "5": []}
    held = [task("1", "blocked", parent="2"), task("2", parent="1"), task("3", parent="2")]
    assert codes(held)["3"] == ["parent:blocked"]


def test_where_the_parent_is_ambiguous_both_count() -> None:
    tasks = [task("1", ref="a"), task("1", "deferred", ref="b"), task("2", parent="1")]
    assert codes(tasks)["2"] == ["parent:deferred"]
    assert names([task("1", ref="a"), task("1", ref="b", pointer="/x"), task("2", parent="1", parent_ref="a")]) == ["2"]


def test_a_task_without_an_id_is_like_any_other_and_is_never_meant() -> None:
    tasks = [task("", pointer="L1", ref="a"), task("", pointer="L2", ref="b"), task("1", needs=[Dependency("", raw="?")])]
    assert codes(tasks) == {"L1": [], "L2": [], "1": ["dep:missing"]}


def test_options_widen_what_is_offered() -> None:
    tasks = [task("1", "in_progress"), task("2", needs="3"), task("3", "cancelled"), task("4"), task("5", parent="4")]
    assert names(tasks) == ["5"]
    assert names(tasks, include_started=True) == ["1", "5"]
    assert names(tasks, cancelled_satisfies=True) == ["2", "5"]
    assert names(tasks, containers=True) == ["4", "5"]
    later = [task("1", not_before="2026-04-01T00:00:00.000Z")]
    assert names(later, as_of=datetime(2026, 4, 1, tzinfo=UTC)) == ["1"]


def test_an_assignee_is_offered_what_is_theirs_or_nobodys() -> None:
    tasks = [task("1"), task("2", assignees=("@Otter", "heron")), task("3", assignees=("heron",))]
    assert names(tasks, assignee="otter") == ["1", "2"]
    assert names(tasks, assignee="@HERON") == ["1", "2", "3"]
    assert names(tasks) == ["1", "2", "3"]


def test_the_order_is_rank_date_creation_position_and_natural_id() -> None:
    early, late = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
    tasks = [
        task("10", rank=1, order=4),
        task("9", rank=1, order=4),
        task("a", rank=1, order=3),
        task("b", rank=1, created=late),
        task("c", rank=1, created=early),
        task("d", rank=1, due=late),
        task("e", rank=1, due=late, not_before=early),
        task("f", rank=1, due="soon"),
        task("g", rank=0),
    ]
    expected = ["g", "e", "d", "c", "b", "f", "a", "9", "10"]
    assert names(tasks) == expected
    assert names(tasks[::-1]) == expected


@pytest.mark.parametrize(
    ("tasks", "chosen", "words"),
    [
        ([], None, "no tasks"),
        ([task("1", "done")], None, "nothing left"),
        ([task("1", needs="2"), task("2", "in_progress")], None, "none of 2 unfinished tasks"),
        ([task("1", assignees=("heron",))], None, "assigned to others than otter"),
        ([task("1")], "1", "the only one"),
        ([task("1"), task("2", rank=0, priority="P0")], "2", "most urgent, with priority P0"),
        ([task("1"), task("2", due="2026-01-01T00:00:00.000Z")], "2", "the earliest date, 2026-01-01"),
        ([task("1"), task("2", created="2026-01-01T00:00:00.000Z")], "2", "is the oldest"),
        ([task("1", order=1), task("2")], "2", "stands first in its document"),
        ([task("10"), task("2")], "2", "the lowest id"),
        ([task("1", path="b"), task("1", scope="t", path="a", title="T")], "1", "in the first document"),
    ],
)
def test_the_next_task_comes_with_the_reason_for_the_choice(tasks: list[Task], chosen: str | None, words: str) -> None:
    found = next_task(judged(tasks, assignee="otter"))
    assert (found.task.name if found.task else None) == chosen
    assert words in found.reason


def test_tasks_are_found_by_every_name_they_have() -> None:
    tasks = [
        task("phase_1", project="Garden"),
        task("phase_1", project="Shed", scope="t", ref="t#1"),
        task("BACK-1", id="back-1", path="b.md", ref="u#1"),
        task("", pointer="L3", ref="todo#x", path="todo.txt"),
    ]
    evaluation = judged(tasks)

    def found(name: str) -> list[str]:
        return [evaluation.graph.tasks[number].ref for number in evaluation.find(name)]

    assert found("phase_1") == ["s#phase_1", "t#1"]
    assert found("Garden/phase_1") == ["s#phase_1"]
    assert found("a.json#Shed/phase_1") == found("t#1") == ["t#1"]
    assert found("back-1") == found("BACK-1") == found("Back-1") == found("b.md#back-1") == ["u#1"]
    assert found("todo.txt#L3") == found("l3") == ["todo#x"]
    assert found("nothing") == found("") == []


def test_reasons_say_what_they_mean() -> None:
    tasks = [
        task("1", needs="2 9", title="A"),
        task("2", "in_progress"),
        task("3", parent="2"),
        replace(task("4"), project_status="blocked", project="P"),
    ]
    by_name = {verdict.task.name: verdict for verdict in judged([*tasks, task("5", needs="6"), task("6", needs="5")]).verdicts}
    assert [reason.detail for reason in by_name["1"].reasons] == ["2 is in_progress", "there is no 9 in s"]
    assert [reason.target for reason in by_name["1"].reasons] == ["2", "9"]
    assert by_name["4"].reasons[0].detail == "project P is blocked"
    assert by_name["5"].reasons[1].detail == "it waits for itself: 5 → 6 → 5"
    told = by_name["1"].to_json()
    assert told["reasons"] == [
        {"code": "dep:unfinished", "target": "2", "detail": "2 is in_progress"},
        {"code": "dep:missing", "target": "9", "detail": "there is no 9 in s"},
    ]


@pytest.mark.parametrize("size", [10_000])
def test_long_chains_and_rings_are_no_danger(size: int) -> None:
    chain = [task(str(number), needs=str(number - 1) if number else "", order=number) for number in range(size)]
    assert names(chain) == ["0"]
    assert names([*chain[1:], replace(chain[0], status="done")]) == ["1"]
    ring = [*chain[1:], task("0", needs=str(size - 1))]
    evaluation = judged(ring)
    assert evaluation.available() == []
    assert all(verdict.reasons[-1].code == "dep:cycle" for verdict in evaluation.verdicts)
    nest = [
        task(str(number), parent=str(number - 1) if number else "", needs=str(number + 1), order=number)
        for number in range(size)
    ]
    assert names(nest) == []
    assert names([*nest[:-1], replace(nest[-1], dependencies=())]) == [str(size - 1)]
