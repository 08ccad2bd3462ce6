"""A package is there, and proven, or it is not there: whatever fails while it is made, nothing is left at its place."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from archive import Archive, folders
from archive.errors import ArchiveError, ArchiveFull, SnapshotNotFound, TargetFailed, UsageError
from archive.recovery import filling, making, packing, proving, workshop
from archive.recovery.program import restore_program
from archive.storage import audit
from tests.conftest import FixedClock
from tests.faults import Countdown, in_child, wait
from tests.recovery.conftest import entries, leftovers, made_folder, make, stored

# The calls of the system through which all that is written goes, but for the copy of the archive, which SQLite writes.
CALLS = ("open", "write", "mkdir", "rename", "utime", "fchmod", "fsync", "unlink")


@contextmanager
def failing_call(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], n: int) -> Iterator[Countdown]:
    """Makes the n-th of these calls fail as on a disk that is going."""
    countdown = Countdown(n)

    def broken(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if countdown.strikes():
                raise OSError(errno.EIO, "planted: input/output error")
            return real(*arguments, **more)

        return call

    with monkeypatch.context() as patched:
        for name in names:
            patched.setattr(os, name, broken(getattr(os, name)))
        yield countdown


def wishes(number: int) -> dict[str, Any]:
    return ({"archive_format": "folder"}, {"history": False}, {"archive_format": "tar.zst"})[number % 3]


@pytest.mark.slow
def test_whichever_call_fails_nothing_is_left(history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in range(3):
        n, struck = 0, True
        while struck:
            n += 1
            result = None
            with failing_call(monkeypatch, CALLS, n) as countdown, suppress(ArchiveError):
                result = make(history, out, **wishes(kind))
            struck = countdown.has_struck
            if result is None:
                assert leftovers(out) == [], (kind, n)
            else:  # the failure was in something that does not matter, such as a probe, or in cleaning up
                assert entries(made_folder(result) / "files") == stored(history)
                subprocess.run(["rm", "-rf", *out.iterdir()], check=True)
        assert n > 40


@pytest.mark.slow
@pytest.mark.parametrize("call", ["write", "mkdir", "rename", "fsync"])
@pytest.mark.parametrize("n", [1, 2])
def test_a_failing_disk_is_an_error_that_names_the_place(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch, call: str, n: int
) -> None:
    if (call, n) in {("fsync", 2), ("rename", 2)}:
        wish: dict[str, Any] = {"archive_format": "zip"}
    else:
        wish = {}
    with failing_call(monkeypatch, (call,), n) as countdown, pytest.raises(TargetFailed) as raised:
        make(history, out, **wish)
    assert countdown.has_struck
    assert str(out) in raised.value.message
    assert "input/output error" in raised.value.message
    assert raised.value.hint
    assert leftovers(out) == []


@pytest.mark.parametrize("limit", [0, 20_000, 100_000])
def test_a_disk_that_is_full_leaves_nothing(history: Archive, out: Path, limit: int) -> None:
    def work() -> None:
        with Archive.open(history.path) as archive:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            with pytest.raises((TargetFailed, ArchiveFull)) as raised:
                make(archive, out)
            assert raised.value.hint

    history.close()
    assert wait(in_child(work)) == 0
    assert leftovers(out) == []


FILL = """
for size in 100k 400k 700k 1m 2m 8m; do
    mount -t tmpfs -o size=$size tmpfs "$1" || exit 99
    "$2" -m archive recovery-package --db "$3" --quiet "$1/mine" >"$4" 2>&1
    echo "$size" $? "$(ls -A "$1" | tr '\\n' ' ')" "$(tr '\\n' ' ' <"$4")"
    umount "$1"
