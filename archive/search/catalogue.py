"""Knows all documents and answers which of them meet conditions; remembers both, since many searches ask alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archive.model.documents import Kind
from archive.query import Field, Filter
from archive.storage import hits
from archive.storage.connection import Connection
from archive.storage.fts import Documents

_MAX_REMEMBERED = 64


class Conditions(NamedTuple):
    """What documents must meet.

    Attributes:
        filters: Groups of filters; all of a group are of one field. Of a group, any must be met.
    """

    source_id: int
    kind: Kind | None
    filters: tuple[tuple[Filter, ...], ...]


@dataclass(slots=True)
class Catalogue:
    """Is what one open archive remembers of its documents; it looks again after each backup."""

    _stamp: tuple[int, int] = (-1, -1)
    _documents: Sequence[tuple[int, int, str, dict[Field, str]]] = ()
    _found: dict[Conditions, Documents | None] = field(default_factory=dict)

    def accepted(self, connection: Connection, conditions: Conditions) -> Documents | None:
        """Returns the documents that meet the conditions; None if all that there are do."""
        stamp = hits.stamp(connection)
        if stamp != self._stamp:
            self._stamp, self._found = stamp, {}
            self._documents = [
                (one.id, one.source_id, one.kind, {Field.PATH: one.path.casefold(), Field.CATEGORY: one.category.casefold()})
                for one in hits.documents(connection)
            ]
        if conditions not in self._found:
            if len(self._found) >= _MAX_REMEMBERED:
                self._found.clear()
            ids = self._look(conditions)
            is_all = len(ids) == len(self._documents)
            self._found[conditions] = None if is_all else Documents.of(ids)
        return self._found[conditions]

    def _look(self, conditions: Conditions) -> list[int]:
        groups = [(group[0].field, [one.test() for one in group]) for group in conditions.filters]
        source_id, kind, _ = conditions
        return [
            document_id
            for document_id, source, its_kind, texts in self._documents
            if source == source_id and (kind is None or its_kind == kind) and meets(groups, texts)
        ]


def meets(groups: Sequence[tuple[Field, list[Callable[[str], bool]]]], texts: dict[Field, str]) -> bool:
    """Whether a document, given by its case-folded path and category, meets a test of each group."""
    for of, tests in groups:
        text = texts[of]
        if not any(test(text) for test in tests):
            return False
    return True


def grouped(filters: Sequence[Filter]) -> tuple[tuple[Filter, ...], ...]:
    """Returns the filters of a query in groups: of several for one field that are not negated, any is enough."""
    groups: list[tuple[Filter, ...]] = [(one,) for one in filters if one.negated]
    for of in (Field.PATH, Field.CATEGORY):
        if asked := tuple(one for one in filters if one.field is of and not one.negated):
            groups.append(asked)
    return tuple(groups)
