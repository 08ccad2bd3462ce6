"""Finds words that are spelled almost like another, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable

from archive.query.folding import fold

_SHORT = 3  # shorter words have no near spellings: nearly all words are near them
_LONG = 5  # from this length on two changes are allowed, below only one


def near_terms(term: str, vocabulary: Iterable[tuple[str, int]], *, limit: int = 3) -> tuple[str, ...]:
    """Returns the words of a vocabulary that are nearest to a term, the best first.

    Near is what at most two changes make of it (one for words of up to four letters), where a change inserts, removes
    or replaces a letter or swaps two neighbours; if one change leads to some, those that take two are left out. Words that
    begin with the same letter go first, then frequent ones. The term itself is not among them.

    Args:
        vocabulary: Words of the index, in small letters without accents as the index holds them, each with the number
            of items it is in. Not read twice.
    """
    wanted = fold(term)
    if len(wanted) < _SHORT:
        return ()
    most = 1 if len(wanted) < _LONG else 2
    letters = frozenset(wanted)
    numbers_too = any(map(str.isdigit, wanted))
    ranked: list[tuple[int, bool, int, str]] = []
    for word, count in vocabulary:
        # A change alters the length by one at most, and the set of letters by two.
        if abs(len(word) - len(wanted)) > most or len(letters.symmetric_difference(word)) > 2 * most or word == wanted:
            continue
        if not (numbers_too or word.isalpha()):
            continue  # numbers and checksums
        changes = distance(wanted, word, most)
        if changes <= most and len(word) >= _SHORT:
            ranked.append((changes, word[0] != wanted[0], -count, word))
    fewest = min((changes for changes, *_ in ranked), default=0)
    return tuple(word for changes, _, _, word in sorted(ranked)[:limit] if changes == fewest)


def near_ranges(term: str) -> tuple[tuple[str, str], ...]:
    """Returns where in a sorted vocabulary it is worth to look, each as the first word and the one behind the last.

    Reading a whole vocabulary takes FTS5 long. Hardly anybody gets the first letter wrong, except by swapping it with
    the second.
    """
    first = dict.fromkeys(fold(term)[:2])
    return tuple((letter, chr(ord(letter) + 1)) for letter in first if letter.isalnum())


def distance(one: str, other: str, most: int) -> int:
    """Returns how many changes lead from one word to the other (optimal string alignment), or `most` + 1 for more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for place, opposite in enumerate(other, 1):
            cost = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != opposite))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == opposite:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return most + 1
    return min(row[-1], most + 1)
