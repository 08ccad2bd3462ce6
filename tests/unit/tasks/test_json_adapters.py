"""Adapters for JSON: each finds its own files by their shape, and reads them whatever is odd in them."""

from __future__ import annotations

from typing import Any

import pytest

from archive.extract.tasks.documents import TaskReading
from archive.model.tasks import TaskDraft
from archive.storage.taskrows import pack
from tests.unit.tasks import samples
from tests.unit.tasks.make import adapter_of, codes, drafts_of, judged, lines, names, tasks_of

UUID = "00000000-0000-4000-8000-00000000000"


def by_name(drafts: list[TaskDraft]) -> dict[str, TaskDraft]:
    return {draft.name: draft for draft in drafts}


def notes(draft: TaskDraft) -> list[str]:
    return [note.code.value for note in draft.anomalies]


CLAUDE = {"id": "1", "subject": "Build", "status": "pending", "blocks": ["2"], "blockedBy": []}
ISSUE = {
    "id": "bd-1",
    "title": "Fix",
    "status": "open",
    "priority": 1,
    "issue_type": "bug",
    "created_at": "2026-01-02T03:04:05Z",
}
WARRIOR = {"uuid": f"{UUID}1", "description": "Sweep", "status": "pending", "entry": "20260102T030405Z"}
MASTER = {"id": 1, "title": "One", "status": "pending", "dependencies": []}


@pytest.mark.parametrize(
    ("adapter", "path", "content"),
    [
        ("rengine-tasks", "x/any.json", samples.rengine(Garden=samples.GARDEN)),
        ("rengine-lists", "any.json", samples.CONSOLIDATED),
        ("rengine-lists", "any.json", samples.BUGS),
        ("rengine-lists", "any.json", samples.ROADMAP),
        ("rengine-lists", "any.json", {"issues": [{"issue_id": "1", "title": "t", "status": "resolved"}]}),
        ("task-master", "any.json", {"tasks": [MASTER]}),
        ("task-master", "any.json", {"master": {"tasks": [MASTER], "metadata": {}}, "feature": {"tasks": []}}),
        ("beads", "any.jsonl", lines(ISSUE)),
        ("taskwarrior", "any.json", [WARRIOR]),
        ("taskwarrior", "any.jsonl", lines(WARRIOR)),
        ("claude-tasks", "any/3.json", CLAUDE),
        ("claude-tasks", "tasks/list/3.json", {"subject": "Build", "status": "pending"}),
        ("generic", "any.json", {"todos": [{"title": "Wash", "completed": False}]}),
        ("generic", "todo.json", [{"id": 1, "name": "Wash", "status": "open"}]),
        ("generic", "any.json", {"list": [{"id": 1, "title": "Wash", "status": "open", "priority": "high"}]}),
        ("generic", "tasks/task-1.json", {"id": "1", "title": "Wash", "status": "Pending", "difficulty": 4}),
        ("generic", "any.json", {"tasks": {"T1": {"title": "Wash", "status": "open"}}}),
        ("generic", "any.json", {"tasks": [{"id": 1, "title": "Wash", "status": "open"}]}),
    ],
)
def test_a_file_is_known_by_its_shape(adapter: str, path: str, content: object) -> None:
    assert adapter_of(path, content) == adapter
    assert len(drafts_of(path, content)) >= 1


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"agents": [{"id": "otter", "name": "Otter", "status": "active"}]},
        {"servers": [{"name": "a", "status": "open"}, {"name": "b", "status": "closed"}]},
        {"runs": [{"id": 1, "status": "exploded", "priority": 1}]},
        {"schema": {"tasks": [{"id": "string", "title": "string", "status": "pending"}]}},
        {"task_templates": {"a": {"title": "A", "status": "pending", "priority": "low"}}},
        {"progress_tracking": {"status_definitions": {"pending": "not started"}}},
        {"name": "package", "version": "1.0", "status": "active"},
        {"active_projects": {}, "x": 1},
        {"active_tasks": 4, "completed_tasks": 2},
        {"tasks": ["a", "b"]},
        {"tasks": None},
        "text",
        12,
        None,
    ],
)
def test_what_only_looks_like_tasks_is_left_alone(content: object) -> None:
    assert adapter_of("any.json", content if not isinstance(content, str) else f'"{content}"') == ""


