"""The registry: the surest adapter gets a document, third parties can add their own, and none can break the others."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archive.extract.tasks
from archive.extract.tasks import BUILT_IN, ENTRY_POINT_GROUP, Adapter, ParsedDocument, extract_tasks, load_adapters
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import AnomalyCode, Dependency, TaskDraft
from tests.unit.tasks.make import document, drafts_of
from tests.unit.tasks.strategies import json_values, records

PLAN = {"plan": [{"id": "a", "what": "Think", "state": "Done"}, {"id": "b", "what": "Act", "state": "To Do"}]}


class Failing:
    name = "failing"

    def matches(self, document: ParsedDocument) -> float:
        return 1.0

    def extract(self, document: ParsedDocument) -> Iterator[TaskDraft]:
        yield TaskDraft(pointer="", title="half", status="pending")
        raise KeyError("state")


class Confused(Failing):
    name = "confused"

    def matches(self, document: ParsedDocument) -> float:
        raise RuntimeError("no idea")


def example_from_the_docs() -> str:
    text = archive.extract.tasks.__doc__ or ""
    start = text.index("    class Plan:")
    return textwrap.dedent(text[start : text.index("and names it")])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts a package with the documented adapter, and one that cannot be imported, on the path."""
    imports = (
        "from collections.abc import Iterator\nfrom archive.extract.tasks import ParsedDocument, normalise_status\n"
        "from archive.model.tasks import TaskDraft\n"
    )
    (tmp_path / "plan_adapter.py").write_text(
        f"{imports}\n{example_from_the_docs()}\nready = Plan()\nmake = lambda: Plan()\nnothing = 7\n"
    )
    (tmp_path / "broken_adapter.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("plan_adapter", None)


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, ENTRY_POINT_GROUP)


@pytest.mark.parametrize("offered", ["Plan", "ready", "make"])
def test_the_documented_adapter_works_as_a_class_a_function_and_an_object(package: None, offered: str) -> None:
    loaded = load_adapters([entry("plan", f"plan_adapter:{offered}")])
    assert loaded.problems == ()
    found = extract_tasks(document("p.json", PLAN), loaded.adapters)
    assert (found.adapter, found.problems) == ("plan", ())
    assert [(draft.id, draft.key, draft.title, draft.status, draft.pointer) for draft in found.drafts] == [
        ("a", "a", "Think", "done", "/plan/0"),
        ("b", "b", "Act", "pending", "/plan/1"),
    ]
    assert [(draft.scope, draft.ref, draft.order) for draft in found.drafts] == [
        ("p.json", "p.json#a", 0),
        ("p.json", "p.json#b", 1),
    ]


def test_an_adapter_that_cannot_be_loaded_is_a_problem_and_no_more(package: None) -> None:
    bad = [entry("broken", "broken_adapter:X"), entry("gone", "plan_adapter:Gone"), entry("seven", "plan_adapter:nothing")]
    loaded = load_adapters([*bad, entry("plan", "plan_adapter:Plan")])
    assert [adapter.name for adapter in loaded.adapters] == ["plan", *(adapter.name for adapter in BUILT_IN)]
    assert [problem.split()[1] for problem in loaded.problems] == ["broken", "gone", "seven"]
    assert "not_there_at_all" in loaded.problems[0]


def test_without_third_parties_the_built_in_adapters_are_used() -> None:
    assert load_adapters([]).adapters == BUILT_IN
    assert load_adapters().problems == ()


@pytest.mark.parametrize("bad", [Failing(), Confused()])
def test_an_adapter_that_fails_is_told_and_the_next_is_asked(bad: Adapter) -> None:
    content = {"tasks": [{"id": 1, "title": "T", "status": "pending", "dependencies": []}]}
    found = extract_tasks(document("t.json", content), (bad, *BUILT_IN))
    assert found.adapter == "task-master"
    assert [draft.title for draft in found.drafts] == ["T"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"adapter {bad.name} failed: ")


