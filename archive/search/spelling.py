"""Proposes other spellings for what was not found, from the words that the index knows."""

from __future__ import annotations

import re
from collections.abc import Callable

from archive.extract.words import TOKEN, is_unspaced
from archive.query import Query, near_ranges, near_terms
from archive.query.folding import fold
from archive.storage import fts
from archive.storage.connection import Connection

_MAX_WORDS = 6
_MAX_PROPOSED = 3


def suggestions(connection: Connection, query: Query, is_found: Callable[[str], bool]) -> tuple[str, ...]:
    """Returns whole queries to try instead, the best first, each of which finds something.

    Args:
        is_found: Says whether a query finds something.
    """
    words = dict.fromkeys(word for term in query.terms if not is_unspaced(term.text) for word in TOKEN.findall(term.text))
    near: dict[str, tuple[str, ...]] = {}
    with fts.vocabulary(connection) as vocabulary:
        for word in list(words)[:_MAX_WORDS]:
            if (ranges := near_ranges(word)) and not vocabulary.has(fold(word)):
                near[word] = near_terms(word, vocabulary.within(ranges), limit=_MAX_PROPOSED)
    near = {word: terms for word, terms in near.items() if terms}
    proposed: dict[str, None] = {}
    for number in range(_MAX_PROPOSED):
        text = query.text
        for word, terms in near.items():
            better = terms[min(number, len(terms) - 1)]  # letters and digits alone, nothing that a pattern would mind
            text = re.sub(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", better, text)
        if near and text != query.text and text not in proposed and is_found(text):
            proposed[text] = None
    return tuple(proposed)
