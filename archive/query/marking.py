"""Finds in a text what a query matched there, and cuts out the part that shows it best."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from archive.extract.words import TOKEN, identifier_parts, is_unspaced, unspaced_parts
from archive.model.search import Span
from archive.query.folding import fold
from archive.query.value import Field, Query, Term

_MAX_MATCHES = 400  # looked at in one text
_ACCENTS = "[\u0300-\u036f]*"
_FIELD_BREAK = re.compile(r"\n(?=[\w.$ -]{1,60}: )")
_NEAR_BORDER = 16  # characters by which a border moves to stand between words


class _Found(NamedTuple):
    start: int
    end: int
    term: int


class Marker:
    """Finds the words of one query in many texts.

    Words are found as the index finds them: without case and accents, as a part of a name from code, inside text without
    spaces, at the beginning of a word where the query says so.
    """

    def __init__(self, query: Query) -> None:
        self._terms = tuple(dict.fromkeys(term for term in query.terms if term.field is not Field.PATH))
        # The longest first, so that a phrase is not found as its first word alone.
        self._order = sorted(range(len(self._terms)), key=lambda number: -len(self._terms[number].text))

    def spans(self, text: str) -> tuple[Span, ...]:
        """Returns where matched words stand in a text, in order, none over another."""
        return tuple([Span(start, end) for start, end, _ in self._find(text)])

    def snippet(self, text: str, width: int = 160) -> tuple[str, tuple[Span, ...]]:
        """Returns a part of a text on one line, and where matched words stand in it.

        It shows as many of the query's words as it can, and the text's beginning where there are none. It is about
        `width` characters long, besides an ellipsis at either end that says that something is left out.
        """
        flat = " ".join(_FIELD_BREAK.sub(" · ", text.strip()).split())
        found = self._find(flat)
        start, end = _window(flat, found, width)
        before, after = "…" if start else "", "…" if end < len(flat) else ""
        shift = len(before) - start
        spans = [Span(max(a, start) + shift, min(b, end) + shift) for a, b, _ in found if a < end and b > start]
        return f"{before}{flat[start:end]}{after}", tuple(spans)

    def _find(self, text: str) -> list[_Found]:
        if not self._terms:
            return []
        if not text.isascii():
            text = text.replace("·", " ")  # as snippets put it between fields; no more of a word than a space is
        pattern = self._plain if text.isascii() else self._accented
        found: list[_Found] = []
        for match in islice(pattern.finditer(fold(text)), _MAX_MATCHES):
            start, end = match.span()
            term = self._order[(match.lastindex or 1) - 1]
            if _begins(text, start) and (self._terms[term].prefix or _ends(text, end)):
                found.append(_Found(start, end, term))
        return found

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        return self._pattern("")

    @cached_property
    def _accented(self) -> re.Pattern[str]:
        return self._pattern(_ACCENTS)

    def _pattern(self, accents: str) -> re.Pattern[str]:
        # Each branch begins with its first letter and not with a group, so that `re` looks for these letters alone.
        branches = [f"{_branch(self._terms[number], accents)}()" for number in self._order]
        return re.compile("|".join(branches))


def snippet(text: str, query: Query, width: int = 160) -> tuple[str, tuple[Span, ...]]:
    """Returns what `Marker.snippet` does; for several texts keep a `Marker`."""
    return Marker(query).snippet(text, width)


def _branch(term: Term, accents: str) -> str:
    """Returns a regular expression for a term in folded text; it does not look at what stands around."""
    if is_unspaced(term.text):
        parts = [_letters(fold(part), accents) for part in unspaced_parts().findall(term.text)]
        # Signs that stand for letters, such as ㎏, are found and not marked.
        return f"(?:{'|'.join(parts)})" if parts else "(?!)"
    words = TOKEN.findall(term.text)
    gap = r"[\W_]+"
    if not term.phrase:
        parts = identifier_parts(words[0]).split() if len(words) == 1 else words
        if len(words) == 1 and parts:
            words, gap = parts, r"[\W_]*"
        elif len(words) == 2 and words[1].isdigit():
            gap = r"[\W_]*"
    return gap.join(_letters(fold(word), accents) for word in words)


def _letters(word: str, accents: str) -> str:
    return "".join(re.escape(letter) + accents for letter in word)


def _begins(text: str, at: int) -> bool:
    """Whether a word, or a part of a name, begins at a place."""
    return at == 0 or _parted(text, at)


def _ends(text: str, at: int) -> bool:
    return at >= len(text) or _parted(text, at)


def _parted(text: str, at: int) -> bool:
    """Whether there is a border between two words, or two parts of a name, before a place."""
    before, after = text[at - 1], text[at]
    if not (before.isalnum() and after.isalnum()):
        return True
    if before.isdigit() != after.isdigit():
        return True
    if after.isupper():
        return before.islower() or text[at + 1 : at + 2].islower()
    return is_unspaced(before) or is_unspaced(after)


def _window(text: str, found: list[_Found], width: int) -> tuple[int, int]:
    """Returns the part of a text of at most that width that shows most of the different terms, the first such."""
    if len(text) <= width:
        return 0, len(text)
    best, most, last = 0, (0, 0), 0
    for first in range(len(found)):
        last = max(last, first)
        while last + 1 < len(found) and found[last + 1].end - found[first].start <= width:
            last += 1
        inside = found[first : last + 1]
        worth = (len({one.term for one in inside}), len(inside))
        if worth > most:
            best, most = first, worth
            reach = found[last].end
    if not found:
        return 0, _border(text, width)
    spare = max(0, width - (reach - found[best].start))
    start = max(0, min(found[best].start - spare // 3, len(text) - width))
    if start:
        start = _word_start(text, start, found[best].start)
    return start, _border(text, min(len(text), start + width))


def _word_start(text: str, at: int, limit: int) -> int:
    """Returns where a word begins near a place, and not behind the limit; the place itself if nowhere."""
    space = text.find(" ", at - 1, min(limit, at + _NEAR_BORDER))
    if space < 0:
        space = text.rfind(" ", max(0, at - _NEAR_BORDER), at)
    return at if space < 0 else space + 1


def _border(text: str, at: int) -> int:
    """Returns where a word ends shortly before a place; the place itself if nowhere."""
    if at >= len(text) or text[at] == " ":
        return at
    space = text.rfind(" ", max(0, at - _NEAR_BORDER), at)
    return at if space < 0 else space
