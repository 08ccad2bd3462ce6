"""Writes the files of a package: new ones only, readable by their owner alone, and all through the system's own calls."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from archive.errors import TargetFailed
from archive.folders import describe_error

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
BUFFER_BYTES = 1 << 20

_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _NewFile(io.RawIOBase):
    """Is a new file that hands each write to the system as it is."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, _NEW_FILE, PRIVATE_FILE)

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return os.write(self._fd, cast(bytes, data))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return os.lseek(self._fd, offset, whence)

    def close(self) -> None:
        if not self.closed:
            try:
                super().close()
            finally:
                os.close(self._fd)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Gives a new file to write to, buffered; something that is there already is an error."""
    with io.BufferedWriter(_NewFile(path), BUFFER_BYTES) as file:
        yield cast("IO[bytes]", file)


def write_new(path: Path, data: bytes) -> None:
    """Writes a new file."""
    write_document(path, data, PRIVATE_FILE, None)


def write_document(path: Path, data: bytes, mode: int, mtime_ns: int | None) -> None:
    """Writes a new file with its permissions and time of modification, as far as the file system can hold them."""
    fd = os.open(path, _NEW_FILE, mode & 0o777)
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, memoryview(data)[written:])
        if stat.S_IMODE(os.fstat(fd).st_mode) != mode:  # the umask took some, or it is a special one
            _quietly(lambda: os.fchmod(fd, mode))
        if mtime_ns is not None:
            _quietly(lambda: os.utime(fd, ns=(mtime_ns, mtime_ns)))
    finally:
        os.close(fd)


def hash_of(path: Path) -> tuple[str, int]:
    """Returns the hash of a file in hexadecimal, and its size."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(BUFFER_BYTES):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def package_failed(error: OSError, place: Path) -> TargetFailed:
    """Returns the error to raise where the system would not let a package be written."""
    hint = "Check that the folder exists and that you may write to it, or name another place."
    if error.errno in _NO_ROOM:
        hint = "Make room, or name a place on another disk; --no-history makes a smaller package."
    return TargetFailed(
        f"cannot write a recovery package to {place}: {describe_error(error)}; nothing was left there",
        hint=hint,
        path=str(place),
    )


def _quietly(change: Callable[[], None]) -> None:
    """Where the file system cannot hold an attribute the manifest still has it."""
    try:
        change()
    except PermissionError:
        return
    except OverflowError:
        return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
