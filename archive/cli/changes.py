"""Says in words what changed inside a document: which items came and went, and what became of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import commonprefix

from archive.cli.escaping import pretty_json
from archive.cli.output import Cell, styled
from archive.model.base import Json
from archive.model.diff import FieldChange, ItemDiff, ValueChange

LONGEST_VALUE = 80
_MAX_NAMED = 8
_SIGNS = {
    ValueChange.ADDED: styled("+ ", "green"),
    ValueChange.REMOVED: styled("- ", "red"),
    ValueChange.CHANGED: styled("~ ", "yellow"),
}
_STYLES = {ValueChange.ADDED: "green", ValueChange.REMOVED: "red"}


def item_lines(items: Iterable[ItemDiff]) -> Iterator[tuple[Cell, ...]]:
    """Yields a line for each item that changed, and one for all that came or went together."""
    together: dict[tuple[ValueChange, str, str], list[ItemDiff]] = {}
    for item in items:
        # What changed is a group of its own.
        around = item.pointer if item.change is ValueChange.CHANGED else item.pointer.rpartition("/")[0]
        together.setdefault((item.change, item.noun, around), []).append(item)
    for (change, noun, _), some in together.items():
        if change is ValueChange.CHANGED:
            for item in some:
                yield (_SIGNS[change], styled(name_of(item), "cyan"), ": ", *field_cells(item.fields))
        elif change in _STYLES:
            yield (_SIGNS[change], *_named(change, noun, some))
        else:
            what = "moved" if change is ValueChange.MOVED else "were reordered"
            names = [name_of(item) if change is ValueChange.MOVED else item.pointer or "the elements" for item in some]
            yield styled("↕ ", "dim"), _listed(names), f" {what}"


def name_of(item: ItemDiff) -> str:
    """Returns what to call an item: `task 12 (Draw the map)`."""
    name = item.name or ("" if item.title else item.pointer)
    is_clear = name.casefold().startswith(item.noun.casefold()) or (item.noun == "entry" and name)
    text = name if is_clear else f"{item.noun} {name}".strip()
    return f"{text} ({_cut(item.title)})" if item.title else text


def _named(change: ValueChange, noun: str, some: list[ItemDiff]) -> Iterator[Cell]:
    if len(some) == 1:
        yield styled(name_of(some[0]), _STYLES[change])
        yield f" {change.value}"
        return
    from archive.diff import plural

    yield styled(f"{len(some):,} {plural(noun)}", _STYLES[change])
    yield f" {change.value}: {_listed([item.name or item.title or item.pointer for item in some])}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(_cut, names[:_MAX_NAMED]))
    return f"{shown} and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else shown


def field_cells(fields: Iterable[FieldChange]) -> Iterator[Cell]:
    """Yields what says how fields changed: `status pending → done; owner + keeper`."""
    for number, one in enumerate(fields):
        if number:
            yield "; "
        yield f"{one.name} "
        if one.change is ValueChange.CHANGED:
            old, new = apart(_plain(one.old), _plain(one.new))
            yield styled(old, "red")
            yield " → "
            yield styled(new, "green")
        elif one.change is ValueChange.ADDED:
            yield styled(f"+ {_short(one.new)}", "green")
        elif one.change is ValueChange.REMOVED:
            yield styled(f"- {_short(one.old)}", "red")
        else:
            yield one.change.value


def _plain(value: Json) -> str:
    """Returns a value as people say it: texts without quotes, unless that could be taken for something else."""
    if isinstance(value, str) and value.strip() == value != "" and "→" not in value:
        return value
    return compact(value)


def _short(value: Json) -> str:
    text = _plain(value)
    return text if len(text) <= LONGEST_VALUE else cut(value)


def cut(value: Json) -> str:
    """Returns a value as JSON on one line; of a long one the beginning and how long it is."""
    text = compact(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text):,} characters)"


def compact(value: Json) -> str:
    """Returns a value as JSON on one line."""
    return pretty_json(value, indent=None)


def apart(old: str, new: str) -> tuple[str, str]:
    """Returns both texts short enough to read, each with the place where they begin to differ."""
    if max(len(old), len(new)) <= LONGEST_VALUE:
        return old, new
    start = max(len(commonprefix([old, new])) - LONGEST_VALUE // 3, 0)
    return _window(old, start), _window(new, start)


def _window(text: str, start: int) -> str:
    end = start + LONGEST_VALUE
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
