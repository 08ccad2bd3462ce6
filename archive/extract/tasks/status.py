"""Maps the words of many tools to one set of states and one scale of priorities."""

from __future__ import annotations

import re

from archive.model.tasks import UNKNOWN_STATUS, Status

_WORDS: dict[Status, str] = {
    Status.PENDING: ("pending todo to_do open ready assigned planned planning backlog waiting concept queued new not_started"),
    Status.IN_PROGRESS: "in_progress active started doing hooked working",
    Status.BLOCKED: "blocked blocked_by_other_errors on_hold",
    Status.REVIEW: "review in_review testing qa",
    Status.DONE: "done complete completed closed resolved fixed released finished merged",
    Status.CANCELLED: "cancelled canceled won't_do wontfix deleted tombstone rejected abandoned duplicate",
    Status.DEFERRED: "deferred postponed paused someday icebox",
}
_STATUS_OF = {word: status.value for status, words in _WORDS.items() for word in words.split()}

_RANKS: dict[int, str] = {
    0: "critical_path critical p0 0 (a) a",
    1: "high p1 1 (b) b h",
    2: "medium none p2 2 (c) c m",
    3: "low p3 3 l",
}
_RANK_OF = {word: rank for rank, words in _RANKS.items() for word in words.split()}
MIDDLE_RANK = 2
LAST_RANK = 4

_GAPS = re.compile(r"[\s_\-]+")


def fold(word: str) -> str:
    """Returns a word in lower case with `_` for spaces and hyphens, the form in which words are compared."""
    return _GAPS.sub("_", word.strip().lower().replace("\u2019", "'"))


def normalise_status(raw: str) -> str:
    """Returns the state that a tool's word stands for.

    A word that is not in the map comes back folded, and an empty one as `unknown`; neither is ever available.
    """
    if known := _STATUS_OF.get(raw):
        return known
    folded = fold(raw)
    return _STATUS_OF.get(folded, folded) or UNKNOWN_STATUS


def is_known_status(status: str) -> bool:
    """Says whether a normalised status is one of the states, and not some tool's own word."""
    return status in _STATES


def priority_rank(raw: str) -> int:
    """Returns 0 (most urgent) to 4; no priority at all is 2, in the middle, and a word that is not in the map 4."""
    if not raw:
        return MIDDLE_RANK
    known = _RANK_OF.get(raw)
    return _RANK_OF.get(fold(raw), LAST_RANK) if known is None else known


_STATES = frozenset(status.value for status in Status)
