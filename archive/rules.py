"""Decides which files are backed up, and why, and to which category each belongs; pure.

    a file is taken in  if an include pattern fits its name (or it has no extension and its content is JSON)
                        and no exclude pattern, default exclude or `.gitignore` speaks against it, nor against a folder
                        above it, and it is not over the size limit

Patterns are those of `.gitignore`. Twenty thousand paths are judged in each run, so the common case, include patterns
of the form `*.json` and no others, is a look into a dictionary.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from archive.errors import CorruptArchive, UsageError
from archive.ignore import IgnorePatterns
from archive.model.base import Json, Value

DEFAULT_INCLUDE = ("*.json", "*.jsonl", "*.ndjson", "*.md", "*.rst", "*.txt", "*.yaml", "*.yml", "*.toml")

DEFAULT_EXCLUDED_FOLDERS = frozenset(
    {
        *(".git", ".hg", ".svn", ".bzr", ".jj"),
        *("node_modules", "bower_components", "site-packages", ".venv", ".eggs"),
        *("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".hypothesis", ".cache"),
        *(".npm", ".parcel-cache", ".ipynb_checkpoints"),
        ".archive",
    }
)

# A folder below the root that holds such a file is left out with everything in it. The text says what it is; a marker
# whose content starts otherwise than here is none.
FOLDER_MARKERS = {
    "pyvenv.cfg": ("a virtual environment", b""),
    "CACHEDIR.TAG": ("a cache", b"Signature: 8a477f597d28d172789f06886806bc55"),
    "manifest.json": ("an emergency package", b'{\n"format": "archive recovery package"'),
}

# The folders that a restore and an emergency package are prepared in are called so, with 16 random digits behind. No backup
# looks at them, whatever the rules; other files and folders that only begin like them are nobody's but the user's.
STAGING_PREFIX = ".archive-restore-"
_STAGING_NAME = re.compile(re.escape(STAGING_PREFIX) + r"(?:package-)?[0-9a-f]{16}\Z")

# Documents that no file holds, such as the graph of a memory server, have paths below this one, in the archive's own folder.
# No backup looks for files there and no restore writes any, whatever the rules.
VIRTUAL_PREFIX = ".archive/mcp/"
VIRTUAL_CATEGORY = "memory"

# SQLite's default limit of a value is 1,000,000,000 bytes, its row included.
MOST_FILE_BYTES = 999_000_000
DEFAULT_MAX_FILE_BYTES = 256 * 1024 * 1024

CORE_CATEGORIES = (
    *("agents", "decisions", "errors", "functions", "memory", "performance"),
    *("preferences", "recentissues", "structure", "styles", "tasks", "variables"),
)
DOCS_CATEGORY = "docs"
OTHER_CATEGORY = "data"

_CORE_FILES = {f"{name}.json": name for name in CORE_CATEGORIES} | {"memory": "memory", "memory.jsonl": "memory"}
_DOCS_SUFFIXES = frozenset({".md", ".rst", ".txt"})
# What is not itself in a pattern.
_MEANS_MORE = re.compile(r"[\\*?\[\]!#\s]")
_PLAIN_SUFFIX = re.compile(r"\*(\.[A-Za-z0-9_-]+)\Z")


def is_virtual(path: str) -> bool:
    """Says whether a document's path means no file."""
    return path.startswith(VIRTUAL_PREFIX)


class Decision(NamedTuple):
    """Whether a file is taken in, or a folder gone into.

    Attributes:
        included: Whether it is; False for a file that has to be looked into first.
        reason: For people; lower case, no period.
        by_content: Whether the file is to be taken in if its content is JSON.
        is_forced: Whether a `!pattern` says so, against which neither default excludes nor `.gitignore` count.
    """

    included: bool
    reason: str
    by_content: bool = False
    is_forced: bool = False


_STAGING = Decision(False, "a restore's own temporary files")
_VIRTUAL = Decision(False, "where the archive keeps what no file holds")
_FOLDER = Decision(True, "a folder")
_NO_PATTERN = Decision(False, "matches no include pattern")
_BY_CONTENT = Decision(False, "has no extension, and is taken in if it holds JSON", by_content=True)


