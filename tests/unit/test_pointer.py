"""JSON Pointers are read, written and followed as RFC 6901 says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import PointerNotFound, UsageError
from archive.extract.pointer import format_pointer, parse_pointer, resolve
from archive.model.base import Json
from tests.unit.json_strategies import VALUES

# RFC 6901, section 5.
EXAMPLE: Json = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", EXAMPLE), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3), ("/g|h",
            4),
        ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8),
    ],
)  # fmt: skip
def test_the_examples_of_the_standard_resolve(pointer: str, value: Json) -> None:
    assert resolve(EXAMPLE, pointer) == value
    assert resolve(EXAMPLE, parse_pointer(pointer)) == value


@given(st.lists(st.text(max_size=6)))
def test_reading_is_the_inverse_of_writing(steps: list[str]) -> None:
    assert parse_pointer(format_pointer(steps)) == tuple(steps)


def test_escapes_are_undone_in_the_right_order() -> None:
    assert parse_pointer("/~01/~10") == ("~1", "/0")


@pytest.mark.parametrize("text", ["a", "a/b", "#/a", " /a", "/~", "/a~2", "/~~0", "/a~"])
def test_what_is_no_pointer_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_pointer(text)
    assert caught.value.context == {"pointer": text}
    assert caught.value.hint.endswith(".")


@given(VALUES)
def test_every_value_resolves_by_the_pointer_to_it(value: Json) -> None:
    pending: list[tuple[str, Json]] = [("", value)]
    while pending:
        pointer, inner = pending.pop()
        assert resolve(value, pointer) is inner
        if isinstance(inner, dict):
            pending += [(pointer + format_pointer([name]), member) for name, member in inner.items()]
        elif isinstance(inner, list):
            pending += [(pointer + format_pointer([index]), member) for index, member in enumerate(inner)]


DOCUMENT: Json = {
    "tasks": [{"title": "x", "status": None}, {}],
    "Status": 1,
    "none": {},
    "many": dict.fromkeys("abcdefg", 0),
    "text": "t",
}


@pytest.mark.parametrize(
    ("pointer", "found", "near", "message", "hint"),
    [
        ("/task", "", ["tasks", "Status"], "the document has no 'task'", "Near names there: tasks, Status."),
        ("/status", "", ["Status"], "the document has no 'status'", "Near names there: Status."),
        ("/tasks/0/titel/x", "/tasks/0", ["title"], "/tasks/0 has no 'titel'", "Near names there: title."),
        ("/tasks/1/x", "/tasks/1", [], "/tasks/1 has no 'x'", "It is an empty object."),
        ("/many/zzz", "/many", [], "/many has no 'zzz'", "The names there are a, b, c, d, e and 2 more."),
        ("/many/" + "z" * 99, "/many", [], f"/many has no '{'z' * 99}'", "The names there are a, b, c, d, e and 2 more."),
        ("/tasks/2", "/tasks", [], "/tasks has no element 2: it has 2", "Its elements are 0 to 1."),
        ("/tasks/" + "9" * 5_000, "/tasks", [], f"/tasks has no element {'9' * 5_000}: it has 2", "Its elements are 0 to 1."),
        ("/tasks/-", "/tasks", [], "'-' names the place behind the last element of /tasks, where nothing is",
            "Its elements are 0 to 1."),
        ("/tasks/01", "/tasks", [], "/tasks is an array, and '01' is no position in it: it has a leading zero",
            "Its elements are 0 to 1."),
        ("/tasks/-1", "/tasks", [], "/tasks is an array, and '-1' is no position in it", "Its elements are 0 to 1."),
        ("/tasks/²", "/tasks", [], "/tasks is an array, and '²' is no position in it", "Its elements are 0 to 1."),
        ("/tasks/", "/tasks", [], "/tasks is an array, and '' is no position in it", "Its elements are 0 to 1."),
        ("/text/0", "/text", [], "/text is a string, nothing lies below it", "Ask for '/text' itself."),
        ("/Status/0", "/Status", [], "/Status is a single value, nothing lies below it", "Ask for '/Status' itself."),
        ("/tasks/0/status/x", "/tasks/0/status", [], "/tasks/0/status is null, nothing lies below it",
            "Ask for '/tasks/0/status' itself."),
    ],
)  # fmt: skip
def test_a_pointer_that_leads_nowhere_says_how_far_it_led(
    pointer: str, found: str, near: list[str], message: str, hint: str
) -> None:
    with pytest.raises(PointerNotFound) as caught:
        resolve(DOCUMENT, pointer)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.context == {"pointer": pointer, "found": found, "near": near}


@pytest.mark.parametrize(("value", "hint"), [([], "It is empty."), (7, "Ask for the whole document, without a pointer.")])
def test_a_document_with_nothing_below_it_says_so(value: Json, hint: str) -> None:
    with pytest.raises(PointerNotFound) as caught:
        resolve(value, "/0")
    assert caught.value.hint == hint


def test_the_first_step_into_jsonl_is_the_number_of_the_record() -> None:
    assert resolve([{"a": 1}, {"a": 2}], "/1/a") == 2
