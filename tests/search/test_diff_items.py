from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.diff import diff_items, diff_states, diff_values, items_of, plural
from archive.diff.items import noun_of, singular
from archive.model.diff import ItemDiff, ValueChange
from archive.model.documents import Kind


def between(old: Any, new: Any) -> tuple[ItemDiff, ...]:
    before, after = json.dumps(old).encode(), json.dumps(new).encode()
    return diff_items(diff_values(old, new), items_of(Kind.JSON, before), items_of(Kind.JSON, after))


def said(items: tuple[ItemDiff, ...]) -> list[tuple[str, str, str, list[tuple[str, Any, Any]]]]:
    return [
        (one.change.value, one.noun, one.name, [(field.name, field.old, field.new) for field in one.fields]) for one in items
    ]


def test_an_item_is_named_by_its_id_although_its_position_changed() -> None:
    old = {"tasks": [{"id": 12, "status": "pending"}, {"id": 13, "status": "pending"}]}
    new = {"tasks": [{"id": 99, "status": "new"}, {"id": 12, "status": "done"}]}
    found = said(between(old, new))
    assert ("changed", "task", "12", [("status", "pending", "done")]) in found
    assert ("added", "task", "99", []) in found
    assert ("removed", "task", "13", []) in found
    assert len(found) == 3


def test_a_value_that_no_item_holds_belongs_to_what_is_around_it() -> None:
    old = {"map": {"name": "north", "scale": None, "numbers": list(range(500))}}
    new = {"map": {"name": "north", "scale": 5, "numbers": [*range(499), -1]}}
    fields = {field.name for item in between(old, new) for field in item.fields}
    assert "scale" in fields
    assert any(name.startswith("numbers") for name in fields)


def test_a_field_that_went_is_told_of_the_item_that_lost_it() -> None:
    (item,) = between({"a": [{"id": 1, "x": 1, "y": 2}]}, {"a": [{"id": 1, "x": 1}]})
    assert (item.change, item.name, item.pointer) == (ValueChange.CHANGED, "1", "/a/0")
    assert [(field.name, field.change) for field in item.fields] == [("y", ValueChange.REMOVED)]


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b c"])
records = st.fixed_dictionaries({"id": st.integers(1, 4)}, optional={"x": scalars, "y": st.lists(scalars, max_size=3)})
values = st.recursive(
    scalars | st.lists(records, max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~/", "0"]), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150)
@given(old=values, new=values)
def test_each_changed_value_is_told_once(old: Any, new: Any) -> None:
    changes = diff_values(old, new)
    assert sum(len(item.fields) or 1 for item in between(old, new)) == len(changes)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("status: new\nowner: me", "status: done\nowner: me", [("status", "new", "done")]),
        ("a: 1", "a: 1\nb: 2", [("b", None, "2")]),
        ("a: 1\nb: 2", "a: 1", [("b", "2", None)]),
        ("a: one\ntwo", "a: one\nthree", [("a", "one\ntwo", "one\nthree")]),
        ("plain", "other", [("text", "plain", "other")]),
        ("a: 1\na: 2", "a: 1\na: 3", [("a (2)", "2", "3")]),
        ("same", "same", []),
        ("", "a: 1", [("a", None, "1")]),
    ],
)
def test_states_differ_in_their_fields(old: str, new: str, expected: list[tuple[str, Any, Any]]) -> None:
    assert [(one.name, one.old, one.new) for one in diff_states(old, new)] == expected


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("tasks", "task"),
        ("entries", "entry"),
        ("classes", "class"),
        ("boxes", "box"),
        ("status", "status"),
        ("people", "person"),
    ],
)
def test_nouns_have_a_singular(many: str, one: str) -> None:
    assert singular(many) == one
    if many != one:
        assert plural(one) == many


@pytest.mark.parametrize(
    ("steps", "noun"),
    [
        (("tasks", "3"), "task"),
        (("memory", "3"), "memory entry"),
        (("3",), "record"),
        ((), "document"),
        (("metadata",), "entry"),
        (("projects", "x", "items", "2"), "x"),
        (("by_id", "files!", "1"), "entry"),
    ],
)
def test_a_thing_is_called_after_what_is_around_it(steps: tuple[str, ...], noun: str) -> None:
    assert noun_of(steps) == noun
