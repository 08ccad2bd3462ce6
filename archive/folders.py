"""Opens folders and files below a root one step at a time, so that no symbolic link below it is ever followed.

Everything that reads or writes users' files goes through here. A path is resolved by opening each folder relative to
the one above it with `O_NOFOLLOW`; a link that is put in the way while a backup or restore runs is not followed.
"""

from __future__ import annotations

import os
import re
import stat
from collections import OrderedDict
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from archive.model.files import FileStat

# Permission bits that are kept of a file: a stored file must not come back with the rights of another user or group.
MODE_BITS = 0o7777 & ~(stat.S_ISUID | stat.S_ISGID)

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking, so that a FIFO put in the place of a file cannot stop us; a regular file does not care.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_LAST_NS = 2**63 - 1

# Deeper folders than this are possible; then the ones above are opened again when they are needed.
_KEPT_OPEN = 64

_BAD_STEP = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)")
_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|\Z)")


class NotRegular(Exception):
    """Says that something else stands where a folder or a regular file was expected.

    Attributes:
        path: What is in the way, relative to the root.
        what: What it is: `a symbolic link`, `a FIFO` …
    """

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self.is_symlink = stat.S_ISLNK(mode)
        self.what = describe_mode(mode)
        super().__init__(f"{path} is {self.what}")


class Folders:
    """Keeps the folders below a root open that were used last.

    Use it as a context manager, or call `close`. Not for several threads at once.

    Raises:
        OSError: The root cannot be opened.
    """

    def __init__(self, root: Path | str, *, dir_fd: int | None = None) -> None:
        self._open: OrderedDict[str, int] = OrderedDict()
        self._newest = ""
        self.root_fd = -1
        self._newest_fd = self.root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Closes everything that is open. Closing twice does nothing."""
        self.forget()
        if self.root_fd >= 0:
            os.close(self.root_fd)
        self._newest_fd = self.root_fd = -1

    def forget(self) -> None:
        """Closes all folders but the root, so that the next look is a fresh one."""
        while self._open:
            os.close(self._open.popitem()[1])
        self._newest, self._newest_fd = "", self.root_fd

    def open(self, folder: str, *, create: bool = False) -> int:
        """Returns a descriptor of the folder, which is valid until the next call.

        Args:
            folder: Relative to the root, as in a `FileStat`; empty for the root itself.
            create: Make the folders that are missing.

        Raises:
            NotRegular: A step of the path is a link or a file.
            FileNotFoundError: A step is missing.
            OSError: A folder cannot be opened. In each case `filename` is the step's path.
        """
        if folder == self._newest:
            return self._newest_fd
        fd = self._open.get(folder, -1) if folder else self.root_fd
        if fd >= 0:
            if folder:
                self._open.move_to_end(folder)
        else:
            fd = self._descend(folder, create=create)
        self._newest, self._newest_fd = folder, fd
        return fd

    def _descend(self, folder: str, *, create: bool) -> int:
        steps = folder.split("/")
        known, fd = len(steps) - 1, self.root_fd
        while known:
            path = "/".join(steps[:known])
            if path in self._open:
                fd = self._open[path]
                self._open.move_to_end(path)
                break
            known -= 1
        for end in range(known, len(steps)):
            path = "/".join(steps[: end + 1])
            fd = self._step(fd, steps[end], path, create=create)
            self._open[path] = fd
            if len(self._open) > _KEPT_OPEN:
                # The newest may be among those closed; it must not be handed out again.
                self._newest, self._newest_fd = "", self.root_fd
                os.close(self._open.popitem(last=False)[1])
        return fd

    @staticmethod
    def _step(parent: int, name: str, path: str, *, create: bool) -> int:
        if name in ("", ".", ".."):
            raise ValueError(f"{path!r} is not a path below a root")
        try:
            if create:
                try:
                    return os.open(name, _FOLDER_FLAGS, dir_fd=parent)
                except FileNotFoundError:
                    with suppress(FileExistsError):  # another process was quicker
                        os.mkdir(name, dir_fd=parent)
            return os.open(name, _FOLDER_FLAGS, dir_fd=parent)
        except OSError as error:
            # Systems differ in the error for a link here; a look at the entry tells what it is.
            mode = entry_mode(name, parent)
            if mode is not None and not stat.S_ISDIR(mode):
                raise NotRegular(path, mode) from error
            error.filename = path
            raise


def open_file(path: str, name: str, folder_fd: int) -> int:
    """Opens a regular file for reading, by its name in an open folder.

    Args:
        path: What to call it in errors.
        name: Its name in the folder.
        folder_fd: The folder.

    Raises:
        NotRegular: It is something else now.
        OSError: It is gone or cannot be read.
    """
    try:
        fd = os.open(name, _FILE_FLAGS, dir_fd=folder_fd)
    except OSError as error:
        mode = entry_mode(name, folder_fd)
        if mode is not None and not stat.S_ISREG(mode):
            raise NotRegular(path, mode) from error
        raise
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            raise NotRegular(path, mode)
    except BaseException:
        os.close(fd)
        raise
    return fd


def entry_mode(name: str, folder_fd: int) -> int | None:
    """Returns type and permissions of an entry itself, or None if there is none or it cannot be looked at."""
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mode
    except OSError:
        return None


def file_stat(path: str, found: os.stat_result) -> FileStat:
    """Returns what `stat` saw as the value that is compared and stored.

    Nanoseconds since 1970 end in the year 2262, where 64 bits do; later times count as that.
    """
    mtime_ns, ctime_ns = found.st_mtime_ns, found.st_ctime_ns
    if not (-_LAST_NS <= mtime_ns <= _LAST_NS and -_LAST_NS <= ctime_ns <= _LAST_NS):  # looked at for each file there is
        mtime_ns, ctime_ns = (max(-_LAST_NS, min(found_ns, _LAST_NS)) for found_ns in (mtime_ns, ctime_ns))
    return FileStat(path, found.st_size, mtime_ns, ctime_ns, found.st_ino, found.st_mode & MODE_BITS)


def describe_mode(mode: int) -> str:
    """Returns what an entry is, in words."""
    for is_it, what in _WORDS:
        if is_it(mode):
            return what
    return "something unknown"


def describe_error(error: OSError) -> str:
    """Returns the system's own words for an error, in the form of our messages."""
    return (error.strerror or str(error)).lower()


