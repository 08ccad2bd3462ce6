from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.model.files import FileContent, FileStat
from archive.model.snapshots import Problem, ProblemKind, Severity
from archive.rules import Rules
from archive.source.read import ATTEMPTS, SourceReader
from archive.source.scan import scan


def read_file(root: Path, stat: FileStat) -> FileContent | Problem:
    """Reads a single file."""
    with SourceReader(root) as reader:
        return reader.read(stat)


def seen(path: str) -> FileStat:
    """What a scan could have seen of a file, whatever stands there now."""
    return FileStat(path, 1, 2, 3, 4, 0o644)


def after_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], object]) -> list[int]:
    """Calls `change` behind each first read of an opened file, with the count of those; returns the list it counts in."""
    real_open, real_read, fresh, calls = os.open, os.read, set[int](), list[int]()

    def opening(path: Any, flags: int, *args: Any, **more: Any) -> int:
        fd = real_open(path, flags, *args, **more)
        if not flags & os.O_DIRECTORY:
            fresh.add(fd)
        return fd

    def reading(fd: int, length: int) -> bytes:
        data = real_read(fd, length)
        if fd in fresh:
            fresh.discard(fd)
            calls.append(len(calls) + 1)
            change(calls[-1])
        return data

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "read", reading)
    return calls


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.integers(0, 300_000).map(bytes))
def test_content_comes_back_exactly_with_the_stat_that_belongs_to_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    (stat,) = scan(tmp_path, Rules()).files
    assert read_file(tmp_path, stat) == FileContent(stat, data, None)


def test_one_reader_reads_many_files_in_many_folders(tmp_path: Path) -> None:
    expected = {f"{number % 7}/{number % 3}/{number}.json": b"%d" % number for number in range(100)}
    for path, data in expected.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    with SourceReader(tmp_path) as reader:
        contents = [reader.read(stat) for stat in scan(tmp_path, Rules()).files]
    assert {content.stat.path: content.data for content in contents if isinstance(content, FileContent)} == expected


def test_a_file_replaced_since_the_scan_is_read_with_its_new_stat(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    (stat,) = scan(tmp_path, Rules()).files
    (tmp_path / "new").write_bytes(b"newer")
    (tmp_path / "new").replace(file)
    content = read_file(tmp_path, stat)
    assert isinstance(content, FileContent)
    assert (content.data, content.stat.size_bytes, content.stat.inode) == (b"newer", 5, file.stat().st_ino)
    assert content.problem is None


def grow(file: Path, count: int) -> None:
    with file.open("ab") as opened:
        opened.write(b"x" * 10_000)


def rewrite(file: Path, count: int) -> None:
    file.write_bytes(b"0123456789")
    os.utime(file, ns=(0, count))


def replace(file: Path, count: int) -> None:
    file.with_name("new").write_bytes(b"%010d" % count)
    file.with_name("new").replace(file)


CHANGES: dict[str, Callable[[Path, int], object]] = {
    "grows": grow,
    "shrinks": lambda file, count: os.truncate(file, 9 - count),
    "is rewritten": rewrite,
    "is replaced": replace,
    "gets another mode": lambda file, count: file.chmod(0o600 + count),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_changes_once_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"..........")
    calls = after_read(monkeypatch, lambda count: CHANGES[how](file, count) if count == 1 else None)
    content = read_file(tmp_path, seen("a.json"))
    assert calls == [1, 2]
    monkeypatch.undo()
    assert isinstance(content, FileContent)
    assert content.problem is None
    assert content.data == file.read_bytes()
    assert content.stat == scan(tmp_path, Rules()).files[0]


@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_will_not_hold_still_is_returned_as_read_with_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"..........")
    calls = after_read(monkeypatch, lambda count: CHANGES[how](file, count))
    content = read_file(tmp_path, seen("a.json"))
    assert len(calls) == ATTEMPTS
    assert isinstance(content, FileContent)
    assert content.problem is not None
    assert (content.problem.path, content.problem.kind) == ("a.json", ProblemKind.CHANGED_WHILE_READ)
    assert content.stat.size_bytes == len(content.data)


