"""Adapters for Markdown and text: each finds its own files by their shape, and reads them whatever is odd in them."""

from __future__ import annotations

import textwrap

import pytest

from archive.extract.tasks.backlog import backlog_key, tree_of
from archive.extract.tasks.front import read_front
from archive.model.tasks import TaskDraft
from tests.unit.tasks.make import adapter_of, codes, drafts_of, names, tasks_of


def notes(draft: TaskDraft) -> list[str]:
    return [note.code.value for note in draft.anomalies]


def backlog(front: str, body: str = "") -> str:
    return f"---\n{textwrap.dedent(front).strip()}\n---\n{body}"


BACKLOG = backlog(
    """
    id: BACK-217.02
    title: 'Sequences: list them'
    status: In Progress
    assignee:
      - '@otter'
      - heron
    created_date: '2026-01-01 23:37'
    updated_date: 2026-02-01
    labels: [web, "a b"]
    dependencies:
      - task-216
      - BACK-9, back-010
      - 7
    parent_task_id: back-217
    priority: high
    milestone: m-1
    """,
    "\n## Description\n\n<!-- SECTION:DESCRIPTION:BEGIN -->\nShow them.\n<!-- SECTION:DESCRIPTION:END -->\n\n- [ ] #1 shown\n",
)


@pytest.mark.parametrize(
    ("adapter", "path", "content"),
    [
        ("backlog", "any.md", BACKLOG),
        ("backlog", "backlog/tasks/back-3 - X.md", backlog("title: X\nstatus: To Do")),
        ("backlog", "docs/tasks/a.md", backlog("id: 1\ntitle: X\nstatus: To Do")),
        ("todo-txt", "todo.txt", "Buy milk\n"),
        ("todo-txt", "work.done.txt", "x 2026-01-01 Buy milk\n"),
        ("todo-txt", "any.txt", "(A) 2026-01-01 Call +Home @phone\nx 2026-01-02 2026-01-01 Sweep\n"),
        ("checkboxes", "any.md", "# Plan\n\n- [ ] one\n"),
        ("", "any.md", "# Plan\n\n- [link](x)\n- [] none\n- [ab] none\n[ ] none\n"),
        ("", "any.md", "```\n- [ ] code\n```\n<!--\n- [ ] hidden\n-->\n~~~~\n- [x] code\n~~~\n- [x] still\n"),
        ("", "backlog/decisions/decision-1 - X.md", backlog("id: decision-1\ntitle: X\nstatus: accepted")),
        ("", "page.md", backlog("title: X\nlayout: post")),
        ("", "notes.txt", "(A) one\nsome text\nmore text\n"),
        ("", "any.txt", ""),
        ("", "requirements.txt", "a==1\nb==2\n"),
    ],
)
def test_a_file_is_known_by_its_shape(adapter: str, path: str, content: str) -> None:
    assert adapter_of(path, content) == adapter


def test_a_backlog_task_is_read_from_its_front_matter() -> None:
    [draft] = drafts_of("backlog/tasks/back-217.02 - X.md", BACKLOG)
    assert (draft.id, draft.key, draft.parent, draft.scope) == ("BACK-217.02", "BACK-217.2", "BACK-217", "backlog")
    assert (draft.title, draft.status, draft.status_raw, draft.rank) == (
        "Sequences: list them",
        "in_progress",
        "In Progress",
        1,
    )
    assert (draft.assignees, draft.labels, draft.project) == (("@otter", "heron"), ("web", "a b"), "m-1")
    assert [link.target for link in draft.dependencies] == ["TASK-216", "BACK-9", "BACK-10", "BACK-7"]
    assert (draft.created, draft.updated) == ("2026-01-01T23:37:00.000Z", "2026-02-01T00:00:00.000Z")
    assert draft.description == "## Description\n\nShow them.\n\n- [ ] #1 shown"
    assert notes(draft) == []


