"""Writes the statement that finds in plain SQL what a search found; it is for people to go on with, and no search runs it.

It differs from the search where that goes beyond SQL: states of one item are not one row, of very common words all matches are
ranked, and words without spaces are not looked for in one field alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archive.model.documents import Kind
from archive.model.search import Statement
from archive.query import Field, Filter
from archive.storage.fts import RANK, Scope

_COLUMNS = "d.path, i.pointer, i.kind, i.title, {shown} AS text, i.first_snapshot_id, i.until_snapshot_id"
_SNIPPET = "snippet(items_fts, 0, '[', ']', ' … ', 16)"
_JOINED = "JOIN items i ON i.id = items_fts.rowid JOIN documents d ON d.id = i.document_id"


def for_words(
    match: str,
    exclude: str,
    titled: str,
    scope: Scope,
    *,
    source_id: int,
    kind: Kind | None,
    filters: Sequence[Sequence[Filter]],
    limit: int,
) -> Statement:
    """Returns the statement for an expression of FTS5, or where that is empty for all that meets the other conditions.

    Args:
        exclude: The expression for what is left out where there is nothing to match.
        titled: The expression for those whose title alone matches; empty where there can be none.
        filters: Groups of conditions on documents; of a group any must be met.
    """
    values: dict[str, str | int] = {"source": source_id}
    where = list(_where(values, scope, kind, filters))
    order = ["i.is_boilerplate"]
    if match:
        values["words"] = match
        where.insert(0, "items_fts MATCH :words")
        if titled:
            values["titles"] = titled
            in_titles = "i.id NOT IN (SELECT rowid FROM items_fts WHERE items_fts MATCH :titles)"
            order.append(f"i.kind = 'document' OR {in_titles}")
        order.append(RANK)
    elif exclude:
        values["without"] = exclude
        where.append("i.id NOT IN (SELECT rowid FROM items_fts WHERE items_fts MATCH :without)")
    source = f"items_fts {_JOINED}" if match else "items i JOIN documents d ON d.id = i.document_id"
    return _statement(_SNIPPET if match else "i.text", source, where, order, values, limit)


def for_substring(
    text: str, scope: Scope, *, source_id: int, kind: Kind | None, filters: Sequence[Sequence[Filter]], limit: int
) -> Statement:
    """Returns the statement for a part of a text; SQLite compares letters without accents alone whatever their case."""
    values: dict[str, str | int] = {"source": source_id, "part": text}
    where = [f"({' OR '.join(f'instr(lower(i.{name}), lower(:part))' for name in ('text', 'title', 'key'))})"]
    where += _where(values, scope, kind, filters)
    return _statement("i.text", "items i JOIN documents d ON d.id = i.document_id", where, [], values, limit)


def _statement(
    shown: str, source: str, where: Sequence[str], order: Sequence[str], values: dict[str, str | int], limit: int
) -> Statement:
    by = ", ".join([*order, "i.first_snapshot_id DESC"])
    text = f"SELECT {_COLUMNS.format(shown=shown)} FROM {source} WHERE {' AND '.join(where)} ORDER BY {by} LIMIT {limit}"
    return Statement(text=text, parameters=values)


def _where(values: dict[str, str | int], scope: Scope, kind: Kind | None, filters: Sequence[Sequence[Filter]]) -> Iterator[str]:
    yield "d.source_id = :source"
    if not scope.has_past:
        yield "i.until_snapshot_id IS NULL"
    if scope.at is not None:
        values["at"] = scope.at
        yield "i.first_snapshot_id <= :at"
        if not scope.is_history:
            yield "(i.until_snapshot_id IS NULL OR i.until_snapshot_id > :at)"
    for name, bound, sign in (("since", scope.since, ">="), ("until", scope.until, "<=")):
        if bound is not None:
            values[name] = bound
            moments = f"(SELECT id FROM snapshots WHERE created_at {sign} :{name})"
            yield f"i.first_snapshot_id {sign} :{name}" if isinstance(bound, int) else f"i.first_snapshot_id IN {moments}"
    if kind is not None:
        values["kind"] = kind.value
        yield "d.kind = :kind"
    for group in filters:
        conditions = [_condition(values, one) for one in group]
        yield conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _condition(values: dict[str, str | int], one: Filter) -> str:
    """Returns the condition that a document meets a filter; letters with accents are compared as they are."""
    name, wanted = f"{one.field.value}{len(values)}", one.value.casefold()
    values[name] = wanted
    if one.field is Field.CATEGORY:
        condition = f"lower(d.category) = :{name}"
    elif "*" in wanted or "?" in wanted:
        values[name] = wanted.replace("[", "[[]")
        condition = f"(lower(d.path) GLOB :{name} OR lower(d.path) GLOB '*/' || :{name})"
    else:
        condition = f"instr(lower(d.path), :{name}) > 0"
    return f"NOT {condition}" if one.negated else condition
