"""Drawings of tasks, what changed between two moments, and how many were open day by day."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.availability import burndown, change_kind, changed_tasks, draw, to_dot, to_mermaid
from archive.availability.cycles import components
from archive.model.tasks import Dependency
from archive.model.taskviews import BurndownDay, Edge, Node, StatusSpan, TaskState
from tests.unit.tasks.make import judged, task

RELATED = [Dependency("2", "related"), Dependency("3"), Dependency("9"), Dependency("4", "is-blocker-of")]
SMALL = [
    task("1", needs=RELATED, title="First", project="P"),
    task("2", "in_progress", title="2"),
    task("3", "done", title="x" * 80),
    task("4", needs="1", parent="2"),
]
HOSTILE = '"]; end <script> #quot; `a` \\n \\" --> %% \x07\nsecond & {x}'


def test_a_drawing_has_the_tasks_and_what_connects_them() -> None:
    drawing = draw(judged(SMALL))
    assert drawing.nodes == (
        Node("t1", "1\nFirst", "waiting", "P"),
        Node("t2", "2", "started", "s"),
        Node("t3", f"3\n{'x' * 59}…", "done", "s"),
        Node("t4", "4\nTask 4", "waiting", "s"),
        Node("m1", "9", "missing", "P"),
    )
    assert drawing.edges == (
        Edge("t3", "t1", "depends-on", True, True),
        Edge("m1", "t1", "depends-on", True, False),
        Edge("t2", "t1", "related", False, True),
        Edge("t2", "t4", "parent", False, True),
        Edge("t1", "t4", "depends-on", True, False),
    )


def test_what_is_not_kept_is_not_drawn() -> None:
    drawing = draw(judged(SMALL), lambda one: one.key in ("1", "4"))
    assert [node.label for node in drawing.nodes] == ["1\nFirst", "4\nTask 4", "9"]
    assert [(edge.source, edge.target) for edge in drawing.edges] == [("m1", "t1"), ("t1", "t2")]


def test_mermaid_is_written_line_by_line() -> None:
    text = to_mermaid(draw(judged(SMALL[:2])))
    assert text.splitlines()[:11] == [
        "flowchart LR",
        '    subgraph g1["P"]',
        '        t1["1<br/>First"]:::waiting',
        '        m1["3"]:::missing',
        '        m2["9"]:::missing',
        '        m3["4"]:::missing',
        "    end",
        '    subgraph g2["s"]',
        '        t2["2"]:::started',
        "    end",
        "    m1 ==> t1",
    ]
    assert "    t2 -.-> t1" in text.splitlines()
    assert "    t1 -.-> m3" in text.splitlines()


@given(st.text(max_size=40) | st.just(HOSTILE))
def test_no_title_breaks_out_of_its_label(title: str) -> None:
    drawing = draw(judged([task("1", title=title, project=title)]))
    lines = to_mermaid(drawing).splitlines()
    assert len([line for line in lines if line.startswith("        ")]) == 1
    for line in lines:
        label = re.search(r'\["(.*)"\]', line)
        if label:
            assert not set('"`<>\\') & set(label[1].replace("<br/>", ""))
    dot = to_dot(drawing)
    labels = re.findall(r'label=("(?:[^"\\\n]|\\.)*")', dot)
    assert len(labels) == 2
    assert dot.count('"') - sum(label.count('"') for label in labels) == 6


def test_graphviz_reads_what_is_written_for_it() -> None:
    dot = to_dot(draw(judged([*SMALL, task("5", title=HOSTILE, project=HOSTILE)])))
    assert dot.startswith("digraph tasks {\n")
    assert '    t3 -> t1 [style=solid]\n    m1 -> t1 [style=bold]\n    t2 -> t1 [style=dotted, label="related"]\n' in dot
    program = shutil.which("dot")
    if program is None:
        pytest.skip("Graphviz is not installed")
    subprocess.run([program, "-Tsvg"], input=dot.encode(), check=True, capture_output=True)


def test_nothing_is_drawn_as_nothing() -> None:
    drawing = draw(judged([]))
    assert to_mermaid(drawing).startswith("flowchart LR\n")
    assert to_dot(drawing).endswith("}\n")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, "pending", "opened"),
        (None, "odd", "opened"),
        (None, "in_progress", "started"),
        (None, "done", "finished"),
        (None, "cancelled", "cancelled"),
        ("pending", None, "removed"),
        ("done", None, "removed"),
        ("pending", "in_progress", "started"),
        ("blocked", "review", "started"),
        ("in_progress", "review", "changed"),
        ("in_progress", "pending", "changed"),
        ("pending", "blocked", "changed"),
        ("review", "done", "finished"),
        ("cancelled", "done", "finished"),
        ("done", "cancelled", "cancelled"),
        ("done", "pending", "reopened"),
        ("cancelled", "in_progress", "reopened"),
        ("done", "done", None),
        ("odd", "odd", None),
        (None, None, None),
    ],
)
def test_a_change_of_status_has_a_name(before: str | None, after: str | None, expected: str | None) -> None:
    kind = change_kind(before, after)
    assert (kind.value if kind else None) == expected


def test_a_task_is_followed_to_another_document() -> None:
    before = [
        TaskState("b#1", "pending", "tasks/1"),
        TaskState("b#2", "pending", "tasks/2"),
        TaskState("b#3", "done", "tasks/3"),
    ]
    after = [
        TaskState("b#1", "done", "completed/1"),
        TaskState("b#2", "pending", "tasks/2"),
        TaskState("b#4", "pending", "tasks/4"),
    ]
    changes = changed_tasks(before, after)
    assert [(change.kind.value, change.before, change.after) for change in changes] == [
        ("finished", before[0], after[0]),
        ("opened", None, after[2]),
        ("removed", before[2], None),
    ]


def test_records_of_one_ref_belong_together_by_document() -> None:
    before = [TaskState("r", "pending", "a"), TaskState("r", "done", "b")]
    assert changed_tasks(before, before[::-1]) == []
    copied = [TaskState("r", "done", "c"), *before]
    assert [(change.kind.value, change.after) for change in changed_tasks(before, copied)] == [("finished", copied[0])]


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, number, hour, tzinfo=UTC)


def test_a_burndown_counts_the_states_at_the_end_of_each_day() -> None:
    spans = [
        StatusSpan("pending", day(1), day(3)),
        StatusSpan("done", day(3)),
        StatusSpan("blocked", day(2, 1), day(2, 2)),
        StatusSpan("pending", day(2), day(4)),
        StatusSpan("cancelled", day(4), day(5)),
        StatusSpan("pending", day(9)),
    ]
    assert burndown(spans, day(5)) == [
        BurndownDay(date(2026, 1, 1), open=1, done=0, cancelled=0),
        BurndownDay(date(2026, 1, 2), open=2, done=0, cancelled=0),
        BurndownDay(date(2026, 1, 3), open=1, done=1, cancelled=0),
        BurndownDay(date(2026, 1, 4), open=0, done=1, cancelled=1),
        BurndownDay(date(2026, 1, 5), open=0, done=1, cancelled=0),
    ]
    assert burndown([], day(5)) == []
    east = timezone(timedelta(hours=13))
    assert burndown(spans, day(5), east)[0] == BurndownDay(date(2026, 1, 2), open=1, done=0, cancelled=0)


@given(
    st.lists(st.tuples(st.sampled_from(["pending", "done", "cancelled"]), st.integers(0, 96), st.none() | st.integers(0, 96)))
)
def test_a_burndown_agrees_with_counting(raw: list[tuple[str, int, int | None]]) -> None:
    start = day(1, 0)
    spans = [
        StatusSpan(
            status, start + timedelta(hours=since), None if until is None else start + timedelta(hours=max(since, until))
        )
        for status, since, until in raw
    ]
    for told in burndown(spans, start + timedelta(hours=96)):
        midnight = datetime(told.day.year, told.day.month, told.day.day, tzinfo=UTC) + timedelta(days=1)
        alive = [span.status for span in spans if span.since < midnight and (span.until is None or span.until >= midnight)]
        assert (told.open, told.done, told.cancelled) == tuple(
            alive.count(status) for status in ("pending", "done", "cancelled")
        )


@given(st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4)))
def test_components_are_sets_of_nodes_that_lead_to_each_other(edges: dict[int, list[int]]) -> None:
    def reach(start: int) -> set[int]:
        seen, todo = {start}, [start]
        while todo:
            for target in edges.get(todo.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return seen

    nodes = set(edges) | {target for targets in edges.values() for target in targets}
    found = components(edges)
    assert sorted(node for component in found for node in component) == sorted(nodes)
    place = {node: number for number, component in enumerate(found) for node in component}
    for one in nodes:
        for other in nodes:
            assert (place[one] == place[other]) == (other in reach(one) and one in reach(other))
            if other in reach(one):
                assert place[other] <= place[one]