@dataclass(frozen=True, kw_only=True)
class Rules(Value):
    """What is taken in, what is left out, and how it is sorted.

    Attributes:
        include: Patterns for files. `*.json` means `.JSON` too, and files only; any other that fits a folder means
            everything below it.
        exclude: Patterns for files and folders. `!pattern` takes back in what default excludes or `.gitignore` leave
            out.
        default_excludes: Whether version control, installed packages, virtual environments and caches are left out.
        gitignore: Whether files that git ignores are left out.
        sniff_extensionless: Whether files without an extension are taken in if their content is JSON or JSONL.
        max_file_bytes: Larger files are left out, and in any case those over `MOST_FILE_BYTES`.
        categories: Pairs of pattern and category; the first that fits decides, before the default ones.
        secret_names: Names under which values are masked in the index, beside the usual ones.
        not_secret: Names to leave alone although they look secret.
        origin: Where the rules were written, for reasons.

    Raises:
        UsageError: A pattern is none, or a value is out of range.
    """

    include: tuple[str, ...] = DEFAULT_INCLUDE
    exclude: tuple[str, ...] = ()
    default_excludes: bool = True
    gitignore: bool = False
    sniff_extensionless: bool = True
    max_file_bytes: int = DEFAULT_MAX_FILE_BYTES
    categories: tuple[tuple[str, str], ...] = ()
    secret_names: tuple[str, ...] = ()
    not_secret: tuple[str, ...] = ()
    origin: str = "the rules"

    def __post_init__(self) -> None:
        if self.max_file_bytes < 0:
            raise UsageError(
                f"a size limit of {self.max_file_bytes} bytes makes no sense",
                hint="Give the limit as a number of bytes, or with a unit as in '256 MiB'.",
            )
        for pattern in (*self.include, *self.exclude, *(pattern for pattern, _ in self.categories)):
            _check_pattern(pattern)

    @classmethod
    def only(cls, paths: Sequence[str], *, origin: str) -> Self:
        """Returns the rules that take in these files, whatever they are called, and no others."""
        return cls(
            include=tuple("/" + _MEANS_MORE.sub(_literally, path) for path in paths),
            # Folders that are nobody's own are not worth a walk, unless one of the files is in there.
            default_excludes=not any(DEFAULT_EXCLUDED_FOLDERS.intersection(path.split("/")) for path in paths),
            sniff_extensionless=False,
            origin=origin,
        )

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """Reads what `to_json` wrote; null and missing members mean the defaults, unknown members are left aside.

        Raises:
            CorruptArchive: It is something else.
        """
        if data is None:
            return cls()
        if not isinstance(data, Mapping):
            raise _corrupt_rules(data)
        values: dict[str, object] = {}
        for field in dataclasses.fields(cls):
            if field.name in data:
                value = data[field.name]
                if not _is_like(field.name, value, field.default):
                    raise _corrupt_rules(value)
                values[field.name] = _frozen(value)
        try:
            return cls(**values)  # type: ignore[arg-type]  # compared with the defaults just now
        except UsageError as error:
            raise _corrupt_rules(data) from error

    def decide(self, path: str, *, is_dir: bool = False) -> Decision:
        """Returns whether the entry is taken in, and why.

        Judges the entry by its name and place alone: not the folders above it, into which a walker does not go when
        they are left out, nor size and content, nor `.gitignore`.
        """
        name = path.rpartition("/")[2]
        if is_dir and _STAGING_NAME.match(name):
            return _STAGING
        if path.startswith(VIRTUAL_PREFIX):
            return _VIRTUAL
        if self.exclude and (match := self._excluded.match(path, is_dir=is_dir)) is not None:
            if match.ignored:
                return Decision(False, f"excluded by {self.origin}: {match.pattern}")
            return (_FOLDER if is_dir else self._included(path, name))._replace(is_forced=True)
        if not is_dir:
            return self._included(path, name)
        if self.default_excludes and name in DEFAULT_EXCLUDED_FOLDERS:
            return Decision(False, f"in {name}")
        return _FOLDER

    def category(self, path: str) -> str:
        """Returns the category of a document.

        `tasks.json` in any folder is in category `tasks`, and so for the twelve names of the agents' files; a knowledge
        graph called `memory` or `memory.jsonl` is in `memory`; prose is in `docs`, and everything else in `data`.
        """
        for pattern, category in self._category_patterns:
            if pattern.decides(path) is True:
                return category
        name = path.rpartition("/")[2]
        if name in _CORE_FILES:
            return _CORE_FILES[name]
        if path.startswith(VIRTUAL_PREFIX):
            return VIRTUAL_CATEGORY
        return DOCS_CATEGORY if _suffix(name) in _DOCS_SUFFIXES else OTHER_CATEGORY

    def _included(self, path: str, name: str) -> Decision:
        decision = self._by_suffix.get(_suffix(name))
        if decision is not None:
            return decision
        if not self._by_suffix:
            for pattern in self._include_patterns:
                if (included := pattern.decides(path)) is not None:
                    return Decision(True, f"matches {pattern.text}") if included else _NO_PATTERN
        if self.sniff_extensionless and "." not in name.lstrip("."):
            return _BY_CONTENT
        return _NO_PATTERN

    @cached_property
    def _by_suffix(self) -> dict[str, Decision]:
        """The decision for each suffix, where all patterns are that simple; then their order does not matter."""
        decisions = {}
        for pattern in self.include:
            match = _PLAIN_SUFFIX.match(pattern)
            if match is None:
                return {}
            decisions[match[1].lower()] = Decision(True, f"matches {pattern}")
        return decisions

    @cached_property
    def _include_patterns(self) -> list[_FilePattern]:
        return [_FilePattern(pattern) for pattern in reversed(self.include)]

    @cached_property
    def _excluded(self) -> IgnorePatterns:
        return IgnorePatterns(self.exclude)

    @cached_property
    def _category_patterns(self) -> list[tuple[_FilePattern, str]]:
        return [(_FilePattern(pattern), category) for pattern, category in self.categories]


