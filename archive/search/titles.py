"""Finds those of the matches whose titles alone have all the words.

The index says of each match that it ranks whether any of the words stands in its title, and is asked once more only where that
does not decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf
from typing import NamedTuple

from archive.query import Query, is_any_enough, render_titled, title_test
from archive.storage import fts
from archive.storage.connection import Connection
from archive.storage.fts import Found, Match, Scope

_FEW = 100  # matches whose titles are looked at before the index is asked for matches in titles
_MAX_ADDED = 100


class Titled(NamedTuple):
    """Matches whose titles match.

    Attributes:
        known: Id and score of those that were ranked, the best first.
        older: Finds those that are too old to have been ranked, the newest first; None where they do not count.
        lowest: The score that these have.
    """

    known: list[tuple[int, float]]
    older: Callable[[], list[tuple[int, float]]] | None = None
    lowest: float = -inf


def in_titles(connection: Connection, found: Found, query: Query, scope: Scope) -> Titled:
    """Returns the matches whose titles match.

    Those that are too old to have been ranked count where all that is current is searched. They are taken to be as good as
    the worst that was.
    """
    expression = render_titled(query)
    if not expression:
        return Titled([])
    near = [one for one in found.ranked if one[2]]
    known: list[tuple[int, float]] = []
    if near:
        wanted = set(_wanted(connection, expression, near, found, query, scope))
        known = [(item_id, score) for item_id, score, _ in near if item_id in wanted]
    if not found.is_bounded or scope != Scope():
        return Titled(known)
    lowest = known[-1][1] if known else found.ranked[-1][1]

    def older() -> list[tuple[int, float]]:
        ids = fts.titled(connection, expression, has_past=False, is_bounded=True)
        others = set(ids).difference(item_id for item_id, _ in known)
        return [(item_id, lowest) for item_id in ids if item_id in others][:_MAX_ADDED]

    return Titled(known, older, lowest)


def _wanted(
    connection: Connection, expression: str, near: list[Match], found: Found, query: Query, scope: Scope
) -> Collection[int]:
    """Returns the items whose titles match, among them all of the given ones that do; of very many matches the newest."""
    ids = [item_id for item_id, *_ in near]
    if found.is_bounded and scope != Scope():
        return fts.titled(connection, expression, has_past=scope.has_past, is_bounded=True)
    if is_any_enough(query):
        return sorted(ids, reverse=True)[: fts.MAX_TITLED] if found.is_bounded else ids
    if len(ids) <= _FEW:
        may_have = title_test(query)
        ids = [item_id for item_id, title in fts.titles(connection, ids) if may_have(title)]
    if not ids:
        return ()
    return fts.titled(connection, expression, has_past=scope.has_past, is_bounded=found.is_bounded, among=ids)
