"""Remembers what there is to know about the names of members, which are few and come again and again."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from archive.extract.identity import escape_key
from archive.extract.pointer import format_step
from archive.extract.rawtext import clean
from archive.extract.secrets import MASK, SecretRules
from archive.extract.words import index_words

TITLE_NAMES = ("title", "name", "subject", "summary", "display_name", "displayName", "heading", "label", "headline")
"""Members that give an object its title, the best first."""

_MAX_NAMES = 20_000  # a document with a million different names must not cost memory for ever


class Name(NamedTuple):
    """What there is to know about a name.

    Attributes:
        line: The start of its line in an item's text, with the line break before it.
        shown: The name as it can be shown: what cannot be stored, and what is secret in itself, is replaced.
        key: Its step in keys.
        pointer: Its step in pointers.
        words: Its further tokens.
        title: Its rank among `TITLE_NAMES`; -1 if it is none.
        secret: Whether values under it are masked.
    """

    line: str
    shown: str
    key: str
    pointer: str
    words: str
    title: int
    secret: bool


class Names(dict[str, Name]):
    """Maps every name there is to what there is to know about it.

    Attributes:
        plain: The lines' starts of those names met so far that are neither names of titles nor secret.
    """

    def __init__(self, rules: SecretRules) -> None:
        super().__init__()
        self._rules = rules
        self.plain: dict[str, str] = {}

    def __missing__(self, name: str) -> Name:
        if len(self) >= _MAX_NAMES:
            self.clear()
            self.plain.clear()
        cleaned = clean(name)
        shown = self._rules.mask(cleaned)
        if shown == cleaned:
            step = escape_key(name)
        else:  # two masked names must not become one
            step = f"{escape_key(MASK)}{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"
        secret = self._rules.is_secret_name(name)
        title = TITLE_NAMES.index(name) if name in TITLE_NAMES else -1
        known = self[name] = Name(f"\n{shown}: ", shown, f"/{step}", format_step(shown), index_words(shown), title, secret)
        if title < 0 and not secret:
            self.plain[name] = known.line
        return known
