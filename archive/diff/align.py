"""Aligns two sequences: finds which elements stayed, and which only went elsewhere.

The result is the best possible (a longest common subsequence) where that is cheap, which it is for few differences and
for elements without repetitions; else a good one. The time is bounded whatever the input.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Sequence
from typing import NamedTuple

Pair = tuple[int, int]

_MAX_DIFFERENCES = 500
_MAX_STEPS = 3_000_000


class Alignment(NamedTuple):
    """Pairs of positions, in the old and in the new sequence, of equal elements.

    Attributes:
        kept: Those in the same order in both; sorted.
        moved: The others, by their new position.
    """

    kept: list[Pair]
    moved: list[Pair]


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> Alignment:
    """Pairs equal elements, as many as there are; each element is in one pair at most."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle_old, middle_new = _numbered(old[start : len(old) - end], new[start : len(new) - end])
    kept = [(position, position) for position in range(start)]
    kept += [(start + i, start + j) for i, j in _in_order(middle_old, middle_new)]
    kept += [(len(old) - back, len(new) - back) for back in range(end, 0, -1)]
    left_old = sorted(set(range(len(old))) - {i for i, _ in kept})
    left_new = sorted(set(range(len(new))) - {j for _, j in kept})
    moved = _by_occurrence([(i, old[i]) for i in left_old], [(j, new[j]) for j in left_new])
    return Alignment(kept, moved)


def _numbered(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Gives equal elements equal numbers, which are quicker to compare."""
    numbers: dict[Hashable, int] = {}
    first = [numbers.setdefault(element, len(numbers)) for element in old]
    return first, [numbers.setdefault(element, len(numbers)) for element in new]


def _in_order(old: list[int], new: list[int]) -> list[Pair]:
    counts_old, counts_new = Counter(old), Counter(new)
    common_old = [(i, element) for i, element in enumerate(old) if element in counts_new]
    common_new = [(j, element) for j, element in enumerate(new) if element in counts_old]
    if any(counts_old[element] > 1 or counts_new[element] > 1 for _, element in common_new):
        found = _fewest_edits([element for _, element in common_old], [element for _, element in common_new])
        if found is not None:
            return [(common_old[i][0], common_new[j][0]) for i, j in found]
    return _longest_increasing(_by_occurrence(common_old, common_new))


def _by_occurrence(old: Sequence[tuple[int, Hashable]], new: Sequence[tuple[int, Hashable]]) -> list[Pair]:
    """Pairs the first occurrence of an element with the first, the second with the second, and so on."""
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for i, element in old:
        waiting[element].append(i)
    return [(waiting[element].popleft(), j) for j, element in new if waiting.get(element)]


def _longest_increasing(pairs: list[Pair]) -> list[Pair]:
    """Returns the most pairs, out of pairs sorted by new position, that are in order of old position too."""
    lasts: list[int] = []  # for each length, the smallest old position a run of that length can end with
    ends: list[int] = []  # the pair it ends with
    before: list[int] = []  # for each pair, the one it follows in its run
    for number, (i, _) in enumerate(pairs):
        length = bisect_left(lasts, i)
        before.append(ends[length - 1] if length else -1)
        if length == len(lasts):
            lasts.append(i)
            ends.append(number)
        else:
            lasts[length], ends[length] = i, number
    result = []
    number = ends[-1] if ends else -1
    while number >= 0:
        result.append(pairs[number])
        number = before[number]
    return result[::-1]


def _fewest_edits(old: list[int], new: list[int]) -> list[Pair] | None:
    """Returns a longest common subsequence (Myers 1986), or None where it would take too long."""
    differences = min(_MAX_DIFFERENCES, _MAX_STEPS // (len(old) + len(new) + 1))
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), differences) + 1):
        history.append(furthest.copy())
        for diagonal in range(-edits, edits + 1, 2):
            i = furthest[diagonal + 1] if _comes_down(furthest, diagonal, edits) else furthest[diagonal - 1] + 1
            j = i - diagonal
            while i < len(old) and j < len(new) and old[i] == new[j]:
                i, j = i + 1, j + 1
            furthest[diagonal] = i
            if i >= len(old) and j >= len(new):
                return _way_back(history, len(old), len(new))
    return None


def _comes_down(furthest: dict[int, int], diagonal: int, edits: int) -> bool:
    """Whether the furthest way to a diagonal comes by an insertion, and not by a deletion."""
    return diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])


def _way_back(history: list[dict[int, int]], i: int, j: int) -> list[Pair]:
    pairs: list[Pair] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest, diagonal = history[edits], i - j
        previous = diagonal + 1 if _comes_down(furthest, diagonal, edits) else diagonal - 1
        start = furthest[previous]
        while i > max(start, 0) and j > max(start - previous, 0):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        i, j = start, start - previous
    return pairs[::-1]
