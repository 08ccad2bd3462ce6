"""Whatever statement fails, the archive is as it was before or as it should be after, and sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive import Archive, ArchiveError
from archive.storage import migrate
from tests.conftest import FixedClock, assert_sound, read_tree, write_tree
from tests.faults import copy_archive, failing_statement

BEFORE = {
    "agents/tasks.json": b'{"tasks": [1, 2]}',
    "agents/memory.json": b"{}" * 300,
    "docs/a.md": b"# A\n",
    "gone.txt": b"x",
}
AFTER = {
    "agents/tasks.json": b'{"tasks": [1, 2, 3]}',
    "agents/memory.json": b"{}" * 300 + b"torn",
    "docs/a.md": b"# A\n",
    "docs/b.md": b"# B\n",
    "same.txt": b"x",
}
MOST_STATEMENTS = 400


@pytest.fixture
def planted(root: Path, tmp_path: Path, clock: FixedClock) -> Path:
    """An archive with two snapshots of a small tree, closed."""
    path = tmp_path / "planted.db"
    with Archive.create(path, clock=clock) as archive:
        for tree in (BEFORE, AFTER):
            write_tree(root, tree)
            archive.backup(root)
            clock.tick()
    return path


def fail_each(attempt: Callable[[int], bool]) -> int:
    """Calls the attempt with n = 1, 2, 3 … until the fault is never reached; returns how many statements there were."""
    for n in range(1, MOST_STATEMENTS):
        if attempt(n):
            return n - 1
    raise AssertionError("it never ends")


def test_a_backup_is_whole_or_not_there_whichever_statement_fails(
    planted: Path, root: Path, tmp_path: Path, clock: FixedClock
) -> None:
    write_tree(root, BEFORE)

    def attempt(n: int) -> bool:
        path = copy_archive(planted, tmp_path / "try.db")
        with failing_statement(n) as fault:
            acknowledged, indexed = None, None
            try:
                with Archive.open(path, mode="write", clock=clock) as archive:
                    result = archive.backup(root)
                    acknowledged, indexed = result.snapshot, result.index
            except ArchiveError:
                assert acknowledged is None  # once it is durable, nothing that happens to the index makes it fail
        assert_sound(path)
        with Archive.open(path) as archive:
            assert len(archive.snapshots()) == (2 if acknowledged is None else 3)
            assert {d.path: archive.read(d.path, at="2") for d in archive.documents(at="2")} == AFTER
            if acknowledged is not None:
                assert {d.path: archive.read(d.path) for d in archive.documents()} == BEFORE
        assert fault.has_struck == (indexed is None or bool(indexed.problem))
        return not fault.has_struck

    assert fail_each(attempt) > 15


def test_a_restore_leaves_the_old_or_the_new_tree_whichever_statement_fails(
    planted: Path, root: Path, tmp_path: Path, clock: FixedClock
) -> None:
    edited = {**AFTER, "agents/tasks.json": b"not yet backed up"}

    def attempt(n: int) -> bool:
        path = copy_archive(planted, tmp_path / "try.db")
        write_tree(root, edited)
        with failing_statement(n) as fault:
            try:
                with Archive.open(path, mode="write", clock=clock) as archive:
                    archive.restore(archive.plan_restore(at="1", delete_extra=True))
            except ArchiveError:
                assert fault.has_struck
        assert read_tree(root) in (edited, BEFORE)
        assert_sound(path)
        if read_tree(root) == BEFORE:
            with Archive.open(path, mode="write", clock=clock) as archive:
                archive.restore(archive.plan_undo())
            assert read_tree(root) == edited
        return not fault.has_struck

    assert fail_each(attempt) > 15


def test_a_creation_leaves_a_whole_archive_or_none_whichever_statement_fails(tmp_path: Path) -> None:
    def attempt(n: int) -> bool:
        path = tmp_path / f"{n}" / "archive.db"
        with failing_statement(n) as fault:
            try:
                migrate.create(path)
            except ArchiveError:
                assert not path.exists()
                assert list(path.parent.iterdir()) == []
        if path.exists():
            assert_sound(path)
        return not fault.has_struck

    assert fail_each(attempt) > 10
