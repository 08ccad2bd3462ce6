from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archive
from archive.hashing import hash_bytes
from archive.model.snapshots import Problem
from archive.target import StagedFile, Target, clean_stale, stage_share, staging

STALE = ".archive-restore-0123456789abcdef"

KILLED = """
import os, signal, sys
from pathlib import Path
from archive.hashing import hash_bytes
from archive.target import StagedFile, Target
def files():
    for number in range(100):
        if number == 50:
            print("staged", flush=True)
            sys.stdin.read()
        yield StagedFile(f"{number}.json", b"x", 0o644, 0, hash_bytes(b"x"))
Target(Path(sys.argv[1])).stage(files())
"""


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_what_a_killed_restore_left_is_removed_and_what_a_running_one_needs_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(archive.__file__).parents[1])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"staged\n"
        (folder,) = folders(tmp_path)
        assert clean_stale(tmp_path) == 0
        assert sum(len(folders(tmp_path / folder / shelf)) for shelf in folders(tmp_path / folder)) >= 16
        running.kill()
        running.wait()
    assert folders(tmp_path) == [folder]
    assert clean_stale(tmp_path) == 1
    assert folders(tmp_path) == []


def test_only_folders_that_a_restore_made_are_removed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/1").touch()
    for name in (".archive-restore-notes", ".archive-restore-0123456789abcdeg", f"{STALE}0", STALE):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shelf").mkdir()
        (tmp_path / name / "shelf" / "a7").touch()
        (tmp_path / name / "tree/agents").mkdir(parents=True)
        (tmp_path / name / "tree/agents/tasks.json").touch()
    (tmp_path / STALE / "precious.txt").touch()
    (tmp_path / STALE.replace("0", "1")).symlink_to("elsewhere")
    (tmp_path / STALE.replace("0", "2")).touch()
    before = folders(tmp_path)
    assert clean_stale(tmp_path) == 0
    assert folders(tmp_path) == before
    assert folders(tmp_path / STALE) == ["precious.txt"]
    assert folders(tmp_path / "elsewhere") == ["1"]


def test_a_tree_is_removed_however_deep_it_is_and_whatever_it_holds(tmp_path: Path) -> None:
    tree = tmp_path / STALE / "tree"
    tree.mkdir(parents=True)
    (tree / "link").symlink_to(tmp_path)
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(2_500):
        os.mkdir("deep", dir_fd=fd)
        below = os.open("deep", os.O_RDONLY, dir_fd=fd)
        os.close(os.open("file.json", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(fd)
        fd = below
    os.close(fd)
    (tmp_path / "kept.json").touch()
    assert clean_stale(tmp_path) == 1
    assert folders(tmp_path) == ["kept.json"]


def test_what_another_process_staged_is_on_the_disk_before_it_is_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(staging, "flush_file_system", lambda fd: flushed.append("all"))
    (tmp_path / "b.json").touch()
    with Target(tmp_path) as target:
        place = target.begin()
        others = stage_share(place, [StagedFile("b.json", b"y", 0o644, 0, hash_bytes(b"y"))])
        target.stage([StagedFile("a.json", b"x", 0o644, 0, hash_bytes(b"x"))], others)
        assert flushed == ["all"]
        target.commit()
    assert (tmp_path / "b.json").read_bytes() == b"y"


def test_cleaning_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clean_stale(tmp_path / "missing") == 0
    (tmp_path / STALE).mkdir()

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", denied)
        assert clean_stale(tmp_path) == 0
    assert clean_stale(tmp_path) == 1


def stage_one(root: Path) -> tuple[Problem, ...]:
    with Target(root) as target:
        target.stage([StagedFile("a.json", b"x", 0o644, 0, hash_bytes(b"x"))])
        return target.commit()


def test_a_folder_removed_before_it_was_locked_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = os.mkdir, list[str]()

    def mkdir(name: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        real(name, mode, dir_fd=dir_fd)
        made.append(name)
        if len(made) == 1:
            assert clean_stale(tmp_path) == 1

    monkeypatch.setattr(os, "mkdir", mkdir)
    assert stage_one(tmp_path) == ()
    assert sum(name.startswith(".archive-restore-") for name in made) == 2
    assert folders(tmp_path) == ["a.json"]


def test_a_folder_removed_between_opening_and_locking_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, locked = staging._lock, list[int]()

    def lock(fd: int) -> bool | None:
        locked.append(fd)
        if len(locked) == 1:
            assert clean_stale(tmp_path) == 1
        return real(fd)

    monkeypatch.setattr(staging, "_lock", lock)
    assert stage_one(tmp_path) == ()
    assert folders(tmp_path) == ["a.json"]


@pytest.mark.parametrize("how", ["no locks on this system", "no locks on this file system"])
def test_restores_work_without_locks_and_nothing_is_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "no locks on this system":
        monkeypatch.setattr(staging, "fcntl", None)
    else:

        def unsupported(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr("fcntl.flock", unsupported)
    assert stage_one(tmp_path) == ()
    (tmp_path / STALE).mkdir()
    assert clean_stale(tmp_path) == 0
    assert folders(tmp_path) == [STALE, "a.json"]
