"""Makes items of JSON values: one for each object that has something of its own to say, and for each text of long lists.

An object's item holds its own fields as lines `name: value`, short lists included; objects inside it are items of their
own. What grows without bound is cut up where a change stays local: long lists into their elements, long texts into
stretches, objects with very many fields into groups. So an item is small, and an edit changes few of them.

Left out: null, empty texts, empty containers, and the numbers of lists that are too long to be folded.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from archive.extract.identity import content_key, escape_key, numbered
from archive.extract.jsonwalk import Find, Place, Walk
from archive.extract.names import Names
from archive.extract.pointer import format_step
from archive.extract.rawtext import MAX_CHUNK, clean, split_text
from archive.extract.secrets import SecretRules, has_colon, has_shape, has_sign, mask_shapes
from archive.extract.words import Part, Scan, keylike_runs, scan
from archive.model.base import Json
from archive.model.search import ItemDraft, ItemKind

_LONG_FIELD = 2_000  # in an object that is too large, texts from this size on are items of their own
_MIN_GROUP = 1_000  # characters at which a group of fields may end
_GROUP_MASK = 0x7  # and one name in eight ends it
_TEXT = ItemKind.TEXT.value

_make_draft = ItemDraft._make  # half as long as giving it its fields one by one

_Row: TypeAlias = tuple[Place, str, str, str]  # place, kind, title, text


class JsonItems:
    """Makes the items of JSON documents; keep one for many documents, it remembers names.

    Args:
        rules: What to mask.
    """

    def __init__(self, rules: SecretRules) -> None:
        self._rules = rules
        self._names = Names(rules)

    def of_document(self, value: Json) -> list[ItemDraft]:
        """Returns the items of a JSON document, what is around something before it."""
        return self._items(lambda walk: walk.value(value, Place()))

    def of_records(self, records: Sequence[tuple[int, Json]]) -> list[ItemDraft]:
        """Returns the items of the records of a JSONL document, each given with the number of its line."""
        return self._items(lambda walk: walk.records(records))

    def _items(self, go: Callable[[Walk], None]) -> list[ItemDraft]:
        walk = Walk(self._rules, self._names)
        go(walk)
        rows, seen, cut = _rows(walk.found)
        if walk.met_secret or self._holds_secret(walk.found, seen, [*walk.cut, *cut]):
            walk = Walk(self._rules, self._names, careful=True)
            go(walk)
            rows, seen, _ = _rows([self._masked(find) for find in walk.found])
        items = [
            _make_draft((key, pointer, kind, title, text, _join(way, words), boilerplate, line, line))
            for ((key, pointer, _, way, _, boilerplate, _, _, line), kind, title, text), words in zip(
                rows, seen.words, strict=True
            )
        ]
        keys = [item.key for item in items]
        unique = numbered(keys)  # names that differ only in what cannot be stored make equal keys
        if unique is keys:
            return items
        return [item._replace(key=key) for item, key in zip(items, unique, strict=True)]

    def _holds_secret(self, found: list[Find], seen: Scan, cut: list[str]) -> bool:
        """Whether there is something to mask beside what stands under secret names; hardly ever.

        Args:
            cut: Texts that are in several pieces in what was seen; a secret may lie across two of them.
        """
        looked_at = [*seen.parts, *[Part(text, keylike_runs(text)) for text in cut]]
        shaped = any(has_shape(part.text, part.keylike) for part in looked_at)
        # The colons behind names are no sign of anything. A space after each line break, as if all were blocks of YAML.
        spoken = [text for place, _, title, parts in found for text in (*parts[1::2], place.label, title) if ":" in text]
        named = any(has_sign(part.text) for part in looked_at) or has_colon("\n ".join([*spoken, *cut, ""]))
        if not (named or shaped):
            return False
        values = [value for place, _, title, parts in found for value in (*parts[1::2], place.label, title)]
        text = "\n".join([*values, *cut])
        return (shaped and mask_shapes(text) != text) or (named and self._rules.mask_assignments(text) != text)

    def _masked(self, find: Find) -> Find:
        place, kind, title, parts = find
        mask = self._rules.mask
        parts[1::2] = [mask(value) for value in parts[1::2]]
        return place._replace(label=mask(place.label)), kind, mask(title), parts


def _rows(found: list[Find]) -> tuple[list[_Row], Scan, list[str]]:
    """Returns what is to be items, what hidden words there are in titles and texts, and the texts that were cut for it."""
    rows: list[_Row] = []
    cut: list[str] = []
    for find in found:
        place, kind, own_title, parts = find
        text = "".join(parts)[1:]
        if len(text) > MAX_CHUNK:
            rows += _large(find)
            cut += [value for value in parts[1::2] if len(value) > MAX_CHUNK]
        else:
            rows.append((place, kind, _title(place.label, own_title), text))
    seen = scan([f"{title}\n{text}" for _, _, title, text in rows])
    if all(_is_clean(part.text) for part in seen.parts):
        return rows, seen, cut
    rows = [(place, kind, clean(title), clean(text)) for place, kind, title, text in rows]
    return rows, scan([f"{title}\n{text}" for _, _, title, text in rows]), cut


def _join(one: str, other: str) -> str:
    return f"{one} {other}" if one and other else one or other


def _title(label: str, own: str) -> str:
    """Returns the title of what is called `label` by its place, and calls itself `own`, on one line."""
    title = own if not label or label == own else f"{label}: {own}" if own else label
    return title if title.isprintable() else " ".join(title.split())


def _is_clean(text: str) -> bool:
    """Whether a text can be stored and searched as it is."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _large(find: Find) -> list[_Row]:
    """Returns several rows for a text that is too long for one, or for an object whose fields are too much.

    Long texts among the fields are on their own, the others in groups. Where a group begins follows from the names
    alone, so that an edit changes one group.
    """
    place, kind, own_title, parts = find
    title = _title(place.label, own_title)
    rows: list[_Row] = []
    groups: list[list[str]] = [[]]
    size = 0
    for line, value in zip(parts[::2], parts[1::2], strict=True):
        if line == "\n":
            rows += _stretches(value, place, kind)
            continue
        if len(value) >= _LONG_FIELD:
            name = line[1:-2]
            # With the words of the title, so that these and those of the long text are found together.
            inside = place._replace(
                key=f"{place.key}/{escape_key(name)}",
                pointer=place.pointer + format_step(name),
                words=_join(place.words, clean(title)),
            )
            rows += _stretches(value, inside, _TEXT)
            continue
        length = len(line) + len(value)
        ends = size >= _MIN_GROUP and not zlib.crc32(line.encode("utf-8", "surrogatepass")) & _GROUP_MASK
        if ends or size + length > MAX_CHUNK:
            groups.append([])
            size = 0
        groups[-1] += line, value
        size += length
    if sum(len(part) for group in groups for part in group) <= MAX_CHUNK:
        groups = [[part for group in groups for part in group]]
    for number, group in enumerate(groups):
        if group or title:
            step = f"[+{escape_key(group[0][1:-2])}]" if number else ""
            rows.append((place._replace(key=place.key + step), kind, title, "".join(group)[1:]))
    return rows


def _stretches(text: str, place: Place, kind: str) -> list[_Row]:
    pieces = [chunk.text for chunk in split_text(text)]
    steps = numbered([content_key(piece) for piece in pieces]) if len(pieces) > 1 else [""]
    return [(place._replace(key=place.key + step), kind, "", piece) for piece, step in zip(pieces, steps, strict=True)]
