"""Files of tools that have no adapter of their own: exports of trackers, plans of agents, and what must be left alone."""

from __future__ import annotations

import pytest

from archive.extract.tasks import generic
from archive.model.base import Json
from archive.model.tasks import TaskDraft
from tests.unit.tasks.make import drafts_of

ISSUES: Json = [
    {
        "number": 12,
        "title": "Leak",
        "state": "OPEN",
        "createdAt": "2026-01-01T00:00:00Z",
        "milestone": {"title": "v1"},
        "labels": [{"id": "x", "name": "bug", "color": "red"}],
        "assignees": [{"login": "otter", "name": "Otter B."}],
    },
    {"number": 13, "title": "Wish", "state": "CLOSED", "labels": [], "assignees": []},
]
TRACKER: Json = {
    "issues": [
        {
            "key": "WEB-1",
            "summary": "Leak",
            "status": {"name": "In Progress", "id": "3"},
            "priority": {"name": "High"},
            "assignee": {"displayName": "Otter"},
        }
    ]
}
STORIES: Json = {
    "project": "P",
    "userStories": [
        {"id": "US-001", "title": "Add", "acceptanceCriteria": ["a"], "priority": 1, "passes": True},
        {"id": "US-002", "title": "Show", "acceptanceCriteria": ["b"], "priority": 2, "passes": False},
    ],
}
TODOS: Json = [{"content": "Write", "status": "in_progress", "activeForm": "Writing"}, {"content": "Run", "status": "pending"}]
NEEDS: Json = {"tasks": [{"id": "5b", "name": "A", "status": "pending", "dependencies": [{"taskId": "9f"}]}]}


def shown(draft: TaskDraft) -> tuple[str, str, str, str]:
    return draft.id, draft.title, draft.status, ",".join((draft.priority, draft.phase, *draft.assignees, *draft.labels))


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("issues.json", ISSUES, [("12", "Leak", "pending", ",v1,otter,bug"), ("13", "Wish", "done", ",")]),
        ("export.json", TRACKER, [("WEB-1", "Leak", "in_progress", "High,,Otter")]),
        ("prd.json", STORIES, [("US-001", "Add", "done", "1,"), ("US-002", "Show", "pending", "2,")]),
        (".claude/todos/a-agent-a.json", TODOS, [("", "Write", "in_progress", ","), ("", "Run", "pending", ",")]),
        ("shrimp/tasks.json", NEEDS, [("5b", "A", "pending", ",")]),
        (
            ".kiro/specs/a/tasks.md",
            "# Plan\n\n- [x] 1. Start\n- [-] 2. Go on\n",
            [("", "1. Start", "done", ",Plan"), ("", "2. Go on", "in_progress", ",Plan")],
        ),
        ("notes/tasks.md", "- [-] dropped\n", [("", "dropped", "cancelled", ",")]),
    ],
)
def test_tasks_are_found(path: str, content: object, expected: list[tuple[str, str, str, str]]) -> None:
    assert [shown(draft) for draft in drafts_of(path, content)] == expected


def test_a_dependency_in_an_object_is_read() -> None:
    (draft,) = drafts_of("shrimp/tasks.json", NEEDS)
    assert [(dependency.target, dependency.blocking) for dependency in draft.dependencies] == [("9f", True)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".vscode/tasks.json", {"version": "2.0.0", "tasks": [{"label": "build", "type": "shell", "command": "make"}]}),
        ("package.json", {"name": "x", "version": "1.0.0", "status": "active", "scripts": {"build": "x"}}),
        ("services.json", {"services": [{"name": "web", "status": "running"}, {"name": "db", "status": "active"}]}),
        ("users.json", [{"name": "alice", "status": "active"}, {"name": "bob", "status": "inactive"}]),
        ("results.json", [{"title": "adds", "passes": True}, {"title": "subtracts", "passes": False}]),
    ],
)
def test_what_has_a_title_and_a_state_is_not_always_a_task(path: str, content: object) -> None:
    assert drafts_of(path, content) == []


def test_the_quick_look_at_the_bytes_passes_over_no_name_of_a_state() -> None:
    for name in generic._STATE_NAMES:
        for data in (f'{{"{name}": 1}}'.encode(), f'{{"{name}": 1}}'.encode("utf-16")):
            assert generic._may_hold_tasks(data)
    assert not generic._may_hold_tasks(b'{"title": "a state of mind"}')