def test_phases_take_what_their_project_says() -> None:
    odd = {"title": "Odd", "status": "on_hold", "phases": {"a/b~c": samples.phase("A", "pending"), "loose": "text", "b": {}}}
    drafts = drafts_of("t.json", samples.rengine(Garden=samples.GARDEN, Odd=odd, Bare={"title": "Bare", "status": "planned"}))
    found = by_name(drafts)
    assert found["phase_4"].pointer == "/active_projects/Garden/phases/phase_4"
    assert found["phase_4"].scope == "t.json#Garden"
    assert found["phase_4"].ref == "t.json#Garden/phase_4"
    assert found["phase_4"].created == "2026-01-01T00:00:00.000Z"
    assert (found["phase_4"].project_status, found["phase_4"].assignee) == ("in_progress", "otter")
    assert found["a/b~c"].pointer == "/active_projects/Odd/phases/a~1b~0c"
    assert found["a/b~c"].project_status == "blocked"
    assert (found["loose"].is_work, notes(found["loose"])) == (False, ["wrong_type"])
    assert notes(found["b"]) == ["no_status", "no_title"]
    assert (found["Bare"].kind, found["Bare"].status, found["Bare"].project_status) == ("project", "pending", "")
    assert codes(tasks_of({"t.json": samples.rengine(Odd=odd)}))["a/b~c"] == ["project:blocked"]


def test_finished_projects_are_told_by_the_group_they_stand_in() -> None:
    file = samples.rengine(Garden=samples.GARDEN)
    phases = {"phase_1": {"title": "Dig"}, "phase_2": {"title": "Sow", "status": "complete"}}
    file["historical_projects"]["cancelled"] = [{"project_id": "Garden", "phases": phases}]
    file["historical_projects"]["completed"] = [{"project_id": "Wall", "title": "Wall"}, "Hedge"]
    tasks = [task for task in tasks_of({"t.json": file}) if "historical" in task.pointer]
    assert [(task.name, task.status, task.project_status) for task in tasks] == [
        ("Wall", "done", ""),
        ("/historical_projects/completed/1", "unknown", ""),
        ("phase_1", "cancelled", "cancelled"),
        ("phase_2", "done", "cancelled"),
    ]
    assert "phase_1" in names(tasks_of({"t.json": file}))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": "phase_1", "type": "soft"}, [("phase_1", "soft", False)]),
        ({"id": "phase_1", "type": "blocking"}, [("phase_1", "blocks", True)]),
        ({"phase_id": "phase_1"}, [("phase_id", "phase-1", False)]),
        (7, [("7", "depends-on", True)]),
        (7.0, [("7", "depends-on", True)]),
        (True, [("", "depends-on", True)]),
        ([["phase_1"]], [("", "depends-on", True)]),
        ([None, "", "phase_1"], [("phase_1", "depends-on", True)]),
        ("phase_1, phase_2", [("phase_1", "depends-on", True), ("phase_2", "depends-on", True)]),
        ({"soft": ["phase_1"], "blocking": ["phase_2"]}, [("phase_1", "soft", False), ("phase_2", "blocks", True)]),
        ([{}], [("", "depends-on", True)]),
        (["phase_1", "phase_1"], [("phase_1", "depends-on", True)]),
        (None, []),
        ("", []),
        ([], []),
        ({}, []),
    ],
)
def test_dependencies_are_read_in_every_form_and_fail_closed(entry: Any, expected: list[tuple[str, str, bool]]) -> None:
    project = {
        "title": "P",
        "status": "active",
        "phases": {"phase_9": {"title": "T", "status": "pending", "dependencies": entry}},
    }
    [draft] = drafts_of("t.json", samples.rengine(P=project))
    assert [(link.target, link.type, link.blocking) for link in draft.dependencies] == expected
    assert (("bad_dependency" in notes(draft)) == any(not target for target, _, _ in expected)) is True
    if any(not target for target, _, _ in expected):
        assert "dep:missing" in codes(tasks_of({"t.json": samples.rengine(P=project)}))["phase_9"]


def test_ids_that_are_words_mean_the_same_inside_a_parent() -> None:
    inner = [
        {"id": "dig", "title": "Dig", "status": "pending", "dependencies": ["buy"]},
        {"id": "sow", "title": "Sow", "status": "pending", "dependencies": ["dig"]},
    ]
    garden = {**MASTER, "id": "garden", "subtasks": inner}
    tasks = tasks_of({"tasks.json": {"tasks": [{**MASTER, "id": "buy", "status": "done"}, garden]}})
    assert codes(tasks) == {"buy": ["status:done"], "garden": ["container"], "dig": [], "sow": ["dep:unfinished"]}


