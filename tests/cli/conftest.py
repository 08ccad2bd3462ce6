"""A project to run commands in, and three ways to run them: in this process, as a program, and on a terminal."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archive import Archive
from archive.cli import main
from tests.conftest import FixedClock, Tree, assert_sound, write_tree

REPOSITORY = Path(__file__).parents[2]

TREE: Tree = {
    "agents/tasks.json": b'{"tasks": [{"id": 1, "title": "draw the map", "status": "pending"}]}\n',
    "agents/memory": b'{"type": "entity", "name": "Aino"}\n{"type": "entity", "name": "Bram"}',
    "docs/roadmap.md": b"# Roadmap\n\n- the map\n",
    "settings.yaml": b"port: 8080\n",
}
LATER: Tree = {
    "agents/tasks.json": b'{"tasks": [{"id": 1, "title": "draw the map", "status": "done"}]}\n',
    "agents/memory": b'{"type": "entity", "name": "Aino"}\n{"type": "enti',
    "docs/roadmap.md": b"# Roadmap\n\n- the tides\n",
    "docs/new.md": b"# New\n",
}


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Invoke = Callable[..., Ran]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ARCHIVE_DB", "ARCHIVE_DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a few files and no archive; it is the current folder."""
    write_tree(root, TREE)
    monkeypatch.chdir(root)
    yield root
    if (root / ".archive/archive.db").exists():
        assert_sound(root / ".archive/archive.db")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `backed_up` is a copy of."""
    folder = tmp_path_factory.mktemp("sample") / "project"
    clock = FixedClock(datetime(2020, 1, 1, 12, tzinfo=UTC))
    with Archive.create(folder / ".archive/archive.db", clock=clock) as archive:
        for number, (tree, message) in enumerate([(TREE, "first"), (LATER, "second")]):
            write_tree(folder, tree)
            for path in tree:  # long ago, so that they are not taken for freshly written
                os.utime(folder / path, (1_500_000_000 + number, 1_500_000_000 + number))
            archive.backup(folder, message=message, tags=["one"][number:])
            clock.tick(days=1)
    return folder


@pytest.fixture
def backed_up(project: Path, sample: Path) -> Path:
    """The project with two snapshots of 2020: labels 20200101_120000 and 20200102_120000."""
    write_tree(project, {})
    shutil.copytree(sample, project, dirs_exist_ok=True)
    return project


@pytest.fixture
def invoke() -> Invoke:
    """Runs a command in this process."""

    def run(*args: str, stdin: str | None = None) -> Ran:
        result = CliRunner().invoke(main, list(args), input=stdin, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


def program_environment(**extra: str) -> dict[str, str]:
    """The environment for a program of its own: this repository's code, and nothing of the user's."""
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "LANG": "C.UTF-8", **extra}


def run_program(*args: str | bytes, cwd: Path, **environment: str) -> Ran:
    """Runs `archive` as a program whose output goes into pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "archive", *args],
        cwd=cwd,
        env=program_environment(**environment),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode())


def run_on_terminal(
    *args: str | bytes, cwd: Path, columns: int = 80, answer: bytes = b"", code: str | None = None, **environment: str
) -> Ran:
    """Runs `archive`, or Python code, on a terminal of its own; output and errors come together, as a person sees them."""
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    if answer:
        os.write(controller, answer)
    command = [sys.executable, "-c", code] if code is not None else [sys.executable, "-m", "archive"]
    process = subprocess.Popen(
        [*command, *args],
        cwd=cwd,
        env=program_environment(**{"TERM": "xterm-256color", **environment}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen = b""
    while True:
        try:
            data = os.read(controller, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not data:
            break
        seen += data
    os.close(controller)
    return Ran(process.wait(timeout=60), seen.decode("utf-8", "surrogateescape").replace("\r\n", "\n"), "")


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Says of everything below a folder what it is, when it changed and what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[str(path.relative_to(folder))] = (stat.st_mtime_ns, f"{stat.st_mode:o} {content}")
    return found
