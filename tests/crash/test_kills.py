"""A process killed at any moment leaves the archive as it was or as it should be, and never needs a hand to go on."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import ArchiveFull, NotFound
from archive.storage import migrate
from archive.storage.connection import files_of
from tests.conftest import assert_sound, read_tree, write_tree
from tests.faults import copy_archive, duration_s, in_child, kill_after, wait

pytestmark = pytest.mark.slow

KILLS = 100


def tree(state: int) -> dict[str, bytes]:
    """A tree of 60 files of which a third differs from state to state."""
    return {
        f"folder{n % 5}/{n}.json": b'{"number": %d, "state": %d, "text": "%s"}'
        % (n, state if n % 3 == 0 else 0, b"words " * 300)
        for n in range(60 + state)
    }


def kill_often(work: Callable[[], None], check: Callable[[bool], None], reset: Callable[[], None]) -> int:
    """Kills the work at random moments spread over its duration, until it was killed often enough."""
    reset()
    span = duration_s(work)
    random_ = random.Random(17)
    killed = 0
    for _ in range(KILLS * 5):
        reset()
        struck = kill_after(work, random_.uniform(0.0, span))
        check(struck)
        killed += struck
        # How long the work takes changes with what else the machine does.
        span *= 1.02 if struck else 0.9
        if killed >= KILLS:
            break
    return killed


def test_a_killed_backup_is_whole_or_not_there(root: Path, tmp_path: Path) -> None:
    planted, path = tmp_path / "planted.db", tmp_path / "try.db"
    write_tree(root, tree(1))
    with Archive.create(planted) as archive:
        archive.backup(root)
    write_tree(root, tree(2))

    def work() -> None:
        with Archive.open(path, mode="write") as archive:
            archive.backup(root)

    def reset() -> None:
        copy_archive(planted, path)

    def check(struck: bool) -> None:
        assert_sound(path)
        with Archive.open(path, mode="write") as archive:
            snapshots = archive.snapshots()
            assert len(snapshots) == 2 or (struck and len(snapshots) == 1)
            assert {d.path: archive.read(d.path) for d in archive.documents()} == tree(len(snapshots))
            assert archive.backup(root).is_complete

    assert kill_often(work, check, reset) >= KILLS


def test_a_killed_restore_leaves_whole_files_and_can_be_undone(root: Path, tmp_path: Path) -> None:
    planted, path = tmp_path / "planted.db", tmp_path / "try.db"
    write_tree(root, tree(1))
    with Archive.create(planted) as archive:
        archive.backup(root)

    def reset() -> None:
        write_tree(root, tree(2))
        copy_archive(planted, path)

    def work() -> None:
        with Archive.open(path, mode="write") as archive:
            archive.restore(archive.plan_restore(at="1", delete_extra=True))

    def check(struck: bool) -> None:
        assert_sound(path)
        left = {name: data for name, data in read_tree(root).items() if not name.startswith(".archive-restore-")}
        old, new = tree(2), tree(1)
        assert all(data in (old.get(name), new.get(name)) for name, data in left.items())
        assert all(name in left or name not in new for name in old)
        with Archive.open(path, mode="write") as archive:
            try:
                archive.restore(archive.plan_undo())
            except NotFound:
                assert left == old  # it was killed before it had touched anything
            else:
                assert read_tree(root) == old
        assert_sound(path)

    assert kill_often(work, check, reset) >= KILLS


def test_a_killed_creation_leaves_a_whole_archive_or_none(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"

    def check(struck: bool) -> None:
        if path.exists():
            assert_sound(path)
        else:
            assert struck

    assert kill_often(lambda: migrate.create(path), check, lambda: path.unlink(missing_ok=True)) >= KILLS


def test_a_killed_first_backup_leaves_an_archive_that_opens_and_goes_on(root: Path, tmp_path: Path) -> None:
    """Large enough that SQLite writes to the file long before the commit, and has to roll that back afterwards."""
    path = tmp_path / "archive.db"
    for n in range(600):
        (root / f"{n}.txt").write_bytes(random.Random(n).randbytes(20_000).hex().encode())

    def reset() -> None:
        for file in files_of(path):
            file.unlink(missing_ok=True)
        migrate.create(path)

    def work() -> None:
        with Archive.open(path, mode="write") as archive:
            archive.backup(root)

    reset()
    span, random_, killed = duration_s(work), random.Random(3), 0
    for _ in range(100):
        reset()
        struck = kill_after(work, random_.uniform(0.2, 1.0) * span)
        killed += struck
        span *= 1.02 if struck else 0.9
        assert_sound(path)
        with Archive.open(path, mode="write") as archive:
            assert len(archive.snapshots()) in (0, 1)
        if killed >= 20:
            break
    assert killed >= 20
    with Archive.open(path, mode="write") as archive:
        assert len(archive.backup(root).added) in (0, 600)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_backup_that_meets_a_size_limit_changes_nothing_and_says_so(root: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "archive.db"
    write_tree(root, tree(1))
    with Archive.create(path) as archive:
        archive.backup(root, index=False)  # the limit counts contents
    write_tree(root, {f"{n}.txt": random.Random(n).randbytes(40_000).hex().encode() for n in range(40)})
    limit = path.stat().st_size + int(40 * 80_000 * share)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with Archive.open(path, mode="write") as archive, pytest.raises(ArchiveFull) as caught:
            archive.backup(root)
        assert "df -h" in caught.value.hint

    assert wait(in_child(work)) == 0
    assert_sound(path)
    with Archive.open(path, mode="write") as archive:
        assert len(archive.snapshots()) == 1
        assert archive.backup(root).is_complete


def test_eight_writers_and_four_readers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    migrate.create(path)
    roots = [tmp_path / f"project{n}" for n in range(2)]
    for folder in roots:
        folder.mkdir()
        write_tree(folder, tree(1))
    rounds, writers = 6, 8

    def write(number: int) -> None:
        folder = roots[number % 2]
        for turn in range(rounds):
            (folder / f"own{number}.json").write_text(f'{{"turn": {turn}}}')
            with Archive.open(path, mode="write", wait_s=120) as archive:
                result = archive.backup(folder, message=f"{number}/{turn}")
                assert result.snapshot is not None

    def read() -> None:
        for _ in range(rounds * 2):
            with Archive.open(path, wait_s=120) as archive:
                for source in archive.sources():
                    with Archive.open(path, source=source.name, wait_s=120) as one:
                        for document in one.documents()[:10]:
                            one.read(document.path)

    children = [in_child(lambda number=number: write(number)) for number in range(writers)]  # type: ignore[misc]
    children += [in_child(read) for _ in range(4)]
    assert [wait(pid) for pid in children] == [0] * len(children)

    assert_sound(path)
    messages: set[str] = set()
    with Archive.open(path) as archive:
        names = [source.name for source in archive.sources()]
    for name in names:
        with Archive.open(path, source=name) as archive:
            messages |= {snapshot.message for snapshot in archive.snapshots()}
    assert messages == {f"{number}/{turn}" for number in range(writers) for turn in range(rounds)}


def test_an_interrupt_is_heard_while_a_backup_waits_for_the_lock(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    write_tree(root, tree(1))
    migrate.create(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def work() -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background are deaf to it
            with Archive.open(path, mode="write", wait_s=60) as archive, pytest.raises(KeyboardInterrupt):
                archive.backup(root)

        pid = in_child(work)
        time.sleep(1)
        os.kill(pid, signal.SIGINT)
        started = time.monotonic()
        assert wait(pid) == 0
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("limit", [*range(4096, 500_000, 49_000), 4_000_000])
def test_a_creation_that_meets_a_size_limit_leaves_nothing_or_a_whole_archive(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "archive.db"

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            migrate.create(path)
        except ArchiveFull:
            assert not path.exists()

    assert wait(in_child(work)) == 0
    assert list(tmp_path.iterdir()) == ([path] if path.exists() else [])
    assert limit < 4_000_000 or path.exists()
    assert limit > 100_000 or not path.exists()
    if path.exists():
        assert_sound(path)
