"""A check says in the archive that it was made, wherever that can do no harm; and never fails because it could not."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive import Archive, CheckDepth
from archive.errors import ArchiveFull
from archive.model.check import Verdict
from tests.conftest import FixedClock, write_tree
from tests.faults import copy_archive, failing_statement, hearing_statements


@pytest.fixture
def filled(db_path: Path, root: Path, clock: FixedClock) -> Path:
    """A closed archive of three snapshots."""
    with Archive.create(db_path, clock=clock) as archive:
        for number in range(3):
            write_tree(root, {"a.json": b'{"n": %d}' % number, "b.md": b"# b\n"})
            archive.backup(root)
            clock.tick(days=1)
    return db_path


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def recorded(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM checks ORDER BY id")]


def test_a_check_of_an_archive_open_for_writing_is_recorded(filled: Path, clock: FixedClock) -> None:
    with Archive.open(filled, mode="write", clock=clock) as archive:
        assert (archive.stats().last_check, archive.stats().last_full_check) == (None, None)
        full = archive.check()
        clock.tick(days=2)
        quick = archive.check(depth=CheckDepth.STRUCTURE)
        stats = archive.stats()

    assert (full.is_recorded, full.not_recorded, full.snapshot_id) == (True, "", 3)
    assert quick.is_recorded
    assert stats.last_check is not None
    assert stats.last_full_check is not None
    assert (stats.last_check.depth, stats.last_check.created_at) == (CheckDepth.STRUCTURE, quick.created_at)
    assert (stats.last_full_check.depth, stats.last_full_check.created_at) == (CheckDepth.FULL, full.created_at)
    assert (stats.last_full_check.verdict, stats.last_full_check.snapshot_id) == (Verdict.GOOD, 3)
    first = recorded(filled)[0]
    assert (first["good_count"], first["bad_count"], first["unknown_count"]) == (full.good, 0, 0)
    assert (first["bytes_hashed"], json.loads(first["findings"])) == (full.bytes_hashed, [])


def test_a_check_of_an_archive_open_for_reading_changes_no_byte_of_it(filled: Path) -> None:
    before = filled.read_bytes()
    with Archive.open(filled) as archive:
        result = archive.check()
    assert result.is_good
    assert (result.is_recorded, result.not_recorded) == (False, "the archive was opened for reading only")
    assert filled.read_bytes() == before


def test_an_empty_archive_can_be_checked_and_says_so(archive: Archive) -> None:
    result = archive.check()
    assert (result.is_recorded, result.snapshot_id) == (True, None)
    last = archive.stats().last_check
    assert last is not None
    assert last.snapshot_id is None


@pytest.mark.usefixtures("damaged_on_purpose")
def test_damaged_content_is_recorded_with_what_was_found(filled: Path) -> None:
    edit(filled, "UPDATE contents SET data = data || ' '")
    with Archive.open(filled, mode="write") as archive:
        result = archive.check()
        last = archive.stats().last_check

    assert (result.verdict, result.is_recorded) == (Verdict.BAD, True)
    assert last is not None
    assert (last.verdict, last.bad) == (Verdict.BAD, 2)
    findings = json.loads(recorded(filled)[0]["findings"])
    assert [verdict for _, verdict, _ in findings] == ["bad"] * len(result.findings)
    assert ["blob 4", "bad", "it does not match its hash"] in findings


@pytest.mark.usefixtures("damaged_on_purpose")
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE checks",
        "CREATE TRIGGER sly AFTER INSERT ON checks BEGIN DELETE FROM versions; END",
        "DROP INDEX ix_versions_first",
    ],
)
def test_nothing_is_written_to_a_file_whose_structure_is_damaged(filled: Path, statement: str) -> None:
    edit(filled, statement)
    before = filled.read_bytes()
    with Archive.open(filled, mode="write") as archive:
        result = archive.check()
    assert result.verdict is Verdict.BAD
    assert (result.is_recorded, result.not_recorded) == (False, "nothing is written to a file whose structure is damaged")
    assert filled.read_bytes() == before


@pytest.mark.usefixtures("damaged_on_purpose")
def test_a_damaged_page_is_reported_and_nothing_is_written_beside_it(filled: Path) -> None:
    """A page that SQLite takes for free could hold what can still be saved."""
    with closing(sqlite3.connect(filled, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_versions_first'").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(filled.read_bytes())
    data[(page - 1) * page_bytes : (page - 1) * page_bytes + 8] = b"\xff" * 8
    filled.write_bytes(data)

    with Archive.open(filled, mode="write") as archive:
        result = archive.check()

    assert (result.verdict, result.is_recorded) == (Verdict.BAD, False)
    assert filled.read_bytes() == bytes(data)


def test_a_check_goes_on_while_a_backup_has_the_lock_and_says_that_it_was_not_recorded(filled: Path) -> None:
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Archive.open(filled, mode="write", wait_s=0) as archive:
            result = archive.check()
        other.execute("ROLLBACK")
    assert result.is_good
    assert not result.is_recorded
    assert result.not_recorded.startswith("another process is writing to")
    assert recorded(filled) == []


def test_a_check_within_one_moment_is_not_recorded(filled: Path) -> None:
    with Archive.open(filled, mode="write") as archive:
        with archive.one_moment():
            result = archive.check()
        assert archive.check().is_recorded
    assert (result.is_good, result.is_recorded, result.not_recorded) == (True, False, "the archive is being read")


def statements_of_a_check(path: Path) -> list[str]:
    statements: list[str] = []
    with hearing_statements(statements.append), Archive.open(path, mode="write") as archive:
        archive.check()
    return statements


@pytest.mark.parametrize("span", ["the record", pytest.param("everything", marks=pytest.mark.slow)])
def test_no_statement_that_fails_makes_a_check_fail_or_lie_about_its_record(filled: Path, tmp_path: Path, span: str) -> None:
    """The n-th statement fails, for every n; but for those up to the first BEGIN, with which nothing was read."""
    statements = statements_of_a_check(copy_archive(filled, tmp_path / "counted" / "archive.db"))
    total = len(statements)
    outcomes = set()
    for n in range(statements.index("BEGIN") + 2 if span == "everything" else total - 4, total + 2):
        path = copy_archive(filled, tmp_path / "tried" / "archive.db")
        with Archive.open(path, mode="write") as archive, failing_statement(n) as countdown:
            result = archive.check()
        assert len(recorded(path)) == result.is_recorded
        assert bool(result.not_recorded) != result.is_recorded
        assert countdown.has_struck == (n <= total)
        if n > total:
            assert (result.verdict, result.is_recorded) == (Verdict.GOOD, True)
        else:
            outcomes.add((result.verdict, result.is_recorded))
    # A read that fails is a finding; where the record fails, the check is good and says that it was not recorded.
    assert (Verdict.GOOD, False) in outcomes
    assert (Verdict.GOOD, True) not in outcomes


@pytest.mark.parametrize("name", ["archive.check._expected_schema", "archive.storage.audit_derived._copy_index"])
def test_where_there_is_no_room_for_temporary_files_the_rest_is_checked(
    filled: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object) -> None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as small:
            small.execute("PRAGMA max_page_count = 1")
            small.execute("CREATE TABLE t (x)")
        raise AssertionError

    def no_room(*arguments: object) -> None:
        try:
            full(*arguments)
        except sqlite3.Error as error:
            if "check._" in name:
                raise ArchiveFull(str(error)) from error
            raise

    monkeypatch.setattr(name, no_room)
    with Archive.open(filled) as archive:
        result = archive.check()
    assert result.verdict is Verdict.UNKNOWN
    assert [finding.verdict for finding in result.findings] == [Verdict.UNKNOWN]
    assert "for lack of room for temporary files" in result.findings[0].message


def test_the_record_of_a_check_is_no_part_of_what_was_backed_up(filled: Path, root: Path) -> None:
    with Archive.open(filled, mode="write") as archive:
        before = archive.snapshots()
        archive.check()
        assert archive.snapshots() == before
        assert not archive.backup(root, only_if_changed=True).created
        assert archive.check().is_good


def test_an_index_that_cannot_be_read_is_damage_and_no_lack_of_room(filled: Path) -> None:
    """The same code of SQLite's means one thing of the archive and another of the copy that is made of its index."""

    def fail(statement: str) -> None:
        if statement == "SELECT * FROM items_fts_data":
            error = sqlite3.OperationalError("planted")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR_READ, "SQLITE_IOERR_READ"
            raise error

    with hearing_statements(fail), Archive.open(filled) as archive:
        result = archive.check()
    assert [(finding.object, finding.verdict) for finding in result.findings] == [("full-text index", Verdict.BAD)]
    assert "planted" in result.findings[0].message
