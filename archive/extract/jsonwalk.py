"""Walks through a JSON value and finds what is worth an item: objects with fields of their own, and texts of long lists.

What small values inside an object amount to is folded into it. Each find has its place, with the key that stays when
other things around it come, go and move. Nothing is masked here except what stands under a secret name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from archive.extract.folding import fold_list, fold_members, scalar_text
from archive.extract.identity import canonical_text, content_key, escape_key, identity_field, is_id, numbered
from archive.extract.names import TITLE_NAMES, Name, Names
from archive.extract.rawtext import MAX_CHUNK, split_text
from archive.extract.secrets import MASK, SecretRules
from archive.extract.words import index_words
from archive.model.base import Json
from archive.model.search import ItemKind

MAX_DEPTH = 200
"""What is nested more deeply is one text."""

MAX_TITLE = 160
"""A longer text is not taken for a title."""

BOILERPLATE = frozenset(
    {"schema", "$schema", "_schema", "instructions", "_instructions", "usage_instructions", "handoff_instructions"}
)
"""Members of a whole document that explain its own form."""

_MAX_LABEL = 40
_OBJECT, _TEXT, _RECORD, _RAW = ItemKind.OBJECT.value, ItemKind.TEXT.value, ItemKind.RECORD.value, ItemKind.RAW.value


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        label: What its place calls it: the name it stands under, or its id in a list.
        words: Further tokens of the way here.
        depth: How many containers are around it.
        boilerplate: Whether it belongs to a block about the file's own form.
        masked: Whether it stands under a secret name.
        fixed: Whether something around it is known by its content alone, so that positions below are as good as ids.
        line: The number of its line, for records.
    """

    key: str = ""
    pointer: str = ""
    label: str = ""
    words: str = ""
    depth: int = 0
    boilerplate: bool = False
    masked: bool = False
    fixed: bool = False
    line: int = 0


Find: TypeAlias = tuple[Place, str, str, list[str]]
"""A place, the kind of item, the title it gives itself, and starts of lines and values in turn.

Each start of a line begins with a line break and, but for a text without a name, ends with a colon and a space.
"""


_Element: TypeAlias = tuple[int, Json, str, str, bool]
"""A position in a list, the value there, the text it amounts to if it is no container, its id, and whether its content
is what it is known by."""


