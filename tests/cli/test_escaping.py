"""What is printed holds nothing that a terminal would act on, and JSON for people is still the same JSON."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.cli.escaping import escape, escape_line, pretty_json

ANY_TEXT = st.text(st.characters(), max_size=40) | st.text(
    st.sampled_from("a\x1b[31m\n\r\t\x00\x7f\x9b\u202e\u2028\udcff[]\\é")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)


def is_harmless(text: str) -> bool:
    return all(
        unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") and char not in "\u202a\u202e\u2066\u200f" for char in text
    )


@given(ANY_TEXT)
def test_an_escaped_name_is_one_line_without_controls_or_surrogates(text: str) -> None:
    assert is_harmless(escape(text))
    escape(text).encode()


@given(ANY_TEXT)
def test_an_escaped_line_keeps_its_tabs_and_nothing_else_that_moves_the_cursor(text: str) -> None:
    escaped = escape_line(text)
    assert is_harmless(escaped.replace("\t", ""))
    assert escaped.count("\t") == text.count("\t")


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_in_any_script_is_left_as_it_is(text: str) -> None:
    assert escape(text) == text


@given(JSON)
def test_pretty_json_means_the_same_and_is_harmless(value: object) -> None:
    for indent in (None, 2):
        text = pretty_json(value, indent=indent)  # type: ignore[arg-type]
        assert json.loads(text) == value
        assert is_harmless(text.replace("\n", ""))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("caf\udce9.json", "caf\\xe9.json"),
        ("\ud800", "\\ud800"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("[bold]犬.md", "[bold]犬.md"),
        ("👩‍👩‍👧.md", "👩‍👩‍👧.md"),
    ],
)
def test_names_are_shown_so(name: str, shown: str) -> None:
    assert escape(name) == shown
