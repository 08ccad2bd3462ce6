"""Reads the fields of one record, whatever types they have, and remembers what is odd about it.

Nothing here raises on any JSON value. A field of a wrong type counts as absent and is reported, except where that could
set a task
free: a dependency that cannot be read stays, as one that resolves to nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from archive.extract.rawtext import clean
from archive.extract.tasks.dates import normal_time
from archive.extract.tasks.status import is_known_status, normalise_status
from archive.model.base import Json
from archive.model.tasks import BLOCKED_BY, DEPENDS_ON, UNKNOWN_STATUS, Anomaly, AnomalyCode, Dependency

Record: TypeAlias = Mapping[str, Json]
KeyOf: TypeAlias = Callable[[str], str]

_RAW_LENGTH = 200
# What names an object where a text is looked for, as in exports of trackers: `{"login": "otter"}`, `{"name": "High"}`.
_NAMING_FIELDS = ("login", "username", "displayName", "name", "title", "label", "value", "$oid", "$date")
_TARGET_FIELDS = ("depends_on_id", "depends_on", "target", "id", "task_id", "taskId", "issue_id", "uuid", "key", "ref")
_TYPE_FIELDS = ("type", "dependency_type", "dep_type", "kind")
_TYPE_WORDS = {"blocking": "blocks", "dependency": DEPENDS_ON, "depends": DEPENDS_ON, "blockedby": BLOCKED_BY}


def printable_path(path: str) -> str:
    """Returns a path as text that can be stored, with an escape for each byte that is not UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def scalar_text(value: Json) -> str | None:
    """Returns a text or number as text, without spaces around it; None if it is neither."""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    try:
        return str(value)
    except ValueError:  # more digits than Python is willing to write
        return None


def named_text(value: Json) -> str | None:
    """Returns a text or number as text, and of an object what names it; None if it is neither."""
    if isinstance(value, dict):
        return next((text for name in _NAMING_FIELDS if (text := scalar_text(value.get(name)))), None)
    return scalar_text(value)


def raw_text(value: Json) -> str:
    """Returns any value as a short text, for reports."""
    text = scalar_text(value)
    if text is None:
        try:
            text = clean(json.dumps(value, ensure_ascii=False))
        except (RecursionError, ValueError):
            text = f"a {type_name(value)} too large to show"
    return text if len(text) <= _RAW_LENGTH else text[: _RAW_LENGTH - 1] + "…"


def type_name(value: Json) -> str:
    """Returns the JSON name of the value's type."""
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "array", str: "text", int: "number", float: "number"}
    return names.get(type(value), "null")


