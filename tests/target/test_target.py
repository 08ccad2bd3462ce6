from __future__ import annotations

import errno
import os
import resource
import shutil
import stat as modes
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.errors import CorruptArchive, TargetFailed, UnsafePath
from archive.hashing import hash_bytes
from archive.model.files import FileStat
from archive.model.snapshots import Problem, ProblemKind
from archive.target import AttributeChange, Obstacle, StagedFile, Target, stage_share, staging, writing

OLD = 1_000_000_000_123_456_789


def staged(path: str, data: bytes = b"new", mode: int = 0o644, mtime_ns: int = OLD) -> StagedFile:
    return StagedFile(path, data, mode, mtime_ns, hash_bytes(data))


def write(root: Path, *paths: str, data: bytes = b"old") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def tree(root: Path) -> dict[str, bytes | str]:
    """Everything below a folder: content of files, targets of links, a slash for folders."""
    found: dict[str, bytes | str] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = "/" if path.is_dir() else path.read_bytes()
    return found


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A target; when the test ends nothing of a restore may be left in it, nor any descriptor."""
    root = tmp_path / "target"
    root.mkdir()
    before = open_descriptors()
    yield root
    assert not [path for path in tmp_path.rglob(".archive-restore-*") if not path.parent.name.startswith("stale")]
    assert open_descriptors() == before


def restore(root: Path, *files: StagedFile, **changes: Any) -> tuple[Problem, ...]:
    with Target(root) as target:
        target.check_paths([file.path for file in files])
        target.stage(files)
        return target.commit(**changes)


# --- what stands there ---------------------------------------------------------------------------------------------


def test_a_regular_file_is_seen_with_its_stat(root: Path) -> None:
    write(root, "a/b.json")
    (root / "a/b.json").chmod(0o4750)
    found = (root / "a/b.json").stat()
    with Target(root) as target:
        expected = FileStat("a/b.json", 3, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, 0o750)
        assert target.stat("a/b.json") == expected
        assert [target.stat(path) for path in ("a/gone", "gone/x", "no/such/folder")] == [None] * 3


def test_what_is_no_regular_file_is_an_obstacle(root: Path, tmp_path: Path) -> None:
    write(root, "real/x.json", "file")
    (root / "link").symlink_to("real")
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(root / "fifo")
    with Target(root) as target:
        obstacles = {path: target.stat(path) for path in ("real", "link", "dangling", "fifo", "link/x.json", "file/x")}
    assert obstacles == {
        "real": Obstacle("real", "a folder is in its place"),
        "link": Obstacle("link", "a symbolic link is in its place"),
        "dangling": Obstacle("dangling", "a symbolic link is in its place"),
        "fifo": Obstacle("fifo", "a FIFO is in its place"),
        "link/x.json": Obstacle("link", "a symbolic link is in the place of the folder 'link'"),
        "file/x": Obstacle("file", "a file is in the place of the folder 'file'"),
    }


def test_a_target_that_does_not_exist_holds_nothing(tmp_path: Path) -> None:
    with Target(tmp_path / "new/target") as target:
        target.check_paths(["a.json"])
        assert target.stat("a.json") is None
        assert target.commit(attributes=[AttributeChange("a", 0o644, 1)])[0].message == "it is gone"
    assert tree(tmp_path) == {}


def test_a_file_is_seen_beside_others_that_are_missing(root: Path) -> None:
    write(root, "a/b.json")
    with Target(root) as target:
        seen = [path for path in ("a/a", "a/a/c", "a/b.json", "b/a", "b/b/c", "a/b.json", "a.json") if target.stat(path)]
        write(root, "b/a")
        target.stage([])
        target.commit()
        assert target.stat("b/a") is not None
    assert seen == ["a/b.json", "a/b.json"]


def test_a_target_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "file")
    with pytest.raises(TargetFailed), Target(tmp_path / "file") as target:
        target.stat("a.json")
    with pytest.raises(TargetFailed), Target(tmp_path / "file/below") as target:
        target.stage([])
    assert tree(tmp_path) == {"file": b"old"}


# --- where nothing is written --------------------------------------------------------------------------------------

UNSAFE = ["../../x", "/etc/x", "a/../../x", "C:/x", "c:\\x", "", ".", "a//b", "a/./b", "a\0b", "linked/x.json", "store/x"]


@pytest.mark.parametrize("path", UNSAFE)
def test_a_path_that_leads_elsewhere_is_refused_before_anything_is_written(root: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "store").mkdir()
    before = tree(tmp_path)
    with Target(root, protect=[root / "store"]) as target, pytest.raises(UnsafePath) as caught:
        target.check_paths(["fine.json", path])
    assert caught.value.context["path"] == path
    assert tree(tmp_path) == before


@pytest.mark.parametrize("path", [path for path in UNSAFE if path != "linked/x.json"])
def test_staging_and_committing_refuse_such_paths_too(root: Path, path: str) -> None:
    target = Target(root, protect=[root / "store"])
    with pytest.raises(UnsafePath):
        target.stage([staged("fine.json"), staged(path)])
    for changes in ({"deletes": [path]}, {"attributes": [AttributeChange(path, 0o644, 1)]}):
        with pytest.raises(UnsafePath):
            target.commit(**changes)
    target.close()
    assert tree(root) == {}


def test_the_archive_is_protected_under_every_name(root: Path, tmp_path: Path) -> None:
    write(root, "store/a.db", "x/b.json")
    (tmp_path / "alias").symlink_to(root)
    (root / "other-name.json").hardlink_to(root / "store/a.db")
    with Target(root, protect=[tmp_path / "alias/store/a.db", root / "store/a.db-wal"]) as target:
        for path in ("store/a.db", "store/a.db-wal", "store/a.db/x"):
            with pytest.raises(UnsafePath, match="archive itself"):
                target.check_paths([path])
        target.check_paths(["store/a.db-x", "store/other.json"])
        target.stage([staged("other-name.json")])
        problems = target.commit()
    assert problems == (Problem("other-name.json", ProblemKind.KEPT, "it is a part of the archive"),)
    assert (root / "store/a.db").read_bytes() == b"old"


def test_a_target_inside_what_is_protected_is_refused(root: Path) -> None:
    with Target(root / "below", protect=[root]) as target, pytest.raises(UnsafePath):
        target.check_paths(["a.json"])


def test_a_folder_that_becomes_a_link_after_the_check_leads_nowhere(root: Path, tmp_path: Path) -> None:
    write(root, "a/b/x.json", "c/y.json")
    write(tmp_path, "outside/b/x.json", "outside/y.json")
    with Target(root) as target:
        target.check_paths(["a/b/x.json", "c/y.json"])
        target.stage([staged("a/b/x.json"), staged("c/new/z.json"), staged("fine.json")])
        for name in ("a", "c"):
            (root / name).rename(tmp_path / f"was-{name}")
            (root / name).symlink_to(tmp_path / "outside")
        problems = target.commit(deletes=["c/y.json"], attributes=[AttributeChange("a/b/x.json", 0o600, 1)])
    assert {problem.path for problem in problems} == {"a/b/x.json", "c/new/z.json", "c/y.json"}
    assert {problem.kind for problem in problems} == {ProblemKind.IN_THE_WAY}
    assert tree(tmp_path / "outside") == {"b": "/", "b/x.json": b"old", "y.json": b"old"}
    assert (root / "fine.json").read_bytes() == b"new"


# --- restoring -----------------------------------------------------------------------------------------------------


def test_files_are_restored_with_mode_and_time(root: Path) -> None:
    write(root, "over.json", "same.json", "extra.json", "sub/extra.json")
    (root / "over.json").chmod(0o400)
    problems = restore(
        root,
        staged("over.json", b"changed", 0o640),
        staged("new/deep/file.md", b"", 0o444, 0),
        staged("old.json", b"x", 0o600, -1),
        staged("set.json", b"x", 0o6755),
        deletes=["extra.json", "sub/extra.json", "gone.json"],
        attributes=[AttributeChange("same.json", 0o4711, OLD)],
        remove_empty=True,
    )
    assert problems == ()
    assert tree(root) == {
        "new": "/",
        "new/deep": "/",
        "new/deep/file.md": b"",
        "old.json": b"x",
        "over.json": b"changed",
        "same.json": b"old",
        "set.json": b"x",
    }
    found = {name: (root / name).stat() for name in ("over.json", "new/deep/file.md", "old.json", "set.json", "same.json")}
    assert {name: (modes.S_IMODE(stat.st_mode), stat.st_mtime_ns) for name, stat in found.items()} == {
        "over.json": (0o640, OLD),
        "new/deep/file.md": (0o444, 0),
        "old.json": (0o600, -1),
        "set.json": (0o755, OLD),
        "same.json": (0o711, OLD),
    }


def test_the_umask_does_not_matter(root: Path) -> None:
    before = os.umask(0o077)
    try:
        assert restore(root, staged("a.json", mode=0o666)) == ()
    finally:
        os.umask(before)
    assert modes.S_IMODE((root / "a.json").stat().st_mode) == 0o666


def test_a_target_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert restore(tmp_path / "new/target", staged("a/b.json")) == ()
    assert tree(tmp_path / "new/target") == {"a": "/", "a/b.json": b"new"}


def test_large_files_are_compared_too(root: Path) -> None:
    data = os.urandom(3 * writing.CHUNK_BYTES + 17)
    assert restore(root, staged("a.json", data), staged("b.json", data[: 2 * writing.CHUNK_BYTES])) == ()
    assert (root / "a.json").read_bytes() == data


def test_readers_see_the_old_file_or_the_new_one(root: Path) -> None:
    write(root, "a.json")
    with (root / "a.json").open("rb") as reader:
        assert restore(root, staged("a.json")) == ()
        assert reader.read() == b"old"


def test_staging_changes_nothing_that_is_seen(root: Path) -> None:
    write(root, "a.json")
    with Target(root) as target:
        assert target.stage([staged("a.json"), staged("b/c.json", b"12345")]) == 8
        (folder,) = root.glob(".archive-restore-*")
        assert modes.S_IMODE(folder.stat().st_mode) == 0o700
        places = ("", "/shelf", "/shelf/a0", "/tree", "/tree/b", "/tree/b/c.json")
        assert set(tree(root)) == {"a.json", *(folder.name + place for place in places)}
    assert tree(root) == {"a.json": b"old"}


def test_files_in_the_way_are_deleted_before_and_all_others_after(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "a", "b/c/d.json", "extra.json")
    order: list[str] = []
    for name in ("unlink", "rename"):
        real = getattr(os, name)

        def recording(path: str, *args: Any, real: Any = real, name: str = name, **more: Any) -> None:
            order.append(f"{name} {args[0] if name == 'rename' else path}")
            real(path, *args, **more)

        monkeypatch.setattr(os, name, recording)
    problems = restore(root, staged("a/x.json"), staged("b"), deletes=["extra.json", "b/c/d.json", "a"], remove_empty=True)
    assert problems == ()
    assert order == ["unlink a", "unlink d.json", "rename x.json", "rename b", "unlink extra.json"]
    assert tree(root) == {"a": "/", "a/x.json": b"new", "b": b"new"}


def test_emptied_folders_stay_unless_asked_and_others_always(root: Path) -> None:
    write(root, "a/b/x.json", "c/d/y.json", "c/keep.txt")
    (root / "empty").mkdir()
    assert restore(root, deletes=["a/b/x.json"]) == ()
    assert (root / "a/b").is_dir()
    write(root, "a/b/x.json")
    assert restore(root, deletes=["a/b/x.json", "c/d/y.json"], remove_empty=True) == ()
    assert tree(root) == {"c": "/", "c/keep.txt": b"old", "empty": "/"}


def test_a_file_made_again_in_a_folder_just_removed_gets_a_new_folder(root: Path) -> None:
    write(root, "a/b")
    assert restore(root, staged("a/b/c.json"), deletes=["a/b"], remove_empty=True) == ()
    assert tree(root) == {"a": "/", "a/b": "/", "a/b/c.json": b"new"}


def test_thousands_of_files_are_flushed_at_once_and_few_one_by_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        flushed.append("one")
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    for module in ("staging", "target"):
        monkeypatch.setattr(f"archive.target.{module}.flush_file_system", lambda fd: flushed.append("all"))
    restore(root, staged("a.json"), staged("b/c.json"))
    assert flushed == ["one"] * 6  # two files, two folders of the tree, the staging folder, the target
    flushed.clear()
    restore(root, *(staged(f"{number}/a.json") for number in range(100)))
    assert flushed == [*["one"] * staging.FLUSHED_SINGLY, "all", "one"]  # the new folders were put in place whole
    flushed.clear()
    restore(root, *(staged(f"{number}/a.json") for number in range(100)))
    assert flushed == [*["one"] * staging.FLUSHED_SINGLY, "all", "all"]


def test_a_folder_that_is_new_is_put_in_place_as_a_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "old/x.json")
    renamed: list[str] = []
    real = os.rename

    def rename(source: str, *args: Any, **more: Any) -> None:
        renamed.append(source)
        real(source, *args, **more)

    monkeypatch.setattr(os, "rename", rename)
    files = [staged(f"new/{number % 3}/{number}.json") for number in range(30)]
    assert restore(root, *files, staged("old/y.json"), staged("z.json")) == ()
    assert renamed == ["new", "a0", "a1"]
    assert {path for path, data in tree(root).items() if data == b"new"} == {
        *(file.path for file in files),
        "old/y.json",
        "z.json",
    }
    assert (root / "new").stat().st_mode == (root / "old").stat().st_mode


@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_what_appears_in_the_place_of_a_new_folder_is_left_alone(root: Path, tmp_path: Path, what: str) -> None:
    files = [staged(path) for path in ("new/a.json", "new/b.json", "new/c/d.json")]
    expected = {file.path: None for file in files}
    with Target(root) as target:
        target.stage(files)
        if what == "folder":
            write(root, "new/a.json")
        elif what == "file":
            write(root, "new")
        else:
            (tmp_path / "elsewhere").mkdir()
            (root / "new").symlink_to(tmp_path / "elsewhere")
        problems = target.commit(expected=expected)
    if what == "folder":
        assert [problem.path for problem in problems] == ["new/a.json"]
        content = {"new": "/", "new/a.json": b"old", "new/b.json": b"new", "new/c": "/", "new/c/d.json": b"new"}
        assert tree(root) == content
    else:
        assert [problem.path for problem in problems] == [file.path for file in files]
        assert {problem.kind for problem in problems} == {ProblemKind.IN_THE_WAY}
        assert not list(root.glob(".archive-restore-*"))
        assert not list((tmp_path / "elsewhere").iterdir() if what == "link" else ())


def test_two_processes_can_stage_together(root: Path) -> None:
    write(root, "old/a.json")
    mine = [staged("new/a/x.json"), staged("old/a.json"), staged("z.json")]
    theirs = [staged("new/a/y.json"), staged("new/b/x.json"), staged("old/b.json"), staged("zz.json")]
    with Target(root) as target:
        place = target.begin()
        assert target.stage(mine, stage_share(place, theirs)) == 7 * len(b"new")
        assert target.commit() == ()
    assert {path for path, data in tree(root).items() if data == b"new"} == {file.path for file in (*mine, *theirs)}


def test_a_share_is_staged_nowhere_else(root: Path, tmp_path: Path) -> None:
    with Target(root) as target:
        place = target.begin()
        for other in (place._replace(name="gone"), place._replace(inode=place.inode + 1)):
            with pytest.raises(TargetFailed):
                list(stage_share(other, [staged("a.json")]))
    assert tree(root) == {}


def test_the_whole_file_system_can_be_flushed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restore(root, *(staged(f"{number}/a.json") for number in range(40))) == ()
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())  # a system without syncfs
    assert restore(root, *(staged(f"{number}/a.json") for number in range(40))) == ()


# --- when it goes wrong before the first rename --------------------------------------------------------------------


def fail(monkeypatch: pytest.MonkeyPatch, function: str, number: int, *, after: int = 0) -> None:
    """Makes a function of `os` fail from the given call on, with that error."""
    real, calls = getattr(os, function), [0]

    def failing(*args: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise OSError(number, os.strerror(number))
        return real(*args, **more)

    monkeypatch.setattr(os, function, failing)


FAILURES = [("mkdir", 0), *((function, after) for function in ("write", "pread", "fsync") for after in (0, 1))]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize(("function", "after"), FAILURES)
def test_a_failure_while_staging_leaves_the_target_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int, after: int
) -> None:
    write(root, "a.json")
    before = tree(root), (root / "a.json").stat()
    fail(monkeypatch, function, number, after=after)
    with Target(root) as target, pytest.raises(TargetFailed) as caught:
        target.stage([staged("a.json"), staged("b/c.json")])
    monkeypatch.undo()
    assert "the target is as it was" in caught.value.message
    assert ("room" in caught.value.hint) == (number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    assert (tree(root), (root / "a.json").stat()) == before


def test_a_full_disk_while_everything_is_flushed_leaves_the_target_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging, "flush_file_system", full)
    with pytest.raises(TargetFailed, match="no space left"):
        restore(root, *(staged(f"{number}.json") for number in range(40)))
    assert tree(root) == {}


def test_a_file_size_limit_is_met_as_a_full_disk(root: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(TargetFailed) as caught:
            restore(root, staged("small.json"), staged("large.json", b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "room" in caught.value.hint
    assert tree(root) == {}


def test_a_target_that_was_made_is_removed_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(TargetFailed):
        restore(tmp_path / "new/target", StagedFile("a.json", b"x", 0o644, 0, hash_bytes(b"y")))
    assert tree(tmp_path) == {}


def test_content_that_is_not_what_its_hash_says_is_never_put_in_place(root: Path) -> None:
    with pytest.raises(TargetFailed, match="does not read back"):
        restore(root, staged("a.json"), StagedFile("b.json", b"x", 0o644, 0, hash_bytes(b"y")))
    assert tree(root) == {}


@pytest.mark.parametrize("size", [5, writing.CHUNK_BYTES + 5])
def test_a_disk_that_returns_something_else_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, start: real(fd, length, start).replace(b"x", b"y", 1))
    with pytest.raises(TargetFailed, match="does not read back"):
        restore(root, staged("a.json", b"-" * (size - 1) + b"x"))


def test_an_error_from_where_the_files_come_from_is_passed_on(root: Path) -> None:
    def files() -> Iterator[StagedFile]:
        yield staged("a.json")
        raise CorruptArchive("blob 7 does not match its hash")

    with Target(root) as target, pytest.raises(CorruptArchive):
        target.stage(files())
    assert tree(root) == {}


def test_an_interrupt_while_staging_leaves_the_target_as_it_was(root: Path) -> None:
    def files() -> Iterator[StagedFile]:
        yield staged("a.json")
        raise KeyboardInterrupt

    with Target(root) as target, pytest.raises(KeyboardInterrupt):
        target.stage(files())
    assert tree(root) == {}


# --- when it goes wrong afterwards ---------------------------------------------------------------------------------


def test_what_is_in_the_way_is_left_alone_and_the_rest_goes_on(root: Path, tmp_path: Path) -> None:
    write(root, "folder/x", "file")
    write(tmp_path, "outside.json")
    (root / "link.json").symlink_to(tmp_path / "outside.json")
    os.mkfifo(root / "fifo.json")
    problems = restore(
        root,
        *(staged(path) for path in ("folder", "file/below.json", "link.json", "fine.json")),
        deletes=["fifo.json", "folder/x/y"],
        attributes=[
            AttributeChange("link.json", 0o777, 0),
            AttributeChange("fifo.json", 0o777, 0),
            AttributeChange("no", 0, 0),
        ],
    )
    assert [(problem.path, problem.kind.value) for problem in problems] == [
        ("fifo.json", "in_the_way"),
        ("fifo.json", "in_the_way"),
        ("file/below.json", "in_the_way"),
        ("folder", "in_the_way"),
        ("folder/x/y", "in_the_way"),
        ("link.json", "in_the_way"),
        ("link.json", "in_the_way"),
        ("no", "not_written"),
    ]
    assert (root / "fine.json").read_bytes() == b"new"
    assert (root / "link.json").is_symlink()
    assert (tmp_path / "outside.json").read_bytes() == b"old"


def test_a_file_that_changed_after_the_plan_is_kept(root: Path) -> None:
    paths = ["over.json", "drop.json", "touch.json", "same.json"]
    write(root, *paths)
    with Target(root) as target:
        expected: dict[str, Any] = {path: target.stat(path) for path in [*paths, "new.json", "was.json"]}
        expected["was.json"] = expected["same.json"]
        target.stage([staged("over.json"), staged("same.json"), staged("new.json"), staged("was.json"), staged("any.json")])
        write(root, "over.json", "drop.json", "touch.json", "new.json", "any.json", data=b"edited")
        problems = target.commit(
            deletes=["drop.json"], attributes=[AttributeChange("touch.json", 0o600, OLD)], expected=expected
        )
    kept = ["drop.json", "new.json", "over.json", "touch.json", "was.json"]
    assert problems == tuple(Problem(path, ProblemKind.KEPT, "it changed after the plan was made") for path in kept)
    assert tree(root) == {**dict.fromkeys(kept[:4], b"edited"), "same.json": b"new", "any.json": b"new"}


@pytest.mark.parametrize("function", ["rename", "unlink", "mkdir"])
def test_an_error_for_one_file_is_a_problem_of_that_file(root: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    write(root, "drop-denied.json", "drop.json")
    real = getattr(os, function)

    def denying(path: str, *args: Any, **more: Any) -> None:
        if "denied" in path or "denied" in str(args):
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, *args, **more)

    monkeypatch.setattr(os, function, denying)
    problems = restore(
        root,
        *(staged(path) for path in ("a-denied.json", "b.json", "denied/c.json")),
        deletes=["drop-denied.json", "drop.json"],
    )
    path = {"rename": "a-denied.json", "unlink": "drop-denied.json", "mkdir": "denied/c.json"}[function]
    assert problems == (Problem(path, ProblemKind.NOT_WRITTEN, "permission denied"),)
    assert (root / "b.json").exists()
    assert not (root / "drop.json").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_read_only_folders_are_reported_and_read_only_files_replaced(root: Path) -> None:
    write(root, "closed/a.json", "closed/b.json", "open/c.json", "secret.json")
    (root / "open/c.json").chmod(0o400)
    (root / "secret.json").chmod(0)
    (root / "closed").chmod(0o500)
    problems = restore(
        root,
        *(staged(path) for path in ("closed/a.json", "closed/new/x.json", "open/c.json")),
        deletes=["closed/b.json"],
        attributes=[AttributeChange("secret.json", 0o600, OLD)],
    )
    (root / "closed").chmod(0o700)
    assert [problem.path for problem in problems] == ["closed/a.json", "closed/b.json", "closed/new/x.json"]
    assert {problem.message for problem in problems} == {"permission denied"}
    assert (root / "open/c.json").read_bytes() == b"new"
    assert (root / "secret.json").stat().st_mtime_ns == OLD


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="needs a way to open a file that may not be read")
def test_attributes_of_a_file_that_may_not_be_read_are_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "a.json")
    real = os.open

    def denying(path: Any, flags: int, *args: Any, **more: Any) -> int:
        if path == "a.json" and not flags & os.O_PATH:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", denying)
    assert restore(root, attributes=[AttributeChange("a.json", 0o640, OLD)]) == ()
    found = (root / "a.json").stat()
    assert (modes.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o640, OLD)


def test_attributes_that_do_not_stand_are_reported_and_the_content_is_right(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "b.json")
    fail(monkeypatch, "utime", errno.EPERM)
    fail(monkeypatch, "fchmod", errno.EOPNOTSUPP)
    problems = restore(root, staged("a.json", mode=0o777), attributes=[AttributeChange("b.json", 0o751, 0)])
    message = "its content is right, but its mode and its time of modification could not be set"
    assert [problem.path for problem in problems] == ["a.json", "b.json"]
    assert problems[1] == Problem("b.json", ProblemKind.NOT_WRITTEN, message)
    assert "its time of modification" in problems[0].message
    assert (root / "a.json").read_bytes() == b"new"


def test_a_time_that_no_system_can_hold_is_reported(root: Path) -> None:
    problems = restore(root, staged("a.json", mtime_ns=2**90))
    assert [problem.kind for problem in problems] == [ProblemKind.NOT_WRITTEN]
    assert (root / "a.json").read_bytes() == b"new"


def test_two_names_that_are_one_to_the_file_system_are_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_rename, real_stat = os.rename, os.stat

    def rename(source: str, name: str, **more: Any) -> None:
        real_rename(source, name.lower(), **more)

    def look(name: Any, **more: Any) -> os.stat_result:
        return real_stat(name.lower() if isinstance(name, str) else name, **more)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(os, "stat", look)
    problems = restore(root, staged("Twin.json"), staged("other.json"), staged("twin.json"))
    monkeypatch.undo()
    message = "the file system takes its name for that of 'twin.json'"
    assert problems == (Problem("Twin.json", ProblemKind.NOT_WRITTEN, message),)


def test_something_that_takes_the_place_of_a_restored_file_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.rename

    def rename(source: str, name: str, **more: Any) -> None:
        real(source, name, **more)
        (root / name).write_bytes(b"somebody else's")

    monkeypatch.setattr(os, "rename", rename)
    problems = restore(root, staged("a.json"))
    assert problems == (Problem("a.json", ProblemKind.NOT_WRITTEN, "something else took its place"),)


# --- folders on other file systems ---------------------------------------------------------------------------------


def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every folder but the staging folder's own look as if it was on another file system."""
    real = os.rename

    def rename(source: str, name: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if src_dir_fd != dst_dir_fd:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, name, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", rename)


def test_files_for_another_file_system_are_copied_there_and_renamed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "mount/a.json")
    far_away(monkeypatch)
    data = os.urandom(2 * writing.CHUNK_BYTES + 1)
    assert restore(root, staged("mount/a.json", data, 0o604), staged("mount/b/empty.json", b"")) == ()
    found = (root / "mount/a.json").stat()
    assert (root / "mount/a.json").read_bytes() == data
    assert (modes.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o604, OLD)
    assert tree(root)["mount/b/empty.json"] == b""


