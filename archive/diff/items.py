"""Says what changed inside a document in terms of items: which came, which went, and which fields of the others changed.

The changed values are exact and complete; items give them names. Each value belongs to the item nearest around it. What looks
like a secret is masked here, and is not in the changed values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archive.extract.items import Extractor
from archive.extract.keynames import names_of
from archive.extract.masking import mask_at
from archive.extract.parse import load
from archive.extract.pointer import format_pointer, parse_pointer
from archive.extract.secrets import SecretRules
from archive.model.base import Json
from archive.model.diff import FieldChange, ItemDiff, PointerChange, ValueChange
from archive.model.documents import Kind
from archive.model.search import ItemDraft, ItemKind

_RULES = SecretRules()
_NOT_OBJECTS = (ItemKind.DOCUMENT.value, ItemKind.RAW.value, ItemKind.SECTION.value)
_IRREGULAR = {"people": "person", "children": "child", "indices": "index", "data": "entry", "memory": "memory entry"}
_LONGEST_TITLE = 60  # of what is called after its text
_LISTS = ("items", "list", "array", "values", "records", "elements")


def diff_items(changes: Sequence[PointerChange], old: Iterable[ItemDraft], new: Iterable[ItemDraft]) -> tuple[ItemDiff, ...]:
    """Returns what the changed values of a document mean for its items, in the order of the values.

    Args:
        changes: What `diff_values` found.
        old, new: The items of both contents.
    """
    before, after = _by_pointer(old), _by_pointer(new)
    gathered: dict[tuple[ValueChange, str], list[FieldChange]] = {}
    for change in changes:
        if change.change in (ValueChange.MOVED, ValueChange.REORDERED):
            gathered.setdefault((change.change, change.pointer), [])
            continue
        is_gone = change.change is ValueChange.REMOVED
        steps = parse_pointer((change.old_pointer if is_gone else None) or change.pointer)
        known = before if is_gone else after
        whole = format_pointer(steps)
        if change.change is not ValueChange.CHANGED and _is_item(change.old if is_gone else change.new, whole, known):
            gathered.setdefault((change.change, whole), [])
            continue
        depth = _nearest(steps, known)
        # As in the items themselves; what the values are exactly is in the changes.
        sides = [mask_at(whole, side, _RULES) for side in (change.old, change.new)]
        field = FieldChange(name=".".join(steps[depth:]) or "value", change=change.change, old=sides[0], new=sides[1])
        around = format_pointer(steps[:depth])
        if is_gone and depth < len(steps):
            # What lost the field is still there, under its new pointer.
            new_steps = parse_pointer(change.pointer)
            around = format_pointer(new_steps[: max(0, len(new_steps) - (len(steps) - depth))])
        gathered.setdefault((ValueChange.CHANGED, around), []).append(field)
    found = []
    for (what, pointer), fields in gathered.items():
        draft = (before if what is ValueChange.REMOVED else after).get(pointer)
        found.append(_item(what, pointer, fields, draft))
    return tuple(found)


def _item(what: ValueChange, pointer: str, fields: list[FieldChange], draft: ItemDraft | None) -> ItemDiff:
    steps = parse_pointer(pointer)
    names = names_of(draft.key) if draft else []
    name = names[-1] if names else steps[-1] if steps and not steps[-1].isdigit() else ""
    title = draft.title.removeprefix(f"{name}: ") if draft else ""
    if draft and steps and not name and not title:
        title = " ".join(draft.text.split())
        title = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
    return ItemDiff(
        change=what,
        pointer=pointer,
        key=draft.key if draft else "",
        noun=noun_of(steps),
        name=name,
        title="" if title == name else title,
        fields=tuple(fields),
    )


def items_of(kind: Kind, data: bytes) -> list[ItemDraft]:
    """Returns the items of a JSON or JSONL document that can be read as a whole, for `diff_items`."""
    loaded, extractor = load(kind, data), Extractor()
    return extractor.of_jsonl(loaded.records) if kind is Kind.JSONL else extractor.of_json(loaded.value)


def _by_pointer(items: Iterable[ItemDraft]) -> dict[str, ItemDraft]:
    found: dict[str, ItemDraft] = {}
    for item in items:
        if item.kind not in _NOT_OBJECTS:
            found.setdefault(item.pointer, item)
    return found


def _is_item(value: Json, pointer: str, known: Mapping[str, ItemDraft]) -> bool:
    """Whether a value that came or went is an item of its own, or holds some."""
    return pointer in known or isinstance(value, dict)


def _nearest(steps: Sequence[str], known: Mapping[str, ItemDraft]) -> int:
    """Returns how many steps lead to the item nearest around a place; one less than all if there is none."""
    for depth in range(len(steps), -1, -1):
        if format_pointer(steps[:depth]) in known:
            return depth
    return max(0, len(steps) - 1)


def noun_of(steps: Sequence[str]) -> str:
    """Returns what to call the thing at a place: one of what the container around it is called."""
    names = [step for step in steps[:-1] if not step.isdigit()]
    if not steps:
        return "document"
    if not names:
        return "record" if steps[-1].isdigit() else "entry"
    name = names[-1]
    if name.lower() in _LISTS and len(names) > 1:
        name = names[-2]
    if not name.replace("_", "").replace("-", "").replace(" ", "").isalpha():
        return "entry"
    return singular(name.replace("_", " ").replace("-", " "))


def singular(noun: str) -> str:
    """Returns one of what an English plural names, good enough to be read; other words as they are."""
    head, _, word = noun.rpartition(" ")
    low = word.lower()
    if low in _IRREGULAR:
        word = _IRREGULAR[low]
    elif low.endswith("ies") and len(low) > 4:
        word = word[:-3] + "y"
    elif low.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif low.endswith("s") and not low.endswith(("ss", "us", "is")):
        word = word[:-1]
    return f"{head} {word}".strip()


def plural(noun: str) -> str:
    """Returns several of what a noun names."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun == "person":
        return "people"
    if noun == "child":
        return "children"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")
