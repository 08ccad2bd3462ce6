"""What cannot be parsed is indexed as far as it can be read, and the archive says how far that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive import Archive
from tests.conftest import write_tree
from tests.indexing.conftest import Query, found

# Content of `x.json` or `x.jsonl`: what is found where, the extent, and the beginning of the note.
DOCUMENTS: dict[str, tuple[str, bytes, dict[str, str], str, str]] = {
    "a second document glued on": (
        "x.json",
        b'{"id": 1, "text": "lighthouse"}\n{"id": 2, "text": "harbour"}',
        {"lighthouse": "", "harbour": "L2-L2"},
        "prefix",
        "trailing_data",
    ),
    "cut short": ("x.json", b'{"a": "lighthouse",\n "b": "har', {"lighthouse": "L1-L2", "har": "L1-L2"}, "raw", "truncated"),
    "a conflict": (
        "x.json",
        b'{\n<<<<<<< HEAD\n"a": "lighthouse"\n=======\n"a": "harbour"\n>>>>>>> x\n}\n',
        {"lighthouse": "L1-L7", "harbour": "L1-L7"},
        "raw",
        "conflict_markers",
    ),
    "bad lines": (
        "x.jsonl",
        b'{"id": 1, "t": "lighthouse"}\nharbour {\n{"id": 2, "t": "ferry"}\n{"t": ',
        {"lighthouse": "/0", "harbour": "L2-L2", "ferry": "/1"},
        "prefix",
        "bad_lines: ",
    ),
    "not even text": ("x.json", b"\xff\xfe\xfa\x00\x80", {}, "raw", "not_utf8"),
    "empty": ("x.json", b"", {}, "raw", "empty"),
    "nested too deeply": ("x.json", b"[" * 100_000 + b'"lighthouse"' + b"]" * 100_000, {"lighthouse": ""}, "raw", "too_deep"),
}


@pytest.mark.parametrize(("name", "data", "expected", "extent", "note"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_cannot_be_parsed_is_found_and_says_how(
    archive: Archive,
    root: Path,
    db_path: Path,
    rows: Query,
    name: str,
    data: bytes,
    expected: dict[str, str],
    extent: str,
    note: str,
) -> None:
    write_tree(root, {name: data})
    archive.backup(root)

    assert rows("SELECT extent FROM index_notes") == [(extent,)]
    assert rows("SELECT note FROM index_notes")[0][0].startswith(note)
    for word, pointer in expected.items():
        pointers = found(db_path, word)
        assert len(pointers) == 1
        assert not pointer or pointers == [pointer]
    assert found(db_path, "x AND " + name.partition(".")[2])  # by its path, in any case


def test_a_document_that_is_mended_keeps_the_items_that_are_the_same(archive: Archive, root: Path, rows: Query) -> None:
    whole = b'{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'
    for data in (whole, whole + b"{", whole):
        write_tree(root, {"x.jsonl": data})
        archive.backup(root)
    assert rows("SELECT key, first_snapshot_id FROM items WHERE key LIKE '[id%'") == [("[id=1]", 1), ("[id=2]", 1)]
    assert rows("SELECT version_id FROM index_notes") == [(2,)]


@pytest.mark.parametrize("name", ["folder with space/ü日本.json", "a'b\"c.md", "x\ny.txt", "no-extension"])
def test_a_document_is_found_by_the_words_of_its_path(archive: Archive, root: Path, rows: Query, name: str) -> None:
    write_tree(root, {name: b'{"a": 1}'})
    archive.backup(root)
    assert rows("SELECT count(*) FROM items WHERE key = ''") == [(1,)]
    assert rows("SELECT words LIKE ? || '%' FROM items WHERE key = ''", name) == [(1,)]
