"""A query as a value: what must be found, what must not, and where."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from archive.extract.words import has_token, is_unspaced
from archive.model.base import Value


class Field(StrEnum):
    """Says where something must stand; `any` is the title, the key or the text of an item."""

    ANY = "any"
    TITLE = "title"
    KEY = "key"
    PATH = "path"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Term(Value):
    """A word, or several words in a row.

    Attributes:
        text: As it was typed, without operators; has at least one letter, digit or picture.
        field: `any`, `title` or `key`.
        phrase: Whether it was quoted, so that it is taken literally.
        prefix: Whether its last word may go on.
    """

    text: str
    field: Field = Field.ANY
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Filter(Value):
    """A condition on the document.

    Attributes:
        field: `path` or `category`.
        value: For paths a pattern if it has `*` or `?` in it, which stand for any characters, `/` included, and which may begin
            at any folder; otherwise a part of the path. For categories the whole name.
    """

    field: Field
    value: str
    negated: bool = False

    def accepts(self, text: str) -> bool:
        """Whether the document's path or category meets the condition, whatever the case of letters."""
        return self.test()(text.casefold())

    def test(self) -> Callable[[str], bool]:
        """Returns what says of a case-folded path or category whether it meets the condition; quick for many."""
        wanted, negated = self.value.casefold(), self.negated
        if self.field is Field.CATEGORY:
            return lambda given: (given == wanted) is not negated
        if "*" in wanted or "?" in wanted:
            pattern = wanted.replace("[", "[[]")
            matches = re.compile(f"{fnmatch.translate(pattern)}|{fnmatch.translate('*/' + pattern)}").match
            return lambda given: (matches(given) is not None) is not negated
        return lambda given: (wanted in given) is not negated


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Value):
    """What is to be found.

    Attributes:
        text: What was typed.
        groups: Each of these must be found; of a group, any one.
        excluded: None of these may be found.
        filters: Conditions on the document; of several for one field that are not negated, any one.
        notes: What was left out of the text, and why; lower case, no period.
        is_relaxed: Whether this is a second try.
    """

    text: str
    groups: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    notes: tuple[str, ...] = ()
    is_relaxed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for: no words, and no condition on the document either.

        Words to leave out alone are nothing to look for.
        """
        return not self.groups and not any(not one.negated for one in self.filters)

    @property
    def terms(self) -> tuple[Term, ...]:
        """All words and phrases that are looked for."""
        return tuple(term for group in self.groups for term in group)

    @property
    def needs_check(self) -> bool:
        """Whether what the index finds must be asked `accepts_item` too.

        That is so for words without spaces in one field, which the index finds in any.
        """
        return any(is_checked(term) for term in (*self.terms, *self.excluded))

    def accepts_item(self, title: str, key: str) -> bool:
        """Whether an item that the index found meets the conditions on fields which the index cannot decide."""
        for group in self.groups:
            if all(map(is_checked, group)) and not any(_stands_in(term, title, key) for term in group):
                return False
        return not any(is_checked(term) and _stands_in(term, title, key) for term in self.excluded)

    @property
    def is_unspaced(self) -> bool:
        """Whether all that is looked for is written without spaces, so that the index cannot tell titles from texts."""
        return bool(self.groups) and all(is_unspaced(term.text) for term in self.terms)

    def is_title(self, title: str) -> bool:
        """Whether a title alone has all that is looked for, where that is written without spaces."""
        return all(any(_plain(term.text) in _plain(title) for term in group) for group in self.groups)

    @property
    def goes_on(self) -> bool:
        """Whether any word may go on."""
        return any(term.prefix for term in (*self.terms, *self.excluded))

    def curbed(self) -> Query:
        """Returns the query with single letters as words of their own, where they were to go on: too many words do."""

        def curb(terms: tuple[Term, ...]) -> tuple[Term, ...]:
            return tuple(replace(term, prefix=term.prefix and len(term.text) > 1) for term in terms)

        return replace(self, groups=tuple(map(curb, self.groups)), excluded=curb(self.excluded))

    def relaxed(self) -> Query | None:
        """Returns the query that any of the words satisfies, phrases taken apart; None if that is the same query."""
        words: dict[Term, None] = {}
        for term in self.terms:
            parts = term.text.split()
            for number, part in enumerate(parts):
                prefix = term.prefix and number == len(parts) - 1
                words[Term(part, term.field, phrase=False, prefix=prefix)] = None
        loose = tuple(word for word in words if has_token(word.text))
        if self.is_relaxed or len(loose) < 2 or self.groups == (loose,):
            return None
        return replace(self, groups=(loose,), is_relaxed=True)


def is_checked(term: Term) -> bool:
    """Whether the index cannot tell if a term stands in its field, because its words are only among the further tokens."""
    return term.field is not Field.ANY and any(map(is_unspaced, term.text.split()))


def _stands_in(term: Term, title: str, key: str) -> bool:
    return _plain(term.text) in _plain(title if term.field is Field.TITLE else key)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