def test_a_file_that_grows_without_end_is_not_read_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"0" * 1000)
    real = os.read
    taken: list[int] = []

    def reading(fd: int, length: int) -> bytes:
        with file.open("ab") as log:
            log.write(b"1")
        data = real(fd, min(length, 400))  # systems may return less than asked for
        taken.append(len(data))
        return data

    monkeypatch.setattr(os, "read", reading)
    content = read_file(tmp_path, seen("a.json"))
    assert isinstance(content, FileContent)
    assert content.problem is not None
    assert sum(taken) < ATTEMPTS * 1020


def test_short_reads_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(10_000)
    (tmp_path / "a.json").write_bytes(data)
    real = os.read
    monkeypatch.setattr(os, "read", lambda fd, length: real(fd, min(length, 333)))
    content = read_file(tmp_path, seen("a.json"))
    assert isinstance(content, FileContent)
    assert (content.data, content.problem) == (data, None)


def problem_of(root: Path, path: str = "a.json") -> Problem:
    result = read_file(root, seen(path))
    assert isinstance(result, Problem)
    assert result.path == path
    assert result.severity is Severity.INCOMPLETE
    return result


def test_a_file_that_is_gone_is_reported_as_vanished(tmp_path: Path) -> None:
    assert problem_of(tmp_path).kind is ProblemKind.VANISHED
    assert problem_of(tmp_path, "no/such/folder.json").kind is ProblemKind.VANISHED
    assert problem_of(tmp_path / "gone").kind is ProblemKind.VANISHED


def test_a_file_that_vanishes_while_it_is_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    after_read(monkeypatch, lambda count: (tmp_path / "a.json").unlink())
    assert problem_of(tmp_path).kind is ProblemKind.VANISHED


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            listening.bind(path.name)
        finally:
            os.chdir(here)


SWAPPED: dict[str, Callable[[Path], object]] = {
    "a symbolic link": lambda path: path.symlink_to("other"),
    "a FIFO": os.mkfifo,
    "a socket": make_socket,
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("what", SWAPPED)
def test_what_took_the_place_of_a_file_is_neither_followed_nor_waited_for(tmp_path: Path, what: str) -> None:
    (tmp_path / "other").write_bytes(b"secret")
    SWAPPED[what](tmp_path / "a.json")
    problem = problem_of(tmp_path)
    assert problem.kind is ProblemKind.VANISHED
    assert problem.message == f"it became {what} before it was read"


def test_a_dangling_link_in_the_place_of_a_file_is_not_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("nowhere")
    assert "symbolic link" in problem_of(tmp_path).message


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/c.json").write_bytes(b"{}")
    (tmp_path / "outside/b").mkdir(parents=True)
    (tmp_path / "outside/b/c.json").write_bytes(b"secret")
    (root / "a").rename(tmp_path / "moved")
    (root / "a").symlink_to(tmp_path / "outside")
    problem = problem_of(root, "a/b/c.json")
    assert problem.message == "the folder 'a' became a symbolic link before it was read"


@pytest.mark.parametrize(("number", "words"), [(13, "permission denied"), (5, "input/output error"), (116, "stale")])
def test_a_file_that_cannot_be_opened_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    real = os.open

    def denying(path: Any, flags: int, *args: Any, **more: Any) -> int:
        if path == "a.json":
            raise OSError(number, os.strerror(number))
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", denying)
    problem = problem_of(tmp_path)
    assert problem.kind is ProblemKind.UNREADABLE
    assert words in problem.message


@pytest.mark.parametrize("function", ["read", "fstat"])
def test_an_error_in_the_middle_is_reported_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    before = os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else []

    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, function, failing)
    problem = problem_of(tmp_path)
    monkeypatch.undo()
    assert (problem.kind, problem.message) == (ProblemKind.UNREADABLE, "input/output error")
    if before:
        assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_a_file_without_permissions_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "a.json").chmod(0)
    assert problem_of(tmp_path).kind is ProblemKind.UNREADABLE


def test_a_file_that_grew_over_the_limit_since_the_scan_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"12345")
    with SourceReader(tmp_path, max_file_bytes=4) as reader:
        result = reader.read(seen("a.json"))
    assert result == Problem("a.json", ProblemKind.TOO_LARGE, "5 bytes, over the limit of 4")
