"""Picks documents by what people type behind a command: paths, folders and globs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from archive.errors import UsageError
from archive.ignore import IgnorePatterns

_GLOB = re.compile(r"[*?\[]")


class Selection:
    """Answers which paths are meant.

    A pattern is the path of a document, of a folder (everything below it), or a glob as in `.gitignore`: `*` and `?` stay
    within one folder, `**` crosses folders, and a glob without `/` is looked for in every folder. No patterns mean
    everything. A pattern that is a document's exact path means that document, also if it looks like a glob.
    """

    def __init__(self, patterns: Sequence[str], documents: Iterable[str] = ()) -> None:
        """Takes the patterns, and the paths of documents: a pattern that is one of them is no glob."""
        if isinstance(patterns, str):
            raise UsageError("patterns are a list of texts, not one text", hint="Write paths=['a.json'].")
        self.patterns = tuple(dict.fromkeys(_tidy(pattern) for pattern in patterns))
        globs = [pattern for pattern in self.patterns if _GLOB.search(pattern)]
        exact = frozenset(documents) if globs else frozenset()
        self._globs = [(pattern, _compile(pattern)) for pattern in globs if pattern not in exact]

    def matches(self, path: str) -> bool:
        """Whether the path is meant."""
        return not self.patterns or next(self._matching(path), None) is not None

    def unmatched(self, paths: Iterable[str]) -> list[str]:
        """Returns the patterns that none of the paths fits, in the order given."""
        left = dict.fromkeys(self.patterns)
        for path in paths:
            for pattern in self._matching(path):
                left.pop(pattern, None)
            if not left:
                break
        return list(left)

    def _matching(self, path: str) -> Iterator[str]:
        for pattern in self.patterns:
            if pattern in (".", path) or path.startswith(pattern + "/"):
                yield pattern
        for pattern, matches in self._globs:
            if matches(path):
                yield pattern


def _tidy(pattern: str) -> str:
    if not pattern.strip("/"):
        # An empty variable in a script, most likely; it must not mean everything.
        raise UsageError(f"{pattern!r} is no path", hint="Name a document, a folder or a glob; '.' means everything.")
    while pattern.startswith("./"):
        pattern = pattern[2:].lstrip("/")
    return pattern.rstrip("/") or "."


def _compile(pattern: str) -> Callable[[str], bool]:
    # In .gitignore, "!" and "#" at the start mean something else. A glob that makes no sense, such as [z-a], matches
    # nothing, as in git.
    patterns = IgnorePatterns([f"\\{pattern}" if pattern[0] in "!#" else pattern])
    return lambda path: patterns.match_below(path) is not None
