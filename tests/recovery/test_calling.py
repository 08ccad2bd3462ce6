"""The library's call makes packages, reports how far it is, and with `dry_run` only says what it would make."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import SnapshotNotFound, SourceNotFound, TargetFailed, UsageError
from archive.model.snapshots import Progress, Stage
from tests.conftest import FixedClock
from tests.recovery.conftest import entries, leftovers, made_folder, run, stored


def test_one_call_makes_a_package_in_the_current_folder(
    history: Archive, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out)
    result = history.recovery_package()
    assert result.is_made
    assert result.path == out / f"recovery-project-{history.snapshot().label}"
    assert run(result.path, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history)


def test_the_call_takes_every_wish(history: Archive, out: Path) -> None:
    result = history.recovery_package(out / "then", at="1", history=False, archive_format="tar.zst")
    assert (result.path, result.folder, result.packed) == (out / "then", out / "then", out / "then.tar.zst")
    assert entries(made_folder(result) / "files") == stored(history, "1")
    assert not result.has_history


def test_who_made_a_package_stands_in_it(history: Archive, out: Path) -> None:
    package = made_folder(history.recovery_package(out))
    assert '"made_by": "rengine-archive ' in (package / "manifest.json").read_text()


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"history": False},
        {"archive_format": "folder"},
        {"at": "latest~1", "archive_format": "zip"},
        {"archive_format": "tar.zst", "encrypt_to": ["age19aw7uatrwu6qk8tj8euzn9c4ap3jkdvgfayeu363c5fewt3ffuyqw9du2f"]},
    ],
    ids=str,
)
def test_a_dry_run_writes_nothing_and_says_what_is_then_made(history: Archive, out: Path, wish: dict[str, object]) -> None:
    if "encrypt_to" in wish:
        pytest.importorskip("pyrage", reason="pyrage is not installed")
    would = history.recovery_package(out, dry_run=True, **wish)  # type: ignore[arg-type]
    assert leftovers(out) == []
    assert not would.is_made
    made = history.recovery_package(out, **wish)  # type: ignore[arg-type]
    names = ("path", "folder", "packed", "snapshot", "is_encrypted", "has_history", "documents", "versions", "snapshots")
    assert {name: getattr(would, name) for name in names} == {name: getattr(made, name) for name in names}
    assert would.packed_bytes is None
    assert would.size_bytes == made.snapshot.size_bytes <= made.size_bytes


def test_a_dry_run_finds_what_would_be_in_the_way(history: Archive, out: Path) -> None:
    (out / "mine").write_text("precious")
    with pytest.raises(UsageError, match="is there already"):
        history.recovery_package(out / "mine", dry_run=True)
    with pytest.raises(TargetFailed, match="no such file"):
        history.recovery_package(out / "missing" / "package", dry_run=True)
    with pytest.raises(SnapshotNotFound):
        history.recovery_package(out, at="99", dry_run=True)
    with pytest.raises(UsageError, match="not both"):
        history.recovery_package(out, passphrase="x", encrypt_to=["age1"], dry_run=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_dry_run_finds_a_folder_that_cannot_be_written_to(history: Archive, out: Path) -> None:
    out.chmod(0o500)
    with pytest.raises(TargetFailed, match="permission denied"):
        history.recovery_package(out, dry_run=True)


def test_an_archive_without_a_snapshot_has_no_package(archive: Archive, out: Path) -> None:
    with pytest.raises(SourceNotFound):
        archive.recovery_package(out)
    assert leftovers(out) == []


def test_progress_counts_to_the_end_of_each_stage(history: Archive, out: Path) -> None:
    seen: list[Progress] = []
    history.recovery_package(out, archive_format="zip", on_progress=seen.append)
    assert {each.stage for each in seen} == {Stage.WRITE, Stage.STORE, Stage.VERIFY}
    for before, after in pairwise(seen):
        if (before.stage, before.total) == (after.stage, after.total):
            assert before.done < after.done
        else:
            assert before.done == before.total
    assert seen[-1].done == seen[-1].total


def test_the_archive_is_only_read(history: Archive, out: Path, clock: FixedClock) -> None:
    path = history.path
    history.close()
    before = path.read_bytes()
    with Archive.open(path, clock=clock) as archive:
        archive.recovery_package(out)
    assert path.read_bytes() == before
