"""Malformed input is normal input: stored byte for byte, its state recorded, and never a reason to fail."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import (
    ArchiveNotFound,
    ArchiveReadOnly,
    ArchiveTooNew,
    CorruptArchive,
    NotAnArchive,
)
from archive.model.documents import ParseState
from archive.model.snapshots import ProblemKind
from archive.storage import migrate
from tests.conftest import Tree, read_tree, write_tree

CONTENTS: dict[str, tuple[bytes, str, str]] = {
    "conflict.json": (b'{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> other\n}\n', "invalid", "conflict_markers"),
    "glued.json": (b'{"a": 1}{"b": 2}', "invalid", "trailing_data"),
    "truncated.json": (b'{"a": [1, 2, "thr', "invalid", "truncated"),
    "empty.json": (b"", "invalid", "empty"),
    "blank.json": (b" \n\t\n", "invalid", "empty"),
    "nan.json": (b'{"a": NaN}', "lenient", "not_a_number"),
    "infinity.json": (b"[Infinity, -Infinity]", "lenient", "not_a_number"),
    "bom.json": (b'\xef\xbb\xbf{"a": 1}', "lenient", "byte_order_mark"),
    "utf16.json": ('{"a": "ü"}'.encode("utf-16"), "lenient", "utf16"),
    "latin1.json": ('{"a": "ü"}'.encode("latin-1"), "invalid", "not_utf8"),
    "nul.json": (b'{"a": 1\0}', "invalid", "nul_bytes"),
    "duplicate.json": (b'{"a": 1, "b": {"a": 2}, "a": 3}', "lenient", "duplicate_keys"),
    "deep.json": (b"[" * 100_000 + b"]" * 100_000, "invalid", "too_deep"),
    "open.json": (b"[" * 100_000, "invalid", ""),
    "number.json": (b"[" + b"9" * 400 + b", -" + b"1" * 400 + b"e-7]", "valid", ""),
    "surrogate.json": (b'{"a": "\\ud800"}', "lenient", "lone_surrogate"),
    "comments.json": (b'{\n  // why\n  "a": 1, /* what */ "b": 2\n}', "lenient", "comments"),
    "crlf.json": (b'{\r\n  "a": 1\r\n}\r\n', "valid", ""),
    "no-newline.json": (b'{"a": 1}', "valid", ""),
    "bad-lines.jsonl": (b'{"a": 1}\nbroken\n{"b": 2}\n{"torn', "invalid", "bad_lines"),
    "conflict.md": (b"# A\n<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n", "invalid", "conflict_markers"),
    "latin1.txt": (b"caf\xe9\n", "invalid", "not_utf8"),
    "empty.md": (b"", "valid", ""),
}


def test_every_malformed_document_is_stored_byte_for_byte_with_its_state(archive: Archive, root: Path, tmp_path: Path) -> None:
    tree: Tree = {name: data for name, (data, _, _) in CONTENTS.items()}
    write_tree(root, tree)

    result = archive.backup(root)
    archive.restore(archive.plan_restore(tmp_path / "copy"))

    assert result.is_complete
    assert read_tree(tmp_path / "copy") == tree
    found = {each.path: (each.state.value, each.error.partition(":")[0]) for each in archive.documents()}
    assert {name: found[name][0] for name in CONTENTS} == {name: state for name, (_, state, _) in CONTENTS.items()}
    assert {name: found[name][1] for name, (_, _, code) in CONTENTS.items() if code} == {
        name: code for name, (_, _, code) in CONTENTS.items() if code
    }
    invalid = {name for name, (_, state, _) in CONTENTS.items() if state == ParseState.INVALID}
    assert {problem.path for problem in result.problems if problem.kind is ProblemKind.INVALID} == invalid


def test_what_is_no_text_is_a_blob_in_sql_and_all_else_can_be_queried(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, {name: data for name, (data, _, _) in CONTENTS.items()})
    archive.backup(root)

    with closing(sqlite3.connect(db_path)) as connection:
        types = {
            path: type_
            for path, type_, seen in connection.execute(
                "SELECT d.path, typeof(c.data), coalesce(d.content, d.text) FROM current_documents d"
                " JOIN blobs b ON b.hash = d.hash JOIN contents c ON c.blob_id = b.id"
            )
            if (type_ == "text") == (seen is not None)  # the view shows nothing for what is no text
        }
        value = connection.execute("SELECT content ->> '$.a' FROM current_documents WHERE path = 'crlf.json'").fetchone()

    assert {path for path, type_ in types.items() if type_ == "blob"} == {
        "utf16.json",
        "latin1.json",
        "latin1.txt",
        "nul.json",
    }
    assert value == (1,)


def test_no_archive_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ArchiveNotFound) as caught:
        Archive.open(tmp_path / "none.db")
    assert (caught.value.exit_code, "archive backup" in caught.value.hint) == (10, True)


@pytest.mark.parametrize("data", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"\0" * 4000])
def test_a_file_that_is_no_archive_is_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(data)

    for mode in ("read", "write"):
        with pytest.raises(NotAnArchive) as caught:
            Archive.open(path, mode=mode)
        assert caught.value.exit_code == 13

    assert path.read_bytes() == data


def test_a_newer_schema_is_refused(archive: Archive, db_path: Path) -> None:
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        with pytest.raises(ArchiveTooNew) as caught:
            Archive.open(db_path)
        connection.execute(f"PRAGMA user_version = {migrate.SCHEMA}")
    assert caught.value.exit_code == 12


def test_an_archive_in_a_folder_that_cannot_be_written_can_be_read(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, {"a.json": b"1"})
    archive.backup(root)
    archive.close()
    folder = db_path.parent
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with Archive.open(db_path) as reader:
            assert reader.read("a.json") == b"1"
            with pytest.raises(ArchiveReadOnly):
                reader.backup(root)
    finally:
        folder.chmod(0o700)


def test_an_archive_opened_for_reading_is_not_written(archive: Archive, root: Path, db_path: Path) -> None:
    with Archive.open(db_path) as reader, pytest.raises(ArchiveReadOnly):
        reader.backup(root)


def test_a_damaged_header_is_one_clear_error(archive: Archive, root: Path, db_path: Path, tmp_path: Path) -> None:
    write_tree(root, {f"{n}.json": b"{}" * n for n in range(50)})
    archive.backup(root)
    archive.close()
    damaged = tmp_path / "damaged.db"
    data = bytearray(db_path.read_bytes())
    data[0:16] = b"SQLite format 9\0"
    damaged.write_bytes(data)

    with pytest.raises(CorruptArchive):
        Archive.open(damaged)
