"""Keeps restored files in one folder inside the target until all of them are written and proven right.

The folder belongs to one process: it holds a lock on it as long as it lives, so a folder whose lock is free is what a
killed restore left behind, and may go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from archive.errors import TargetFailed
from archive.folders import Folders
from archive.rules import STAGING_PREFIX
from archive.target.writing import SHELF, SHELF_PREFIXES, TREE, FileWriter, StagedFile, Written, target_failed

try:
    import fcntl
except ImportError:  # then what a killed restore leaves behind stays until somebody removes it
    fcntl = None  # type: ignore[assignment]

# Up to so many files or folders are flushed one by one; above, the whole file system at once, which costs one wait and
# not thousands, but may have to write what other programs left unwritten.
FLUSHED_SINGLY = 16

_STAGING_NAME = re.compile(re.escape(STAGING_PREFIX) + r"[0-9a-f]{16}\Z")
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NUMBERED = re.compile(r"[ab][0-9]+\Z")


class Place(NamedTuple):
    """Where a staging folder is, for another process; `inode` and `device` prove that it is the one."""

    root: str
    name: str
    inode: int
    device: int
    present: frozenset[str]


class Staging:
    """Is the staging folder of one restore.

    What goes into a folder at the top that does not exist yet waits in `TREE` as it will lie there, so that the folder can
    be put in place as a whole. Making a file costs the system less there, too, than among ten thousand others. All other
    files wait on a shelf under numbers.

    Attributes:
        files: What was staged.
        doubtful: Those of the files in `TREE` that have to be looked at again once they are in place.

    Raises:
        TargetFailed: The folder cannot be made.
    """

    def __init__(self, root_fd: int, root: Path, fresh: frozenset[str] = frozenset()) -> None:
        """Makes the folder.

        Args:
            root_fd: The target.
            root: Its name, for errors.
        """
        self.files: list[Written] = []
        self.doubtful: set[str] = set()
        self.fresh = fresh
        self._root = root
        self._root_fd = root_fd
        self.name, self.fd = "", -1
        self.folders: Folders | None = None
        self._present: frozenset[str] = frozenset()
        self._adopted = False
        try:
            self._present = frozenset(os.listdir(root_fd))
            self.name, self.fd = _new_folder(root_fd)
            os.mkdir(SHELF, 0o700, dir_fd=self.fd)
            os.mkdir(TREE, 0o700, dir_fd=self.fd)
            self.folders = Folders(self.name, dir_fd=root_fd)
        except OSError as error:
            self.remove()
            raise target_failed(root, error) from error

    @property
    def place(self) -> Place:
        """Where it is, for `StagingShare`."""
        found = os.fstat(self.fd)
        return Place(str(self._root), self.name, found.st_ino, found.st_dev, self._present)

    def write(self, files: Iterable[StagedFile]) -> None:
        """Adds files, reads each one back and compares it; takes them one at a time, in order.

        Raises:
            TargetFailed: One could not be written, or is not what it should be.
        """
        assert self.folders is not None
        writer = FileWriter(self._root, self.folders, self._present, SHELF_PREFIXES[0])
        for number, file in enumerate(files):
            self.files.append(writer.write(file, flush=number < FLUSHED_SINGLY))
        self.doubtful |= writer.doubtful

    def adopt(self, files: Iterable[tuple[Written, bool]]) -> None:
        """Adds what `stage_share` yielded in another process, which flushes none of it."""
        for written, is_doubtful in files:
            self._adopted = True
            self.files.append(written)
            if is_doubtful:
                self.doubtful.add(written.path)

    def flush(self) -> None:
        """Returns when the disk holds all that was staged.

        Raises:
            TargetFailed: It does not.
        """
        try:
            if self._adopted or len(self.files) > FLUSHED_SINGLY:
                flush_file_system(self.fd)
                return
            assert self.folders is not None
            for folder in sorted({above for file in self.files if file.is_in_tree for above in _above(file.name)}):
                os.fsync(self.folders.open(folder))
            os.fsync(self.fd)
        except OSError as error:
            raise target_failed(self._root, error) from error

    def remove(self) -> None:
        """Removes the folder with what is left in it; what cannot be removed is left to `clean_stale`."""
        if self.folders is not None:
            self.folders.close()
            self.folders = None
        if self.fd >= 0:
            _remove_folder(self._root_fd, self.name, self.fd)
            os.close(self.fd)
            self.fd = -1


def stage_share(place: Place, files: Iterable[StagedFile]) -> Iterator[tuple[Written, bool]]:
    """Adds files to a staging folder of another process; yields what it wrote, and whether it is to be looked at again.

    Raises:
        TargetFailed: One could not be written, or is not what it should be; or the folder is gone.
    """
    root = Path(place.root)
    try:
        folders = Folders(root / place.name)
    except OSError as error:
        raise target_failed(root, error) from error
    with folders:
        found = os.fstat(folders.root_fd)
        if (found.st_ino, found.st_dev) != (place.inode, place.device):
            raise TargetFailed(f"the staging folder in {root} is gone", hint="Run the restore again.", root=str(root))
        writer = FileWriter(root, folders, place.present, SHELF_PREFIXES[1])
        for file in files:
            written = writer.write(file, flush=False)
            yield written, written.path in writer.doubtful


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
    """Removes a staging folder: the files with numbers for names on its shelf, its tree, and nothing else."""
    try:
        for entry in os.listdir(fd):
            if entry == SHELF:
                _remove_shelf(fd)
            elif entry == TREE:
                _remove_tree(fd)
        os.rmdir(name, dir_fd=root_fd)
    except OSError:
        return False
    return True


def _remove_shelf(fd: int) -> None:
    shelf_fd = os.open(SHELF, _FOLDER_FLAGS, dir_fd=fd)
    try:
        for file in filter(_NUMBERED.match, os.listdir(shelf_fd)):
            os.unlink(file, dir_fd=shelf_fd)
    finally:
        os.close(shelf_fd)
    os.rmdir(SHELF, dir_fd=fd)


def _remove_tree(fd: int) -> None:
    """Removes the tree however deep it is: its folders are brought up to the top before they are emptied."""
    tree_fd = os.open(TREE, _FOLDER_FLAGS, dir_fd=fd)
    try:
        brought_up = os.urandom(8).hex()
        waiting = os.listdir(tree_fd)
        count = 0
        while waiting:
            name = waiting.pop()
            try:
                folder_fd = os.open(name, _FOLDER_FLAGS, dir_fd=tree_fd)
            except NotADirectoryError:
                os.unlink(name, dir_fd=tree_fd)
                continue
            try:
                for entry in os.listdir(folder_fd):
                    try:
                        os.unlink(entry, dir_fd=folder_fd)
                    except (IsADirectoryError, PermissionError):  # Linux says the one of a folder, POSIX the other
                        count += 1
                        waiting.append(f"{brought_up}-{count}")
                        os.rename(entry, waiting[-1], src_dir_fd=folder_fd, dst_dir_fd=tree_fd)
            finally:
                os.close(folder_fd)
            os.rmdir(name, dir_fd=tree_fd)
    finally:
        os.close(tree_fd)
    os.rmdir(TREE, dir_fd=fd)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
