"""Reads a project's settings from `archive.toml` or from `[tool.archive]` in `pyproject.toml`, and writes the former.

Nothing is guessed: a name that is not known, or a value of the wrong type, is an error that says where it is.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from archive.errors import ConfigError, UsageError
from archive.folders import describe_error
from archive.memory_settings import EXAMPLE as MEMORY_EXAMPLE
from archive.memory_settings import memory_settings
from archive.model.memory import MemorySettings
from archive.rules import CORE_CATEGORIES, Rules

CONFIG_NAME = "archive.toml"
PYPROJECT_NAME = "pyproject.toml"

MEMORY_TABLES = ("mcp", "memory")  # see archive.memory_settings

_UNITS: dict[str, int] = {
    **dict.fromkeys(("", "b", "byte", "bytes"), 1),
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}{tail}": 1024**power for power, letter in enumerate("kmgt", start=1) for tail in ("", "ib")},
}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*\Z")
_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?")
_TOOL_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*archive\s*[\].]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one project.

    Attributes:
        file: Where they were read, or None where there are none.
        db: The archive's file as written, relative to the root, or None.
        source: The source's name, or None.
        rules: What is backed up.
        memory: What the tables `memory` and `mcp` say.
    """

    file: Path | None = None
    db: str | None = None
    source: str | None = None
    rules: Rules = field(default_factory=Rules)
    memory: MemorySettings = field(default_factory=MemorySettings)


