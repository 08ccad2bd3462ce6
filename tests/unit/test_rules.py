from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archive
from archive.errors import CorruptArchive, UsageError
from archive.model.base import Json
from archive.rules import (
    CORE_CATEGORIES,
    DEFAULT_EXCLUDED_FOLDERS,
    DEFAULT_INCLUDE,
    STAGING_PREFIX,
    Rules,
)

DEFAULT = Rules()
NAMED = Rules(
    include=("*.json", "agents/", "!agents/x.bin", "[Mm]akefile"),
    exclude=("build/", "*.min.json", "!.cache/", "!keep.min.json"),
    origin="archive.toml",
)

FILES = [
    (DEFAULT, "a/b.json", True, "matches *.json"),
    (DEFAULT, "B.JSON", True, "matches *.json"),
    (DEFAULT, ".json", True, "matches *.json"),
    (DEFAULT, "a.b.yml", True, "matches *.yml"),
    (DEFAULT, "notes.txt~", False, "matches no include pattern"),
    (DEFAULT, "a.json/b.png", False, "matches no include pattern"),
    (DEFAULT, "a.", False, "matches no include pattern"),
    (DEFAULT, "line\nbreak.json", True, "matches *.json"),
    (DEFAULT, "a.json\n", False, "matches no include pattern"),
    (DEFAULT, "agents/memory", False, "has no extension, and is taken in if it holds JSON"),
    (DEFAULT, ".eslintrc", False, "has no extension, and is taken in if it holds JSON"),
    (Rules(sniff_extensionless=False), "agents/memory", False, "matches no include pattern"),
    (Rules(include=()), "a.json", False, "matches no include pattern"),
    (DEFAULT, f"a/{STAGING_PREFIX}0123456789abcdef", False, "has no extension, and is taken in if it holds JSON"),
    (DEFAULT, f"{STAGING_PREFIX}notes.md", True, "matches *.md"),
    (NAMED, "agents/a/b.bin", True, "matches agents/"),
    (NAMED, "agents/x.bin", False, "matches no include pattern"),
    (NAMED, "sub/Makefile", True, "matches [Mm]akefile"),
    (NAMED, "X.JSON", True, "matches *.json"),
    (NAMED, "a\nb/x.json", True, "matches *.json"),
    (NAMED, "x.min.json", False, "excluded by archive.toml: *.min.json"),
    (NAMED, "keep.min.json", True, "matches *.json"),
    (NAMED, "build", False, "has no extension, and is taken in if it holds JSON"),
]

FOLDERS = [
    (DEFAULT, "agents", True, "a folder"),
    (DEFAULT, "a/.git", False, "in .git"),
    (DEFAULT, "node_modules", False, "in node_modules"),
    (DEFAULT, ".archive", False, "in .archive"),
    (DEFAULT, "env", True, "a folder"),
    (Rules(default_excludes=False), "node_modules", True, "a folder"),
    (Rules(default_excludes=False), f"{STAGING_PREFIX}0123456789abcdef", False, "a restore's own temporary files"),
    (DEFAULT, f"a/{STAGING_PREFIX}package-0123456789abcdef", False, "a restore's own temporary files"),
    (DEFAULT, f"{STAGING_PREFIX}of-2020", True, "a folder"),
    (NAMED, "a/build", False, "excluded by archive.toml: build/"),
    (NAMED, ".cache", True, "a folder"),
]


@pytest.mark.parametrize(("rules", "path", "included", "reason"), FILES)
def test_files_are_judged_with_a_reason(rules: Rules, path: str, included: bool, reason: str) -> None:
    decision = rules.decide(path)
    assert (decision.included, decision.reason) == (included, reason)
    assert decision.by_content == reason.startswith("has no extension")


@pytest.mark.parametrize(("rules", "path", "included", "reason"), FOLDERS)
def test_folders_are_judged_with_a_reason(rules: Rules, path: str, included: bool, reason: str) -> None:
    decision = rules.decide(path, is_dir=True)
    assert (decision.included, decision.reason) == (included, reason)