def test_drafts_of_third_parties_are_completed() -> None:
    class Bare:
        name = "bare"

        def matches(self, document: ParsedDocument) -> float:
            return 1.0

        def extract(self, document: ParsedDocument) -> Iterable[TaskDraft]:
            same = TaskDraft(pointer="/0", title="T", status="pending", id="a", ref="r")
            waits = Dependency("b"), Dependency("a")
            return [
                same,
                same,
                TaskDraft(pointer="/2", title="", status="odd", shared_scope="wide", id="c", dependencies=waits),
            ]

    found = extract_tasks(document("x/t.json", {}), (Bare(),)).drafts
    assert [(draft.ref, draft.scope, draft.key, draft.order) for draft in found] == [
        ("r", "x/t.json", "a", 0),
        ("r~2", "x/t.json", "a", 1),
        ("x/t.json#c", "x/t.json", "c", 2),
    ]
    assert [[note.code for note in draft.anomalies] for draft in found] == [
        [AnomalyCode.DUPLICATE_ID],
        [AnomalyCode.DUPLICATE_ID],
        [AnomalyCode.NO_TITLE, AnomalyCode.UNKNOWN_STATUS],
    ]
    assert [(link.target, link.scope) for link in found[2].dependencies] == [("b", "wide"), ("a", "")]


SHAPES = st.sampled_from([
    lambda items: {"active_projects": {"p": {"phases": items}, "q": items}, "historical_projects": {"completed": items}},
    lambda items: {"active_projects": {"p": {"phases": {"a": items[0] if items else None}}}},
    lambda items: {"active_tasks": {str(number): item for number, item in enumerate(items)}, "completed_bugs": items},
    lambda items: {"active_milestones": {"m": {"title": "M", "features": items, "features_done": items}, "n": items}},
    lambda items: {"issues": [{"issue_id": 1}, *items]},
    lambda items: {"tasks": [{"id": 1, "title": "t", "status": "pending", "subtasks": items}, *items], "tag": {"tasks": items}},
    lambda items: {"todo": [{"id": 1, "title": "t", "status": "pending", "subtasks": items}, *items]},
    lambda items: [{"uuid": "u", "description": "d", "status": "waiting"}, *items],
    lambda items: {"subject": "s", "blockedBy": items, "status": items},
])  # fmt: skip


@settings(max_examples=150)
@given(SHAPES, st.lists(records | json_values, max_size=4), st.booleans())
def test_no_value_makes_an_adapter_fail(shape: object, items: list[Json], as_lines: bool) -> None:
    assert callable(shape)
    value = shape(items)
    for kind, content in ((Kind.JSON, value), (Kind.JSONL, [value, *items] if as_lines else items)):
        parsed = ParsedDocument("tasks/a.json", kind, content)
        for adapter in BUILT_IN:
            found = extract_tasks(parsed, (adapter,))
            assert found.problems == ()
            assert len({draft.ref for draft in found.drafts}) == len(found.drafts)
            str(found.drafts).encode()
            for draft in found.drafts:
                draft.to_json()


@settings(max_examples=100)
@given(st.text(max_size=80) | st.text(alphabet="-[] x\n\t#:@+()'\"0123456789abi<>=&*{}!", max_size=120))
def test_no_text_makes_an_adapter_fail(text: str) -> None:
    for path, kind, content in (
        ("todo.txt", Kind.TEXT, text),
        ("a.md", Kind.MARKDOWN, text),
        ("backlog/tasks/a-1.md", Kind.MARKDOWN, f"---\nid: 1\ntitle: {text}\nstatus: Done\n---\n{text}"),
    ):
        assert extract_tasks(ParsedDocument(path, kind, content)).problems == ()


def test_a_mended_record_is_all_that_changes() -> None:
    good = [{"id": number, "title": f"T{number}", "status": "pending", "dependencies": []} for number in range(5)]
    bad = [*good[:2], {"id": {}, "title": [], "status": 3, "dependencies": 9.5, "subtasks": "x", "priority": {}}, *good[3:]]
    before, after = drafts_of("t.json", {"tasks": bad}), drafts_of("t.json", {"tasks": good})
    assert [one for one in before if one in after] == [after[0], after[1], after[3], after[4]]
    assert [note.code.value for note in before[2].anomalies][:2] == ["wrong_type", "wrong_type"]
