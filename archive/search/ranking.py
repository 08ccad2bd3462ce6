"""Puts what the index found into its final order.

    score  times 0.4 for blocks that explain a file's own form, times 2.2 where the title alone has all the words, but for
           documents that are found by their names alone: what is inside of others comes first

Only the best by the index's own score are looked at, more and more of them until those that are shown are settled.
Among equals the newer comes first. Over history the states of one item are one hit: its newest state that matches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from archive.query import Query
from archive.search.request import token_of
from archive.storage import fts
from archive.storage.connection import Connection
from archive.storage.fts import Found

_BOILERPLATE = 0.4
# What a word in a title weighs more than in a text by bm25 alone is not enough against many repeats in a short text.
_TITLE = 2.2
_MORE = 5
_MAX_ADDED = 100

Ask = Callable[[int], Found]


# A plain tuple, which is sorted as it is, for there may be thousands: the negative score and first snapshot, document, key and
# id of the item, the first snapshot of all its states that match, and their number.
_Entry: TypeAlias = tuple[float, int, int, str, int, int, int]


class Ranked(NamedTuple):
    """An item in the final order.

    Attributes:
        first: The snapshot that brought the first of its states that match.
        states: How many match.
    """

    id: int
    document_id: int
    key: str
    score: float
    first: int
    states: int


class Ranking(NamedTuple):
    """The best items, in order.

    Attributes:
        best: At most as many as were needed.
        total: How many there are in all; at least that many if not `is_exact`.
    """

    best: list[Ranked]
    total: int
    is_exact: bool
    is_bounded: bool


def rank(
    connection: Connection,
    ask: Ask,
    titled: Callable[[Found], list[tuple[int, float]]],
    query: Query,
    *,
    needed: int,
    seen: frozenset[bytes],
    by_item: bool,
) -> Ranking:
    """Returns the best of what is found and was not seen.

    Args:
        ask: Returns the best so many matches.
        titled: Returns those whose title alone matches, with their scores, the best first.
        needed: How many to return.
        by_item: Whether states of one item are one hit.
    """
    most = 3 * (needed + len(seen)) + 40
    found = ask(most)
    while True:
        extra = titled(found) if found.ranked else []
        looked_at = found.ranked if by_item else found.ranked[:most]
        entries = _in_order(connection, looked_at, extra, query, by_item=by_item)
        fresh = [one for one in entries if token_of(one[2], one[3]) not in seen] if seen else entries
        is_all = found.is_all and len(looked_at) == len(found.ranked)
        # What comes behind has no better score than the last that came, for matches of titles are all there.
        if is_all or sum(-one[0] >= looked_at[-1][1] for one in fresh) >= needed:
            break
        most *= _MORE
        if not found.is_all:
            found = ask(most)
    best = [Ranked(one[4], one[2], one[3], -one[0], one[5], one[6]) for one in fresh[:needed]]
    if not (by_item or query.needs_check):
        return Ranking(best, found.total, found.is_exact, found.is_bounded)
    return Ranking(best, len(entries), is_all and found.is_exact, found.is_bounded)


def in_titles(found: Found, titles: Sequence[int], *, may_add: bool) -> list[tuple[int, float]]:
    """Returns the matches whose titles match.

    Args:
        titles: Items whose titles match, the newest first.
        may_add: Whether those among them count that are too old to have been ranked, or not good enough to have come. They
            are taken to be as good as the worst that did.
    """
    wanted = set(titles)
    known = [(item_id, score) for item_id, score in found.ranked if item_id in wanted]
    if not may_add or (found.is_all and not found.is_bounded):
        return known
    score = min((score for _, score in known), default=found.ranked[-1][1])
    others = wanted.difference(item_id for item_id, _ in known)
    return known + [(item_id, score) for item_id in titles if item_id in others][:_MAX_ADDED]


def _in_order(
    connection: Connection,
    found: Sequence[tuple[int, float]],
    titled: Sequence[tuple[int, float]],
    query: Query,
    *,
    by_item: bool,
) -> list[_Entry]:
    in_title = {item_id for item_id, _ in titled}
    scores = dict([*found, *titled])  # title matches may be older than all that were ranked
    is_checked = query.needs_check
    entries: list[_Entry] = []
    for item_id, document_id, key, title, is_boilerplate, is_name, first in fts.states(connection, list(scores)):
        if is_checked and not query.accepts_item(title, key):
            continue
        score = (
            scores[item_id]
            * (_BOILERPLATE if is_boilerplate else 1.0)
            * (_TITLE if item_id in in_title and not is_name else 1.0)
        )
        entries.append((-score, -first, document_id, key, item_id, first, 1))
    if by_item:
        entries = _by_item(entries)
    entries.sort()
    return entries


def _by_item(entries: Sequence[_Entry]) -> list[_Entry]:
    groups: dict[tuple[int, str], _Entry] = {}
    for one in entries:
        name = one[2], one[3]
        other = groups.get(name)
        if other is not None:
            newest = one if one[1] < other[1] else other
            one = (min(one[0], other[0]), newest[1], *name, newest[4], min(one[5], other[5]), one[6] + other[6])  # noqa: PLW2901
        groups[name] = one
    return list(groups.values())