@pytest.mark.parametrize("name", sorted(DEFAULT_EXCLUDED_FOLDERS))
def test_every_default_exclude_can_be_taken_back_in(name: str) -> None:
    assert not DEFAULT.decide(f"a/{name}", is_dir=True).included
    decision = Rules(exclude=(f"!{name}/",)).decide(f"a/{name}", is_dir=True)
    assert decision.included
    assert decision.is_forced


pieces = st.sampled_from([*"aJ.\n é-*", ".json", ".MD", ".Md", "\udcff"])
names = st.lists(pieces, min_size=1, max_size=6).map("".join).filter(lambda name: name not in (".", ".."))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


@given(paths)
def test_the_short_cut_for_plain_suffixes_decides_as_the_patterns_do(path: str) -> None:
    long_way = Rules(include=(*DEFAULT_INCLUDE, "/no/such/file"))
    assert DEFAULT.decide(path) == long_way.decide(path)


def test_default_rules_need_no_pattern_library() -> None:
    code = (
        "import sys; from archive.rules import Rules; rules = Rules(); rules.decide('a/b.json');"
        "rules.decide('x', is_dir=True); rules.category('a/tasks.json'); sys.exit('pathspec' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(archive.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0


@pytest.mark.parametrize("pattern", ["", "   ", "# comment", "broken\\", "/", "[z"])
def test_a_text_that_is_no_pattern_is_refused(pattern: str) -> None:
    for rules in ({"include": (pattern,)}, {"exclude": (pattern,)}, {"categories": ((pattern, "x"),)}):
        with pytest.raises(UsageError, match="is not a pattern"):
            Rules(**rules)


def test_a_negative_size_limit_is_refused() -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        Rules(max_file_bytes=-1)


CATEGORIES = [
    *((f"agents/{name}.json", name) for name in CORE_CATEGORIES),
    ("deep/down/agents/tasks.json", "tasks"),
    ("tasks.json", "tasks"),
    ("agents/memory", "memory"),
    ("memory.jsonl", "memory"),
    ("docs/roadmap.md", "docs"),
    ("NOTES.TXT", "docs"),
    ("a.rst", "docs"),
    ("agents/tasks.json.md", "docs"),
    ("agents/claude_memories.json", "data"),
    ("pyproject.toml", "data"),
    ("whatever", "data"),
]


@pytest.mark.parametrize(("path", "category"), CATEGORIES)
def test_documents_fall_into_categories_by_name(path: str, category: str) -> None:
    assert DEFAULT.category(path) == category


def test_the_first_category_that_fits_comes_before_the_default_ones() -> None:
    rules = Rules(categories=(("old/", "past"), ("tasks.json", "todo"), ("*.md", "notes")))
    paths = ["old/tasks.json", "a/tasks.json", "x\ny/z.md", "errors.json"]
    assert [rules.category(path) for path in paths] == ["past", "todo", "notes", "errors"]


patterns = st.sampled_from(["*.json", "build/", "!a", "docs/**/x?.md", "[ab]"])
rules_values = st.builds(
    Rules,
    include=st.lists(patterns).map(tuple),
    exclude=st.lists(patterns).map(tuple),
    default_excludes=st.booleans(),
    gitignore=st.booleans(),
    sniff_extensionless=st.booleans(),
    max_file_bytes=st.integers(0, 2**50),
    categories=st.lists(st.tuples(patterns, st.text(min_size=1))).map(tuple),
    origin=st.text(),
)


@given(rules_values)
def test_rules_come_back_from_json_as_they_were(rules: Rules) -> None:
    assert Rules.from_json(rules.to_json()) == rules


@pytest.mark.parametrize("data", [None, {}, {"of_a_later_version": 1}])
def test_what_json_does_not_say_is_at_its_default(data: Json) -> None:
    assert Rules.from_json(data) == DEFAULT


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        {"include": "*.json"},
        {"include": [1]},
        {"include": [["a", "b"]]},
        {"include": ["/"]},
        {"categories": ["x"]},
        {"categories": [["x"]]},
        {"gitignore": 1},
        {"max_file_bytes": True},
        {"max_file_bytes": -1},
    ],
)
def test_json_that_is_no_rules_is_corrupt(data: Json) -> None:
    with pytest.raises(CorruptArchive):
        Rules.from_json(data)
