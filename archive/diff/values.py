"""Compares two JSON values and names what differs by pointer.

Objects are compared name by name. Elements of arrays are recognised first by what identifies them (`id`, `name` …,
see `extract.identity`), then by being equal; so an element put in at the front is one change and not one for each
element behind it. What is left over in the same place on both sides counts as changed if it is alike at all.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from itertools import islice, pairwise
from typing import NamedTuple

from archive.diff.align import Pair, align
from archive.diff.labels import counts, identity, identity_field
from archive.extract.pointer import format_step
from archive.model.base import Json
from archive.model.diff import PointerChange, ValueChange

MAX_MOVES = 20
"""More elements of one array that stand elsewhere are reported together, as the array being reordered."""


class _Both(NamedTuple):
    """Two values to be compared, and where each is."""

    old: Json
    new: Json
    old_pointer: str
    new_pointer: str


def diff_values(old: Json, new: Json, *, limit: int | None = None) -> tuple[PointerChange, ...]:
    """Returns what differs, in the order of the documents; empty exactly if the values are the same.

    1, 1.0 and true are different, and so are 0.0 and -0.0; NaN is itself. The order of names in an object is no
    difference. Takes well under a second for arrays of 10,000 elements.

    Args:
        limit: How many changes to return at most; the first ones.
    """
    return tuple(islice(_differences(old, new), limit))


def _differences(old: Json, new: Json) -> Iterator[PointerChange]:
    stack: list[_Both | PointerChange] = [_Both(old, new, "", "")]
    while stack:
        item = stack.pop()
        if isinstance(item, PointerChange):
            yield item
        elif isinstance(item.old, dict) and isinstance(item.new, dict):
            stack += reversed(list(_objects(item, item.old, item.new)))
        elif isinstance(item.old, list) and isinstance(item.new, list):
            stack += reversed(list(_arrays(item, item.old, item.new)))
        elif not _same_scalar(item.old, item.new):
            yield PointerChange(
                pointer=item.new_pointer,
                change=ValueChange.CHANGED,
                old=item.old,
                new=item.new,
                old_pointer=item.old_pointer,
            )


def _same_scalar(old: Json, new: Json) -> bool:
    if type(old) is not type(new):
        return False
    return repr(old) == repr(new) if isinstance(old, float) else old == new


def _objects(both: _Both, old: dict[str, Json], new: dict[str, Json]) -> Iterator[_Both | PointerChange]:
    for name, value in old.items():
        step = format_step(name)
        if name in new:
            yield _Both(value, new[name], both.old_pointer + step, both.new_pointer + step)
        else:
            yield _removed(both.old_pointer + step, value)
    for name, value in new.items():
        if name not in old:
            yield _added(both.new_pointer + format_step(name), value)


def _arrays(both: _Both, old: list[Json], new: list[Json]) -> Iterator[_Both | PointerChange]:
    old_labels, new_labels = _labels(old, new)
    kept, moved = align(old_labels, new_labels)
    if len(moved) > MAX_MOVES:
        yield _moved(ValueChange.REORDERED, both.old_pointer, both.new_pointer)
    else:
        for i, j in moved:
            yield _moved(ValueChange.MOVED, both.old_pointer + format_step(i), both.new_pointer + format_step(j))
    new_of_moved, old_of_moved = dict(moved), {j: i for i, j in moved}
    for (i_before, j_before), (i_next, j_next) in pairwise([(-1, -1), *kept, (len(old), len(new))]):
        gone = [i for i in range(i_before + 1, i_next) if i not in new_of_moved]
        come = [j for j in range(j_before + 1, j_next) if j not in old_of_moved]
        alike = dict(_alike(old, new, gone, come, old_labels, new_labels))
        old_of_alike = {j: i for i, j in alike.items()}
        yield from (_removed(both.old_pointer + format_step(i), old[i]) for i in gone if i not in alike)
        for j in range(j_before + 1, j_next):
            i = old_of_moved.get(j, old_of_alike.get(j, -1))
            if i < 0:
                yield _added(both.new_pointer + format_step(j), new[j])
            else:
                yield _element(both, old, new, i, j)
        # An element paired by its content is the same; one paired by its identity may have changed.
        if j_next < len(new) and isinstance(new_labels[j_next], tuple):
            yield _element(both, old, new, i_next, j_next)


def _element(both: _Both, old: list[Json], new: list[Json], i: int, j: int) -> _Both:
    return _Both(old[i], new[j], both.old_pointer + format_step(i), both.new_pointer + format_step(j))


def _labels(old: list[Json], new: list[Json]) -> tuple[list[Hashable], list[Hashable]]:
    """Labels elements that are the same thing alike: by a tuple where they have an identity, else by their content."""
    field = identity_field(old, new)
    if field is None:
        return [_content(element) for element in old], [_content(element) for element in new]
    ambiguous = {
        found for array in (old, new) for found, number in counts(array, field).items() if number > 1
    }  # fmt: skip

    def label(element: Json) -> Hashable:
        found = identity(element, field)
        return _content(element) if found is None or found in ambiguous else found

    return [label(element) for element in old], [label(element) for element in new]


def _content(element: Json) -> str:
    # Takes an integer of more than 4,300 digits for its text; nothing else is alike that is not the same.
    return json.dumps(element, sort_keys=True, separators=(",", ":"))


def _alike(
    old: list[Json],
    new: list[Json],
    gone: list[int],
    come: list[int],
    old_labels: list[Hashable],
    new_labels: list[Hashable],
) -> Iterator[Pair]:
    """Pairs what went with what came in its place, the first with the first, if it can be the same thing changed."""
    waiting: dict[type, list[int]] = {dict: [], list: [], object: []}
    for i in reversed(gone):
        waiting[_class(old[i])].append(i)
    for j in come:
        candidates = waiting[_class(new[j])]
        if candidates and _can_be_same(old[candidates[-1]], new[j], old_labels[candidates[-1]], new_labels[j]):
            yield candidates.pop(), j


def _class(element: Json) -> type:
    return dict if isinstance(element, dict) else list if isinstance(element, list) else object


def _can_be_same(old: Json, new: Json, old_label: Hashable, new_label: Hashable) -> bool:
    if isinstance(old_label, tuple) and isinstance(new_label, tuple):
        return False  # both say who they are, and differently
    if isinstance(old, dict) and isinstance(new, dict):
        return 2 * len(old.keys() & new.keys()) >= max(len(old), len(new))
    return True


def _added(pointer: str, value: Json) -> PointerChange:
    return PointerChange(pointer=pointer, change=ValueChange.ADDED, old=None, new=value)


def _removed(pointer: str, value: Json) -> PointerChange:
    return PointerChange(pointer=pointer, change=ValueChange.REMOVED, old=value, new=None, old_pointer=pointer)


def _moved(change: ValueChange, old_pointer: str, new_pointer: str) -> PointerChange:
    return PointerChange(pointer=new_pointer, change=change, old=None, new=None, old_pointer=old_pointer)