def test_a_feature_points_to_its_own_file_first_and_to_the_folder_then() -> None:
    found = by_name(drafts_of("agents/roadmap.json", samples.ROADMAP))
    assert [(link.target, link.scope) for link in found["FEAT-003"].dependencies] == [("FEAT-001", ""), ("BUG-404", "agents/")]
    assert (found["FEAT-000"].status, found["FEAT-000"].project_status, found["FEAT-000"].project) == ("done", "done", "v1")
    assert (found["v9"].kind, found["v9"].status_raw, found["v9"].rank) == ("milestone", "concept", 3)
    assert found["FEAT-001"].project_status == "pending"


def test_bugs_and_issues_keep_what_is_told_of_them() -> None:
    found = by_name(drafts_of("bugs.json", samples.BUGS))
    assert [found[name].status for name in ("BUG-005", "BUG-006", "BUG-007")] == ["done", "pending", "pending"]
    assert (found["BUG-007"].project, found["BUG-007"].rank, found["BUG-006"].shared_scope) == ("v2", 3, "./")
    [issue] = drafts_of(
        "r.json", {"issues": [{"issue_id": 7, "title": "T", "status": "blocked_by_other_errors", "agent": "a"}]}
    )
    assert (issue.id, issue.status, issue.assignee, issue.kind) == ("7", "blocked", "a", "issue")


MASTERED = {
    "tasks": [
        {**MASTER, "priority": "high", "subtasks": [{"id": 1, "title": "a", "status": "done"}]},
        {
            **MASTER,
            "id": 5,
            "subtasks": [
                {"id": 5, "title": "like its parent", "status": "pending", "dependencies": [1, "1.1", "5.2", 5.3]},
                {"id": 1, "title": "b", "status": "in-progress"},
                {"id": "2", "title": "c", "dependencies": ["1"], "subtasks": [{"id": 1, "title": "deep", "status": "done"}]},
                {"id": 5.3, "title": "written in full", "status": "review"},
                {"id": "5-4", "title": "odd", "status": "deferred"},
            ],
        },
    ],
    "metadata": {"created": "2026-01-01"},
}


def test_subtasks_of_task_master_are_named_below_their_parent() -> None:
    drafts = drafts_of(".taskmaster/tasks/tasks.json", MASTERED)
    keys = {draft.title: (draft.key, draft.parent) for draft in drafts if draft.parent}
    assert keys == {
        "a": ("1.1", "1"),
        "like its parent": ("5.5", "5"),
        "b": ("5.1", "5"),
        "c": ("5.2", "5"),
        "deep": ("5.2.1", "5.2"),
        "written in full": ("5.3", "5"),
        "odd": ("5-4", "5"),
    }
    found = {draft.title: draft for draft in drafts}
    assert [link.target for link in found["like its parent"].dependencies] == ["5.1", "1.1", "5.2", "5.3"]
    assert [link.target for link in found["c"].dependencies] == ["5.1"]
    assert found["c"].status == "pending"
    assert (found["a"].rank, found["a"].priority) == (1, "")
    assert found["deep"].pointer == "/tasks/1/subtasks/2/subtasks/0"
    assert {draft.tag for draft in drafts} == {"master"}


def test_each_tag_is_a_scope_of_its_own() -> None:
    tagged = {
        "a": {"tasks": [{**MASTER, "status": "done"}]},
        "b": {"tasks": [MASTER, {**MASTER, "id": 2, "dependencies": [1]}]},
    }
    tasks = tasks_of({"t.json": tagged})
    assert [(task.scope, task.tag, task.project) for task in tasks] == [("t.json#a", "a", "a"), *[("t.json#b", "b", "b")] * 2]
    assert [(task.tag, task.id) for task in judged(tasks).available()] == [("b", "1")]
    assert codes(tasks)["2"] == ["dep:unfinished"]


BEADS = lines(
    {**ISSUE, "priority": 0, "labels": ["x"], "owner": "otter", "defer_until": "2026-05-01"},
    {**ISSUE, "id": "bd-1.1", "dependencies": [{"issue_id": "bd-1.1", "depends_on_id": "bd-2", "type": "blocks"}]},
    {
        **ISSUE,
        "id": "bd-2",
        "dependencies": [{"depends_on_id": "bd-1", "type": "parent-child"}, {"depends_on_id": "bd-9", "type": "related"}],
    },
    {**ISSUE, "id": "bd-3", "status": "pinned"},
    {**ISSUE, "id": "bd-4", "issue_type": "message"},
    {**ISSUE, "id": "bd-5", "status": "hooked", "ephemeral": True},
    {**ISSUE, "id": "bd-6.9", "status": "tombstone", "priority": 99},
    {**ISSUE, "id": "bd-7", "dependencies": [{"depends_on_id": "bd-8"}], "status": None},
    {"_type": "memory", "id": "m", "title": "no issue", "issue_type": "x"},
)


