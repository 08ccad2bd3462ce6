"""Backups: what is in a snapshot, what a second one costs, and what the result says when something cannot be read."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive import Archive, Rules
from archive.errors import ArchiveLocked, PointerNotFound, SourceUnreadable, UsageError
from archive.model.snapshots import ProblemKind
from tests.conftest import FixedClock, Tree, read_tree, write_tree

SMALL: Tree = {"agents/tasks.json": b'{"tasks": []}', "docs/a.md": b"# A\r\n", "notes.txt": b"no newline at the end"}
LONG_AGO_NS = 1_600_000_000_000_000_000


def test_a_named_source_moves_only_if_its_folder_is_gone_or_it_is_said(db_path: Path, root: Path, tmp_path: Path) -> None:
    write_tree(root, SMALL)
    other, third = tmp_path / "other", tmp_path / "third"
    shutil.copytree(root, other)
    with Archive.create(db_path, source="p") as archive:
        archive.backup(root)
        for dry_run in (True, False):
            with pytest.raises(UsageError, match="source 'p' is the folder"):
                archive.backup(other, dry_run=dry_run)
        assert archive.backup(other, moved=True).removed == ()
        assert [source.root for source in archive.sources()] == [str(other)]
        with Archive.open(db_path, mode="write", source="q") as second, pytest.raises(UsageError, match="no such source"):
            second.backup(root, moved=True)
        with Archive.open(db_path, mode="write", source="r") as second:
            second.backup(root)
        with pytest.raises(UsageError, match="is source 'r' already"):
            archive.backup(root, moved=True)
        other.rename(third)
        assert archive.backup(third).removed == ()
        assert [source.name for source in archive.sources()] == ["p", "r"]


def settle(root: Path) -> None:
    """Makes the files old enough that a backup trusts their times: it cannot do so just after they were written."""
    for path in read_tree(root):
        os.utime(root / path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    # The time of change cannot be set; the racy window has to be made to pass instead.


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets backups trust the times of files written just now."""
    monkeypatch.setattr("archive.backup.RACY_NS", 0)


def test_everything_asked_for_is_in_the_snapshot_byte_for_byte(archive: Archive, root: Path) -> None:
    write_tree(root, {**SMALL, "program.py": b"not asked for", "node_modules/x.json": b"{}"})

    result = archive.backup(root)

    assert result.created
    assert result.is_complete
    assert result.added == ("agents/tasks.json", "docs/a.md", "notes.txt")
    assert {each.path: archive.read(each.path) for each in archive.documents()} == SMALL


def test_changes_are_counted_by_what_they_are(archive: Archive, root: Path, clock: FixedClock) -> None:
    write_tree(root, {**SMALL, "same.json": b"1"})
    archive.backup(root)
    write_tree(
        root,
        {"agents/tasks.json": b'{"tasks": [1]}', "docs/a.md": SMALL["docs/a.md"], "same.json": b"1", "new.md": b""},
    )
    (root / "docs/a.md").chmod(0o600)
    clock.tick()

    result = archive.backup(root)

    assert (result.added, result.changed) == (("new.md",), ("agents/tasks.json",))
    assert (result.touched, result.removed, result.unchanged) == (("docs/a.md",), ("notes.txt",), 1)
    assert result.snapshot is not None
    assert (result.snapshot.documents, result.snapshot.added, result.snapshot.removed) == (4, 1, 1)


