from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archive.rules import DEFAULT_EXCLUDED_FOLDERS, VIRTUAL_PREFIX, Rules

names = st.text(st.characters(blacklist_characters="/\0\n\r", blacklist_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda name: name not in (".", "..")
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


@given(st.lists(paths, min_size=1, max_size=3), paths)
def test_only_the_files_that_are_named_are_taken_in_whatever_they_are_called(wanted: list[str], other: str) -> None:
    rules = Rules.only(wanted, origin="a test")
    assert all(rules.decide(path).included for path in wanted)
    # A path that goes on behind one of them would make that one a folder.
    if not any(other == path or other.startswith(path + "/") for path in wanted):
        assert not rules.decide(other).included


def test_a_file_in_a_folder_that_is_left_out_by_default_is_taken_in_if_it_is_named() -> None:
    folder = min(DEFAULT_EXCLUDED_FOLDERS)
    assert Rules.only(["a.json"], origin="x").default_excludes
    assert not Rules.only([f"{folder}/a.json"], origin="x").default_excludes
    assert not Rules.only([VIRTUAL_PREFIX + "memory.jsonl"], origin="x").decide(VIRTUAL_PREFIX + "memory.jsonl").included