class _FilePattern:
    """Is a pattern for files: a plain suffix, which looks at the name alone, or one as in `.gitignore`."""

    def __init__(self, text: str) -> None:
        self.text = text
        plain = _PLAIN_SUFFIX.match(text)
        self._suffix = plain[1].lower() if plain else ""
        self._patterns = None if plain else IgnorePatterns([text])

    def decides(self, path: str) -> bool | None:
        """Returns True if the file is meant, False if a `!pattern` means it, and None if it is not."""
        if self._patterns is None:
            return True if _suffix(path.rpartition("/")[2]) == self._suffix else None
        match = self._patterns.match_below(path)
        return match and match.ignored


def _literally(match: re.Match[str]) -> str:
    """Returns a character as it has to stand in a pattern; white space in brackets, since at the end it is cut off."""
    return f"[{match[0]}]" if match[0].isspace() else f"\\{match[0]}"


def _suffix(name: str) -> str:
    return name[name.rfind(".") :].lower() if "." in name else ""


def _check_pattern(pattern: str) -> None:
    if _PLAIN_SUFFIX.match(pattern):
        return
    patterns = IgnorePatterns([pattern])
    if patterns.bad or not pattern.strip() or pattern.startswith("#"):
        raise UsageError(
            f"{pattern!r} is not a pattern",
            hint="Write patterns as in .gitignore, such as '*.json', 'build/' or '/agents/*.md'.",
            pattern=pattern,
        )


def _is_like(field: str, value: object, default: object) -> bool:
    """Whether a value from JSON can stand where the default stands."""
    if not isinstance(default, tuple):
        return type(value) is type(default)
    if not isinstance(value, list):
        return False
    return all(_is_pair(item) if field == "categories" else isinstance(item, str) for item in value)


def _is_pair(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(text, str) for text in item)


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _corrupt_rules(value: object) -> CorruptArchive:
    return CorruptArchive(
        f"the rules recorded for a source cannot be read: {value!r}",
        hint="Run 'archive check' to see what else is damaged.",
    )