class Reader:
    """Reads one record; `anomalies` grows as fields are read.

    Every method takes the names a field may have, and uses the first that is present and not empty.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.anomalies: list[Anomaly] = []

    def note(self, code: AnomalyCode, message: str) -> None:
        """Remembers something odd about the record."""
        self.anomalies.append(Anomaly(code, message))

    def text(self, names: Sequence[str]) -> str:
        """Returns a field that holds one text or number; empty if there is none."""
        for name in names:
            value = self.record.get(name)
            if value is None or value == "":
                continue
            text = clean(value).strip() if type(value) is str else named_text(value)
            if text:
                return text
            if text is None:
                self._wrong_type(name, value)
        return ""

    def prose(self, names: Sequence[str]) -> str:
        """Returns all the fields that hold text for people, lists as lines, with an empty line between fields."""
        parts = []
        for name in names:
            value = self.record.get(name)
            if isinstance(value, list):
                lines = [text for text in map(scalar_text, value) if text]
                parts.append("\n".join(f"- {line}" for line in lines))
            elif value is not None:
                text = scalar_text(value)
                if text is None:
                    self._wrong_type(name, value)
                parts.append(text or "")
        return "\n\n".join(part for part in parts if part)

    def words(self, names: Sequence[str]) -> tuple[str, ...]:
        """Returns a field that holds several words, as a list or as one text with commas."""
        for name in names:
            value = self.record.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, str):
                return tuple(word for part in clean(value).split(",") if (word := part.strip()))
            if isinstance(value, list):
                words = [named_text(element) for element in value]
                if None in words:
                    self._wrong_type(name, value)
                return tuple(word for word in words if word)
            only = named_text(value)
            if only is not None:
                return (only,)
            self._wrong_type(name, value)
        return ()

    def date(self, names: Sequence[str]) -> str:
        """Returns a field that holds a date, in normal form; as it is, and reported, if it is no date."""
        raw = self.text(names)
        if not raw:
            return raw
        normal = normal_time(raw)
        if normal is None:
            self.note(AnomalyCode.BAD_DATE, f"{names[0]} is no date: {raw_text(raw)}")
            return raw
        return normal

    def status(self, names: Sequence[str], default: str = "") -> tuple[str, str]:
        """Returns the normalised status and the word in the file; `default` stands in for a missing word."""
        raw = self.text(names)
        status = normalise_status(raw or default)
        if status == UNKNOWN_STATUS and not raw:
            self.note(AnomalyCode.NO_STATUS, "the record has no status")
        elif not is_known_status(status):
            self.note(AnomalyCode.UNKNOWN_STATUS, f"no known status: {raw_text(raw)}")
        return status, raw

    def dependencies(self, fields: Sequence[tuple[str, str]], key_of: KeyOf) -> tuple[Dependency, ...]:
        """Returns the relations in the fields, each with the type its field stands for unless an entry has its own.

        Args:
            fields: Names of fields, each with the type of its entries.
            key_of: Makes a key of an id as it stands in the file.
        """
        found: dict[tuple[str, str, str], Dependency] = {}
        for name, default in fields:
            value = self.record.get(name)
            if value is None or value == "":
                continue
            for entry, kind in _entries(value):
                dependency = self._dependency(name, entry, kind, default, key_of)
                found.setdefault((dependency.target, dependency.type, dependency.raw), dependency)
        return tuple(found.values())

    def _dependency(self, name: str, entry: Json, kind: Json, default: str, key_of: KeyOf) -> Dependency:
        target = scalar_text(entry)
        if not target:
            self.note(AnomalyCode.BAD_DEPENDENCY, f"{name} holds what is no id: {raw_text(entry)}")
        return Dependency(
            target=key_of(target) if target else "",
            type=dependency_type(kind, default),
            raw=target if target and len(target) <= _RAW_LENGTH else raw_text(entry),
        )

    def _wrong_type(self, name: str, value: Json) -> None:
        self.note(AnomalyCode.WRONG_TYPE, f"{name} is unusable as it is: {type_name(value)}")


def dependency_type(raw: Json, default: str = DEPENDS_ON) -> str:
    """Returns the name of a dependency's type in lower case with hyphens; the default where it has none."""
    if not isinstance(raw, str) or not raw.strip():
        return default
    folded = "-".join(clean(raw).strip().lower().replace("_", " ").replace("-", " ").split())
    return _TYPE_WORDS.get(folded, folded)


def _entries(value: Json) -> Iterator[tuple[Json, Json]]:
    """Yields what a dependency field holds, as pairs of an id and a type."""
    if isinstance(value, str):
        yield from ((part, None) for part in value.split(",") if part.strip())
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                yield _object_entry(element)
            elif element is not None and element != "":
                yield element, None
    elif isinstance(value, dict):
        if any(name in value for name in _TARGET_FIELDS):
            yield _object_entry(value)
        else:
            yield from _grouped_entries(value)
    else:
        yield value, None


def _object_entry(entry: dict[str, Json]) -> tuple[Json, Json]:
    target = next((entry[name] for name in _TARGET_FIELDS if entry.get(name) is not None), entry)
    return target, next((entry[name] for name in _TYPE_FIELDS if entry.get(name) is not None), None)


def _grouped_entries(groups: dict[str, Json]) -> Iterator[tuple[Json, Json]]:
    """Yields `{"blocking": ["a"], "soft": ["b"]}` by type, and `{"a": "soft"}` by id."""
    for name, value in groups.items():
        if isinstance(value, list):
            yield from ((element, name) for element in value)
        else:
            yield name, value
