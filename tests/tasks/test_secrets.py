"""No secret of a task file is shown, searched or stored in a table of tasks."""

from __future__ import annotations

import json

from archive import TaskFilter
from archive.extract.parse import load
from archive.extract.tasks import BUILT_IN, LoadedAdapters
from archive.extract.tasks.documents import TaskReader
from archive.model.documents import Kind
from archive.model.tasks import TaskDraft
from tests.tasks.conftest import Project, in_sqlite

KEY = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
ALL = TaskFilter(finished=True)


def read(path: str, text: str) -> tuple[TaskDraft, ...]:
    kind = Kind.MARKDOWN if path.endswith(".md") else Kind.TEXT if path.endswith(".txt") else Kind.JSON
    data = text.encode()
    return TaskReader(adapters=LoadedAdapters(BUILT_IN)).read(path, kind, load(kind, data), data).drafts


def test_secrets_are_masked_wherever_they_stand_in_a_task(project: Project) -> None:
    record = {
        "id": 1,
        "title": f"Rotate {KEY}",
        "description": "the password: hunter2-and-more, then go on",
        "status": "pending",
        "details": f"Bearer {KEY}",
        "dependencies": [{"x": KEY}],
        "labels": [KEY],
        "assignee": KEY,
    }
    project.save({
        "tasks.json": json.dumps({"tasks": [record]}),
        "todo.txt": f"Call with {KEY} +{KEY}\n",
        "TODO.md": f"# Use {KEY}\n\n- [ ] set API_KEY={KEY}\n  - [ ] below\n",
        "backlog/tasks/back-1 - x.md": f"---\nid: BACK-1\ntitle: {KEY}\nstatus: To Do\n---\n\npassword: hunter2-and-more\n",
    })  # fmt: skip
    everything = json.dumps(in_sqlite(project.archive.path, "SELECT * FROM current_tasks"))
    for table in ("tasks", "task_dependencies", "task_problems", "task_history", "available_tasks"):
        everything += json.dumps(in_sqlite(project.archive.path, f"SELECT * FROM {table}"))
    everything += json.dumps(project.archive.tasks(ALL).to_json())
    assert KEY not in everything
    assert KEY.replace("_", "-") not in everything
    assert "hunter2" not in everything
    assert "Rotate [masked]" in everything
    assert len(project.archive.tasks(ALL).tasks) == 5
    project.assert_view_is_library()


def test_a_name_without_its_secret_is_stable_and_keeps_parents_and_children_together() -> None:
    text = f"# Keys\n\n- [ ] use {KEY}\n  - [ ] and then\n- [ ] plain\n"
    drafts = read("TODO.md", text)
    again = read("TODO.md", text.replace("[ ] use", "[x] use"))
    assert [draft.ref for draft in drafts] == [draft.ref for draft in again]
    assert len({draft.ref for draft in drafts}) == 3
    assert drafts[1].parent_ref == drafts[0].ref
    assert drafts[2].ref == "TODO.md#~keys/plain"
    assert KEY not in repr(drafts)
    assert "abcdefghijklm" not in repr(drafts)


def test_what_is_no_secret_is_left_as_it_is() -> None:
    (draft,) = read("todo.txt", "(A) add a test for max_tokens: 200 +proj @home\n")
    assert "max_tokens: 200" in draft.title
