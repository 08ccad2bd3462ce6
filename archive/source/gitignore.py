"""Reads `.gitignore` files and says what they leave out, as git does: the one nearest to an entry has the last word."""

from __future__ import annotations

import os
from typing import NamedTuple, TypeAlias

from archive.ignore import IgnorePatterns

GITIGNORE = ".gitignore"
INFO_EXCLUDE = ".git/info/exclude"


class IgnoreFile(NamedTuple):
    """One file of patterns.

    Attributes:
        base: The folder that its patterns are relative to, with a slash behind; empty for the root.
        path: The file itself.
    """

    base: str
    path: str
    patterns: IgnorePatterns


# The files in force for a folder, outermost first.
IgnoreFiles: TypeAlias = "tuple[IgnoreFile, ...]"


def parse_ignore_file(base: str, path: str, data: bytes) -> IgnoreFile:
    """Returns the patterns of a file; lines that are no patterns match nothing."""
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    return IgnoreFile(base, path, IgnorePatterns(line.removesuffix("\r") for line in text.split("\n")))


def ignored_by(files: IgnoreFiles, path: str, *, is_dir: bool) -> str:
    """Returns which line leaves the entry out, or an empty text if none does."""
    for file in reversed(files):
        match = file.patterns.match(path[len(file.base) :], is_dir=is_dir)
        if match is not None:
            return f"ignored by {file.path} line {match.line}" if match.ignored else ""
    return ""