def test_an_unchanged_backup_reads_no_file_and_writes_one_row(
    archive: Archive, root: Path, db_path: Path, trusting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(root, {f"{n}.json": b"{}" for n in range(50)})
    archive.backup(root)
    time.sleep(0.01)  # the time of change has to be older than the reading
    archive.backup(root)
    monkeypatch.setattr("archive.looking.SourceReader.read", lambda *args: pytest.fail("a file was read"))
    with closing(sqlite3.connect(db_path)) as connection:
        tables = ("documents", "versions", "blobs", "contents", "deltas", "problems", "_stat_cache")
        count = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        before = connection.execute(f"SELECT {count}").fetchone()

        result = archive.backup(root)

        assert result.unchanged == 50
        assert connection.execute(f"SELECT {count}").fetchone() == before
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (3,)


def test_nothing_changed_and_only_if_changed_writes_no_snapshot(archive: Archive, root: Path) -> None:
    write_tree(root, SMALL)
    first = archive.backup(root)

    again = archive.backup(root, only_if_changed=True)

    assert not again.created
    assert again.snapshot == first.snapshot
    assert len(archive.snapshots()) == 1


def test_a_change_that_size_and_times_do_not_show_is_found_if_it_was_quick(archive: Archive, root: Path) -> None:
    """A file written twice within one tick of the file system's clock looks unchanged; so fresh files are read again."""
    file = root / "a.json"
    file.write_bytes(b"1")
    stat = file.stat()
    archive.backup(root)
    file.write_bytes(b"2")
    os.utime(file, ns=(stat.st_mtime_ns, stat.st_mtime_ns))

    assert archive.backup(root).changed == ("a.json",)


def test_a_dry_run_says_the_same_as_the_backup_and_writes_nothing(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, SMALL)
    archive.backup(root)
    write_tree(root, {"agents/tasks.json": b"torn", "new.md": b""})

    foretold = archive.backup(root, dry_run=True)

    assert len(archive.snapshots()) == 1
    done = archive.backup(root)
    names = ("added", "changed", "touched", "removed", "unchanged", "problems", "skipped", "is_complete")
    assert {name: getattr(foretold, name) for name in names} == {name: getattr(done, name) for name in names}
    assert foretold.snapshot is None


def test_invalid_json_is_stored_reported_once_and_no_reason_to_fail(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": b'{"torn": ', "b.json": b"{}"})

    first, second = archive.backup(root), archive.backup(root)

    assert first.is_complete
    assert [(each.path, each.kind) for each in first.problems] == [("a.json", ProblemKind.INVALID)]
    assert first.problems == second.problems == archive.problems()
    assert archive.read("a.json") == b'{"torn": '
    write_tree(root, {"a.json": b"{}", "b.json": b"{}"})
    assert archive.backup(root).problems == ()
    assert archive.problems(at="1") == first.problems


def test_last_valid_version_is_marked(archive: Archive, root: Path, clock: FixedClock) -> None:
    for data in (b"[1]", b"[1, 2]", b"[1, 2", b"", b"[1, 2, 3]]"):
        write_tree(root, {"a.json": data})
        archive.backup(root)
        clock.tick()

    history = archive.history("a.json")

    assert [version.state.value for version in history.versions] == ["valid", "valid", "invalid", "invalid", "invalid"]
    assert history.last_valid is not None
    assert history.last_valid.number == 2
    assert archive.read("a.json", at=str(history.last_valid.snapshot)) == b"[1, 2]"


def test_a_file_that_cannot_be_read_keeps_its_last_version_and_makes_the_snapshot_incomplete(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(root, SMALL)
    archive.backup(root)
    write_tree(root, {**SMALL, "docs/a.md": b"changed", "notes.txt": b"changed too"})
    real_open = os.open

    def deny(path: object, *args: object, **kwargs: object) -> int:
        if os.fspath(path).endswith(("a.md", b"a.md") if isinstance(path, bytes) else "a.md"):  # type: ignore[call-overload]
            raise PermissionError(13, "Permission denied")
        return real_open(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", deny)
    result = archive.backup(root)

    assert not result.is_complete
    assert [(each.path, each.kind) for each in result.problems] == [("docs/a.md", ProblemKind.UNREADABLE)]
    assert archive.read("docs/a.md") == SMALL["docs/a.md"]
    assert archive.read("notes.txt") == b"changed too"
    assert result.removed == ()


def test_what_is_no_regular_file_is_skipped_and_listed(archive: Archive, root: Path, tmp_path: Path) -> None:
    write_tree(root, SMALL)
    (tmp_path / "secret.json").write_text("{}")
    (root / "outside.json").symlink_to(tmp_path / "secret.json")
    (root / "dangling.json").symlink_to("nowhere")
    (root / "loop.json").symlink_to("loop.json")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.json")
    (root / "large.json").write_bytes(b" " * 2000)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(root / "socket.json"))
        result = archive.backup(root, rules=Rules(max_file_bytes=1000))

    assert result.is_complete
    assert {problem.path: problem.kind.value for problem in result.skipped} == {
        "outside.json": "symlink",
        "dangling.json": "symlink",
        "loop.json": "symlink",
        "folder": "symlink",
        "pipe.json": "special_file",
        "socket.json": "special_file",
        "large.json": "too_large",
    }
    assert sorted(each.path for each in archive.documents()) == sorted(SMALL)


def test_a_root_that_is_gone_is_an_error_and_not_an_empty_snapshot(archive: Archive, root: Path) -> None:
    write_tree(root, SMALL)
    archive.backup(root)
    shutil.rmtree(root)

    with pytest.raises(SourceUnreadable):
        archive.backup(root)

    assert len(archive.snapshots()) == 1


def test_a_locked_archive_is_an_error_after_the_timeout_and_nothing_is_changed(
    archive: Archive, root: Path, db_path: Path
) -> None:
    write_tree(root, SMALL)
    with closing(sqlite3.connect(db_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Archive.open(db_path, mode="write", wait_s=0.05) as late, pytest.raises(ArchiveLocked) as caught:
            late.backup(root)
        other.execute("ROLLBACK")

    assert caught.value.exit_code == 11
    assert len(archive.sources()) == 0


def test_two_snapshots_in_one_second_have_different_labels(archive: Archive, root: Path, clock: FixedClock) -> None:
    write_tree(root, SMALL)
    labels = [result.snapshot.label for result in (archive.backup(root) for _ in range(12)) if result.snapshot]

    assert labels[:3] == ["20260102_030405", "20260102_030405_2", "20260102_030405_3"]
    assert labels[-1] == "20260102_030405_12"
    assert [archive.snapshot(label).id for label in labels] == list(range(1, 13))


@pytest.mark.parametrize(
    ("at", "expected"),
    [("1", 1), ("latest", 3), ("latest~1", 2), ("20260102_030405", 1), ("20260102_0305", 3), ("2026-01-02T03:04:30Z", 2),
        ("2026-01-02T03:04:25Z", 2),
     ("2026-01-03", 3), ("10 seconds ago", 2)],
)  # fmt: skip
def test_a_moment_finds_its_snapshot(archive: Archive, root: Path, clock: FixedClock, at: str, expected: int) -> None:
    for seconds in (0, 20, 40):  # 03:04:05, 03:04:25, 03:05:05
        clock.tick(seconds=seconds)
        archive.backup(root)

    assert archive.snapshot(at).id == expected


def test_several_sources_share_one_archive_and_keep_apart(archive: Archive, tmp_path: Path, db_path: Path) -> None:
    for name in ("one", "two"):
        write_tree_at(tmp_path / name, {"a.json": name.encode()})
        archive.backup(tmp_path / name)

    assert [source.name for source in archive.sources()] == ["one", "two"]
    for name in ("one", "two"):
        with Archive.open(db_path, source=name) as one:
            assert one.read("a.json") == name.encode()
            assert len(one.snapshots()) == 1


def test_a_project_copied_with_its_archive_is_another_project(tmp_path: Path, clock: FixedClock) -> None:
    """The copy's restore must never write to the original."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    write_tree_at(original, {"a.json": b"1"})
    with Archive.create(original / ".archive" / "archive.db", clock=clock) as archive:
        archive.backup(original)
    shutil.copytree(original, copy)
    (copy / "a.json").write_bytes(b"2")
    (original / "a.json").write_bytes(b"3")

    with Archive.open(copy / ".archive" / "archive.db", mode="write", clock=clock) as archive:
        assert archive.backup(copy).changed == ("a.json",)
        archive.restore(archive.plan_restore(at="1"))

    assert (copy / "a.json").read_bytes() == b"1"
    assert (original / "a.json").read_bytes() == b"3"


def write_tree_at(folder: Path, tree: Tree) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_tree(folder, tree)


HOSTILE_NAMES = [
    b"with\nnewline.json", b"quo'te\"s.json", b"-rf.json", b"--help.md", b" .json", b"tab\t.json", b"x" * 250 + b".json",
    "n\u0303.json".encode(), "\u00f1.json".encode(), b"latin1-\xff.json", b"\x01\x1b[31m.json", b"back\\slash.json",
    b"a\\xff.json", b"a\xff.json", b"%41.json", b"#hash.md", b"[glob]*.md", "\U0001f600.json".encode(),
]  # fmt: skip


def test_hostile_file_names_come_back_exactly(archive: Archive, root: Path, tmp_path: Path) -> None:
    for name in HOSTILE_NAMES:
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(b"content of " + name)

    result = archive.backup(root)
    archive.restore(archive.plan_restore(tmp_path / "copy"))

    assert result.is_complete
    assert len(result.added) == len(HOSTILE_NAMES)
    copied = {
        name: Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "copy"), name))).read_bytes()
        for name in os.listdir(os.fsencode(tmp_path / "copy"))
    }
    assert copied == {name: b"content of " + name for name in HOSTILE_NAMES}
    removed = HOSTILE_NAMES[9]
    os.unlink(os.path.join(os.fsencode(root), removed))
    assert archive.backup(root).removed == (os.fsdecode(removed),)
    assert [version.removed for version in archive.history(os.fsdecode(removed)).versions] == [True]


def test_progress_is_reported_for_each_file(archive: Archive, root: Path) -> None:
    write_tree(root, SMALL)
    seen: list[tuple[str, int, int]] = []

    archive.backup(root, on_progress=lambda each: seen.append((each.stage.value, each.done, each.total)))

    assert [each for each in seen if each[0] == "read"][-1] == ("read", 3, 3)
    assert seen[-1] == ("index", 3, 3)


def test_a_callback_that_raises_leaves_the_archive_as_it_was(archive: Archive, root: Path) -> None:
    write_tree(root, SMALL)
    fail: Callable[[object], None] = lambda progress: 1 / 0  # type: ignore[assignment]  # noqa: E731

    with pytest.raises(ZeroDivisionError):
        archive.backup(root, on_progress=fail)

    assert archive.sources() == ()


def test_a_value_is_read_by_its_pointer_and_from_the_part_that_can_be_read(archive: Archive, root: Path) -> None:
    write_tree(
        root, {"a.json": b'{"a": [1, {"b~c/d": 2}]}', "l.jsonl": b'{"x": 1}\nbad\n{"x": 2}', "glued.json": b'{"a": 1}{"b": 2}'}
    )
    archive.backup(root)

    assert archive.read_value("a.json", "/a/1/b~0c~1d") == 2
    assert archive.read_value("l.jsonl", "/1/x") == 2
    assert archive.read_value("glued.json", "/a") == 1


def test_a_document_with_nothing_readable_in_it_is_an_error_and_not_null(archive: Archive, root: Path) -> None:
    write_tree(root, {"torn.json": b'{"a": [1, '})
    archive.backup(root)

    with pytest.raises(PointerNotFound, match="truncated"):
        archive.read_value("torn.json", "/a")


@pytest.mark.parametrize("from_bytes", [0, 40])
def test_a_second_process_that_reads_ahead_changes_nothing_about_the_result(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch, from_bytes: int
) -> None:
    """Whether it is started while the folder is searched, or there turns out to be too little for it."""
    write_tree(root, {**SMALL, "broken.json": b"{", "docs/big.md": b"# " + b"x" * 100_000})
    expected = archive.backup(root, dry_run=True)
    monkeypatch.setattr("archive.looking.WORTH_A_PROCESS_BYTES", from_bytes)
    result = archive.backup(root)
    assert (result.added, result.problems) == (expected.added, expected.problems)
    assert {path: archive.read(path) for path in result.added} == read_tree(root)
    assert archive.backup(root).changed == ()


def test_a_second_process_ends_with_a_search_that_fails(archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(root, SMALL)
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*args: Any, **more: Any) -> subprocess.Popen[bytes]:
        started.append(real(*args, **more))
        return started[-1]

    def unable(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("archive.elsewhere.subprocess.Popen", popen)
    monkeypatch.setattr("archive.looking.WORTH_A_PROCESS_BYTES", 0)
    monkeypatch.setattr("archive.source.scan._Walk.add_extra", unable)
    with pytest.raises(OSError, match="Input/output"):
        archive.backup(root)
    assert [process.poll() is not None for process in started] == [True]


def test_what_no_longer_fits_a_damaged_state_is_a_delta_of_what_mended_it(archive: Archive, root: Path, db_path: Path) -> None:
    long = b"".join(b'{"n": %d}\n' % number for number in range(3000))
    for content in (long, b"", long[:100], long + b'{"n": 3000}\n'):
        write_tree(root, {"log.jsonl": content})
        archive.backup(root)
    with closing(sqlite3.connect(db_path)) as connection:
        rows = connection.execute("SELECT max(length(data)) FROM deltas").fetchone()
    assert rows[0] < 200
    assert archive.read("log.jsonl", at="1") == long
    assert archive.check().is_good