def test_issues_of_beads_have_parents_and_kinds() -> None:
    found = by_name(drafts_of(".beads/issues.jsonl", BEADS))
    assert {name: draft.parent for name, draft in found.items() if draft.parent} == {"bd-1.1": "bd-1", "bd-2": "bd-1"}
    assert [name for name, draft in found.items() if not draft.is_work] == ["bd-3", "bd-4", "bd-5"]
    assert (found["bd-1"].rank, found["bd-6.9"].rank, found["bd-2"].rank) == (0, 4, 1)
    assert [(link.target, link.type, link.blocking) for link in found["bd-2"].dependencies] == [("bd-9", "related", False)]
    assert (found["bd-1"].not_before, found["bd-1"].assignee) == ("2026-05-01T00:00:00.000Z", "otter")
    assert (found["bd-1.1"].pointer, found["bd-1"].project, found["bd-5"].status) == ("/1", "bd", "in_progress")
    assert (found["bd-7"].status, found["bd-6.9"].status) == ("pending", "cancelled")
    assert "m" not in found
    assert codes(tasks_of({"i.jsonl": BEADS})) == {
        "bd-1": ["not_before", "container"],
        "bd-1.1": ["dep:unfinished"],
        "bd-2": [],
        "bd-3": ["status:pinned", "nonwork"],
        "bd-4": ["nonwork"],
        "bd-5": ["status:in_progress", "nonwork"],
        "bd-6.9": ["status:cancelled"],
        "bd-7": ["dep:missing"],
    }  # fmt: skip


def test_bad_lines_and_conflict_markers_cost_only_themselves() -> None:
    broken = b"<<<<<<< HEAD\n" + lines(ISSUE).encode() + b"=======\n" + lines({**ISSUE, "status": "closed"}).encode()
    broken += b'>>>>>>> theirs\n{"id": "bd-2", "tit\n' + lines({**ISSUE, "id": "bd-3"}).encode()
    tasks = tasks_of({"i.jsonl": broken})
    assert [(task.id, task.status) for task in tasks] == [("bd-1", "pending"), ("bd-1", "done"), ("bd-3", "pending")]
    assert names(tasks) == ["bd-3"]
    assert [task.ref for task in tasks] == ["i.jsonl#bd-1", "i.jsonl#bd-1~2", "i.jsonl#bd-3"]


def test_taskwarrior_waits_until_its_dates() -> None:
    second = {**WARRIOR, "uuid": f"{UUID}2", "status": "waiting", "wait": "20260401T000000Z", "depends": [f"{UUID}1".upper()]}
    third = {**WARRIOR, "uuid": f"{UUID}3", "status": "recurring", "depends": f"{UUID}1,{UUID}9", "priority": "H"}
    fourth = {**WARRIOR, "uuid": f"{UUID}4", "scheduled": "20260501T000000Z", "wait": "20260101T000000Z", "tags": ["home", 3]}
    fifth = {**WARRIOR, "uuid": f"{UUID}5", "status": "deleted", "annotations": [{"description": "never"}, 5], "wait": "soon"}
    tasks = tasks_of({"x.json": [WARRIOR, second, third, fourth, fifth, "loose"]})
    assert [codes(tasks)[task.name] for task in tasks] == [
        [],
        ["not_before", "dep:unfinished"],
        ["status:recurring", "nonwork", "dep:unfinished", "dep:missing"],
        ["not_before"],
        ["status:cancelled", "not_before"],
        ["status:unknown", "nonwork"],
    ]
    assert (tasks[2].rank, notes(tasks[2]), tasks[3].labels, tasks[4].description) == (1, [], ("home", "3"), "never")
    assert tasks[3].not_before == "2026-05-01T00:00:00.000Z"


