"""An upgrade happens as a whole or not at all, whichever statement fails and whenever it is killed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive, ArchiveError
from archive.storage import migrate
from tests.conftest import FixedClock, write_tree
from tests.faults import copy_archive, duration_s, failing_statement, kill_after

NEXT = """
from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("CREATE TABLE planted (id INTEGER PRIMARY KEY, path TEXT NOT NULL) STRICT")
    run("INSERT INTO planted (path) SELECT path FROM documents")
    run("ALTER TABLE snapshots ADD COLUMN planted TEXT NOT NULL DEFAULT ''")
    run("UPDATE snapshots SET planted = label")
    run("CREATE INDEX ix_planted ON planted (path)")
    run("PRAGMA user_version = {schema}")
"""
BEFORE = migrate.SCHEMA


@pytest.fixture
def old(root: Path, tmp_path: Path, clock: FixedClock) -> Path:
    """An archive of today's schema, with rows in it, closed."""
    path = tmp_path / "old.db"
    with Archive.create(path, clock=clock) as archive:
        for n in range(5):
            write_tree(root, {f"{k}.json": b"[%d]" % (n * k) for k in range(40)})
            archive.backup(root)
    return path


@pytest.fixture
def newer_program(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this program one schema newer than the one that wrote the archive, with a migration that rewrites rows."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_planted.py").write_text(NEXT.format(before=f"{BEFORE:04d}", schema=BEFORE + 1))
    monkeypatch.setattr(migrate, "migrations_folder", lambda: folder)
    monkeypatch.setattr(migrate, "SCHEMA", BEFORE + 1)


def state(path: Path) -> tuple[int, bool, int, str]:
    """Returns schema, whether the planted table is there, how many rows were rewritten, and Alembic's own record."""
    with closing(sqlite3.connect(path)) as connection:
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'planted'").fetchone() == (1,)
        rewritten = connection.execute("SELECT count(*) FROM snapshots WHERE planted = label").fetchone()[0] if there else 0
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (5,)
        return schema, there, rewritten, connection.execute("SELECT version_num FROM _alembic_version").fetchone()[0]


OLD = (BEFORE, False, 0, f"{BEFORE:04d}")
NEW = (BEFORE + 1, True, 5, "9999")


@pytest.mark.usefixtures("newer_program")
def test_an_upgrade_rewrites_what_is_there_and_says_so(old: Path) -> None:
    assert Archive.upgrade(old, dry_run=True) == (BEFORE, BEFORE + 1)
    assert state(old) == OLD
    assert Archive.upgrade(old) == (BEFORE, BEFORE + 1)
    assert state(old) == NEW


@pytest.mark.usefixtures("newer_program")
def test_an_upgrade_is_whole_or_not_there_whichever_statement_fails(old: Path, tmp_path: Path) -> None:
    for n in range(1, 100):
        path = copy_archive(old, tmp_path / "try.db")
        with failing_statement(n) as fault:
            try:
                Archive.upgrade(path)
            except ArchiveError:
                assert state(path) == OLD
                assert Archive.upgrade(path) == (BEFORE, BEFORE + 1)
        assert state(path) == NEW
        if not fault.has_struck:
            break
    assert n > 8


@pytest.mark.slow
@pytest.mark.usefixtures("newer_program")
def test_a_killed_upgrade_is_whole_or_not_there(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "try.db"

    def work() -> None:
        Archive.upgrade(path)

    copy_archive(old, path)
    span, random_, killed = duration_s(work), random.Random(11), 0
    for _ in range(500):
        copy_archive(old, path)
        struck = kill_after(work, random_.uniform(0.0, span))
        killed += struck
        span *= 1.02 if struck else 0.9
        assert state(path) in (OLD, NEW)
        if killed >= 100:
            break
    assert killed >= 100
    assert Archive.upgrade(path)[1] == BEFORE + 1


def test_a_schema_number_that_the_record_contradicts_is_an_error_and_no_endless_advice(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA user_version = 0")

    with pytest.raises(ArchiveError) as caught:
        Archive.upgrade(old)

    assert caught.value.exit_code == 13