@pytest.mark.parametrize(
    ("front", "title", "status", "note"),
    [
        ("id: a-1\ntitle: Fix: the thing\nstatus: Done", "Fix: the thing", "done", ["front_matter"]),
        ("id: a-1\ntitle: X\nassignee: @me\nstatus: To Do", "X", "pending", ["front_matter"]),
        ("id: a-1\ntitle: [unclosed\nstatus: To Do\nlabels:\n - x\n - y", "[unclosed", "pending", ["front_matter"]),
        (
            "id: a-1\n<<<<<<< ours\nstatus: To Do\n=======\nstatus: Done\n>>>>>>> theirs\ntitle: X",
            "X",
            "pending",
            ["conflict_markers"],
        ),
        ("id: a-1\ntitle: X\nstatus: On Ice", "X", "on_ice", ["unknown_status"]),
        ("id: a-1\ntitle: X\nstatus:", "X", "pending", []),
        ("id: a-1\ntitle:\nstatus: Done", "", "done", ["no_title"]),
        ("id: a-1\ntitle: {a: 1}\nstatus: Done", "", "done", ["wrong_type", "no_title"]),
        ("id: a-1\ntitle: X\nstatus: Done\ncreated_date: 2026-13-45", "X", "done", ["bad_date"]),
        ("id: a-1\ntitle: X\nstatus: Done\nbomb: " + "[" * 40_000, "X", "done", ["front_matter"]),
        ("id: a-1\ntitle: X\nstatus: Done\n" + "- " * 20_000, "X", "done", ["front_matter"]),
        ("id: a-1\ntitle: X\nstatus: Done\nx: &a [*a]", "X", "done", ["front_matter"]),
        ("id: a-1\ntitle: X\nstatus: !!python/object:os.system Done", "X", "done", []),
    ],
)
def test_bad_front_matter_costs_no_task(front: str, title: str, status: str, note: list[str]) -> None:
    [draft] = drafts_of("x/a.md", f"---\n{front}\n---\nbody")
    assert (draft.id, draft.title, draft.status, notes(draft)) == ("a-1", title, status, note)


def test_folders_of_a_backlog_count_more_than_what_a_task_says() -> None:
    def one(number: int, status: str, more: str = "") -> str:
        return backlog(f"id: back-{number}\ntitle: T{number}\nstatus: {status}\n{more}")

    files = {
        "backlog/tasks/back-1 - a.md": one(1, "To Do", "dependencies: [BACK-2]"),
        "backlog/completed/back-2 - a.md": one(2, "To Do"),
        "backlog/archive/tasks/back-3 - a.md": one(3, "In Progress"),
        "backlog/archive/tasks/back-4 - a.md": one(4, "Done"),
        "backlog/drafts/back-5 - a.md": one(5, "Draft"),
        "backlog/tasks/back-6 - a.md": one(6, "To Do", "dependencies: [back-3]"),
        "backlog/tasks/back-10 - a.md": one(10, "To Do", "parent_task_id: back-10"),
        "backlog/tasks/back-9 - a.md": one(9, "To Do"),
        "backlog/tasks/back-9.1 - a.md": one(9, "Done").replace("back-9", "back-9.1"),
        "other/tasks/back-2 - a.md": one(2, "To Do"),
    }
    tasks = tasks_of(files)
    assert codes(tasks) | {"back-2": []} == {
        "back-1": [],
        "back-2": [],
        "back-3": ["status:cancelled"],
        "back-4": ["status:done"],
        "back-5": ["status:draft", "nonwork"],
        "back-6": ["dep:cancelled"],
        "back-9": [],
        "back-9.1": ["status:done"],
        "back-10": [],
    }
    assert names([task for task in tasks if task.scope == "backlog"]) == ["back-1", "back-9", "back-10"]


@pytest.mark.parametrize(
    ("path", "root", "folders"),
    [
        ("backlog/tasks/a.md", "backlog", {"tasks"}),
        ("x/.backlog/archive/tasks/a.md", "x/.backlog", {"archive", "tasks"}),
        ("tasks/a.md", ".", {"tasks"}),
        ("tasks/deep/er/a.md", ".", {"tasks", "deep", "er"}),
        ("a.md", ".", set()),
        ("x/y/a.md", "x/y", set()),
        ("tasks/backlog/tasks/a.md", "tasks/backlog", {"tasks"}),
    ],
)
def test_the_tree_of_a_task_is_what_stands_above_the_folders_of_the_tool(path: str, root: str, folders: set[str]) -> None:
    found, between = tree_of(path)
    assert found == root
    assert {folder for folder in folders if folder in {"tasks", "completed", "archive", "drafts"}} == between


def test_ids_of_a_backlog_are_compared_as_the_tool_does() -> None:
    assert backlog_key("task-01.002") == backlog_key("TASK-1.2") == backlog_key("1.2", "task") == "TASK-1.2"
    assert backlog_key("No number") == "NO NUMBER"


def test_front_matter_is_text_and_ends_where_it_ends() -> None:
    front = read_front("---\r\nid: 1.10\r\nwhen: 2026-01-01\r\nyes: yes\r\n---\r\nbody")
    assert front is not None
    assert (front.members, front.body) == ({"id": "1.10", "when": "2026-01-01", "yes": "yes"}, "body")
    assert read_front("---\nid: 1\nno end") is None
    assert read_front("text\n---\nid: 1\n---\n") is None


