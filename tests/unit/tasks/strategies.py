"""Hypothesis strategies for tasks: small sets in which every oddity is likely."""

from __future__ import annotations

from hypothesis import strategies as st

from archive.model.base import Json
from archive.model.tasks import Dependency, Task
from tests.unit.tasks.make import task

KEYS = ["", "1", "2", "3", "4", "5", "6"]
SCOPES = ["s", "t"]
PATHS = ["a.json", "b.json"]
REFS = ["", "r0", "r1", "r2", "r3", "r4", "r5"]
STATUSES = ["pending", "in_progress", "blocked", "review", "done", "cancelled", "deferred", "on ice", "unknown"]
DATES = ["", "", "2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z", "soon", "12/05/2020"]

dependencies = st.builds(
    Dependency,
    target=st.sampled_from([*KEYS, "9"]),
    type=st.sampled_from(["depends-on", "depends-on", "blocked-by", "blocks", "waits-for", "related", "is-blocker-of"]),
    raw=st.just("raw"),
    scope=st.sampled_from(["", "", "", "s", "shared"]),
)


@st.composite
def task_sets(draw: st.DrawFn, max_size: int = 9) -> list[Task]:
    """Draws the tasks of one moment; `(path, ref)` is unique, as it is in an archive."""
    count = draw(st.integers(0, max_size))
    return [
        task(
            draw(st.sampled_from(KEYS)),
            draw(st.sampled_from(["pending", "pending", "pending", *STATUSES])),
            needs=draw(st.lists(dependencies, max_size=3)),
            path=PATHS[number % 2],
            ref=f"r{number}",
            pointer=f"/{number}",
            order=number,
            scope=draw(st.sampled_from(SCOPES)),
            shared_scope=draw(st.sampled_from(["", "", "shared", "t"])),
            parent=draw(st.sampled_from(["", "", *KEYS])),
            parent_ref=draw(st.sampled_from(["", "", "", *REFS])),
            project_status=draw(st.sampled_from(["", "", "", "in_progress", "cancelled", "blocked", "done"])),
            is_work=draw(st.sampled_from([True, True, True, True, False])),
            not_before=draw(st.sampled_from(DATES)),
            rank=draw(st.integers(0, 4)),
            due=draw(st.sampled_from(DATES)),
            created=draw(st.sampled_from(DATES)),
        )
        for number in range(count)
    ]


json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**12)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["1", "done", "1.2"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from(["id", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [
    "id", "title", "status", "priority", "dependencies", "subtasks", "blocks", "blockedBy", "subject", "uuid", "description",
    "issue_type", "issue_id", "parent", "created_at", "due_date", "defer_until", "labels", "assignee", "agent", "phases",
    "depends", "wait", "entry", "tags", "owner", "created", "completed",
]  # fmt: skip
records = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8)
