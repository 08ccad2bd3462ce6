"""What the edges report of files on disk.

These are named tuples and not dataclasses because a backup makes one for every file it sees, changed or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archive.model.snapshots import Problem


class FileStat(NamedTuple):
    """A regular file as `stat` saw it.

    `path` is relative to the root, POSIX, with surrogate escapes for bytes that are not UTF-8; `mode` holds the
    permission bits, without setuid and setgid.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int


class FileContent(NamedTuple):
    """The bytes of a file, with the stat that belongs to them."""

    stat: FileStat
    data: bytes
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything one walk over a source found, without reading contents.

    Attributes:
        files: Regular files to back up, sorted by path.
        skipped: What was left out although its name was asked for: links, special files, files over the limit.
        problems: Folders and files that could not be looked at.
        unreadable_folders: Paths (relative, POSIX; `.` for the root) below which nothing is known.
    """

    files: list[FileStat]
    skipped: list[Problem]
    problems: list[Problem]
    unreadable_folders: tuple[str, ...]
