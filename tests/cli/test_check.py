"""`archive check` says in the archive that it was made, where that may be; `archive stats` shows when that was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive
from tests.cli.conftest import Invoke


def test_stats_say_when_the_archive_was_last_checked(backed_up: Path, invoke: Invoke) -> None:
    assert "checked       never: run 'archive check'" in invoke("stats").out
    ran = invoke("check", "--quick")
    assert (ran.code, "not recorded" in ran.out) == (0, False)
    assert "good (--quick; all content never)" in invoke("stats").out
    result = invoke("check", "--json").json
    assert (result["is_recorded"], result["snapshot_id"]) == (True, 2)
    (line,) = (line for line in invoke("stats").out.splitlines() if line.startswith("checked"))
    assert line.endswith(": good")
    assert invoke("stats", "--json").json["last_full_check"]["created_at"] == result["created_at"]


def test_no_record_writes_nothing(backed_up: Path, invoke: Invoke) -> None:
    ran = invoke("check", "--no-record")
    assert (ran.code, len(ran.out.splitlines())) == (0, 1)
    assert invoke("stats", "--json").json["last_check"] is None


def test_a_check_while_somebody_writes_works_and_says_that_it_was_not_recorded(backed_up: Path, invoke: Invoke) -> None:
    with closing(sqlite3.connect(backed_up / ".archive/archive.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = invoke("check", "--wait", "0")
        other.execute("ROLLBACK")
    assert ran.code == 0
    assert ": good" in ran.out
    assert "not recorded in the archive: another process is writing" in ran.out


def test_media_that_cannot_be_written_are_checked_all_the_same(backed_up: Path, invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "media"
    store.mkdir()
    shutil.copy(backed_up / ".archive/archive.db", store)
    (store / "archive.db").chmod(0o400)
    store.chmod(0o500)
    try:
        ran = invoke("check", "--db", str(store / "archive.db"))
    finally:
        store.chmod(0o700)
    assert (ran.code, ": good" in ran.out) == (0, True)


def test_where_writing_is_refused_only_when_it_is_tried_the_check_goes_on(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        if not connection.execute("PRAGMA database_list").fetchone()[2].endswith("/archive.db"):
            return  # the check makes an empty archive elsewhere, to compare with
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY
        raise error

    monkeypatch.setattr("archive.storage.connection._write_ahead_log", refused)
    ran = invoke("check")
    assert (ran.code, ran.err) == (0, "")
    assert ": good" in ran.out
    assert "not recorded in the archive" in ran.out


def test_a_copy_that_is_to_stay_as_it_is_is_checked_without_a_trace(backed_up: Path, invoke: Invoke, tmp_path: Path) -> None:
    """The hash of the copy in an emergency package stands in its manifest."""
    package = tmp_path / "package"
    with Archive.open(backed_up / ".archive/archive.db") as archive:
        made = archive.recovery_package(package)
    copy = made.path / "archive.db"
    before = hashlib.sha256(copy.read_bytes()).hexdigest()
    ran = invoke("check", "--db", str(copy))
    assert ran.code == 0
    assert "not recorded in the archive: the archive was opened for reading only" in ran.out
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == before
    assert {file.name for file in made.path.iterdir() if file.name.startswith("archive.db")} == {"archive.db"}


def test_damage_is_recorded_and_the_exit_code_is_the_same(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cli.conftest.assert_sound", lambda path: None)
    with closing(sqlite3.connect(backed_up / ".archive/archive.db", isolation_level=None)) as connection:
        connection.execute("UPDATE contents SET data = data || ' ' WHERE blob_id = (SELECT max(blob_id) FROM contents)")
    assert invoke("check").code == 13
    assert ": bad" in invoke("stats").out
