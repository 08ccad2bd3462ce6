"""Writes a query as an expression for FTS5's MATCH, which finds no operator in it that is not meant as one.

The table's columns are `title`, `key`, `text` and `words`, its tokenizer `unicode61 remove_diacritics 2`. Words go
into strings, in which FTS5 knows no operators; it cuts them up as it did the indexed text, into a phrase.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from archive.extract.words import TOKEN, identifier_parts, is_unspaced, split_unspaced
from archive.query.value import Field, Query, Term, is_checked

_MAX_TOKENS = 40  # of one word or phrase; what follows is not looked for
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_VERSION = re.compile(r"\d+(?:\.\d+)+", re.ASCII)


class Match(NamedTuple):
    """What to give to FTS5.

    Attributes:
        match: The expression; empty if there are no words to look for, only conditions on documents.
        exclude: Finds what to leave out, where there is nothing to look for; otherwise empty, `match` sees to it.
    """

    match: str
    exclude: str


def render(query: Query) -> Match:
    """Returns the expressions for a query; both are empty if it has no words at all."""
    found, excluded = _found(query), _excluded(query)
    if found and excluded:
        return Match(f"({found}) NOT {excluded}", "")
    return Match(found, "" if found else excluded)


def render_titled(query: Query) -> str:
    """Returns the expression for those matches whose title alone has all the words; empty where there can be none."""
    found, excluded = _found(query), _excluded(query)
    if not found or query.is_relaxed or any(term.field is Field.KEY or is_checked(term) for term in query.terms):
        return ""
    return f"(title : ({found})) NOT {excluded}" if excluded else f"title : ({found})"


def is_any_enough(query: Query) -> bool:
    """Whether a title has all that is looked for as soon as it has any of it: one word or phrase, or several to choose of."""
    return len(query.groups) == 1 and not query.excluded and not any(is_unspaced(term.text) for term in query.terms)


def title_test(query: Query) -> Callable[[str], bool]:
    """Returns what says quickly that a title cannot have all the words; what it lets through may still not have them."""
    groups = [[_beginning(term.text) for term in group] for group in query.groups]
    certain = [words for words in groups if all(map(str.isascii, words))]

    def may_have(title: str) -> bool:
        lowered = title.lower()
        return not title.isascii() or all(any(word in lowered for word in words) for words in certain)

    return may_have


def _beginning(text: str) -> str:
    """Returns the letters with which a term begins in whatever spelling it is found."""
    run = TOKEN.search(text)
    word = run[0] if run else text
    return (identifier_parts(word).partition(" ")[0] or word).lower()


@lru_cache(maxsize=16)  # one search asks several times
def _found(query: Query) -> str:
    return " AND ".join(_any(list(map(_term, group))) for group in query.groups)


def _excluded(query: Query) -> str:
    excluded = [_term(term) for term in query.excluded if not is_checked(term)]
    return _any(excluded) if excluded else ""


def _any(expressions: list[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"({' OR '.join(expressions)})"


def _term(term: Term) -> str:
    """Returns the expression for one word or phrase."""
    pieces = _pieces(term.text)
    if len(pieces) == 1 and not pieces[0].unspaced:
        texts = [pieces[0].text]
        if not term.phrase:
            texts += _other_spellings(texts[0])
        expression = _any([_string(text, prefix=term.prefix) for text in texts])
        if not term.phrase and _DATE.fullmatch(pieces[0].text):
            expression = _any([expression, _string(pieces[0].text + "T", prefix=True)])
    else:
        last = len(pieces) - 1
        strings = [
            _string(piece.text, prefix=term.prefix and number == last and not piece.unspaced)
            for number, piece in enumerate(pieces)
        ]
        expression = strings[0] if len(strings) == 1 else f"({' AND '.join(strings)})"
    if term.field is Field.ANY:
        return expression
    column = f"{{{term.field.value} words}}" if is_checked(term) else term.field.value
    return f"{column} : {expression}"


class _Piece(NamedTuple):
    text: str
    unspaced: bool = False


def _pieces(text: str) -> list[_Piece]:
    """Returns the parts of a term that are each found in one column; most terms are one such part."""
    if not is_unspaced(text):
        return [_Piece(_shortened(text))]
    pieces: list[_Piece] = []
    spaced: list[str] = []
    for chunk in text.split():
        if not is_unspaced(chunk):
            spaced.append(chunk)
            continue
        if spaced:
            pieces.append(_Piece(" ".join(spaced)))
            spaced = []
        pieces += _unspaced_pieces(chunk)
    if spaced:
        pieces.append(_Piece(" ".join(spaced)))
    return [piece for piece in pieces if TOKEN.search(piece.text)][:_MAX_TOKENS]


def _unspaced_pieces(chunk: str) -> list[_Piece]:
    """Returns runs of single characters as one part each, and words and pictures between them."""
    pieces: list[_Piece] = []
    run: list[str] = []
    for token in split_unspaced(chunk):
        if len(token) == 1 and is_unspaced(token):
            run.append(token)
            continue
        if run:
            pieces.append(_Piece(" ".join(run[:_MAX_TOKENS]), True))
            run = []
        pieces.append(_Piece(token))
    if run:
        pieces.append(_Piece(" ".join(run[:_MAX_TOKENS]), True))
    return pieces


def _shortened(text: str) -> str:
    """Returns the text up to its last token that is looked for."""
    for number, token in enumerate(TOKEN.finditer(text)):
        if number == _MAX_TOKENS - 1:
            return text[: token.end()]
    return text


def _other_spellings(word: str) -> list[str]:
    """Returns what a word may be written as too, and is found in by other tokens."""
    runs = TOKEN.findall(word)
    found = []
    if len(runs) == 1 and (parts := identifier_parts(runs[0])):
        found.append(parts)  # loadJson: load_json; and load-json
    if _VERSION.fullmatch(word):
        found.append(f"v{word}")  # 3.04.87: v3.04.87
    return found


def _string(text: str, *, prefix: bool) -> str:
    """Returns a text as a string of FTS5, which stands for the phrase of its tokens."""
    return '"' + text.replace('"', " ") + ('" *' if prefix else '"')