TODO = """\
(A) 2026-01-01 Call Mum +Family +Other @phone due:2026-01-20 t:2026-01-17
x 2026-01-05 2026-01-02 Sweep pri:B @home

x (B) Old style
Read http://example.org/a:b at 10:30
t:2030-01-01 Later
h:1 @context
(b) no priority
xylophone
(A)no space
Bad due:2026-13-45 id:7
"""


def test_todo_txt_is_read_line_by_line() -> None:
    drafts = drafts_of("todo.txt", TODO)
    assert [(draft.pointer, draft.title, draft.status, draft.rank) for draft in drafts] == [
        ("L1", "Call Mum", "pending", 0),
        ("L2", "Sweep", "done", 1),
        ("L4", "Old style", "done", 1),
        ("L5", "Read http://example.org/a:b at 10:30", "pending", 2),
        ("L6", "Later", "pending", 2),
        ("L7", "", "pending", 2),
        ("L8", "(b) no priority", "pending", 2),
        ("L9", "xylophone", "pending", 2),
        ("L10", "(A)no space", "pending", 2),
        ("L11", "Bad", "pending", 2),
    ]
    assert (drafts[0].project, drafts[0].labels) == ("Family", ("phone",))
    assert (drafts[0].due, drafts[0].not_before) == ("2026-01-20T00:00:00.000Z", "2026-01-17T00:00:00.000Z")
    assert (drafts[1].created, drafts[1].updated) == ("2026-01-02T00:00:00.000Z", "2026-01-05T00:00:00.000Z")
    assert (drafts[9].id, notes(drafts[9]), drafts[9].due) == ("7", ["bad_date"], "2026-13-45")
    assert names(tasks_of({"todo.txt": TODO})) == ["L1", "L5", "L8", "L9", "L10", "7"]
    assert codes(tasks_of({"todo.txt": TODO}))["L7"] == ["nonwork"]


def test_lines_of_both_sides_of_a_conflict_are_tasks() -> None:
    drafts = drafts_of("todo.txt", "Same\n<<<<<<< ours\nOne\n=======\nTwo\n>>>>>>> theirs\n")
    assert [draft.title for draft in drafts] == ["Same", "One", "Two"]
    assert {code for draft in drafts for code in notes(draft)} == {"conflict_markers"}
    boxes = drafts_of("a.md", "<<<<<<< ours\n- [ ] One\n=======\n- [x] One\n>>>>>>> theirs\n")
    assert [(draft.title, draft.status, notes(draft)) for draft in boxes] == [
        ("One", "pending", ["conflict_markers"]),
        ("One", "done", ["conflict_markers"]),
    ]


BOXES = """\
---
title: Plan
---
- [ ] before any heading

# Plan #

* [x] done
+ [X] done too
1. [ ] numbered
   - [ ] child
       - [-] grandchild
   - [/] second child
> - [>] quoted

Under
-----

- [?] odd
- [ ]
- [ ] same
- [ ] same
```sh
- [ ] code
```
## Deep
\t- [ ] under a tab
- [ ] not a [ ] box [x](y)
"""


def test_checkboxes_stand_under_their_headings_and_each_other() -> None:
    drafts = drafts_of("plan.md", BOXES)
    assert [(draft.pointer, draft.title, draft.status, draft.phase) for draft in drafts] == [
        ("L4", "before any heading", "pending", ""),
        ("L8", "done", "done", "Plan"),
        ("L9", "done too", "done", "Plan"),
        ("L10", "numbered", "pending", "Plan"),
        ("L11", "child", "pending", "Plan"),
        ("L12", "grandchild", "cancelled", "Plan"),
        ("L13", "second child", "in_progress", "Plan"),
        ("L14", "quoted", "deferred", "Plan"),
        ("L19", "odd", "?", "Plan > Under"),
        ("L20", "", "pending", "Plan > Under"),
        ("L21", "same", "pending", "Plan > Under"),
        ("L22", "same", "pending", "Plan > Under"),
        ("L27", "under a tab", "pending", "Plan > Deep"),
        ("L28", "not a [ ] box [x](y)", "pending", "Plan > Deep"),
    ]
    assert len({draft.ref for draft in drafts}) == len(drafts)
    found = codes(tasks_of({"plan.md": BOXES}))
    assert (found["L10"], found["L11"], found["L12"], found["L13"]) == (
        ["container"],
        [],
        ["status:cancelled"],
        ["status:in_progress"],
    )
    assert drafts[5].parent_ref == drafts[4].ref


def test_a_box_keeps_its_ref_when_it_is_ticked_and_when_lines_come_before_it() -> None:
    [before] = drafts_of("a.md", "# H\n- [ ] Wash the *car*\n")
    [other, after] = drafts_of("a.md", "# H\n\n- [ ] New\n- [x] Wash the *car*\n")
    assert (before.ref, after.status) == (after.ref, "done")
    assert other.ref != after.ref
