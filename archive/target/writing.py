"""Writes single files into a staging folder, and proves them right before anything else is done with them."""

from __future__ import annotations

import errno
import os
from itertools import count
from pathlib import Path
from typing import NamedTuple

from archive.errors import TargetFailed
from archive.folders import MODE_BITS, Folders, NotRegular, describe_error
from archive.hashing import hash_bytes

CHUNK_BYTES = 1024 * 1024

# The folders in a staging folder. Files on the shelf have numbers for names, behind a letter for each process that fills it.
SHELF = "shelf"
TREE = "tree"
SHELF_PREFIXES = ("a", "b")

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NEW_FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StagedFile(NamedTuple):
    """A file to be restored.

    Attributes:
        path: Relative to the target, POSIX.
        mode: Permission bits; setuid and setgid are left aside.
        hash: Tagged hash that the content must have on disk.
    """

    path: str
    data: bytes
    mode: int
    mtime_ns: int
    hash: str


class Written(NamedTuple):
    """A file that waits in the staging folder under `name`, which is a path there."""

    path: str
    name: str
    size_bytes: int
    mode: int
    mtime_ns: int

    @classmethod
    def in_tree(cls, path: str, size_bytes: int, mode: int, mtime_ns: int) -> Written:
        """Returns where a file is that was staged as it will lie in the target."""
        return cls(path, f"{TREE}/{path}", size_bytes, mode & MODE_BITS, mtime_ns)

    @property
    def is_in_tree(self) -> bool:
        """Whether it lies as it will lie in the target."""
        return self.name.startswith(TREE)


class FileWriter:
    """Writes files for one process.

    Attributes:
        doubtful: Paths of files whose attributes do not stand, or whose name the file system took for that of another one.
    """

    def __init__(self, root: Path, folders: Folders, present: frozenset[str], prefix: str) -> None:
        """Begins.

        Args:
            root: The target's name, for errors.
            folders: Those of the staging folder.
            present: Names at the top of the target where something is.
            prefix: Tells the files of one process on the shelf from those of another.
        """
        self.doubtful: set[str] = set()
        self._root = root
        self._folders = folders
        self._present = present
        self._numbers = (f"{SHELF}/{prefix}{number}" for number in count())

    def write(self, file: StagedFile, *, flush: bool) -> Written:
        """Writes a file, reads it back and compares it.

        Raises:
            TargetFailed: It could not be written, or is not what it should be.
        """
        top, slash, _ = file.path.partition("/")
        name = f"{TREE}/{file.path}" if slash and top not in self._present else next(self._numbers)
        try:
            try:
                fd = self._create(name, file.mode)
            except (OSError, NotRegular) as error:
                # The file system takes two names for one, or will not have this one. The file waits on the shelf: then it is
                # put in place behind the others, or a problem of its own.
                if not name.startswith(TREE) or (isinstance(error, OSError) and error.errno in _NO_ROOM):
                    raise
                self.doubtful.add(file.path)
                name = next(self._numbers)
                fd = self._create(name, file.mode)
            try:
                is_right = self._fill(fd, file)
                if flush:
                    os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise target_failed(self._root, error, file.path) from error
        if not is_right:
            raise TargetFailed(
                f"{file.path!r} does not read back as it was written; the target is as it was",
                hint="Check the disk, or restore to another one with '--to DIR'.",
                path=file.path,
            )
        return Written(file.path, name, len(file.data), file.mode & MODE_BITS, file.mtime_ns)

    def _create(self, name: str, mode: int) -> int:
        folder, _, last = name.rpartition("/")
        return os.open(last, _NEW_FILE_FLAGS, mode & 0o777, dir_fd=self._folders.open(folder, create=True))

    def _fill(self, fd: int, file: StagedFile) -> bool:
        write_all(fd, file.data)
        if not set_attributes(fd, file.mode & MODE_BITS, file.mtime_ns):
            self.doubtful.add(file.path)
        return _reads_back(fd, file.data) and hash_bytes(file.data) == file.hash


def write_all(fd: int, data: bytes) -> None:
    """Writes all of the data; systems may take a part at a time."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def set_attributes(fd: int, mode: int, mtime_ns: int) -> bool:
    """Sets permissions and time of modification; returns whether they stand, which some file systems cannot do."""
    try:
        os.utime(fd, ns=(mtime_ns, mtime_ns))
    except (OSError, OverflowError) as error:
        _require_harmless(error)
    found = os.fstat(fd)
    if found.st_mode & MODE_BITS != mode:
        try:
            os.fchmod(fd, mode)
        except OSError as error:
            _require_harmless(error)
        found = os.fstat(fd)
    return found.st_mode & MODE_BITS == mode and found.st_mtime_ns == mtime_ns


def _require_harmless(error: OSError | OverflowError) -> None:
    """Raises an error that says more than that this attribute cannot be set here."""
    if isinstance(error, OSError) and error.errno not in (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL):
        raise error


def target_failed(root: Path, error: OSError, path: str = "") -> TargetFailed:
    """Returns the error to raise for a system's error before anything was put in place."""
    where = f"{path!r} below {root}" if path else str(root)
    if error.errno in _NO_ROOM:
        hint = "Make room, or restore to another disk with '--to DIR'."
    else:
        hint = "Check that the folder exists and that you may write to it, or restore elsewhere with '--to DIR'."
    message = f"cannot write {where}: {describe_error(error)}; the target is as it was"
    return TargetFailed(message, hint=hint, root=str(root), path=path)


def _reads_back(fd: int, data: bytes) -> bool:
    size = len(data)
    if size < CHUNK_BYTES:
        return os.pread(fd, size + 1, 0) == data
    view = memoryview(data)
    for start in range(0, size, CHUNK_BYTES):
        if os.pread(fd, CHUNK_BYTES, start) != view[start : start + CHUNK_BYTES]:
            return False
    return os.fstat(fd).st_size == size