def test_a_copy_to_another_file_system_that_fails_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "mount/a.json")
    far_away(monkeypatch)
    with Target(root) as target:
        target.stage([staged("mount/a.json")])
        fail(monkeypatch, "write", errno.ENOSPC)
        problems = target.commit()
    assert problems == (Problem("mount/a.json", ProblemKind.NOT_WRITTEN, "no space left on device"),)
    assert tree(root) == {"mount": "/", "mount/a.json": b"old"}


def test_a_copy_that_does_not_read_back_is_not_put_in_place(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "mount/a.json")
    far_away(monkeypatch)
    with Target(root) as target:
        target.stage([staged("mount/a.json")])
        real, calls = os.pread, [0]

        def flipping(fd: int, length: int, start: int) -> bytes:
            calls[0] += 1
            return real(fd, length, start) if calls[0] == 1 else b"?"

        monkeypatch.setattr(os, "pread", flipping)
        problems = target.commit()
    assert [problem.message for problem in problems] == ["it does not read back as it was written"]
    assert tree(root) == {"mount": "/", "mount/a.json": b"old"}


@pytest.mark.skipif(not Path("/dev/shm").is_dir() or os.geteuid() != 0, reason="needs a second file system to mount")
def test_a_real_mount_inside_the_target_is_restored_to(root: Path) -> None:
    mount = root / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", mount], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        assert restore(root, staged("mount/a/b.json"), staged("c.json")) == ()
        assert tree(root) == {"c.json": b"new", "mount": "/", "mount/a": "/", "mount/a/b.json": b"new"}
    finally:
        subprocess.run(["umount", mount], check=True)
    shutil.rmtree(mount)