def unsafe_reason(path: str) -> str:
    """Returns why a path must not be used below a root, or an empty text if it may.

    Looks at the text alone. What looks like a Windows drive is refused everywhere, so that an archive means the same
    on all machines.
    """
    if path.startswith("/"):
        return "it is absolute"
    if "\0" in path:
        return "it holds a NUL character"
    if _DRIVE.match(path):
        return "it starts with a drive letter"
    if _BAD_STEP.search(path):
        return "it has an empty, '.' or '..' step"
    if os.sep == "\\" and "\\" in path:
        return "it holds a backslash"
    if not path.isascii():
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            return "it cannot be the name of a file"
    return ""


def relative_to(root: Path, paths: Collection[Path]) -> frozenset[str]:
    """Returns where the absolute paths lie below the root, both as they are written and with links resolved.

    Paths elsewhere are left out. The root itself, and whatever it lies in, is the empty text.
    """
    bases = {os.path.abspath(root), os.path.realpath(root)}
    places = {place for path in paths for place in (os.path.abspath(path), os.path.realpath(path))}
    places |= {os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)) for path in places}
    found = set()
    for base in bases:
        prefix = base.rstrip("/") + "/"
        for place in places:
            if place.startswith(prefix):
                found.add(place[len(prefix) :])
            elif prefix.startswith(place.rstrip("/") + "/"):
                found.add("")
    return frozenset(found)


_WORDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
