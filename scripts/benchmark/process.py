"""Starts whole processes and says what each took."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")
_SYNCS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync"
_SYNC_CALL = re.compile(rb"^\d+ +(?:fsync|fdatasync|sync_file_range|syncfs|sync|msync)\(", re.MULTILINE)


class CommandError(Exception):
    """Says that a measured command did not do what it was asked; a figure for it would mean nothing."""


@dataclass(frozen=True)
class Taken:
    """What one run of a command took.

    Attributes:
        seconds: Wall time from fork to exit.
        peak_bytes: Most memory held at once by the command and what it started.
        cpu_seconds: User and system time.
        syncs: Calls that wait for the disk, or None where they were not counted.
    """

    seconds: float
    peak_bytes: int
    cpu_seconds: float
    syncs: int | None = None


@dataclass(frozen=True)
class Runner:
    """Runs commands with a private home, caches and temporary files, and with nothing of the user's configuration.

    Attributes:
        home: Folder that stands for the home; made when missing.
    """

    home: Path

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Returns the whole environment a command gets."""
        self.home.mkdir(parents=True, exist_ok=True)
        base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "LANG": "C.UTF-8", "TZ": "UTC"}
        if "TMPDIR" in os.environ:
            base["TMPDIR"] = os.environ["TMPDIR"]
        return {
            **base,
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            **extra,
        }

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        extra: Mapping[str, str] | None = None,
        count_syncs: bool = False,
    ) -> Taken:
        """Runs the command to its end; its output is thrown away.

        Args:
            command: Program and arguments.
            cwd: Folder to run in.
            extra: Variables of the environment on top of the private ones.
            count_syncs: Whether to count calls that wait for the disk; that slows the command, so its time says little.

        Raises:
            CommandError: The exit code is not 0; the message ends with what the command wrote to stderr.
        """
        environment = self.environment(extra or {})
        result, errors, trace = (self.home / name for name in ("taken.json", "stderr.txt", "trace.txt"))
        result.unlink(missing_ok=True)
        prefix = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={_SYNCS}"] if count_syncs else []
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(result)]
        os.sync()
        with errors.open("wb") as stderr:
            subprocess.run(
                [*launcher, *prefix, *command],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                check=True,
            )
        measured = json.loads(result.read_bytes())
        if measured["exit_code"] != 0:
            said = errors.read_text(errors="replace").strip()[-2000:]
            raise CommandError(f"{' '.join(command)} exited with {measured['exit_code']}: {said}")
        syncs = len(_SYNC_CALL.findall(trace.read_bytes())) if count_syncs else None
        return Taken(measured["seconds"], measured["peak_bytes"], measured["cpu_seconds"], syncs)

    def output(self, command: Sequence[str], extra: Mapping[str, str] | None = None) -> str:
        """Returns what a command prints, or an empty text where it cannot be run or fails."""
        try:
            done = subprocess.run(
                command, env=self.environment(extra or {}), stdin=subprocess.DEVNULL, capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return ""
        return done.stdout.decode(errors="replace").strip()


def can_count_syncs() -> bool:
    """Returns whether `strace` is installed."""
    return shutil.which("strace") is not None


def folder_bytes(path: Path) -> int:
    """Returns the size of a file, or of all files below a folder; 0 where there is none."""
    if path.is_file():
        return path.stat().st_size
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(path) for name in names)


def warm(root: Path) -> None:
    """Reads every file below a folder once, so that all tools find it in the page cache."""
    for folder, _, names in os.walk(root):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                while file.read(1 << 20):
                    pass