class Walk:
    """Finds what is worth an item in one document.

    Args:
        careful: Whether to keep what is secret out of keys too. That takes longer, so it is done for documents that turned
            out to hold secrets.

    Attributes:
        found: All that was found, what is around something before it.
        cut: Texts of which several stretches were found, each whole.
        met_secret: Whether something stood under a secret name.
    """

    def __init__(self, rules: SecretRules, names: Names, *, careful: bool = False) -> None:
        self.found: list[Find] = []
        self.cut: list[str] = []
        self.met_secret = False
        self._rules = rules
        self._names = names
        self._careful = careful

    def value(self, value: Json, place: Place) -> None:
        """Goes through a value and all that is inside it."""
        if place.depth >= MAX_DEPTH:
            self._deep(value, place)
        elif isinstance(value, dict):
            self._object(value, place)
        elif isinstance(value, list):
            for inner, member, text in self._elements(value, place):
                if text:
                    self._text(text, inner)
                else:
                    self.value(member, inner)
        else:
            self._text(MASK if place.masked else scalar_text(value), place)

    def records(self, records: Sequence[tuple[int, Json]]) -> None:
        """Goes through the records of a JSONL document, each given with the number of its line."""
        for inner, member, text in self._elements([value for _, value in records], Place()):
            place = inner._replace(line=records[int(inner.pointer[1:])][0])
            if text:
                self._text(text, place, _RECORD)
            elif isinstance(member, dict):
                self._object(member, place, _RECORD, fold_members(member, self._names))
            else:
                self.value(member, place)

    def _object(self, members: dict[str, Json], place: Place, kind: str = _OBJECT, folded: list[str] | None = None) -> None:
        """Goes through an object; what is inside it is left out if it is given as `folded`."""
        names, masked = self._names, place.masked
        if "value" in members and self._rules.is_named_secret(members):
            members = {**members, "value": MASK}
            self.met_secret = True
        plain = {} if masked else names.plain
        parts: list[str] = []
        inner: list[tuple[Name, Json]] = []
        title, title_at, rank = "", -1, len(TITLE_NAMES)
        for name, value in members.items():
            what = type(value)
            if what is str:
                text: str | None = value  # type: ignore[assignment]
            elif what is dict or what is list:
                if folded is not None or not value:
                    continue
                text = fold_list(value) if what is list else None  # type: ignore[arg-type]
                if text is None:
                    inner.append((names[name], value))
            else:
                text = scalar_text(value)
            if not text:
                continue
            line = plain.get(name)
            if line is None:
                known = names[name]
                line = known.line
                if masked or known.secret:
                    text = text if what is bool else MASK
                    self.met_secret = True
                elif -1 < known.title < rank and what is str and len(text) <= MAX_TITLE:
                    title, title_at, rank = text, len(parts), known.title
            parts.append(line)
            parts.append(text)
        if folded:
            parts += folded
        if parts:
            if title_at >= 0:
                del parts[title_at : title_at + 2]
            self.found.append((place, kind, title, parts))
        for known, value in inner:
            self.met_secret = self.met_secret or known.secret
            self.value(value, _place_inside(place, known))

    def _text(self, text: str, place: Place, kind: str = _TEXT) -> None:
        if text:
            self.found.append((place, kind, "", ["\n", text]))

    def _elements(self, values: list[Json], place: Place) -> list[tuple[Place, Json, str]]:
        """Returns what is worth an item in a list, each with its place, and with its text if it is no container.

        A very long text comes in stretches.
        """
        objects = [value for value in values if isinstance(value, dict) and value]
        field = identity_field(objects, self._rules.is_secret_name) if objects and not place.masked else None
        fixed = place.fixed
        elements: list[_Element] = []
        steps: list[str] = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                if not value:
                    continue
                identity = value.get(field) if field else None
                if is_id(identity) and self._may_show(label := str(identity)):
                    steps.append(f"[{field}={escape_key(label)}]")
                    elements.append((index, value, "", label, fixed))
                else:
                    steps.append(f"[@{index}]" if fixed else content_key(self._content(value)))
                    elements.append((index, value, "", "", True))
            elif isinstance(value, str | list):
                for text in self._texts(value, place):
                    known = text or ("" if fixed else self._content(value))
                    steps.append(content_key(known) if known else f"[@{index}]")
                    elements.append((index, value, text, "", True))
        return [
            (_element_place(place, element, step), element[1], element[2])
            for element, step in zip(elements, numbered(steps), strict=True)
        ]

    def _texts(self, value: str | list[Json], place: Place) -> list[str]:
        """Returns what an element amounts to as text, if need be in stretches; an empty text for a list with items."""
        text = fold_list(value) if isinstance(value, list) else value
        if text is None:
            return [""]
        if place.masked or not text:
            return []
        if self._careful:
            text = self._rules.mask(text)
        if len(text) <= MAX_CHUNK:
            return [str(text)]
        self.cut.append(text)
        return [chunk.text for chunk in split_text(text)]

    def _may_show(self, label: str) -> bool:
        return not self._careful or self._rules.mask(label) == label

    def _content(self, value: Json) -> str:
        """Returns a text that tells the value from others; made without what is secret in it where care is taken."""
        if not self._careful:
            return canonical_text(value)
        inside = Walk(self._rules, self._names)
        inside.value(value, Place(fixed=True))
        if not inside.met_secret:
            text = canonical_text(value)
            return text if self._rules.mask(text) == text else self._rules.mask("\n".join(_all_parts(inside.found)))
        return self._rules.mask("\n".join(_all_parts(inside.found)))

    def _deep(self, value: Json, place: Place) -> None:
        """Finds everything below a place as one text, without going deeper into the interpreter's stack."""
        lines: list[str] = []
        stack: list[tuple[str, Json, bool]] = [("", value, place.masked)]
        while stack:
            name, member, masked = stack.pop()
            if isinstance(member, dict):
                inner = [(self._names[key], one) for key, one in member.items()]
                stack += [(known.shown, one, masked or known.secret) for known, one in reversed(inner)]
            elif isinstance(member, list):
                stack += [(name, one, masked) for one in reversed(member)]
            elif text := scalar_text(member):
                shown = MASK if masked else text
                lines.append(f"{name}: {shown}" if name else shown)
        self._text("\n".join(lines), place, _RAW)


def _all_parts(found: list[Find]) -> list[str]:
    return [part for place, _, title, parts in found for part in (place.key, title, *parts)]


# A place is made for each item. Making it of a tuple takes half as long as giving it its fields.
_make_place = Place._make


def _place_inside(place: Place, known: Name) -> Place:
    """Returns the place of a member of what stands at a place."""
    key, pointer, _, words, depth, boilerplate, masked, fixed, line = place
    _, shown, key_step, pointer_step, further, _, secret = known
    return _make_place(
        (
            key + key_step,
            pointer + pointer_step,
            shown,
            f"{words} {further}" if words and further else words or further,
            depth + 1,
            boilerplate or (depth == 0 and shown in BOILERPLATE),
            masked or secret,
            fixed,
            line,
        )
    )


def _element_place(place: Place, element: _Element, step: str) -> Place:
    """Returns the place of an element of a list."""
    key, pointer, _, words, depth, boilerplate, masked, _, line = place
    index, _, _, label, by_content = element
    further = index_words(label) if label else ""
    return _make_place(
        (
            key + step,
            f"{pointer}/{index}",
            label if len(label) <= _MAX_LABEL else "",
            f"{words} {further}" if words and further else words or further,
            depth + 1,
            boilerplate,
            masked,
            by_content,
            line,
        )
    )
