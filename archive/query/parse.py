"""Reads queries as people type them.

    word            must be found, as must every other word, in any order
    word*           must be found, and may go on
    "two words"     must be found in this order
    this OR that    either must be found; binds closer than the other words (AND between words changes nothing)
    -word           must not be found; `-"two words"` and `-title:word` too
    title:word      must be found in the title; `key:` in the names around the item
    path:agents/    only in documents with such a path; a pattern if it has `*` or `?` in it; `-path:` too
    category:tasks  only in documents of this category; `-category:` too

All else is text: other signs, operators that have nothing to work on, quotes that do not close.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archive.extract.rawtext import clean
from archive.extract.words import has_token
from archive.query.value import Field, Filter, Query, Term

MAX_CHARACTERS = 2_000
"""Of a longer text, only the words that begin before this are looked for."""

MAX_TERMS = 48
"""Of more words and phrases, only the first are looked for."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_PHRASE = re.compile(r'"([^"]*)"(\*?)')
_FIELD = re.compile(r"(title|key|path|category):(?=\S)")
_PREFIX = re.compile(r"[^\W_]\*\Z")
_MIN_TYPED = 3  # characters from which on a word being typed is taken for the beginning of one


class _Piece(NamedTuple):
    """A part of the query between white space: what it says, and how it was written."""

    text: str
    field: Field = Field.ANY
    negated: bool = False
    phrase: bool = False
    prefix: bool = False
    joint: str = ""  # OR or AND


def parse(text: str, *, typing: bool = False) -> Query:
    """Returns what a text asks for; every text asks for something, if only for nothing.

    Args:
        typing: Whether the text is still being typed, so that a word at its very end may go on.
    """
    given = clean(text).replace("\ufffd", " ")
    pieces = _pieces(given[: _end(given)])
    notes = ["only the beginning of the query was used"] if _end(given) < len(given) else []
    if typing and pieces and not given[-1:].isspace():
        pieces[-1] = _going_on(pieces[-1])
    filters = tuple(Filter(one.field, one.text, one.negated) for one in pieces if one.field in (Field.PATH, Field.CATEGORY))
    words = [one for one in pieces if one.field not in (Field.PATH, Field.CATEGORY)]
    left_out = [one.text for one in words if not has_token(one.text)]
    words = [one for one in words if has_token(one.text)]
    groups, excluded = _grouped(words)
    if left_out:
        notes.append(_left_out(left_out))
    if len(groups) > MAX_TERMS or len(excluded) > MAX_TERMS:
        groups, excluded = groups[:MAX_TERMS], excluded[:MAX_TERMS]
        notes.append(f"only the first {MAX_TERMS} words were used")
    if excluded and not groups and not filters:
        notes.append("there are only words to leave out, and none to look for")
    return Query(
        text=text,
        groups=tuple(tuple(group[:MAX_TERMS]) for group in groups),
        excluded=tuple(excluded),
        filters=filters,
        notes=tuple(notes),
    )


def _end(text: str) -> int:
    """Returns where the part of the text ends that is looked at: behind the word that reaches over the limit."""
    if len(text) <= MAX_CHARACTERS:
        return len(text)
    blank = re.compile(r"\s").search(text, MAX_CHARACTERS, 2 * MAX_CHARACTERS)
    return blank.start() if blank else MAX_CHARACTERS


def _pieces(text: str) -> list[_Piece]:
    pieces = []
    at = _skip(text, 0)
    while at < len(text):
        piece, at = _piece(text, at)
        pieces.append(piece)
        at = _skip(text, at)
    return pieces


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _piece(text: str, at: int) -> tuple[_Piece, int]:
    word = _WORD.match(text, at)
    assert word is not None
    whole = word[0]
    if whole in ("OR", "AND"):
        return _Piece(whole, joint=whole), word.end()
    # Two dashes begin an option of some program; a dash before signs is an arrow or a line.
    negated = whole[0] == "-" and whole[1:2] != "-" and has_token(whole)
    start = at + negated
    field = Field.ANY
    if named := _FIELD.match(text, start):
        quoted = _PHRASE.match(text, named.end())
        value = quoted[1] if quoted else text[named.end() : word.end()]
        if has_token(value):
            field, start = Field(named[1]), named.end()
    if (phrase := _PHRASE.match(text, start)) and (has_token(phrase[1]) or not has_token(whole)):
        return _Piece(phrase[1], field, negated, phrase=True, prefix=bool(phrase[2])), phrase.end()
    said = text[start : word.end()]
    if field in (Field.PATH, Field.CATEGORY):
        return _Piece(said, field, negated), word.end()
    prefix = _PREFIX.search(said) is not None
    return _Piece(said[:-1] if prefix else said, field, negated, prefix=prefix), word.end()


def _going_on(piece: _Piece) -> _Piece:
    """Returns the last piece of a text being typed, which may be the beginning of a word."""
    is_word = not (piece.phrase or piece.negated) and piece.field not in (Field.PATH, Field.CATEGORY)
    tail = re.search(r"[^\W_]+\Z", piece.text)
    if is_word and tail and len(tail[0]) >= _MIN_TYPED:
        return piece._replace(prefix=True, joint="")
    return piece


def _grouped(pieces: list[_Piece]) -> tuple[list[list[Term]], list[Term]]:
    """Returns the words to look for, those joined by OR together, and the words to leave out."""
    groups: list[list[Term]] = []
    excluded: list[Term] = []
    joins = False  # whether the next word belongs to the group before it
    for number, piece in enumerate(pieces):
        if piece.joint and not joins and _joins(pieces, number):
            joins = piece.joint == "OR"
            continue
        term = Term(piece.text, piece.field, piece.phrase, piece.prefix)
        if piece.negated:
            excluded.append(term)
        elif joins:
            groups[-1].append(term)
        else:
            groups.append([term])
        joins = False
    return groups, excluded


def _joins(pieces: list[_Piece], number: int) -> bool:
    """Whether OR or AND stands between two words to look for; if not, it is a word itself."""
    if not 0 < number < len(pieces) - 1:
        return False
    before, after = pieces[number - 1], pieces[number + 1]
    return not (before.negated or after.negated or after.joint)


def _left_out(texts: list[str]) -> str:
    shown = [f"'{text if len(text) <= 30 else text[:29] + '…'}'" for text in dict.fromkeys(texts) if text][:5]
    if not shown:
        return "empty quotes were left out"
    verb = "has" if len(shown) == 1 else "have"
    return f"{' and '.join(shown)} {verb} no letters or digits to look for"
