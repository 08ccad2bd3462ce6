"""Reads the YAML front matter of Markdown, also where it is no YAML.

All scalars come as the text that stands there: an id `1.10` must not become the number 1.1, nor a date something that
can fail to exist. What YAML refuses (`title: Fix: the thing`, `assignee: @me`, conflict markers) is read line by line
instead.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archive.extract.rawtext import clean
from archive.model.base import Json

_MAX_LENGTH = 64 << 10
_MAX_BRACKETS = 500  # nesting is what makes a parser fall over; front matter of tasks has a handful
_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
_MEMBER = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_ELEMENT = re.compile(r"[ \t]*-[ \t]+(.*)")


class FrontMatter(NamedTuple):
    """What stands before the body of a Markdown document.

    Attributes:
        members: Its members; scalars as text.
        body: The text after it.
        is_yaml: Whether it is YAML; else it was read line by line.
        in_conflict: Whether there are conflict markers in it.
    """

    members: dict[str, Json]
    body: str
    is_yaml: bool
    in_conflict: bool


def front_text(text: str) -> str | None:
    """Returns the lines between the `---` at the start and the next one; None if there is no front matter."""
    lines = _lines(text)
    end = _end(lines)
    return None if end is None else "\n".join(lines[1:end])


def front_lines(text: str) -> int:
    """Returns how many lines the front matter takes, with those around it; 0 if there is none."""
    end = _end(_lines(text))
    return 0 if end is None else end + 1


def read_front(text: str) -> FrontMatter | None:
    """Returns the front matter, or None if there is none."""
    lines = _lines(text)
    end = _end(lines)
    if end is None:
        return None
    front = "\n".join(lines[1:end])
    in_conflict = any(line.startswith(_MARKS) for line in lines[1:end])
    members = None if in_conflict else _yaml_members(front)
    body = "\n".join(lines[end + 1 :])
    if members is not None:
        return FrontMatter(members, body, True, False)
    return FrontMatter(_line_members(lines[1:end]), body, False, in_conflict)


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")


def _end(lines: list[str]) -> int | None:
    if lines[0].rstrip() != "---":
        return None
    return next((number for number in range(1, len(lines)) if lines[number].rstrip() == "---"), None)


def _yaml_members(front: str) -> dict[str, Json] | None:
    if len(front) > _MAX_LENGTH or sum(map(front.count, "[{&*")) + front.count("- - ") > _MAX_BRACKETS:
        return None
    import yaml  # takes a hundredth of a second, and few documents begin with it

    # The quick one is there where PyYAML was built with libyaml.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        value = yaml.load(clean(front), Loader=loader)  # noqa: S506 - this loader makes texts, lists and mappings alone
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return {key: member for key, member in value.items() if isinstance(key, str)}


def _line_members(lines: list[str]) -> dict[str, Json]:
    """Reads `name: value` and `- element` lines; of two values for one name the first counts."""
    members: dict[str, Json] = {}
    elements: list[Json] | None = None
    for line in lines:
        if member := _MEMBER.fullmatch(line.rstrip()):
            value = _unquoted(member[2] or "")
            elements = []
            if member[1] not in members:
                members[member[1]] = _inline_list(value) if value else elements
        elif (element := _ELEMENT.fullmatch(line.rstrip())) and elements is not None:
            elements.append(_unquoted(element[1]))
    return {name: "" if value == [] else value for name, value in members.items()}


def _unquoted(text: str) -> str:
    text = clean(text).strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _inline_list(text: str) -> Json:
    if not (text.startswith("[") and text.endswith("]")):
        return text
    return [_unquoted(part) for part in text[1:-1].split(",") if part.strip()]
