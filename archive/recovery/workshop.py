"""Gives each package that is made a private folder beside its place, and clears away what killed ones left there.

What lies in such a folder is the project in clear, also where only an encrypted file was asked for. So it is removed
whatever happens; and since a kill leaves no time for that, the next package made at the place removes it. A folder whose
lock is free has lost its process.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.recovery.output import PRIVATE_FOLDER
from archive.rules import STAGING_PREFIX
from archive.target.staging import flush_file_system, flush_folder

try:
    import fcntl
except ImportError:  # then what a killed process leaves behind stays until somebody removes it
    fcntl = None  # type: ignore[assignment]

# No backup looks at what is called so, whatever its rules.
_PREFIX = f"{STAGING_PREFIX}package-"
_NAME = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def workshop(parent: Path) -> Iterator[Path]:
    """Gives a new private folder in a folder, and removes it with all that is still in it."""
    _clean_stale(parent)
    work = parent / (_PREFIX + os.urandom(8).hex())
    work.mkdir(PRIVATE_FOLDER)
    fd = -1
    try:
        fd = os.open(work, _FOLDER_FLAGS)
        _lock(fd)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if fd >= 0:
            os.close(fd)


def flush(work: Path) -> None:
    """Returns when the disk holds everything that was written below a folder."""
    fd = os.open(work, _FOLDER_FLAGS)
    try:
        flush_file_system(fd)
    finally:
        os.close(fd)


def put_in_place(made: list[Path], parent: Path) -> None:
    """Renames files and folders to another folder, all of them or none; nothing that is there is replaced."""
    placed: list[Path] = []
    try:
        for path in made:
            target = parent / path.name
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            path.rename(target)
            placed.append(target)
        flush_folder(str(parent))
    except BaseException:
        for path in placed:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _clean_stale(parent: Path) -> None:
    if fcntl is None:
        return
    for name in filter(_NAME.fullmatch, os.listdir(parent)):
        try:
            fd = os.open(parent / name, _FOLDER_FLAGS)
        except OSError:
            continue
        try:
            if _lock(fd):
                shutil.rmtree(parent / name, ignore_errors=True)
        finally:
            os.close(fd)


def _lock(fd: int) -> bool:
    """Takes the folder's lock, which is kept until the descriptor is closed; where there are no locks nobody has it."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
