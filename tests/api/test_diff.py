"""Differences between moments: which files, and what inside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive import Archive
from archive.errors import DocumentNotFound
from archive.model.diff import FileChange
from tests.conftest import FixedClock, write_tree


@pytest.fixture
def three(archive: Archive, root: Path, clock: FixedClock) -> Archive:
    """An archive with three snapshots: an edit of each kind, then everything back."""
    first = {"a.json": b'{"x": 1, "list": [{"id": 1}, {"id": 2}]}', "b.md": b"one\ntwo\n", "c.txt": b"\xff", "gone.md": b""}
    second = {
        "a.json": b'{"x": 2, "list": [{"id": 0}, {"id": 1}, {"id": 2}]}',
        "b.md": b"one\n2\n",
        "c.txt": b"\xfe",
        "n.json": b"1",
    }
    for tree in (first, second, first):
        write_tree(root, tree)
        archive.backup(root)
        clock.tick()
    return archive


def test_files_are_sorted_by_what_happened_to_them(three: Archive) -> None:
    diff = three.diff("1", "2")

    assert {file.path: file.change for file in diff.files if file.change is not FileChange.TOUCHED} == {
        "a.json": FileChange.MODIFIED,
        "b.md": FileChange.MODIFIED,
        "c.txt": FileChange.MODIFIED,
        "gone.md": FileChange.REMOVED,
        "n.json": FileChange.ADDED,
    }


def test_json_differs_by_pointer_and_an_element_put_in_front_is_one_change(three: Archive) -> None:
    (file,) = three.diff("1", "2", patterns=["a.json"]).files

    assert {(change.pointer, change.change.value) for change in file.values} == {("/x", "changed"), ("/list/0", "added")}
    assert next((change.old, change.new) for change in file.values if change.pointer == "/x") == (1, 2)


def test_text_differs_by_line(three: Archive) -> None:
    (file,) = three.diff("1", "2", patterns=["b.md"]).files

    assert [line for line in file.text if line[:1] in "+-" and line[:3] not in ("+++", "---")] == ["-two", "+2"]


def test_what_cannot_be_compared_inside_says_so(three: Archive) -> None:
    (file,) = three.diff("1", "2", patterns=["c.txt"]).files

    assert file.note


def test_content_that_came_back_is_no_difference(three: Archive) -> None:
    assert [file for file in three.diff("1", "3").files if file.change is not FileChange.TOUCHED] == []


def test_a_pattern_that_fits_nothing_on_either_side_is_an_error(three: Archive) -> None:
    with pytest.raises(DocumentNotFound):
        three.diff("1", "2", patterns=["nothing.json"])
