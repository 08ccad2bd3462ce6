"""Finds the part of a text that a place names: lines as `L10-L20`, or a Markdown section by its way of headings."""

from __future__ import annotations

import re

from archive.errors import PointerNotFound
from archive.extract.identity import escape_key, numbered
from archive.extract.markdown import split_sections
from archive.extract.parse import text_of
from archive.extract.pointer import parse_pointer
from archive.model.documents import Kind

_LINES = re.compile(r"L([1-9]\d{0,9})(?:-L?([1-9]\d{0,9}))?")


def is_text_place(kind: Kind, place: str) -> bool:
    """Whether a place in a document of that kind names a part of its text, and not a value."""
    return _LINES.fullmatch(place) is not None or (kind is Kind.MARKDOWN and place.startswith("/"))


def text_at(kind: Kind, data: bytes, place: str) -> str:
    """Returns the part of a document's text that `is_text_place` says is meant; lines end with line feeds.

    Raises:
        PointerNotFound: There are no such lines, or there is no such heading.
    """
    text = text_of(data).replace("\r\n", "\n")
    if kind is Kind.MARKDOWN:
        text = text.replace("\r", "\n")
    lines = text.split("\n")
    if match := _LINES.fullmatch(place):
        first, last = int(match[1]), int(match[2] or match[1])
    else:
        first, last = _section(text, place)
    if first > last or first > len(lines):
        raise PointerNotFound(
            f"there are no lines {place}: the document has {len(lines):,}", hint="Lines are counted from 1.", pointer=place
        )
    return "".join(f"{line}\n" for line in lines[first - 1 : last])


def _section(text: str, place: str) -> tuple[int, int]:
    """Returns the first and the last line of a section, with all sections below its heading."""
    wanted = parse_pointer(place)
    sections = [section for section in split_sections(text) if section.headings]
    keys = numbered(["".join(f"/{escape_key(name)}" for name in section.headings) for section in sections])
    for key, section in zip(keys, sections, strict=True):
        if key == place or section.headings == wanted:
            depth = len(section.headings)
            at = sections.index(section)
            last = section.last_line
            for below in sections[at + 1 :]:
                if below.headings[:depth] != section.headings or len(below.headings) == depth:
                    break
                last = below.last_line
            return section.first_line, last
    ways = ["".join(f"/{name}" for name in section.headings) for section in sections]
    hint = f"Its headings are {', '.join(ways[:8])}{' and more' if len(ways) > 8 else ''}." if ways else "It has no headings."
    raise PointerNotFound(f"there is no heading {place}", hint=hint, pointer=place, near=ways[:8])
