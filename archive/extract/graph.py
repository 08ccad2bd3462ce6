"""Writes the knowledge graph of a memory server as JSON lines, the form in which the server itself stores it; pure.

The reference server's file and what is written here of its answer are the same bytes, so that the two are one content in
the archive, and a stored graph can be given back to the server as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from archive.extract.strict import READABLE_DEPTH

_ENTITY, _RELATION = "entity", "relation"
# The members that make a record one, and the order in which the reference server writes those it knows.
_TEXTS = {_ENTITY: ("name",), _RELATION: ("from", "to")}
_ORDER = {
    _ENTITY: ("type", "name", "entityType", "observations"),
    _RELATION: ("type", "from", "to", "relationType"),
}


def graph_lines(graph: object) -> bytes:
    """Returns a graph, an object with the lists `entities` and `relations`, as JSON lines without a final line feed.

    Raises:
        ValueError: It is something else; the message says what, for people.
    """
    if not isinstance(graph, Mapping):
        raise ValueError("it is no object")
    return b"\n".join([*_records(graph, "entities", _ENTITY), *_records(graph, "relations", _RELATION)])


def ordered_lines(records: Iterable[object]) -> bytes:
    """Returns the records of a server's file as the server would write them: entities, relations, then whatever else there is.

    Files that were edited by hand or made by other programs have their members and lines in other orders; the graph in them is
    the same, and this way its bytes are.

    Raises:
        ValueError: A record cannot be written.
    """
    lines: dict[str, list[bytes]] = {_ENTITY: [], _RELATION: [], "": []}
    for number, record in enumerate(records):
        type_ = record.get("type") if isinstance(record, Mapping) else None
        if isinstance(type_, str) and type_ in _ORDER and isinstance(record, Mapping):
            lines[type_].append(_line(_ordered(record, type_), f"record {number}"))
        else:
            lines[""].append(_line(record, f"record {number}"))
    return b"\n".join([line for found in lines.values() for line in found])


def _records(graph: Mapping[object, object], name: str, type_: str) -> Iterator[bytes]:
    found, texts = graph.get(name), _TEXTS[type_]
    if not isinstance(found, list):
        raise ValueError(f"it has no list {name}")
    for number, record in enumerate(found):
        if not isinstance(record, Mapping) or not all(isinstance(record.get(text), str) for text in texts):
            raise ValueError(f"{name} {number} has no {' and no '.join(texts)}")
        yield _line(_ordered(record, type_), f"{name} {number}")


def _ordered(record: Mapping[str, object], type_: str) -> dict[str, object]:
    """Returns the members of a record with those first that the server knows."""
    known = _ORDER[type_]
    found = {**record, "type": type_}
    return {key: found[key] for key in (*(key for key in known if key in found), *(key for key in found if key not in known))}


def _line(record: object, what: str) -> bytes:
    try:
        if _depth(record) > READABLE_DEPTH:
            raise ValueError(f"{what} is nested too deeply")
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deeply") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can only escape
        return json.dumps(record, separators=(",", ":")).encode()


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            child
            for each in level
            if isinstance(each, Mapping | list)
            for child in (each.values() if isinstance(each, Mapping) else each)
        ]
    return depth
