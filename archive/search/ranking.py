"""Puts what the index found into its final order.

    1. real content before blocks that explain a file's own form (`schema`, `instructions`)
    2. items whose title alone has all the words before those that have them elsewhere; documents that are found by their
       names alone count among the latter, for what is inside of others comes first
    3. the better score of the index first, and of equal ones the newer

Only the best by the index's own score are looked at, more and more of them until those that are shown are settled.
Over history the states of one item are one hit: its newest state that matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, TypeAlias

from archive.query import Query
from archive.search.request import token_of
from archive.search.titles import Titled
from archive.storage import fts
from archive.storage.connection import Connection
from archive.storage.fts import Found, Match

_MORE = 5
_SPARE = 20  # more than are needed, since some of the best may be blocks about the file itself

_Entry: TypeAlias = tuple[bool, bool, float, int, int, str, int, int, int]
"""What sorts as the hits do: whether it is boilerplate, whether its title does not match, the negative score and first
snapshot; document, key and id of the item, the first snapshot of all its states that match, and their number.

A plain tuple, since there may be thousands.
"""


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
    found: Found,
    titled: Titled,
    query: Query,
    *,
    needed: int,
    seen: frozenset[bytes],
    by_item: bool,
) -> Ranking:
    """Returns the best of what is found and was not seen.

    Args:
        titled: Those whose title alone matches.
        needed: How many to return.
        by_item: Whether states of one item are one hit.
    """
    least = most = needed + len(seen) + _SPARE
    in_title, older = titled.known, titled.older
    if older and (query.needs_check or len(in_title) < needed + len(seen)):
        in_title, older = [*in_title, *older()], None
    while True:
        looked_at = found.ranked if by_item else found.ranked[:most]
        extra = in_title if by_item else in_title[:most]
        entries = _in_order(connection, looked_at, extra, query, by_item=by_item)
        fresh = [one for one in entries if token_of(one[4], one[5]) not in seen] if seen else entries
        is_all = len(looked_at) == len(found.ranked) and len(extra) == len(in_title)
        if not is_all and _settled(fresh, found.ranked[len(looked_at) :], in_title[len(extra) :], query) < needed:
            most *= _MORE
        elif older and not _are_above(fresh[:needed], titled.lowest, needed):
            in_title, older, most = [*in_title, *older()], None, least
        else:
            break
    best = [Ranked(one[6], one[4], one[5], -one[2], one[7], one[8]) for one in fresh[:needed]]
    if not (by_item or query.needs_check):
        return Ranking(best, found.total, found.is_exact, found.is_bounded)
    return Ranking(best, len(entries), is_all and found.is_exact, found.is_bounded)


def _are_above(entries: Sequence[_Entry], score: float, needed: int) -> bool:
    """Whether there are as many as are needed, all of which go before whatever title has that score."""
    return len(entries) == needed and not any(one[0] or one[1] or -one[2] <= score for one in entries)


def _settled(entries: Sequence[_Entry], others: Sequence[Match], titled: Sequence[tuple[int, float]], query: Query) -> int:
    """Returns how many of the first entries stay the first whatever those are that were not looked at."""
    title_score = titled[0][1] if titled else -inf
    if others and query.is_unspaced:
        title_score = max(title_score, others[0][1])  # whether a title matches is seen only when it is looked at
    score = inf if title_score > -inf else others[0][1] if others else -inf
    count = 0
    for is_boilerplate, is_no_title, negative, *_ in entries:
        if is_boilerplate or -negative < (score if is_no_title else title_score):
            break
        count += 1
    return count


def _in_order(
    connection: Connection,
    found: Sequence[Match],
    titled: Sequence[tuple[int, float]],
    query: Query,
    *,
    by_item: bool,
) -> list[_Entry]:
    in_title = dict(titled)
    scores = {item_id: score for item_id, score, _ in found} | in_title  # these may be older than all that were ranked
    is_checked, is_unspaced = query.needs_check, query.is_unspaced and not query.is_relaxed
    entries: list[_Entry] = []
    for item_id, document_id, key, title, is_boilerplate, is_name, first in fts.states(connection, list(scores)):
        if is_checked and not query.accepts_item(title, key):
            continue
        is_title = not is_name and (item_id in in_title or (is_unspaced and query.is_title(title)))
        entries.append((bool(is_boilerplate), not is_title, -scores[item_id], -first, document_id, key, item_id, first, 1))
    if by_item:
        entries = _by_item(entries)
    entries.sort()
    return entries


def _by_item(entries: Sequence[_Entry]) -> list[_Entry]:
    groups: dict[tuple[int, str], _Entry] = {}
    for one in entries:
        name = one[4], one[5]
        other = groups.get(name)
        if other is not None:
            newest = one if one[3] < other[3] else other
            best = min(one[:3], other[:3])
            groups[name] = (*best, newest[3], *name, newest[6], min(one[7], other[7]), one[8] + other[8])
        else:
            groups[name] = one
    return list(groups.values())
