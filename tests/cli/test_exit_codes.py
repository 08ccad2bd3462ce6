"""Every way to fail has its exit code, one message, a hint, and with --json one object; never a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner

from archive import Archive, errors
from archive.cli import main
from tests.cli.conftest import Invoke, program_environment, run_program
from tests.conftest import assert_sound

INTERRUPTED = "interrupted; what was under way is in the archive as a whole or not at all"

EXIT_CODES = {
    "ArchiveError": 1,
    "UsageError": 2,
    "QueryError": 2,
    "ConfigError": 2,
    "NotFound": 10,
    "ArchiveNotFound": 10,
    "SourceNotFound": 10,
    "SnapshotNotFound": 10,
    "DocumentNotFound": 10,
    "TaskNotFound": 10,
    "PointerNotFound": 10,
    "ArchiveExists": 1,
    "ArchiveReadOnly": 1,
    "ArchiveFull": 1,
    "ArchiveLocked": 11,
    "SchemaMismatch": 12,
    "ArchiveTooNew": 12,
    "ArchiveTooOld": 12,
    "CorruptArchive": 13,
    "NotAnArchive": 13,
    "SourceUnreadable": 1,
    "TargetFailed": 1,
    "PlanStale": 1,
    "UnsafePath": 1,
}


def all_errors(kind: type[errors.ArchiveError] = errors.ArchiveError) -> Iterator[type[errors.ArchiveError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_errors(below)


def test_the_table_names_every_error_there_is() -> None:
    ours = {kind.__name__ for kind in all_errors() if kind.__module__ == "archive.errors"}
    assert ours == set(EXIT_CODES)


@pytest.mark.parametrize(("name", "code"), EXIT_CODES.items())
def test_each_error_has_its_exit_code_message_and_hint(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    error = getattr(errors, name)("it broke\x1b[2J", hint="Run 'archive x'.", path="p\udcff")

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(Archive, "stats", fail)
    ran = invoke("stats")
    assert (ran.code, ran.out, ran.err) == (code, "", "error: it broke\\x1b[2J\nhint:  Run 'archive x'.\n")
    ran = invoke("stats", "--json")
    assert (ran.code, ran.err) == (code, "")
    assert ran.json == {
        "error": error.code,
        "message": "it broke\x1b[2J",
        "hint": "Run 'archive x'.",
        "exit_code": code,
        "context": {"path": "p\udcff"},
    }


def no_change(project: Path) -> None:
    """Leaves the project as it is."""


def no_archive(project: Path) -> None:
    shutil.rmtree(project / ".archive")


def other_file(project: Path) -> None:
    no_archive(project)
    (project / ".archive").mkdir()
    (project / ".archive/archive.db").write_bytes(b"not a database, but long enough to look like one" * 100)


def other_database(project: Path) -> None:
    no_archive(project)
    (project / ".archive").mkdir()
    with sqlite3.connect(project / ".archive/archive.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def folder(project: Path) -> None:
    no_archive(project)
    (project / ".archive/archive.db").mkdir(parents=True)


def statement(sql: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        connection = sqlite3.connect(project / ".archive/archive.db", isolation_level=None)
        connection.execute(sql)
        connection.close()

    return change


def bad_settings(project: Path) -> None:
    (project / "archive.toml").write_text("includ = []\n")


def bad_rules(project: Path) -> None:
    (project / "archive.toml").write_text('include = "*.json"\n')


def no_project(project: Path) -> None:
    (project / "archive.toml").write_text("")
    shutil.rmtree(project / ".archive")
    shutil.rmtree(project / "agents")


SITUATIONS: list[tuple[str, Callable[[Path], None], list[str], int, str]] = [
    ("there is no archive", no_archive, ["snapshots"], 10, "archive_not_found"),
    ("the folder has no archive", no_change, ["ls", "--root", "nowhere"], 10, "archive_not_found"),
    ("no such id", no_change, ["ls", "--at", "99"], 10, "snapshot_not_found"),
    ("no such label", no_change, ["ls", "--at", "20190101_000000"], 10, "snapshot_not_found"),
    ("the beginning of a label", no_change, ["ls", "--at", "20200_"], 2, "query"),
    ("a time before the first", no_change, ["ls", "--at", "1999-12-31"], 10, "snapshot_not_found"),
    ("no moment", no_change, ["ls", "--at", "the day before"], 2, "query"),
    ("no such document", no_change, ["cat", "agents/task.json"], 10, "document_not_found"),
    ("no such document to list", no_change, ["ls", "*.csv"], 10, "document_not_found"),
    ("no such document ever", no_change, ["log", "x.json"], 10, "document_not_found"),
    ("a document of another time", no_change, ["cat", "docs/new.md", "--at", "1"], 10, "document_not_found"),
    ("no such version", no_change, ["cat", "docs/new.md", "--version", "7"], 10, "document_not_found"),
    ("nothing to restore", no_change, ["restore", "x.json"], 10, "document_not_found"),
    ("no such pointer", no_change, ["cat", "agents/tasks.json#/tasks/7"], 10, "pointer_not_found"),
    ("no pointer", no_change, ["cat", "agents/tasks.json#tasks"], 2, "usage"),
    ("no such source", no_change, ["ls", "--source", "x"], 10, "source_not_found"),
    ("nothing to undo", no_change, ["undo"], 10, "not_found"),
    ("moment and version", no_change, ["cat", "docs/new.md", "--version", "1", "--at", "1"], 2, "usage"),
    ("another file", other_file, ["snapshots"], 13, "not_an_archive"),
    ("another file to add to", other_file, ["backup"], 13, "not_an_archive"),
    ("another database", other_database, ["snapshots"], 13, "not_an_archive"),
    ("a folder", folder, ["snapshots"], 13, "not_an_archive"),
    ("a newer schema", statement("PRAGMA user_version = 999"), ["backup"], 12, "archive_too_new"),
    ("an older schema", statement("PRAGMA user_version = 0"), ["ls"], 12, "archive_too_old"),
    ("an unknown setting", bad_settings, ["backup"], 2, "config"),
    ("a wrong type", bad_rules, ["init"], 2, "config"),
    ("no folder to back up", no_change, ["backup", "nowhere", "--db", "new.db"], 1, "source_unreadable"),
    ("a file to back up", no_change, ["backup", "settings.yaml"], 1, "source_unreadable"),
    ("a bad pattern", no_change, ["backup", "--exclude", "#"], 2, "usage"),
    ("an unknown option", no_change, ["backup", "--frobnicate"], 2, "usage"),
    ("an unknown command", no_change, ["bakcup"], 2, "usage"),
    ("a missing argument", no_change, ["log"], 2, "usage"),
    ("too many arguments", no_change, ["log", "a", "b"], 2, "usage"),
    ("no size", no_change, ["backup", "--max-file-size", "large"], 2, "usage"),
    ("no number", no_change, ["snapshots", "--limit", "0"], 2, "usage"),
    ("no policy", no_change, ["restore", "--overwrite", "perhaps"], 2, "usage"),
    ("no shell", no_change, ["completion", "tcsh"], 2, "usage"),
]


@pytest.mark.parametrize(
    ("prepare", "args", "code", "name"),
    [pytest.param(*rest, id=situation) for situation, *rest in SITUATIONS],
)
def test_each_situation_ends_with_its_exit_code_and_changes_nothing(
    backed_up: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Path], None],
    args: list[str],
    code: int,
    name: str,
) -> None:
    monkeypatch.setattr("tests.cli.conftest.assert_sound", lambda path: None)
    prepare(backed_up)
    before = {path: path.read_bytes() for path in sorted(backed_up.rglob("*")) if path.is_file()}
    ran = invoke(*args)
    assert ran.code == code, ran
    assert ran.out == ""
    first, _, rest = ran.err.partition("\n")
    assert first.startswith("error: ")
    assert not first.endswith(".")
    assert rest.startswith("hint:  ")
    assert rest.count("\n") == 1
    found = invoke(*args, "--json").json
    assert (found["error"], found["exit_code"]) == (name, code)
    after = {path: path.read_bytes() for path in sorted(backed_up.rglob("*")) if path.is_file()}
    assert {path for path in before.keys() ^ after.keys() if not path.name.endswith(("-shm", "-wal"))} == set()
    assert {path for path in before.keys() & after.keys() if before[path] != after[path]} == set()


def test_a_locked_archive_is_waited_for_as_long_as_was_asked_and_no_longer(backed_up: Path, invoke: Invoke) -> None:
    connection = sqlite3.connect(backed_up / ".archive/archive.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        ran = invoke("backup", "--wait", "0")
        assert ran.code == 11
        assert "--wait SECONDS" in ran.err
        assert invoke("snapshots", "--wait", "0").code == 0
    finally:
        connection.close()


def test_an_empty_archive_says_so(project: Path, invoke: Invoke) -> None:
    Archive.create(project / ".archive/archive.db").close()
    assert invoke("snapshots").out == "no snapshots yet\n"
    assert invoke("snapshots", "--json").json == {"snapshots": []}
    ran = invoke("ls")
    assert (ran.code, ran.err.splitlines()[0]) == (10, "error: the archive is empty")


def test_a_damaged_blob_is_found_by_check_and_refused_by_cat(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cli.conftest.assert_sound", lambda path: None)
    statement("UPDATE contents SET data = replace(data, 'done', 'gone')")(backed_up)
    ran = invoke("check")
    assert ran.code == 13
    assert "agents/tasks.json@" in ran.out
    assert ": bad" in ran.out
    assert invoke("check", "--json").json["bad"] > 0
    assert invoke("check", "--json").code == 13
    quiet = invoke("check", "--quiet")
    assert (quiet.code, quiet.out) == (13, "")
    assert "affects agents/tasks.json@" in quiet.err
    ran = invoke("cat", "agents/tasks.json")
    assert (ran.code, ran.out) == (13, "")


def test_an_unreadable_file_makes_the_exit_code_three_and_strict_does_so_for_warnings(project: Path, invoke: Invoke) -> None:
    (project / "broken.json").write_text("{")
    assert invoke("backup").code == 0
    assert invoke("backup", "--strict").code == 3
    (project / "broken.json").write_text("{}")
    assert invoke("backup", "--strict").code == 0
    os.mkfifo(project / "fifo.json")
    (project / "link.json").symlink_to("nowhere")
    ran = invoke("backup", "--strict")
    assert ran.code == 0
    assert "skipped: 2" in ran.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_makes_the_snapshot_incomplete(project: Path, invoke: Invoke) -> None:
    (project / "settings.yaml").chmod(0)
    ran = invoke("backup")
    assert ran.code == 3
    assert "could not be read: 1" in ran.out
    assert ran.err.startswith("incomplete:")


def test_a_snapshot_that_lacks_something_says_so_and_ends_with_three(
    project: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_scandir = os.scandir

    def scandir(path: int | str) -> object:
        if isinstance(path, int) and os.readlink(f"/proc/self/fd/{path}").endswith("/docs"):
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    ran = invoke("backup", "-q")
    assert (ran.code, ran.out) == (3, "")
    assert "folders that could not be read: 1\n  docs  permission denied\nincomplete:" in ran.err
    assert invoke("backup", "--json").json["is_complete"] is False


def test_an_unexpected_error_is_one_line_and_a_way_to_the_traceback(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(Archive, "stats", fail)
    ran = invoke("stats")
    assert ran.code == 1
    assert ran.err.splitlines()[0] == "error: unexpected KeyError: 'x'"
    assert "ARCHIVE_DEBUG=1" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("ARCHIVE_DEBUG", "1")
    assert "Traceback" in invoke("stats").err


def test_an_error_of_the_system_is_told_in_its_own_words(project: Path, invoke: Invoke) -> None:
    (project / "file").write_text("")
    ran = invoke("backup", "--db", "file/below/archive.db")
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["stats"], INTERRUPTED + "\n"),
        (["restore", "--at", "1"], "interrupted; every file is whole, the old one or the new one, and 'archive undo' takes"),
        (["restore", "--to", "x"], "interrupted; every file is whole, the old one or the new one\n"),
    ],
)
def test_an_interrupt_ends_with_130_and_says_what_is_left_behind(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Archive, "stats", interrupt)
    monkeypatch.setattr(Archive, "restore", interrupt)
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 130
    assert result.stderr.startswith(f"error: {message}")


def test_a_reader_that_goes_away_is_no_error(backed_up: Path) -> None:
    many = "".join(f"{number}\n" for number in range(100_000))
    (backed_up / "many.txt").write_text(many)
    assert run_program("backup", cwd=backed_up).code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "archive", "cat", "many.txt"],
        cwd=backed_up,
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        assert process.stdout.read(2) == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


def run_with(
    command: list[str], cwd: Path, stdout: IO[bytes] | int = subprocess.PIPE, stderr: IO[bytes] | int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    args = [sys.executable, "-m", "archive", *command]
    return subprocess.run(args, cwd=cwd, env=program_environment(), stdout=stdout, stderr=stderr, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "command",
    [
        *(["ls"], ["ls", "--json"], ["backup"], ["cat", "docs/roadmap.md"], ["memory", "--content"]),
        *(["sql", "SELECT 1"], ["sql", "SELECT 1", "--csv"], ["sql", "SELECT 1", "--json"]),
    ],
)
def test_output_that_cannot_be_written_is_an_error_of_the_output_alone(backed_up: Path, command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_with(command, backed_up, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: the output could not be written: no space left on device\nhint:")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_error_stream_stops_no_work(backed_up: Path) -> None:
    (backed_up / "broken.json").write_text("{")
    with Path("/dev/full").open("wb") as full:
        assert run_with(["backup", "--strict"], backed_up, stderr=full).returncode == 3
        assert run_with(["ls", "--at", "99"], backed_up, stderr=full).returncode == 10


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_backup_without_standard_streams_is_a_backup(backed_up: Path, invoke: Invoke, closed: str) -> None:
    (backed_up / "more.json").write_text("{}")
    line = f'exec "$0" -m archive backup {closed}'
    ran = subprocess.run(["/bin/sh", "-c", line, sys.executable], cwd=backed_up, env=program_environment(), check=False)
    assert ran.returncode == 0
    assert invoke("cat", "more.json").out == "{}"
    assert_sound(backed_up / ".archive" / "archive.db")


def test_an_interrupt_at_the_last_statement_of_a_backup_leaves_the_archive_as_it_was(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = invoke("snapshots", "--json").json
    (backed_up / "more.json").write_text("{}")

    def interrupt(*args: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before_test = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background are deaf to it
    try:
        with monkeypatch.context() as patch:
            patch.setattr("archive.storage.snapshots.insert", interrupt)
            ran = invoke("backup")
    finally:
        signal.signal(signal.SIGINT, before_test)
    assert (ran.code, ran.err) == (130, f"error: {INTERRUPTED}\n")
    assert invoke("snapshots", "--json").json == before
