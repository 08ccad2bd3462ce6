"""The command makes packages and says what it made, what it lacks, and how to open it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import UsageError
from tests.faults import duration_s, kill_after
from tests.recovery.conftest import at_terminal, entries, leftovers, run, stored


def archive_command(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archive", "recovery-package", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False)


def test_it_makes_a_package_in_the_current_folder(history: Archive, out: Path, tmp_path: Path) -> None:
    done = archive_command("--db", str(history.path), cwd=out)
    assert (done.returncode, done.stderr) == (0, "")
    name, zipped = leftovers(out)
    assert zipped == f"{name}.zip"
    assert done.stdout.startswith(f"made and proven: {out / name}\n  and the same in one file: {out / zipped}, ")
    assert "3 files, 9 versions, 3 snapshots" in done.stdout
    assert run(out / name, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history)


def test_a_dry_run_writes_nothing(history: Archive, out: Path) -> None:
    done = archive_command("--db", str(history.path), "--dry-run", "--passphrase", "mine", cwd=out)
    assert (done.returncode, done.stderr, leftovers(out)) == (0, "", [])
    assert done.stdout.startswith(f"dry run, nothing was written\nwould be made: {out / 'mine.zip.age'}\n")
    assert "3 files, 9 versions, 3 snapshots" in done.stdout


def test_a_place_that_is_taken_is_an_error_with_a_hint(history: Archive, out: Path) -> None:
    (out / "mine").mkdir()
    (out / "mine.zip").write_text("precious")
    done = archive_command("--db", str(history.path), "mine.zip", cwd=out)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert "Name another place" in done.stderr
    for name, kind in (("mine.zip", "zip"), ("mine.tar.zst", None)):
        with pytest.raises(UsageError, match="is there already"):
            history.recovery_package(out / name, archive_format=kind)
    assert (out / "mine.zip").read_text() == "precious"
    assert leftovers(out) == ["mine", "mine.zip"]


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_nothing_that_looks_like_a_package_but_is_none(history: Archive, out: Path) -> None:
    def work() -> None:
        with Archive.open(history.path) as archive:
            archive.recovery_package(out / "mine", archive_format="zip")

    whole = duration_s(work)
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    killed = 0
    for step in range(30):
        killed += kill_after(work, whole * step / 28)
        visible = [name for name in leftovers(out) if not name.startswith(".")]
        if "mine" in visible:  # it was renamed already: then it is whole
            assert run(out / "mine", "verify").returncode == 0
            shutil.rmtree(out / "mine")
            (out / "mine.zip").unlink(missing_ok=True)
            visible = []
        assert visible == []
    assert killed > 10
    work()
    assert leftovers(out) == ["mine", "mine.zip"]  # and the next one clears away what they left


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the terminal here is Linux's")
def test_on_a_terminal_a_passphrase_is_asked_for_twice_and_not_shown(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed")
    monkeypatch.chdir(out)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    command = [sys.executable, "-m", "archive", "recovery-package", "--db", str(history.path), "--passphrase", "mine"]
    code, said = at_terminal(command, ["correct horse", "correct horse"])
    assert code == 0, said
    assert "correct horse" not in said
    assert pyrage.passphrase.decrypt((out / "mine.zip.age").read_bytes(), "correct horse").startswith(b"PK")


def test_json_says_the_same(history: Archive, out: Path) -> None:
    done = archive_command(
        "--db", str(history.path), "--json", "--at", "1", "--no-history", "--format", "zip", str(out / "p"), cwd=out
    )
    said = json.loads(done.stdout)
    assert (said["path"], said["folder"], said["packed"], said["has_history"], said["snapshot"]["id"]) == (
        str(out / "p"), str(out / "p"), str(out / "p.zip"), False, 1,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("age") is None, reason="there is no age here")
def test_an_encrypted_package_comes_with_the_command_that_opens_it(history: Archive, out: Path) -> None:
    pytest.importorskip("pyrage", reason="pyrage is not installed")
    subprocess.run(["age-keygen", "-o", "../key"], cwd=out, check=True, capture_output=True)
    key = subprocess.check_output(["age-keygen", "-y", "../key"], cwd=out, text=True).strip()
    done = archive_command("--db", str(history.path), "--encrypt", key, "mine", cwd=out)
    assert leftovers(out) == ["mine.zip.age"]
    assert "to open it: age -d -o mine.zip mine.zip.age" in done.stdout
    subprocess.run(["age", "-d", "-i", "../key", "-o", "mine.zip", "mine.zip.age"], cwd=out, check=True)


@pytest.mark.slow
def test_a_passphrase_is_a_line_of_the_standard_input(history: Archive, out: Path) -> None:
    pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed")
    done = archive_command("--db", str(history.path), "--passphrase", "mine", cwd=out, stdin="correct horse\n")
    assert done.returncode == 0, done.stderr
    assert pyrage.passphrase.decrypt((out / "mine.zip.age").read_bytes(), "correct horse").startswith(b"PK")
    refused = archive_command("--db", str(history.path), "--passphrase", "yours", cwd=out)
    assert refused.returncode == 2
    assert "the passphrase is empty" in refused.stderr


def test_what_the_archive_has_lost_is_named_and_the_exit_code_says_so(
    history: Archive, out: Path, damaged_on_purpose: None
) -> None:
    with history._database.writing() as connection:
        connection.execute("UPDATE contents SET data = 'rotten' WHERE blob_id = 1 OR data LIKE '%old%'")
    history.close()
    done = archive_command("--db", str(history.path), cwd=out)
    assert done.returncode == 3
    assert "lost: notes.md: the archive cannot give back version" in done.stderr
    assert len(leftovers(out)) == 2
