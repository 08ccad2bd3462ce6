from __future__ import annotations

import pytest

from archive.ignore import IgnorePatterns

MATCHES = [
    # patterns, path, is_dir, ignored
    (["build/"], "build", True, True),
    (["build/"], "build", False, None),
    (["build/"], "a/build", True, True),
    (["/build"], "a/build", True, None),
    (["build"], "build/x.json", False, None),  # the folder is ignored; what is below is never asked about
    (["foo/**"], "foo", True, None),
    (["foo/**"], "foo/a.json", False, True),
    (["foo/**", "!foo/keep.json"], "foo/keep.json", False, False),
    (["*.json", "!keep.json"], "a/keep.json", False, False),
    (["!keep.json", "*.json"], "a/keep.json", False, True),
    (["a/**/z"], "a/z", False, True),
    (["a/**/z"], "a/b/c/z", True, True),
    (["*.json"], "a\nb/c.json", False, True),
    (["*.json"], "c.json\n", False, None),
    (["[ab].md"], "b.md", False, True),
    ([r"\#x", r"\!y"], "#x", False, True),
    ([r"\#x", r"\!y"], "!y", False, True),
    (["*"], "a/b", True, True),
    (["*/"], "a", False, None),
    (["*/"], "a/b/c", True, True),
    (["**/"], "a/b", True, True),
    (["a/**/"], "a", True, None),
    (["a/**/"], "a/b", True, True),
    (["# *.json", "", "   "], "a.json", False, None),
]


@pytest.mark.parametrize(("patterns", "path", "is_dir", "ignored"), MATCHES)
def test_the_last_pattern_that_fits_the_entry_decides(
    patterns: list[str], path: str, is_dir: bool, ignored: bool | None
) -> None:
    match = IgnorePatterns(patterns).match(path, is_dir=is_dir)
    assert (match and match.ignored) == ignored


def test_a_match_names_the_pattern_and_its_line() -> None:
    match = IgnorePatterns(["# first", "", "*.json  "]).match("a.json", is_dir=False)
    assert match is not None
    assert (match.pattern, match.line) == ("*.json", 3)


def test_lines_that_are_no_patterns_match_nothing_and_are_listed() -> None:
    patterns = IgnorePatterns(["trailing\\", "/", "*.md"])
    assert patterns.bad == ["trailing\\", "/"]
    assert patterns.match("trailing", is_dir=False) is None
    assert patterns.match("a.md", is_dir=False) is not None
