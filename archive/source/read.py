"""Reads files whole, with a stat that belongs to the bytes, or says why it could not."""

from __future__ import annotations

import os
from pathlib import Path

from archive.folders import Folders, NotRegular, describe_error, file_stat, open_file
from archive.model.files import FileContent, FileStat
from archive.model.snapshots import Problem, ProblemKind

# How often a file is read that will not hold still.
ATTEMPTS = 3


class SourceReader:
    """Reads files below a root, keeping their folders open from one file to the next.

    Use it as a context manager, or call `close`; reading files in the order of their paths is quickest. Not for several
    threads at once.
    """

    def __init__(self, root: Path, *, max_file_bytes: int | None = None) -> None:
        self._root = root
        self._max_file_bytes = max_file_bytes
        self._folders: Folders | None = None

    def __enter__(self) -> SourceReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the folders. Closing twice does nothing."""
        if self._folders is not None:
            self._folders.close()
        self._folders = None

    def read(self, stat: FileStat) -> FileContent | Problem:
        """Returns the file's content, or a problem where there is none to be had.

        The stat that is returned was taken of the very file that was read, before it was read. If the file changed
        meanwhile it is read again; one that changes each time is returned as read, with a problem, and the size in its
        stat is that of the data. A link or special file that took the file's place, or that of a folder above it, is
        neither followed nor waited for.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                content = self._read_once(stat.path)
            except FileNotFoundError:
                return Problem(stat.path, ProblemKind.VANISHED, "it was gone when it was to be read")
            except NotRegular as error:
                what = "it" if error.path == stat.path else f"the folder {error.path!a}"
                return Problem(stat.path, ProblemKind.VANISHED, f"{what} became {error.what} before it was read")
            except OSError as error:
                return Problem(stat.path, ProblemKind.UNREADABLE, describe_error(error))
            if isinstance(content, Problem) or content.problem is None or attempt == ATTEMPTS:
                return content
        raise AssertionError("the last attempt returns")

    def _read_once(self, path: str) -> FileContent | Problem:
        folder, _, name = path.rpartition("/")
        if self._folders is None:
            self._folders = Folders(self._root)
        fd = open_file(path, name, self._folders.open(folder))
        try:
            before = os.fstat(fd)
            if self._max_file_bytes is not None and before.st_size > self._max_file_bytes:
                message = f"{before.st_size} bytes, over the limit of {self._max_file_bytes}"
                return Problem(path, ProblemKind.TOO_LARGE, message)
            data = _read_all(fd, before.st_size)
            after = os.fstat(fd)
        finally:
            os.close(fd)
        found = file_stat(path, before)
        if len(data) == before.st_size and found == file_stat(path, after):
            return FileContent(found, data, None)
        message = f"it changed while it was read, {ATTEMPTS} times over, and is stored as it was read last"
        problem = Problem(path, ProblemKind.CHANGED_WHILE_READ, message)
        return FileContent(found._replace(size_bytes=len(data)), data, problem)


def _read_all(fd: int, size: int) -> bytes:
    """Returns the content, at most one byte more than expected: that is enough to see that the file grew."""
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data  # the usual case; the stat taken next shows whether there is more
    parts = [data]
    left = size + 1 - len(data)
    while left > 0 and parts[-1]:
        parts.append(os.read(fd, left))
        left -= len(parts[-1])
    return b"".join(parts)
