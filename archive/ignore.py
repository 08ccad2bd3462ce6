"""Matches paths against patterns as git does: the last pattern that fits an entry decides.

An entry is judged by itself. That a file lies below an ignored folder is the walker's business: it never goes there, so
nothing below can be taken back in, as with git.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# Patterns are matched by regular expressions in which "." and "$" treat a newline specially; file names do not.
_NEWLINE_STAND_IN = "\ufdd0"


# Groups have to be nameless to be joined.
_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class IgnoreMatch(NamedTuple):
    """The pattern that decided.

    Attributes:
        ignored: False if the pattern is a `!pattern`, which takes the entry back in.
        pattern: As written.
        line: Its place in the list, from 1.
    """

    ignored: bool
    pattern: str
    line: int


class IgnorePatterns:
    """Is an ordered list of patterns in the language of `.gitignore`, comments and blank lines included.

    Attributes:
        bad: The patterns that mean nothing in that language; they match nothing, as with git.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        # Imported here because most runs have no patterns of their own, and pathspec costs 25 ms.
        from pathspec import GitIgnoreSpec

        self.bad: list[str] = []
        self._patterns = []
        expressions = []
        for line, text in enumerate(lines, start=1):
            try:
                (pattern,) = GitIgnoreSpec.from_lines([_prepared(text)]).patterns
            except (ValueError, re.error):
                self.bad.append(text)
                continue
            if pattern.include is not None and pattern.regex is not None:
                expressions.append(_GROUP_NAME.sub("(?:", pattern.regex.pattern))
                self._patterns.append((pattern.regex.search, IgnoreMatch(pattern.include, text.strip(), line)))
            elif text.strip() and not text.startswith("#"):
                self.bad.append(text)
        self._patterns.reverse()
        self._may_fit = re.compile("|".join(expressions)).search

    def match_below(self, path: str) -> IgnoreMatch | None:
        """Returns the pattern that decides about a file, where one that fits a folder above means what is below too."""
        path = _stand_in(path)
        return next((match for fits, match in self._patterns if fits(path) is not None), None)

    def match(self, path: str, *, is_dir: bool) -> IgnoreMatch | None:
        """Returns the pattern that decides about the entry, or None if none fits it."""
        path = _stand_in(path)
        # One look for all patterns together, since most entries fit none.
        if not self._patterns or self._may_fit(path + "/" if is_dir else path) is None:
            return None
        for fits, match in self._patterns:
            # The expressions fit everything below a folder too, marked by a group that ends behind the folder's slash:
            # then it is a folder above that is meant, and not this entry.
            found = fits(path)
            if found is not None and found.lastindex is None:
                return match
            if is_dir and any(_ends_here(fits(path + "/", start), path) for start in (0, len(path))):
                return match
        return None


def _prepared(text: str) -> str:
    """Returns a pattern as the library has to be told it to mean what git means."""
    text = _stand_in(text)
    # All folders below one, and not that folder itself.
    return re.sub(r"/\*\*/\s*\Z", "/**/*/", text)


def _ends_here(found: re.Match[str] | None, folder: str) -> bool:
    """Whether it is the folder itself that was found; an expression without anchor may find one above it first."""
    return found is not None and found.lastindex is not None and found.end() == len(folder) + 1


def _stand_in(text: str) -> str:
    """Returns the text with newlines replaced by something that the expressions treat like any character."""
    return text.replace("\n", _NEWLINE_STAND_IN) if "\n" in text else text
