"""Keeps restored files in one folder inside the target until all of them are written and proven right.

The folder belongs to one process: it holds a lock on it as long as it lives, so a folder whose lock is free is what a
killed restore left behind, and may go.
"""

from __future__ import annotations

import errno
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, cycle, islice
from pathlib import Path
from typing import NamedTuple

from archive.errors import TargetFailed
from archive.folders import MODE_BITS, describe_error
from archive.hashing import hash_bytes
from archive.rules import STAGING_PREFIX

try:
    import fcntl
except ImportError:  # then what a killed restore leaves behind stays until somebody removes it
    fcntl = None  # type: ignore[assignment]

# Up to so many files or folders are flushed one by one; above, the whole file system at once, which costs one wait and
# not thousands, but may have to write what other programs left unwritten.
FLUSHED_SINGLY = 16

CHUNK_BYTES = 1024 * 1024

SHELVES = ("a", "b")
# How many files a thread is given at once, and how many such parts wait; the contents of all of them are in memory.
_HANDED_OVER = 16
_MOST_WAITING = 4
_MOST_WAITING_BYTES = 8 * 1024 * 1024

_STAGING_NAME = re.compile(re.escape(STAGING_PREFIX) + r"[0-9a-f]{16}\Z")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
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
    """A file that waits in the staging folder, on one of its shelves, under `name`."""

    path: str
    shelf_fd: int
    name: str
    size_bytes: int
    mode: int
    mtime_ns: int


class Staging:
    """Is the staging folder of one restore.

    The files wait on two shelves, folders inside it. Making a file costs the system several times what its bytes cost, and
    two files can be made at once only in different folders; so where there are many, each shelf has a thread that fills it.

    Raises:
        TargetFailed: The folder cannot be made.
    """

    def __init__(self, root_fd: int, root: Path) -> None:
        self.files: list[Written] = []
        self._root = root
        self._root_fd = root_fd
        self._shelves: list[int] = []
        self.name, self.fd = "", -1
        try:
            self.name, self.fd = _new_folder(root_fd)
            for name in SHELVES:
                os.mkdir(name, 0o700, dir_fd=self.fd)
                self._shelves.append(os.open(name, _FOLDER_FLAGS, dir_fd=self.fd))
        except OSError as error:
            self.remove()
            raise target_failed(root, error) from error

    def write(self, files: Iterable[StagedFile]) -> None:
        """Adds files, reads each one back and compares it; takes them one at a time, in order.

        Raises:
            TargetFailed: One could not be written, or is not what it should be.
        """
        numbered = enumerate(files, start=len(self.files))
        for number, file in islice(numbered, FLUSHED_SINGLY):
            self.files.append(self._write(number, file, self._shelves[0], flush=True))
        if (first := next(numbered, None)) is None:
            return
        from concurrent.futures import Future, ThreadPoolExecutor

        waiting: deque[tuple[Future[list[Written]], int]] = deque()
        with ThreadPoolExecutor(len(self._shelves), "staging") as pool:
            for part, shelf in zip(_parts(chain([first], numbered)), cycle(self._shelves), strict=False):
                waiting.append((pool.submit(self._write_several, part, shelf), sum(len(file.data) for _, file in part)))
                while len(waiting) > _MOST_WAITING or sum(size for _, size in waiting) > _MOST_WAITING_BYTES:
                    self.files += waiting.popleft()[0].result()
            for future, _ in waiting:
                self.files += future.result()

    def _write_several(self, turn: list[tuple[int, StagedFile]], shelf_fd: int) -> list[Written]:
        return [self._write(number, file, shelf_fd, flush=False) for number, file in turn]

    def _write(self, number: int, file: StagedFile, shelf_fd: int, *, flush: bool) -> Written:
        name = str(number)
        mode = file.mode & MODE_BITS
        try:
            fd = os.open(name, _NEW_FILE_FLAGS, mode & 0o777, dir_fd=shelf_fd)
            try:
                write_all(fd, file.data)
                set_attributes(fd, mode, file.mtime_ns)
                is_right = _reads_back(fd, file.data) and hash_bytes(file.data) == file.hash
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
        return Written(file.path, shelf_fd, name, len(file.data), mode, file.mtime_ns)

    def flush(self) -> None:
        """Returns when the disk holds all that was staged.

        Raises:
            TargetFailed: It does not.
        """
        try:
            if len(self.files) > FLUSHED_SINGLY:
                flush_file_system(self.fd)
            else:
                os.fsync(self.fd)
        except OSError as error:
            raise target_failed(self._root, error) from error

    def remove(self) -> None:
        """Removes the folder with what is left in it; what cannot be removed is left to `clean_stale`."""
        while self._shelves:
            os.close(self._shelves.pop())
        if self.fd >= 0:
            _remove_folder(self._root_fd, self.name, self.fd)
            os.close(self.fd)
            self.fd = -1


