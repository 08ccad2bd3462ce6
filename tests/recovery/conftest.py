"""What the tests of emergency packages share: packages, and a person who has nothing but one of them."""

from __future__ import annotations

import os
import pty
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.model.recovery import RecoveryPackage
from archive.recovery import PackageRequest, make_package
from tests.conftest import FixedClock, write_tree

Entry = tuple[bytes, int, int]  # content, mode, time of modification


def make(
    archive: Archive, dest: Path, *, at: str = "latest", clock: FixedClock | None = None, **wishes: Any
) -> RecoveryPackage:
    """Makes a package of an open archive's only source."""
    (source,) = [each for each in archive.sources() if archive.source_name in (None, each.name)]
    request = PackageRequest(dest=dest, **wishes)
    return make_package(archive.path, source, archive.snapshot(at), request, made_by="tests", clock=clock or FixedClock())


def made_folder(package: RecoveryPackage) -> Path:
    assert package.folder is not None
    return package.folder


def made_file(package: RecoveryPackage) -> Path:
    assert package.packed is not None
    return package.packed


def run(
    package: Path, *arguments: str, cwd: Path | None = None, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Runs the package's own program with an empty environment and no installed packages in sight."""
    command = ["env", "-i", python, "-S", str(package / "restore.py"), *arguments]
    return subprocess.run(
        command, cwd=cwd or package.parent, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False
    )


def at_terminal(command: list[str], passphrases: list[str]) -> tuple[int, str]:
    """Runs a program at a terminal, where alone it asks for passphrases; returns its exit code and what was to be seen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    said = b""
    try:
        for number, passphrase in enumerate(passphrases, start=1):
            # What is typed before the question is thrown away.
            while said.lower().count(b"passphrase") < number:
                said += os.read(terminal, 1024)
            os.write(terminal, passphrase.encode() + b"\n")
        while data := os.read(terminal, 1024):
            said += data
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def entries(root: Path) -> dict[str, Entry]:
    """Returns every file below a folder as it is: content, mode, time."""
    found = {}
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            with open(path, "rb") as file:
                key = os.fsdecode(os.path.relpath(path, os.fsencode(root)))
                found[key] = (file.read(), stat.S_IMODE(status.st_mode), status.st_mtime_ns)
    return found


def stored(archive: Archive, at: str = "latest") -> dict[str, Entry]:
    """Returns the same of a snapshot, as the archive has it."""
    return {state.path: (archive.read(state.path, at=at), state.mode, state.mtime_ns) for state in archive.documents(at=at)}


def leftovers(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


HISTORY: tuple[dict[str, bytes], ...] = (
    {"agents/tasks.json": b'{"tasks": [1]}\n', "notes.md": b"# First\n\nold words\n", "gone.md": b"# Gone\n"},
    {"agents/tasks.json": b'{"tasks": [1, 2]}\n', "notes.md": b"# First\n\nnew words\n", "copy.md": b"# Gone\n"},
    {"agents/tasks.json": b'{"tasks": [1, 2, 3]}\n', "notes.md": b"# First\n\nold words\n", "agents/memory.json": b"{}\n"},
)


def back_up_history(archive: Archive, root: Path, clock: FixedClock) -> None:
    for tree in HISTORY:
        write_tree(root, tree)
        for path in tree:
            moment = int(clock.now().timestamp()) * 10**9 + 123_456_789
            os.utime(root / path, ns=(moment, moment))
        archive.backup(root, message=f"state of {clock.now():%H:%M}")
        clock.tick(hours=1)


@pytest.fixture
def history(archive: Archive, root: Path, clock: FixedClock) -> Archive:
    """An archive with three snapshots, an hour between them, in which files come, change, go and return."""
    back_up_history(archive, root, clock)
    return archive


@pytest.fixture(scope="session")
def ready_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `package` is a copy of: a package of the same history."""
    base, clock = tmp_path_factory.mktemp("ready"), FixedClock()
    (base / "project").mkdir()
    with Archive.create(base / "archive.db", clock=clock) as archive:
        back_up_history(archive, base / "project", clock)
        return made_folder(make(archive, base))


@pytest.fixture
def package(ready_package: Path, out: Path) -> Path:
    return copy_package(ready_package, out / ready_package.name)


def copy_package(package: Path, target: Path) -> Path:
    """Copies a package, so that a test can damage it."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(package, target)
    return target
