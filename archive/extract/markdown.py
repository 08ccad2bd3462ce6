"""Cuts Markdown into sections: what stands under each heading, up to the next heading of any level.

Headings are found as CommonMark finds them: with `#`, or underlined with `===` or `---`; not inside code fences, HTML
comments or indented code. Front matter (YAML between `---` lines at the start) is a section of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
# What cannot be a line of a paragraph, and so cannot be made a heading by a line below it.
_NO_PARAGRAPH = re.compile(
    r"\s*$| {4}|\t| {0,3}(?:[-*+][ \t]|\d{1,9}[.)][ \t]|>|\||<[!/?A-Za-z]|([-*_])[ \t]*(?:\1[ \t]*){2,}$)"
)
_FRONT_END = re.compile(r"(?:---|\.\.\.)[ \t]*$")
_FRONT_TITLE = re.compile(r"(?m)^(?:title|name)[ \t]*:[ \t]*(?P<quote>[\"']?)(?P<title>.+?)(?P=quote)[ \t]*$")
_INTERESTING = frozenset("#`~<-=")


class Section(NamedTuple):
    """What stands under one heading.

    Attributes:
        headings: The way to it, from the outermost heading, its own last; empty before the first heading.
        text: Its lines, without the heading, and without empty lines around them.
        first_line, last_line: From 1; the first one is the heading's.
        is_front_matter: Whether it is the block before the document.
    """

    headings: tuple[str, ...]
    text: str
    first_line: int
    last_line: int
    is_front_matter: bool = False

    @property
    def title(self) -> str:
        """Its heading; for front matter the title it gives the document; otherwise empty."""
        if self.is_front_matter:
            found = _FRONT_TITLE.search(self.text)
            return found["title"].strip() if found else ""
        return self.headings[-1] if self.headings else ""


class _Heading(NamedTuple):
    first_line: int  # counted from 0
    end_line: int
    level: int
    title: str


def split_sections(text: str) -> list[Section]:
    """Returns the sections in order; those with neither heading nor text are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = _front_matter_end(lines)
    sections = []
    if start:
        sections.append(Section((), "\n".join(lines[1 : start - 1]), 1, start, True))
    way: list[tuple[int, str]] = []
    headings = _headings(lines, start)
    first = headings[0].first_line if headings else len(lines)
    if body := _section((), lines, start, start, first):
        sections.append(body)
    for number, heading in enumerate(headings):
        while way and way[-1][0] >= heading.level:
            way.pop()
        way.append((heading.level, heading.title))
        end = headings[number + 1].first_line if number + 1 < len(headings) else len(lines)
        names = tuple(title for _, title in way)
        if section := _section(names, lines, heading.first_line, heading.end_line, end):
            sections.append(section)
    return sections


def _section(names: tuple[str, ...], lines: list[str], first: int, body: int, end: int) -> Section | None:
    """Returns the section whose heading, if any, begins at `first` and whose text goes from `body` to `end`."""
    while end > body and not lines[end - 1].strip():
        end -= 1
    start = body
    while start < end and not lines[start].strip():
        start += 1
    if start == end and not (names and names[-1]):
        return None
    first_line = first if names else start
    return Section(names, "\n".join(lines[start:end]), first_line + 1, max(end, body))


def _front_matter_end(lines: list[str]) -> int:
    """Returns the number of the line after the front matter; 0 if there is none."""
    if lines[0].rstrip() != "---" or (len(lines) > 1 and not lines[1].strip()):
        return 0
    for number in range(1, len(lines)):
        if _FRONT_END.match(lines[number]):
            return number + 1 if number > 1 else 0
    return 0


def _headings(lines: list[str], start: int) -> list[_Heading]:
    found: list[_Heading] = []
    fence, paragraph, number = "", -1, start  # paragraph: where the open one began
    while number < len(lines):
        line = lines[number]
        first = line.lstrip(" ")[:1]
        if fence:
            if first == fence[0] and line.strip(" \t") == fence[0] * len(line.strip(" \t")) and len(line.strip()) >= len(fence):
                fence = ""
        elif first in _INTERESTING and first:
            if opening := _FENCE.match(line):
                fence, paragraph = opening[1], -1
            elif heading := _ATX.match(line):
                found.append(_Heading(number, number + 1, len(heading[1]), (heading[2] or "").strip()))
                paragraph = -1
            elif paragraph >= 0 and (underline := _UNDERLINE.match(line)):
                title = " ".join(part.strip() for part in lines[paragraph:number])
                found.append(_Heading(paragraph, number + 1, 1 if underline[1][0] == "=" else 2, title))
                paragraph = -1
            elif line.lstrip().startswith("<!--"):
                number = _comment_end(lines, number)
                paragraph = -1
            else:
                paragraph = _paragraph(line, paragraph, number)
        else:
            paragraph = _paragraph(line, paragraph, number)
        number += 1
    return found


def _paragraph(line: str, paragraph: int, number: int) -> int:
    """Returns where the paragraph that this line belongs to began; -1 if it belongs to none."""
    if paragraph >= 0 and line[:1] in " \t" and line.strip():
        return paragraph  # indented lines carry a paragraph on
    if _NO_PARAGRAPH.match(line):
        return -1
    return paragraph if paragraph >= 0 else number


def _comment_end(lines: list[str], number: int) -> int:
    """Returns the line in which the HTML comment that begins in a line ends; the line itself if it never does."""
    for end in range(number, len(lines)):
        if "-->" in lines[end]:
            return end
    return number