def test_tasks_of_a_claude_list_share_the_scope_of_their_folder() -> None:
    second = {**CLAUDE, "id": "2", "subject": "Test", "blockedBy": ["1"], "blocks": [], "owner": "otter"}
    files = {
        "tasks/a/1.json": CLAUDE,
        "tasks/a/2.json": second,
        "tasks/a/10.json": {"subject": "Last", "status": "pending"},
        "tasks/b/2.json": second,
    }
    tasks = tasks_of(files)
    assert [(task.scope, task.id, task.project) for task in tasks] == [
        ("tasks/a", "1", "a"),
        ("tasks/a", "2", "a"),
        ("tasks/a", "10", "a"),
        ("tasks/b", "2", "b"),
    ]
    assert names(tasks) == ["1", "10"]
    assert names(tasks, assignee="heron") == ["1", "10"]


def test_generic_lists_are_found_wherever_they_are() -> None:
    file = {
        "sprints": [
            {
                "name": "One",
                "tasks": [{"id": 1, "title": "A", "status": "Done"}, {"id": 2, "title": "B", "state": "new", "dependsOn": [1]}],
            },
            {
                "name": "Two",
                "tasks": [{"id": 1, "title": "C", "done": True}, {"id": 3, "title": "D", "status": "todo", "depends_on": 2}],
            },
        ],
        "team": [{"name": "Otter", "status": "active"}],
    }
    tasks = tasks_of({"plan.json": file})
    assert [(task.title, task.status, task.scope) for task in tasks] == [
        ("A", "done", "plan.json#sprints/One/tasks"),
        ("B", "pending", "plan.json#sprints/One/tasks"),
        ("C", "done", "plan.json#sprints/Two/tasks"),
        ("D", "pending", "plan.json#sprints/Two/tasks"),
    ]
    assert codes(tasks) == {"1": ["status:done"], "2": [], "3": ["dep:unfinished"]}


def test_generic_children_are_numbered_in_their_parent_and_named_by_their_ids() -> None:
    task = {
        "id": 2,
        "title": "Outer",
        "status": "open",
        "subtasks": [{"id": 2, "title": "In", "completed": False}, {"id": "X-1", "title": "Own", "completed": True}, 7, "ref"],
    }
    drafts = drafts_of("todo.json", [task, {"title": "No id", "status": "open"}, {"id": [1], "title": 5, "status": {"a": 1}}])
    assert [(draft.key, draft.parent, draft.status) for draft in drafts] == [
        ("2", "", "pending"),
        ("2.2", "2", "pending"),
        ("X-1", "2", "done"),
        ("", "", "pending"),
        ("", "", "unknown"),
    ]
    assert drafts[1].parent_ref == drafts[0].ref
    assert notes(drafts[4]) == ["wrong_type", "wrong_type", "no_status"]
    assert [draft.ref for draft in drafts[3:]] == ["todo.json#~no-id", "todo.json#~5"]


def nested(depth: int) -> dict[str, object]:
    inner: dict[str, object] = {"id": 1, "title": f"level {depth}", "status": "pending"}
    for level in reversed(range(depth)):
        inner = {"id": 1, "title": f"level {level}", "status": "pending", "dependencies": [], "subtasks": [inner]}
    return inner


def test_fifty_levels_of_subtasks_are_read_and_the_innermost_is_the_work() -> None:
    tasks = tasks_of({"tasks.json": {"tasks": [nested(50)]}})
    assert len(tasks) == 51
    assert names(tasks) == [".".join(["1"] * 51)]
    assert len({task.key for task in tasks}) == 51


def test_refs_stay_when_records_move_and_statuses_change() -> None:
    before = drafts_of("tasks.json", {"tasks": [MASTER, {**MASTER, "id": 2}]})
    after = drafts_of("tasks.json", {"tasks": [{**MASTER, "id": 3}, {**MASTER, "id": 2, "status": "done"}, MASTER]})
    assert [draft.ref for draft in before] == ["tasks.json#master/1", "tasks.json#master/2"]
    assert [draft.ref for draft in after] == [f"tasks.json#master/{number}" for number in (3, 2, 1)]
    states = [[row.digest for row in pack(TaskReading("", tuple(drafts))).rows] for drafts in (before, after)]
    assert states[0][0] == states[1][2]  # where it stands does not count
    assert states[0][1] != states[1][1]


@pytest.mark.parametrize("path", ["tasks.json", "a\udcffb/tasks.json", "a#b/tasks.json"])
def test_everything_in_a_draft_can_be_stored(path: str) -> None:
    hostile = "a\ud800b\0c"
    drafts = drafts_of(
        path, {"tasks": [{"id": hostile, "title": hostile, "status": hostile, "dependencies": [hostile], "details": [hostile]}]}
    )
    for text in (str(drafts), drafts[0].ref, drafts[0].scope):
        text.encode()
        assert "\0" not in text
