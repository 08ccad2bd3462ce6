"""Indexing comes after the bytes are durable; whatever happens to it, nothing is lost and the next command goes on."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive, ArchiveError
from archive.indexing import waiting
from archive.model.snapshots import Progress, Stage
from archive.storage.connection import Database
from tests.conftest import FixedClock, assert_sound, write_tree
from tests.faults import copy_archive, failing_statement, hearing_statements, in_child, wait
from tests.indexing import fatal
from tests.indexing.conftest import Query, assert_items_are_those_of_the_versions, found, query

BEFORE = {
    "a.json": b'{"tasks": [{"id": 1, "text": "lighthouse"}, {"id": 2, "text": "harbour"}]}',
    "b.md": b"# Title\n\nferry\n",
    "c.jsonl": b'{"id": 1, "x": "one"}\n{"id": 2, "x": "two"}\n',
}
AFTER = {
    "a.json": b'{"tasks": [{"id": 2, "text": "harbour"}, {"id": 1, "text": "tower"}]}',
    "c.jsonl": b'{"id": 1, "x": "one"}\nnot json\n',
    "d.txt": b"a new one",
}


def waiting_versions(path: Path) -> int:
    database = Database(path, writable=False)
    try:
        with database.reading() as connection:
            return waiting(connection).versions
    finally:
        database.close()


def test_what_was_left_unindexed_is_indexed_by_the_next_backup(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, BEFORE)
    assert archive.backup(root, index=False).index is None
    write_tree(root, AFTER)
    assert archive.backup(root, index=False).index is None
    assert waiting_versions(db_path) == 6
    assert found(db_path, "harbour") == []

    result = archive.backup(root).index

    assert result is not None
    assert result.versions == 6
    assert waiting_versions(db_path) == 0
    assert found(db_path, "harbour") == ["/tasks/0"]
    assert found(db_path, "ferry") == []
    assert found(db_path, "ferry", past=True) == ["L1-L3"]
    assert archive.reindex(verify=True).is_good
    assert_items_are_those_of_the_versions(db_path)


def test_an_unchanged_backup_writes_nothing_but_its_snapshot(
    archive: Archive, root: Path, db_path: Path, clock: FixedClock
) -> None:
    write_tree(root, BEFORE)
    archive.backup(root)
    os.utime(root / "b.md", ns=(1, 1))
    archive.backup(root)
    statements: list[str] = []
    with hearing_statements(statements.append), Archive.open(db_path, mode="write", clock=clock) as again:
        again.backup(root)
    writes = [text for text in statements if not text.lstrip().startswith(("SELECT", "BEGIN", "COMMIT", "WITH", "PRAGMA"))]
    assert [text.split("(")[0].strip() for text in writes if "snapshots" not in text and "_stat_cache" not in text] == []
    assert any("snapshots" in text for text in writes)


def test_a_reader_never_indexes(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, BEFORE)
    archive.backup(root, index=False)
    archive.close()
    before = db_path.read_bytes()

    with Archive.open(db_path) as reader:
        reader.documents()
        assert reader.reindex(dry_run=True).versions == 3
        assert reader.reindex(verify=True).is_good
        with pytest.raises(ArchiveError):
            reader.reindex()

    assert db_path.read_bytes() == before
    assert waiting_versions(db_path) == 3


def test_a_fault_of_the_indexing_is_said_and_the_backup_stands(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch, db_path: Path
) -> None:
    write_tree(root, BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr("archive.storage.items.ItemWriter.flush", lambda self: 1 / 0)
        result = archive.backup(root)

    assert result.snapshot is not None
    assert result.is_complete
    assert result.index is not None
    assert "ZeroDivisionError" in result.index.problem
    assert waiting_versions(db_path) == 3
    assert archive.backup(root).index is not None
    assert waiting_versions(db_path) == 0


def test_a_document_that_breaks_the_extraction_is_found_by_its_path_and_says_why(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch, db_path: Path
) -> None:
    from archive.extract.items import Extractor

    real = Extractor.of_json

    def fail(self: Extractor, value: object) -> object:
        if isinstance(value, dict) and "tasks" in value:
            raise RecursionError("planted")
        return real(self, value)  # type: ignore[arg-type]

    monkeypatch.setattr(Extractor, "of_json", fail)
    write_tree(root, {**BEFORE, "whole.json": b'{"text": "whole"}'})

    archive.backup(root)

    assert query(db_path, "SELECT extent, note FROM index_notes") == [("path", "RecursionError: planted")]
    assert found(db_path, "whole AND json") == [""]
    assert found(db_path, 'words: "a json"') == [""]
    assert found(db_path, "lighthouse") == []


@pytest.mark.slow
def test_indexing_is_whole_or_not_there_whichever_statement_fails(root: Path, tmp_path: Path, clock: FixedClock) -> None:
    planted = tmp_path / "planted.db"
    with Archive.create(planted, clock=clock) as archive:
        write_tree(root, BEFORE)
        archive.backup(root)
        write_tree(root, AFTER)
        archive.backup(root, index=False)
    path = tmp_path / "try.db"
    for n in range(1, 200):
        copy_archive(planted, path)
        with failing_statement(n) as fault:
            try:
                with Archive.open(path, mode="write", clock=clock) as archive:
                    archive.search("tower")
            except ArchiveError:
                assert fault.has_struck
        left = waiting_versions(path)
        assert left in (0, 3)
        assert found(path, "tower") == ([] if left else ["/tasks/1"])
        assert_sound(path)
        with Archive.open(path, mode="write", clock=clock) as archive:
            assert archive.search("tower").total == 1
        assert waiting_versions(path) == 0
        assert_items_are_those_of_the_versions(path)
        if not fault.has_struck:
            break
    assert 12 < n < 199


def test_progress_says_how_far_the_indexing_is(archive: Archive, root: Path) -> None:
    write_tree(root, BEFORE)
    seen: list[Progress] = []

    archive.backup(root, on_progress=seen.append)

    assert [(each.done, each.total) for each in seen if each.stage is Stage.INDEX] == [(1, 3), (2, 3), (3, 3)]


def test_other_rules_make_everything_anew(archive: Archive, root: Path, db_path: Path, rows: Query) -> None:
    write_tree(root, BEFORE)
    archive.backup(root)
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("UPDATE _indexing SET derivation = derivation + 1")
        connection.execute("UPDATE items SET title = 'of another time'")
        connection.execute("INSERT INTO items_fts (items_fts) VALUES ('rebuild')")
        connection.commit()
    assert waiting_versions(db_path) == 3

    result = archive.backup(root).index

    assert result is not None
    assert result.versions == 3
    assert rows("SELECT count(*) FROM items WHERE title = 'of another time'") == [(0,)]


def test_the_safety_snapshot_of_a_restore_is_indexed(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, BEFORE)
    archive.backup(root)
    write_tree(root, {**BEFORE, "b.md": b"# Title\n\nunsaved words\n"})

    archive.restore(archive.plan_restore(at="1"))

    assert found(db_path, "unsaved") == ["L1-L3"]
    assert waiting_versions(db_path) == 0


def test_two_processes_that_index_at_once_do_not_do_each_others_work_again(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    write_tree(root, {f"{n}.json": b'{"id": %d, "text": "word%d"}' % (n, n) for n in range(40)})
    with Archive.create(path) as archive:
        archive.backup(root, index=False)

    def work() -> None:
        with Archive.open(path, mode="write", wait_s=60) as archive:
            archive.search("word1")

    assert [wait(pid) for pid in [in_child(work) for _ in range(3)]] == [0, 0, 0]
    assert query(path, "SELECT count(*) FROM items") == [(40,)]
    assert_items_are_those_of_the_versions(path)


def test_a_helping_process_that_dies_costs_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Archive, db_path: Path
) -> None:
    monkeypatch.setattr("archive.extracting.WORTH_A_PROCESS_BYTES", 0)
    write_tree(root, BEFORE)
    archive.backup(root, index=False)
    started: list[int] = []
    real: Callable[..., None] = os.kill

    import subprocess

    class Doomed(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            if not started:
                real(self.pid, signal.SIGKILL)
            started.append(self.pid)

    with monkeypatch.context() as patch:
        patch.setattr("archive.elsewhere.subprocess.Popen", Doomed)
        result = archive.backup(root).index

    assert result is not None
    assert result.problem or waiting_versions(db_path) == 0
    assert archive.backup(root).index is not None
    assert waiting_versions(db_path) == 0
    assert_items_are_those_of_the_versions(db_path)


def test_a_document_that_is_the_end_of_the_helping_process_is_found_by_its_path_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch, archive: Archive, db_path: Path
) -> None:
    monkeypatch.setattr("archive.extracting.WORTH_A_PROCESS_BYTES", 0)
    monkeypatch.setattr("archive.extracting.extract_blobs", fatal.extract_blobs)
    write_tree(root, {**BEFORE, "fatal.json": b'{"text": "deadly"}', "z.json": b'{"text": "after"}'})

    result = archive.backup(root).index

    assert result is not None
    assert not result.problem
    assert found(db_path, "after") == [""]
    assert found(db_path, "lighthouse") == ["/tasks/0"]
    assert found(db_path, "deadly") == []
    assert found(db_path, "fatal AND json") == [""]
    (note,) = query(db_path, "SELECT extent, note FROM index_notes")
    assert note[0] == "path"
    assert "exit code 9" in note[1]
