"""Selections: what a path, a folder or a glob behind a command means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.selection import Selection

PATHS = [
    "agents/tasks.json",
    "agents/notes/a.md",
    "docs/a.md",
    "docs/[x].md",
    "-rf",
    "!note.md",
    "#1.md",
    "tasks.json",
    "a\nb.md",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("agents/tasks.json", ["agents/tasks.json"]),
        ("./agents/tasks.json", ["agents/tasks.json"]),
        ("agents", ["agents/tasks.json", "agents/notes/a.md"]),
        ("agents/", ["agents/tasks.json", "agents/notes/a.md"]),
        ("tasks.json", ["tasks.json"]),
        ("*.json", ["agents/tasks.json", "tasks.json"]),
        ("agents/*.json", ["agents/tasks.json"]),
        ("agents/**", ["agents/tasks.json", "agents/notes/a.md"]),
        ("**/a.md", ["agents/notes/a.md", "docs/a.md"]),
        ("docs/[x].md", ["docs/[x].md"]),
        ("docs/?.md", ["docs/a.md"]),
        ("-rf", ["-rf"]),
        ("!*.md", ["!note.md"]),
        ("#*", ["#1.md"]),
        (".", PATHS),
        ("a\nb.md", ["a\nb.md"]),
        ("[", []),
        ("[z-a]", []),
    ],
)
def test_a_pattern_means_these_paths(pattern: str, expected: list[str]) -> None:
    assert [path for path in PATHS if Selection([pattern]).matches(path)] == expected


def test_no_pattern_means_everything() -> None:
    assert all(Selection([]).matches(path) for path in PATHS)


def test_patterns_that_fit_nothing_are_named() -> None:
    assert Selection(["docs", "nothing", "*.rst"]).unmatched(PATHS) == ["nothing", "*.rst"]


@given(pattern=st.text(min_size=1, max_size=12).filter(lambda text: text.strip("/")), path=st.text(min_size=1, max_size=12))
def test_any_pattern_gives_an_answer(pattern: str, path: str) -> None:
    assert Selection([pattern]).matches(path) in (True, False)


@given(
    path=st.text(alphabet=st.characters(exclude_characters="/\0"), min_size=1, max_size=12).filter(
        lambda p: p not in (".", "..")
    )
)
def test_the_exact_path_of_a_document_always_means_it(path: str) -> None:
    assert Selection([path]).matches(path)
