from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.model.documents import Kind
from archive.suspicion import count_items, count_values, suspicion


def tasks(count: int, **form: Any) -> bytes:
    return json.dumps({"tasks": [{"id": number, "title": f"task {number}"} for number in range(count)]}, **form).encode()


def logged(count: int, member: str = "tasks") -> bytes:
    """A document of tasks and a log that is much longer than they are."""
    return json.dumps({member: [{"id": number} for number in range(count)], "log": ["done"] * 200}).encode()


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (Kind.JSON, tasks(10), tasks(10), ""),
        (Kind.JSON, tasks(10), tasks(5), ""),
        (Kind.JSON, tasks(10), tasks(4), "shrunken: lost most of itself, 8 of 20 values left"),
        (Kind.JSON, tasks(10), tasks(4, indent=8), "shrunken: lost most of itself, 8 of 20 values left"),
        (Kind.JSON, tasks(10, indent=8), tasks(10), ""),
        (Kind.JSON, tasks(10), b"{}", "shrunken: lost most of itself, none of 20 values left"),
        (Kind.JSON, tasks(10), b"", f"emptied: held {len(tasks(10))} bytes and is empty now"),
        (Kind.JSON, tasks(10), b" \n", f"emptied: held {len(tasks(10))} bytes and is empty now"),
        (Kind.JSON, tasks(10), tasks(10)[:50], "turned_invalid: was whole, and now ends inside "),
        (Kind.JSON, tasks(10)[:50], tasks(10)[:40], ""),
        (Kind.JSON, b"", tasks(1), ""),
        (Kind.JSON, b"", tasks(1)[:5], ""),
        (Kind.JSON, b"{}", b"[]", ""),
        (Kind.JSON, b'["job"]', b"[]", ""),
        (Kind.JSON, b'{"lock": "x", "since": 5}', b"{}", ""),
        (Kind.JSON, b"[1, 2, 3]", b"[]", "shrunken: lost most of itself, none of 3 values left"),
        (Kind.JSON, logged(20), logged(0), "shrunken: lost most of itself, 1 of 21 objects left"),
        (Kind.JSON, logged(2), logged(0), ""),
        (Kind.JSON, logged(20), logged(20, "done"), ""),
        (Kind.JSON, tasks(2), b'{"a": 1, "a": 2, "b": 3}', ""),
        (Kind.JSONL, b"1\n2\n3\n", b"1\n2\n", ""),
        (Kind.JSONL, b"1\n2\n3\n", b"1", "shrunken: lost most of itself, 1 of 3 records left"),
        (Kind.JSONL, b"1\n2\n3\n", b'1\n2\n{"a', "turned_invalid: was whole, and now ends inside "),
        (Kind.MARKDOWN, b"# a\n\nb\nc\n\nd\n", b"# a\n\n\n\n\n\n\n", "shrunken: lost most of itself, 1 of 4 lines left"),
        (Kind.TEXT, b"a\r\nb\r\n", b"a", ""),
        (Kind.TEXT, b"a\n" * 9, b"\xff\n" * 9, "turned_invalid: was whole, and now "),
    ],
)
def test_a_change_is_suspicious_if_more_than_half_is_gone_or_it_cannot_be_read_any_more(
    kind: Kind, old: bytes, new: bytes, expected: str
) -> None:
    found = suspicion(kind, old, new)
    assert found.startswith(expected) if expected else found == ""


def test_the_share_that_has_to_be_left_is_a_setting() -> None:
    assert suspicion(Kind.JSON, tasks(10), tasks(8), shrunken_below=0.9)
    assert not suspicion(Kind.JSON, tasks(10), tasks(9), shrunken_below=0.9)
    assert not suspicion(Kind.JSON, tasks(10), b"{}", shrunken_below=0)


@pytest.mark.parametrize("between", [b"", tasks(10)[:100]])
def test_what_was_damaged_before_is_compared_with_what_was_there_before_that(between: bytes) -> None:
    assert suspicion(Kind.JSON, between, b"{}") == ""
    found = suspicion(Kind.JSON, between, b"{}", last_valid=lambda: tasks(10))
    assert found == "shrunken: lost most of itself, none of 20 values left"
    assert suspicion(Kind.JSON, between, tasks(6), last_valid=lambda: tasks(10)) == ""


def test_large_documents_are_compared_by_their_size() -> None:
    large = b"[" + b"1," * 5_000_000 + b"1]"
    assert suspicion(Kind.JSON, large, b"[" + b"1," * 3_000_000 + b"1]") == ""
    assert suspicion(Kind.JSON, large, b"[1]") == "shrunken: lost most of itself, 3 of 10,000,003 bytes left"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects, value.values()))
    return sum(map(objects, value)) if isinstance(value, list) else 0


@given(json_values, st.sampled_from([None, 1, 4]))
def test_the_values_of_a_document_are_counted_whatever_its_layout(value: Any, indent: int | None) -> None:
    assert count_values(value) == (leaves(value), objects(value))
    assert count_items(Kind.JSON, json.dumps(value, indent=indent).encode()) == (leaves(value), objects(value))


@given(json_values, json_values, st.sampled_from([0.1, 0.5, 1.0]))
def test_of_two_whole_documents_the_change_is_suspicious_exactly_if_too_few_values_or_objects_are_left(
    old: Any, new: Any, share: float
) -> None:
    found = suspicion(Kind.JSON, json.dumps(old).encode(), json.dumps(new).encode(), shrunken_below=share)
    is_less = leaves(old) >= 3 and leaves(new) < leaves(old) * share
    assert bool(found) == (is_less or (objects(old) >= 4 and objects(new) < objects(old) * share))


@given(st.sampled_from(Kind), st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_make_it_fail_and_no_change_is_never_suspicious(kind: Kind, old: bytes, new: bytes) -> None:
    assert isinstance(suspicion(kind, old, new, last_valid=lambda: old), str)
    assert suspicion(kind, old, old) == ""
