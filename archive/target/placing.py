"""Puts single files in place, removes them, and sets their attributes; never through a link, never outside the target.

Each step that fails gives a problem, and the rest goes on. A file is looked at immediately before it is replaced or
removed: what is no regular file, belongs to the archive, or is not what the plan saw, is left alone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from archive.folders import MODE_BITS, Folders, NotRegular, describe_error, describe_mode, file_stat
from archive.model.files import FileStat
from archive.model.snapshots import Problem, ProblemKind
from archive.target.staging import Staging
from archive.target.writing import CHUNK_BYTES, TREE, Written, set_attributes, write_all

_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class AttributeChange(NamedTuple):
    """A file whose content is right, and the attributes it is to have."""

    path: str
    mode: int
    mtime_ns: int


class Placer:
    """Changes single entries below a root.

    Attributes:
        touched: Folders in which an entry was changed.
    """

    def __init__(self, folders: Folders, protect: Collection[Path], expected: Mapping[str, FileStat | None]) -> None:
        self.touched: set[str] = set()
        self._folders = folders
        self._expected = expected
        self._protected = set()
        for path in protect:
            try:
                found = os.stat(path)
            except OSError:
                continue
            self._protected.add((found.st_ino, found.st_dev))

    def expects_nothing(self, path: str) -> bool:
        """Whether no file has to be at a path for it to be put in place."""
        return self._expected.get(path) is None

    def place_folder(self, top: str, staging: Staging) -> bool:
        """Renames a staged folder with all that is in it to the top of the root, where nothing is; returns whether it could."""
        assert staging.folders is not None
        try:
            if _look(top, self._folders.root_fd) is not None:
                return False
            os.rename(top, top, src_dir_fd=staging.folders.open(TREE), dst_dir_fd=self._folders.root_fd)
        except (OSError, NotRegular):
            return False  # each file will say for itself why not
        self.touched.add("")
        return True

    def place(self, file: Written, staging: Staging) -> Problem | None:
        """Renames a staged file to its place, making the folders that are missing."""
        assert staging.folders is not None
        folder, _, name = file.path.rpartition("/")
        staged_in, _, staged_as = file.name.rpartition("/")
        try:
            fd = self._folders.open(folder, create=True)
            if problem := self._refusal(file.path, _look(name, fd)):
                return problem
            self.touched.add(folder)
            staged_fd = staging.folders.open(staged_in)
            try:
                os.rename(staged_as, name, src_dir_fd=staged_fd, dst_dir_fd=fd)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                source = os.open(staged_as, _READ_FLAGS, dir_fd=staged_fd)
                try:
                    _copy(file, source, staging.name, name, fd)
                finally:
                    os.close(source)
        except (OSError, NotRegular) as error:
            return _failure(file.path, error)
        return None

    def delete(self, path: str) -> Problem | None:
        """Removes a file; one that is gone already is no problem."""
        folder, _, name = path.rpartition("/")
        try:
            fd = self._folders.open(folder)
            found = _look(name, fd)
            if found is None:
                return None
            if problem := self._refusal(path, found):
                return problem
            os.unlink(name, dir_fd=fd)
            self.touched.add(folder)
        except FileNotFoundError:
            return None
        except (OSError, NotRegular) as error:
            return _failure(path, error)
        return None

    def delete_empty(self, folders: Collection[str]) -> None:
        """Removes those of the folders that are empty, and then the ones above them that became so."""
        for start in sorted(folders, reverse=True):
            folder = start
            while folder:
                above, _, name = folder.rpartition("/")
                try:
                    os.rmdir(name, dir_fd=self._folders.open(above))
                except (OSError, NotRegular):
                    break
                self.touched.discard(folder)
                self.touched.add(above)
                folder = above
        # Descriptors of removed folders must not be used for new ones of the same name.
        self._folders.forget()

    def change_attributes(self, change: AttributeChange) -> Problem | None:
        """Sets mode and time of modification of a file."""
        folder, _, name = change.path.rpartition("/")
        try:
            fd = self._folders.open(folder)
            found = _look(name, fd)
            if found is None:
                return Problem(change.path, ProblemKind.NOT_WRITTEN, "it is gone")
            if problem := self._refusal(change.path, found):
                return problem
            _set_attributes_at(name, fd, change.mode & MODE_BITS, change.mtime_ns)
        except (OSError, NotRegular) as error:
            return _failure(change.path, error)
        return self.verify(change.path, found.st_size, change.mode & MODE_BITS, change.mtime_ns)

    def verify(self, path: str, size_bytes: int, mode: int, mtime_ns: int) -> Problem | None:
        """Looks at a file by its name and returns in what it is not as it should be."""
        folder, _, name = path.rpartition("/")
        try:
            found = os.stat(name, dir_fd=self._folders.open(folder), follow_symlinks=False)
        except (OSError, NotRegular) as error:
            return _failure(path, error)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size_bytes:
            return Problem(path, ProblemKind.NOT_WRITTEN, "something else took its place")
        wrong = []
        if found.st_mode & MODE_BITS != mode:
            wrong.append("its mode")
        if found.st_mtime_ns != mtime_ns:
            wrong.append("its time of modification")
        if wrong:
            message = f"its content is right, but {' and '.join(wrong)} could not be set"
            return Problem(path, ProblemKind.NOT_WRITTEN, message)
        return None

    def identity(self, path: str) -> tuple[int, int] | None:
        """Returns what tells two files apart, whatever their names."""
        folder, _, name = path.rpartition("/")
        try:
            found = _look(name, self._folders.open(folder))
        except (OSError, NotRegular):
            return None
        return None if found is None else (found.st_ino, found.st_dev)

    def _refusal(self, path: str, found: os.stat_result | None) -> Problem | None:
        """Returns why what is there now must be left alone."""
        if found is not None and not stat.S_ISREG(found.st_mode):
            return Problem(path, ProblemKind.IN_THE_WAY, f"{describe_mode(found.st_mode)} is in its place")
        if found is not None and (found.st_ino, found.st_dev) in self._protected:
            return Problem(path, ProblemKind.KEPT, "it is a part of the archive")
        if path in self._expected and self._expected[path] != (found and file_stat(path, found)):
            return Problem(path, ProblemKind.KEPT, "it changed after the plan was made")
        return None


def _look(name: str, folder_fd: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _failure(path: str, error: OSError | NotRegular) -> Problem:
    if isinstance(error, NotRegular):
        return Problem(path, ProblemKind.IN_THE_WAY, f"{error.what} is in the place of the folder {error.path!r}")
    return Problem(path, ProblemKind.NOT_WRITTEN, describe_error(error))


def _copy(file: Written, source: int, prefix: str, name: str, folder_fd: int) -> None:
    """Puts a staged file into a folder on another file system: under a temporary name there first."""
    temporary = f"{prefix}-{os.fstat(source).st_ino}"
    copy = os.open(temporary, _NEW_FILE_FLAGS, file.mode & 0o777, dir_fd=folder_fd)
    try:
        try:
            while chunk := os.read(source, CHUNK_BYTES):
                write_all(copy, chunk)
            set_attributes(copy, file.mode, file.mtime_ns)
            os.fsync(copy)
            _require_equal(source, copy)
        finally:
            os.close(copy)
        os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except BaseException:
        os.unlink(temporary, dir_fd=folder_fd)
        raise
    os.fsync(folder_fd)


def _require_equal(source: int, copy: int) -> None:
    start = 0
    while True:
        chunk = os.pread(source, CHUNK_BYTES, start)
        if chunk != os.pread(copy, CHUNK_BYTES, start):
            raise OSError(errno.EIO, "it does not read back as it was written")
        if not chunk:
            return
        start += len(chunk)


def _set_attributes_at(name: str, folder_fd: int, mode: int, mtime_ns: int) -> None:
    try:
        fd = os.open(name, _READ_FLAGS, dir_fd=folder_fd)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
        # The owner may set the attributes of a file that he may not read, but only by its name. The descriptor's own
        # name is one that no link can come in the way of.
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder_fd)
        try:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                os.chmod(f"/proc/self/fd/{fd}", mode)
                os.utime(f"/proc/self/fd/{fd}", ns=(mtime_ns, mtime_ns))
        finally:
            os.close(fd)
        return
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            set_attributes(fd, mode, mtime_ns)
    finally:
        os.close(fd)
