"""Makes the project's .venv from requirements.lock, or brings it up to date.

    lock file → empty the folder → python -m venv → pip install, hashes required → the project, editable → record

Two of these at once wait for each other. The record is removed first and written last, so that an environment whose
making was cut short is made again. Runs on any Python ≥ 3.11 with nothing installed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("requirements.lock", "pyproject.toml")
LOCK_NAME = ".being-made"
RECORD_NAME = ".made-from"
# Settings of the person at the keyboard that would send packages elsewhere than into the environment.
MISLEADING = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")


class SetupFailed(Exception):
    """Says which command failed; its output is the message."""


def make(root: Path, python: str) -> None:
    """Makes `root`/.venv what the files in `root` say, and does as little for that as will do.

    Args:
        root: The project's folder.
        python: The command that was asked for; recorded, so that asking for another makes the environment anew.
    """
    venv = root / ".venv"
    with only_one(venv):
        record = Record(root, venv, python)
        if not record.fits("place", "requirements.lock"):
            say("setting up .venv (about a minute, once)")
            record.remove()
            create(root, venv)
        elif record.fits("pyproject.toml"):
            return  # another process was quicker
        record.remove()
        install_project(root, venv)
        record.write()


class Record:
    """Remembers in the environment itself what it was made from; scripts/_venv.sh reads it too."""

    def __init__(self, root: Path, venv: Path, python: str) -> None:
        self._venv = venv
        self._folder = venv / RECORD_NAME
        # Read before the work begins: a file edited meanwhile must not pass for the one that was installed.
        self._now = {name: (root / name).read_bytes() for name in SOURCES}
        self._now["place"] = os.fsencode(f"{root}\n{python}\n")

    def fits(self, *names: str) -> bool:
        """Says whether the environment stands, and was made from these as they are now."""
        if not os.access(self._venv / "bin" / "python", os.X_OK):
            return False
        try:
            return all((self._folder / name).read_bytes() == self._now[name] for name in names)
        except OSError:
            return False

    def remove(self) -> None:
        """Forgets everything: what follows may be cut short."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def write(self) -> None:
        """Writes the record so that it is there whole or not at all."""
        scratch = self._folder.with_name(RECORD_NAME + ".new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for name, content in self._now.items():
            (scratch / name).write_bytes(content)
        scratch.rename(self._folder)


@contextmanager
def only_one(venv: Path) -> Iterator[None]:
    """Holds the environment for this process and those it starts.

    The system lets go when the last of them has ended, however it ended: a pip that outlives a killed set-up must not
    write into the environment that the next one makes.
    """
    venv.mkdir(exist_ok=True)
    with (venv / LOCK_NAME).open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that sets up .venv")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def create(root: Path, venv: Path) -> None:
    """Empties the folder but for the lock, and installs exactly what requirements.lock lists."""
    for entry in venv.iterdir():
        if entry.name == LOCK_NAME:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # The Python that runs this may be the very one just removed, where .venv was activated: ask for the one behind it.
    run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(venv)])
    pip(venv, "--require-hashes", "--requirement", str(root / "requirements.lock"))


def install_project(root: Path, venv: Path) -> None:
    """Installs the project itself so that edits are live; its dependencies and its build tool are there already."""
    pip(venv, "--no-deps", "--no-build-isolation", "--editable", str(root))


def pip(venv: Path, *arguments: str) -> None:
    """Runs pip install of the environment."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(venv / "bin" / "python"), "-m", "pip", "install", *options, *arguments])


def run(command: list[str]) -> None:
    """Runs a command silently; where it fails, what it said is the error."""
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    with tempfile.TemporaryFile() as output:
        code = subprocess.call(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=False
        )
        if code:
            output.seek(0)
            raise SetupFailed(f"{' '.join(command)}\n{output.read().decode(errors='replace').rstrip()}")


def say(text: str) -> None:
    """Tells the person what takes so long; standard output belongs to the program that is started afterwards."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Makes the environment of this checkout; the argument is the command of the Python that was chosen."""
    try:
        make(ROOT, sys.argv[1])
    except SetupFailed as error:
        say(f"error: could not set up .venv: {error}")
        say("hint: The package index must be reachable; pip's own settings (mirror, proxy, certificate) are used.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