def _parts(numbered: Iterator[tuple[int, StagedFile]]) -> Iterator[list[tuple[int, StagedFile]]]:
    part: list[tuple[int, StagedFile]] = []
    for number, file in numbered:
        part.append((number, file))
        if len(part) >= _HANDED_OVER or len(file.data) >= CHUNK_BYTES:
            yield part
            part = []
    if part:
        yield part


def clean_stale(root: Path) -> int:
    """Removes the staging folders that killed restores left in a target; returns how many.

    Those of restores that are running are left alone. Never fails: what cannot be removed stays.
    """
    if fcntl is None:
        return 0
    removed = 0
    try:
        root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        for name in filter(_STAGING_NAME.match, os.listdir(root_fd)):
            try:
                fd = os.open(name, _FOLDER_FLAGS, dir_fd=root_fd)
            except OSError:
                continue
            try:
                removed += _lock(fd) is True and _remove_folder(root_fd, name, fd)
            finally:
                os.close(fd)
    finally:
        os.close(root_fd)
    return removed


def write_all(fd: int, data: bytes) -> None:
    """Writes all of the data; systems may take a part at a time."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def set_attributes(fd: int, mode: int, mtime_ns: int) -> None:
    """Sets permissions and time of modification; where the file system cannot hold them, a later look will show it."""
    try:
        if os.fstat(fd).st_mode & MODE_BITS != mode:
            os.fchmod(fd, mode)
        os.utime(fd, ns=(mtime_ns, mtime_ns))
    except (PermissionError, OverflowError):
        return
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise


def flush_file_system(fd: int) -> None:
    """Returns when the disk holds everything written to the file system that the descriptor is on."""
    try:
        import ctypes

        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError):  # not Linux
        os.sync()
        return
    if syncfs(fd) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def flush_folder(folder: str) -> None:
    """Returns when the disk holds the entries of a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def target_failed(root: Path, error: OSError, path: str = "") -> TargetFailed:
    """Returns the error to raise for a system's error before anything was put in place."""
    where = f"{path!r} below {root}" if path else str(root)
    if error.errno in _NO_ROOM:
        hint = "Make room, or restore to another disk with '--to DIR'."
    else:
        hint = "Check that the folder exists and that you may write to it, or restore elsewhere with '--to DIR'."
    message = f"cannot write {where}: {describe_error(error)}; the target is as it was"
    return TargetFailed(message, hint=hint, root=str(root), path=path)


def _new_folder(root_fd: int) -> tuple[str, int]:
    while True:
        name = STAGING_PREFIX + os.urandom(8).hex()
        os.mkdir(name, 0o700, dir_fd=root_fd)
        try:
            fd = os.open(name, _FOLDER_FLAGS, dir_fd=root_fd)
        except FileNotFoundError:  # somebody who cleans up was quicker than our lock
            continue
        if _lock(fd) is not False and os.fstat(fd).st_nlink > 0:
            return name, fd
        os.close(fd)


def _lock(fd: int) -> bool | None:
    """Takes the folder's lock and keeps it until the descriptor is closed; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_folder(root_fd: int, name: str, fd: int) -> bool:
    """Removes a staging folder; its shelves hold nothing but files with numbers for names, and only those are removed."""
    try:
        for shelf in filter(SHELVES.__contains__, os.listdir(fd)):
            shelf_fd = os.open(shelf, _FOLDER_FLAGS, dir_fd=fd)
            try:
                for file in filter(str.isdecimal, os.listdir(shelf_fd)):
                    os.unlink(file, dir_fd=shelf_fd)
            finally:
                os.close(shelf_fd)
            os.rmdir(shelf, dir_fd=fd)
        os.rmdir(name, dir_fd=root_fd)
    except OSError:
        return False
    return True


def _reads_back(fd: int, data: bytes) -> bool:
    size = len(data)
    if size < CHUNK_BYTES:
        return os.pread(fd, size + 1, 0) == data
    view = memoryview(data)
    for start in range(0, size, CHUNK_BYTES):
        if os.pread(fd, CHUNK_BYTES, start) != view[start : start + CHUNK_BYTES]:
            return False
    return os.fstat(fd).st_size == size