def load_config(root: Path) -> Config:
    """Returns the settings of the project in a folder.

    They are those of `archive.toml` if there is one, and else those of `pyproject.toml`; the two are not mixed. One of
    the latter that cannot be read or parsed is an error only if it seems to say something about archives.

    Raises:
        ConfigError: A file cannot be read or says something that cannot be used.
    """
    file = root / CONFIG_NAME
    text = _text(file)
    if text is not None:
        return _Reader(file, text, "").config(_parse(file, text))
    file = root / PYPROJECT_NAME
    try:
        text = _text(file)
    except ConfigError:
        return Config()
    if text is None:
        return Config()
    try:
        found: object = _parse(file, text)
    except ConfigError:
        if _TOOL_TABLE.search(text):
            raise
        return Config()
    for name in ("tool", "archive"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return Config() if found is None else _Reader(file, text, "tool.archive").config(found)


def render_config(rules: Rules, *, db: str | None = None, source: str | None = None) -> str:
    """Returns an `archive.toml` that says all of this and explains every setting; the defaults are comments in it.

    Raises:
        UsageError: The rules cannot be said in TOML: bytes that are not UTF-8, or categories that are not in one piece.
    """
    default = Rules()
    lines = [
        "# What 'archive backup' does with this project. Every setting is optional; behind a # are defaults and examples.",
        "# Patterns are those of .gitignore.",
        "",
        *_setting("The archive's file, relative to this one.", "db", db, None, ".archive/archive.db"),
        *_setting("The project's name in the archive; by default the folder's.", "source", source, None, "project"),
        *_setting("Files to back up. '*.json' means '*.JSON' too.", "include", rules.include, default.include),
        *_setting(
            "Files and folders to leave out. '!name' takes back in what the next two leave out.",
            "exclude", rules.exclude, default.exclude, ("build/", "*.tmp.json", "!.cache/"),
        ),
        *_setting(
            "Whether to leave out version control, installed packages, virtual environments and caches.",
            "default_excludes", rules.default_excludes, default.default_excludes,
        ),
        *_setting("Whether to leave out what git ignores.", "gitignore", rules.gitignore, default.gitignore),
        *_setting(
            "Whether files without an extension are backed up if they hold JSON.",
            "sniff_extensionless", rules.sniff_extensionless, default.sniff_extensionless,
        ),
        *_setting(
            "Larger files are left out.",
            "max_file_size", render_size(rules.max_file_bytes), render_size(default.max_file_bytes),
        ),
        *_setting(
            "Values under names such as password, token and api_key are stored, but masked in search. Further such names:",
            "secret_names", rules.secret_names, default.secret_names, ("pin", "door_code"),
        ),
        *_setting(
            "Names to leave alone although they look secret.",
            "not_secret", rules.not_secret, default.not_secret, ("design_token",),
        ),
        "# Categories by pattern; the first that fits counts, and then these: NAME.json is in category NAME for",
        f"# {', '.join(CORE_CATEGORIES[:9])},",
        f"# {', '.join(CORE_CATEGORIES[9:])}; prose is in 'docs', and the rest in 'data'.",
        *_categories(rules),
        "",
        *MEMORY_EXAMPLE,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def parse_size(text: str) -> int | None:
    """Returns the bytes that a text such as `256 MiB`, `1.5 GB` or `4096` means, or None if it means nothing.

    `KB` is 1000 bytes, `KiB` and a bare `K` are 1024; case does not matter.
    """
    match = _SIZE.match(text)
    if match is None or (unit := _UNITS.get(match[2].lower())) is None:
        return None
    return round(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit


def render_size(size: int) -> str:
    """Returns a text from which `parse_size` gets the very number back, with the largest unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        factor = _UNITS[unit.lower()]
        if size and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} bytes"


class _Reader:
    """Turns one parsed file into settings, and knows where in the file a name is."""

    def __init__(self, file: Path, text: str, table: str) -> None:
        self._file = file
        self._lines = text.splitlines()
        self._table = table

    def config(self, data: object) -> Config:
        table = self._mapping("", data)
        known: dict[str, Callable[[str, object], object]] = {
            "db": self._name,
            "source": self._name,
            "include": self._patterns,
            "exclude": self._patterns,
            "default_excludes": self._flag,
            "gitignore": self._flag,
            "sniff_extensionless": self._flag,
            "max_file_size": self._size,
            "categories": self._categories,
            "secret_names": self._names,
            "not_secret": self._names,
            **dict.fromkeys(MEMORY_TABLES, self._mapping),
        }
        values: dict[str, object] = {}
        for key, value in table.items():
            if key not in known:
                self._fail_unknown(key, known)
            values[key] = known[key](key, value)
        if "max_file_size" in values:
            values["max_file_bytes"] = values.pop("max_file_size")
        tables = {name: values.pop(name) for name in MEMORY_TABLES if name in values}
        memory = memory_settings(tables, self._fail)  # type: ignore[arg-type]  # each is a mapping
        db, source = values.pop("db", None), values.pop("source", None)
        try:
            rules = Rules(**values, origin=self._file.name)  # type: ignore[arg-type]  # each was checked above
        except UsageError as error:
            self._fail(str(error.context.get("pattern", "")), error.message, error.hint)
        return Config(file=self._file, db=db, source=source, rules=rules, memory=memory)  # type: ignore[arg-type]

    def _name(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            self._fail_type(key, "a text that is not empty")
        return value

    def _flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            self._fail_type(key, "true or false")
        return value

    def _patterns(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._fail_type(key, 'a list of patterns, as in ["*.json", "docs/"]')
        return tuple(value)

    def _names(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self._fail_type(key, 'a list of names, as in ["pin", "door_code"]')
        return tuple(value)

    def _size(self, key: str, value: object) -> int:
        size = parse_size(value) if isinstance(value, str) else value
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            self._fail_type(key, 'a number of bytes, or a text as "256 MiB"')
        return size

    def _categories(self, key: str, value: object) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for category, patterns in self._mapping(key, value).items():
            if not category.strip():
                self._fail_type(key, "a table whose names are not empty")
            listed = [patterns] if isinstance(patterns, str) else patterns
            pairs += [(pattern, category) for pattern in self._patterns(category, listed)]
        return tuple(pairs)

    def _mapping(self, key: str, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            self._fail_type(key or self._table, "a table")
        return value

    def _fail_type(self, key: str, wanted: str) -> NoReturn:
        self._fail(key, f"{key} has to be {wanted}", "Correct the value; 'archive init' writes a file with examples.")

    def _fail_unknown(self, key: str, known: Mapping[str, object]) -> NoReturn:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"The names are {', '.join(sorted(known))}."
        self._fail(key, f"{key!r} is not a setting", hint, near=near)

    def _fail(self, word: str, message: str, hint: str, **context: object) -> NoReturn:
        line = self._line_of(word)
        where = f"{self._file.name} line {line}" if line else self._file.name
        raise ConfigError(f"{where}: {message}", hint=hint, file=str(self._file), line=line, name=word, **context)

    def _line_of(self, word: str) -> int | None:
        """Returns the first line in the part about archives that holds the word; None where it cannot be told."""
        if not word:
            return None
        in_part, found = not self._table, None
        is_name = re.compile(rf"\s*(\[[^\]]*)?['\"]?{re.escape(word)}['\"]?\s*[=.\]]")
        for number, line in enumerate(self._lines, start=1):
            if header := _HEADER.match(line):
                name = re.sub(r"\s*\.\s*", ".", header[1])
                in_part = not self._table or name == self._table or name.startswith(self._table + ".")
            if in_part and is_name.match(line):
                return number
            if in_part and found is None and word in line and not line.lstrip().startswith("#"):
                found = number
        return found


def _text(file: Path) -> str | None:
    """Returns what a file holds, or None if there is no such file."""
    try:
        if file.exists() and not file.is_file() and not file.is_dir():  # a FIFO, say, would make us wait
            raise ConfigError(f"{file.name} is not a file", hint=f"Remove {file}, or make it one.", file=str(file))
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{file.name} cannot be read: {describe_error(error)}",
            hint=f"Make {file} a file that you may read, or remove it.",
            file=str(file),
        ) from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _bad_toml(file, f"not UTF-8 at line {line}", line) from error


def _parse(file: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        message = str(error)
        raise _bad_toml(file, message[:1].lower() + message[1:], int(found[1]) if found else None) from error
    except RecursionError as error:
        raise _bad_toml(file, "nested too deeply", None) from error


def _bad_toml(file: Path, what: str, line: int | None) -> ConfigError:
    return ConfigError(
        f"{file.name} is not valid TOML: {what}",
        hint=f"Correct {file}; the language is described at https://toml.io.",
        file=str(file),
        line=line,
    )


def _setting(about: str, name: str, value: object, default: object, example: object = None) -> list[str]:
    is_default = value == default
    shown = example if is_default and example is not None else value
    return [f"# {about}", f"{'# ' if is_default else ''}{name} = {_toml(shown)}", ""]


def _categories(rules: Rules) -> list[str]:
    if not rules.categories:
        return ["# [categories]", '# notes = ["notes/*.md"]']
    tables: dict[str, list[str]] = {}
    for pattern, category in rules.categories:
        tables.setdefault(category, []).append(pattern)
    # The order of the pairs counts, and in TOML a name can stand there but once.
    if [(pattern, category) for category, patterns in tables.items() for pattern in patterns] != [*rules.categories]:
        hint = "Put the patterns of each category behind one another."
        raise UsageError(f"the categories cannot be written to {CONFIG_NAME} in this order", hint=hint)
    return ["[categories]", *(f"{_toml(category)} = {_toml(patterns)}" for category, patterns in tables.items())]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _toml_text(value)
    assert isinstance(value, list | tuple)
    return "[" + ", ".join(_toml(item) for item in value) + "]"


def _toml_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        hint = "Use a pattern with '?' for the bytes that are not UTF-8."
        raise UsageError(f"{text!r} cannot be written to {CONFIG_NAME}", hint=hint) from error
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(char):04x}" if char < " " or char == "\x7f" else char for char in escaped) + '"'
