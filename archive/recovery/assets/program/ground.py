"""Names, bytes and messages."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import sys
from typing import Any, Dict  # as Python 3.8 has it

FORMAT = "archive recovery package"
FORMAT_VERSION = 1
MANIFEST, SUMS, HISTORY, DATABASE = "manifest.json", "SHA256SUMS", "history.tar.xz", "archive.db"
ALWAYS = (MANIFEST, "restore.py", "RECOVERY_INSTRUCTIONS.md", "index.html")
HELD = ("files", "other-names")  # folders of the package in which documents are
MODE_BITS = 0o1777

Row = Dict[str, Any]


class Stop(Exception):
    """Ends the program with a message."""


class Report:
    """Says at once what is wrong, each thing once."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def __call__(self, message: str) -> None:
        """Says it, unless it was said before."""
        if message not in self.said:
            self.said.add(message)
            print(message, file=sys.stderr, flush=True)


def shown(name: str) -> str:
    """Returns a name with everything escaped that a terminal would act on."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def place(folder: str, path: str) -> Any:
    """Returns where a file of the manifest is below a folder: exact bytes whatever the locale says, but for Windows."""
    if os.name == "nt":
        return os.path.join(folder, path)
    return os.path.join(os.fsencode(folder), path.encode("utf-8", "surrogateescape"))


def counted(number: int, noun: str) -> str:
    """Returns a number of things in words."""
    return "{} {}{}".format(number, noun, "" if number == 1 else "s")


def sha256(data: bytes) -> str:
    """Returns the hash of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def open_plain(path: Any) -> Any:
    """Opens a regular file; a link or anything else is an error."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return open(path, "rb")


def read_plain(path: Any) -> bytes:
    """Returns the bytes of a regular file."""
    with open_plain(path) as file:
        return bytes(file.read())


def why(error: Exception) -> str:
    """Returns what an error says, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "it is missing"
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def unsafe(path: str) -> bool:
    """Says whether a path could lead out of the folder it is restored to."""
    steps = re.split(r"[/\\]", path) if os.name == "nt" else path.split("/")
    drive = os.name == "nt" and ":" in path
    return drive or "\0" in path or any(step in ("", ".", "..") for step in steps)