done
"""


@pytest.mark.slow
def test_a_small_disk_that_fills_up_at_any_stage_holds_a_whole_package_or_nothing(
    history: Archive, root: Path, out: Path, tmp_path: Path
) -> None:
    mounting = ["unshare", "--user", "--map-root-user", "--mount"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounting, "mount", "-t", "tmpfs", "tmpfs", str(out)], capture_output=True, check=False).returncode
    ):
        pytest.skip("nothing can be mounted here")
    (root / "noise.md").write_text(os.urandom(60_000).hex())
    history.backup(root)
    history.close()
    done = subprocess.run(
        [*mounting, "sh", "-c", FILL, "sh", str(out), sys.executable, str(history.path), str(tmp_path / "said")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = []
    for line in done.stdout.splitlines():
        size, code, said = line.split(" ", 2)
        codes.append(int(code))
        if code == "0":
            assert said.strip() == "mine mine.zip", size
        else:
            assert code == "1", line
            assert "no space left on device; nothing was left there" in said, line
            assert "Make room" in said, line
            assert said.startswith(" error:"), line  # and nothing was listed before it
    assert len(codes) == 6
    assert codes == sorted(codes, reverse=True)
    assert (codes[0], codes[-1]) == (1, 0)


def test_a_place_that_is_taken_is_left_alone(history: Archive, out: Path) -> None:
    (out / "mine").write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        make(history, out / "mine")
    assert (out / "mine").read_text() == "precious"
    (out / "yours.zip").write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        make(history, out / "yours", archive_format="zip")


def test_a_place_in_a_folder_that_is_not_there_is_an_error(history: Archive, out: Path) -> None:
    with pytest.raises(TargetFailed, match="no such file or directory"):
        make(history, out / "missing" / "package")
    assert leftovers(out) == []


def test_a_place_that_is_taken_while_the_package_is_made_is_left_alone(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = workshop.flush

    def quicker(work: Path) -> None:
        (out / "mine.zip").write_text("precious")
        real(work)

    monkeypatch.setattr(making, "flush", quicker)
    with pytest.raises(TargetFailed, match="file exists"):
        make(history, out / "mine", archive_format="zip")
    assert leftovers(out) == ["mine.zip"]
    assert (out / "mine.zip").read_text() == "precious"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("        left.discard(row", "        left.clear(); left.discard(row", "was not restored"),
        ("file.write(data)", 'file.write(data + b"!")', "did not read back"),
        ('row["mtime_ns"], row["mtime_ns"]', 'row["mtime_ns"], 0', "was not restored as it was"),
        ("        mode = int", "        mode = 1 + int", "was not restored as it was"),
        ('    return "overwritten"', '    open(path + b"x", "w"); return "overwritten"', "should not exist"),
        ("def main() -> int:", "def main() -> int:\n    return 0", "verify said"),
        ("def main() -> int:", "def main() -> int:\n    import sqlalchemy", "No module named 'sqlalchemy'"),
        ("Returns the hash of bytes", 'Returns the hash of """; 1 / 0; """', "ZeroDivisionError"),
    ],
)
def test_a_program_that_does_not_restore_rightly_is_not_given_to_anybody(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    program = restore_program()
    assert old in program
    monkeypatch.setattr(filling, "restore_program", lambda: program.replace(old, new))
    with pytest.raises(TargetFailed, match="could not be proven") as raised:
        make(history, out)
    assert said in raised.value.message
    assert leftovers(out) == []


def test_a_copy_of_the_archive_that_is_not_sound_is_not_given_to_anybody(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "integrity", lambda connection: ["row 3 missing from index"])
    with pytest.raises(ArchiveError, match="the copy of the archive is not sound: row 3 missing from index"):
        make(history, out)
    assert leftovers(out) == []


def test_what_was_packed_wrongly_is_not_given_to_anybody(history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = packing.pack

    def cut_off(folder: Path, target: Path, *rest: Any) -> None:
        real(folder, target, *rest)
        os.truncate(target, target.stat().st_size // 2)

    monkeypatch.setattr(packing, "pack", cut_off)
    for kind in ("zip", "tar.zst"):
        with pytest.raises(TargetFailed, match="does not read back"):
            make(history, out, archive_format=kind)
        assert leftovers(out) == []


def test_an_interrupt_leaves_nothing(history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "require_verified", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(history, out)
    assert leftovers(out) == []


def test_packing_has_ended_when_an_interrupted_package_is_cleared_away(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, seen = Event(), []

    def endless(folder: Path, target: Path, sums: object, kind: object, on_file: object, go_on: Callable[[], None]) -> None:
        begun.set()
        try:
            while True:
                go_on()
        finally:
            seen.append(folder.is_dir())

    def interrupted(*_: object) -> None:
        begun.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "pack", endless)
    monkeypatch.setattr(making, "require_verified", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(history, out)
    assert seen == [True]
    assert leftovers(out) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_running_one_needs_is_not(
    history: Archive, out: Path
) -> None:
    def work() -> None:
        with workshop.workshop(out) as folder:
            (folder / "secret").write_text("in clear")
            os._exit(9)

    assert wait(in_child(work)) == 9
    (left,) = leftovers(out)
    with workshop.workshop(out) as running:
        assert leftovers(out) == [running.name] != [left]
        make(history, out)
        assert running.is_dir()


def test_a_package_made_inside_the_project_is_no_part_of_a_backup_meanwhile(
    history: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(history)
    real = proving.require_verified

    def meanwhile(folder: Path, lost: Sequence[str]) -> None:
        history.backup(root)
        real(folder, lost)

    monkeypatch.setattr(making, "require_verified", meanwhile)
    package = made_folder(make(history, root))
    assert stored(history) == before
    assert package.parent == root


def test_a_package_that_lies_in_the_project_is_never_backed_up(history: Archive, root: Path) -> None:
    before = stored(history)
    (root / "deep").mkdir()
    for place in (root, root / "deep" / "mine"):
        make(history, place, history=place == root)
    history.backup(root)
    assert stored(history) == before


def test_another_manifest_marks_nothing_and_one_that_cannot_be_read_costs_itself_only(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("app", "closed"):
        (root / folder).mkdir()
        (root / folder / "manifest.json").write_text('{"format": "another"}')
        (root / folder / "beside.json").write_text("{}")
    real = folders.open_file

    def without_permission(path: str, *rest: Any) -> int:
        if path.startswith("closed") and rest[0] == "manifest.json":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *rest)

    monkeypatch.setattr("archive.source.scan.open_file", without_permission)
    archive.backup(root)
    assert {document.path for document in archive.documents()} >= {
        "app/manifest.json", "app/beside.json", "closed/beside.json",
    }  # fmt: skip


def test_the_trial_is_made_elsewhere_where_the_place_cannot_hold_every_name(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    real = proving.require_restorable

    def watched(folder: Path, scratch: Path, *rest: Any) -> None:
        tried.append(scratch)
        real(folder, scratch, *rest)

    monkeypatch.setattr(making, "require_restorable", watched)
    make(history, out)
    assert {scratch.parent for scratch in tried} == {out}
    tried.clear()
    monkeypatch.setattr(proving, "_holds_everything", lambda folder: False)
    make(history, out)
    assert tried
    assert out not in {parent for scratch in tried for parent in scratch.parents}
    assert not any(scratch.exists() for scratch in tried)


def test_a_package_is_made_from_an_archive_that_cannot_be_written_to(history: Archive, out: Path, clock: FixedClock) -> None:
    expected = stored(history)
    folder, path = history.path.parent, history.path
    history.close()
    path.chmod(0o400)
    folder.chmod(0o500)
    try:
        with Archive.open(path, clock=clock) as archive:
            result = make(archive, out)
    finally:
        folder.chmod(0o700)
    assert result.folder is not None
    assert entries(result.folder / "files") == expected


def test_a_backup_may_go_on_while_a_package_is_made(
    history: Archive, root: Path, out: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = stored(history)
    real = proving.require_verified

    def meanwhile(folder: Path, lost: Sequence[str]) -> None:
        (root / "notes.md").write_text("later\n")
        history.backup(root)
        real(folder, lost)

    monkeypatch.setattr(making, "require_verified", meanwhile)
    result = make(history, out)
    assert result.folder is not None
    assert entries(result.folder / "files") == expected
    assert len(history.snapshots()) == 4
    assert result.snapshots == 3


def test_an_unknown_moment_is_the_archive_s_own_error(history: Archive, out: Path) -> None:
    with pytest.raises(SnapshotNotFound):
        make(history, out, at="99")
