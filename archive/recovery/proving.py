"""Proves a package before anybody sees it: its own program verifies it and restores from it, and that is compared.

The program runs as it will when it is needed: on its own, with no module but the standard library's, in an environment
that is empty.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from archive.errors import TargetFailed
from archive.folders import MODE_BITS, unsafe_reason
from archive.hashing import HASH_TAG
from archive.model.documents import DocumentState
from archive.recovery.output import write_document

_SAID_LINES = 5
_NO_ROOM = "no space left on device"  # the program runs without a locale, and says it like this
_TELLING_NAME = os.fsdecode(b'Probe:?*"\\ \n\xff')
_TELLING_TIME_NS = 1_234_567_890_123_456_789
_TELLING_MODE = 0o641


def require_verified(folder: Path, lost: Collection[str] = ()) -> None:
    """Has the package verify itself.

    Args:
        lost: Hashes of contents that the archive could not give back, which it then has to say.

    Raises:
        TargetFailed: It found something.
    """
    said = _run(folder, "verify", may_fail=bool(lost))
    # A program of which half is missing may say nothing, and succeed.
    is_proven = b" verified, but not all that there was: " in said if lost else said.endswith(b" verified\n")
    if not is_proven:
        raise _not_proven(f"its own restore.py verify said: {said.decode('utf-8', 'backslashreplace').strip()}")


def require_restorable(
    folder: Path, scratch: Path, moments: Iterable[tuple[int, Sequence[DocumentState]]], lost: frozenset[str]
) -> None:
    """Has the package restore snapshots to a new folder and compares each file with what the archive says of it.

    One after the other into the same folder, where only what is the same in both stays: to write, and to delete, a project's
    every file again takes some file systems very long.

    Args:
        folder: The package.
        scratch: A folder to write to, which holds names and times as they are.
        moments: Ids of snapshots, and their documents.
        lost: Hashes of contents that the archive could not give back.

    Raises:
        TargetFailed: A file is missing, too much, or not as it was.
        OSError: There is no room for the trial.
    """
    with tempfile.TemporaryDirectory(prefix="trial-", dir=scratch) as trial:
        there: set[_Kept] = set()
        for at, documents in moments:
            wanted = {_Kept(each.path, each.hash, each.mode, each.mtime_ns) for each in documents}
            _remove(trial, there - wanted)
            may_fail = any(document.hash in lost or unsafe_reason(document.path) for document in documents)
            _run(folder, "restore", "--at", str(at), "--to", trial, "--no-sync", may_fail=may_fail)
            _compare(trial, [document for document in documents if document.hash not in lost])
            there = wanted


class _Kept(NamedTuple):
    path: str
    hash: str
    mode: int
    mtime_ns: int


def _remove(trial: str, files: Iterable[_Kept]) -> None:
    """Removes files, and the folders that are empty then."""
    for file in files:
        path = os.path.join(trial, file.path)
        if unsafe_reason(file.path) or not os.path.lexists(path):
            continue
        os.unlink(path)
        while (path := os.path.dirname(path)) != trial and not os.listdir(path):
            os.rmdir(path)


@contextmanager
def trial_folder(beside: Path) -> Iterator[Path]:
    """Gives a folder for trials: the one given where it holds every name and time, else one of the system's.

    A package may be made on a stick whose file system cannot hold the project's own names; to restore it there would prove
    nothing.
    """
    if _holds_everything(beside):
        yield beside
    else:
        with tempfile.TemporaryDirectory(prefix="archive-trial-") as elsewhere:
            yield Path(elsewhere)


def _holds_everything(folder: Path) -> bool:
    probe = folder / _TELLING_NAME
    try:
        write_document(probe, b"", _TELLING_MODE, _TELLING_TIME_NS)
        found = probe.stat()
        is_exact = (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (_TELLING_MODE, _TELLING_TIME_NS)
        return is_exact and not (folder / _TELLING_NAME.lower()).exists()
    except (OSError, ValueError):
        return False
    finally:
        if os.path.lexists(probe):
            probe.unlink()


def _run(folder: Path, *arguments: str, may_fail: bool) -> bytes:
    # -I: nothing from the environment, -S: no installed packages.
    command = [sys.executable or "python3", "-I", "-S", str(folder / "restore.py"), *arguments]
    done = subprocess.run(command, capture_output=True, env={}, cwd=folder, check=False)
    if done.returncode == 0 or (done.returncode == 1 and may_fail):
        return done.stdout
    lines = (done.stderr or done.stdout).decode("utf-8", "backslashreplace").splitlines()
    if any(line.endswith(_NO_ROOM) for line in lines):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    # Of a traceback the last line says what happened.
    said = lines[-1:] if lines and lines[0].startswith("Traceback") else lines[:_SAID_LINES]
    raise _not_proven(f"its own restore.py {arguments[0]} said: {'; '.join(said) or done.returncode}")


def _compare(trial: str, documents: Sequence[DocumentState]) -> None:
    left: set[str] = set()
    for where, _, names in os.walk(trial):
        left.update(os.path.relpath(os.path.join(where, name), trial) for name in names)
    for document in documents:
        if document.path not in left and unsafe_reason(document.path):
            continue
        left.discard(document.path)
        path = os.path.join(trial, document.path)
        try:
            found = os.lstat(path)
            with open(path, "rb") as file:
                hash_ = HASH_TAG + hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _not_proven(f"{document.path!r} was not restored: {error.strerror}") from error
        if (hash_, found.st_mode & MODE_BITS, found.st_mtime_ns) != (document.hash, document.mode, document.mtime_ns):
            raise _not_proven(f"{document.path!r} was not restored as it was")
    if left:
        raise _not_proven(f"{min(left)!r} was restored and should not exist")


def _not_proven(reason: str) -> TargetFailed:
    return TargetFailed(
        f"the package could not be proven and was not kept: {reason}",
        hint="Run 'archive check' to see whether the archive is sound, and try a place on another disk.",
    )
