from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.graph import graph_lines, ordered_lines
from archive.extract.parse import load
from archive.model.documents import Kind
from tests.memory.conftest import GRAPH, LINES

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def records(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these texts, and anything else beside them."""
    own = st.fixed_dictionaries(dict.fromkeys(names, texts))
    return st.tuples(st.dictionaries(texts.filter(lambda name: name != "type"), values, max_size=3), own).map(
        lambda both: both[0] | both[1]
    )


graphs = st.fixed_dictionaries(
    {"entities": st.lists(records("name"), max_size=4), "relations": st.lists(records("from", "to"))}
)


@given(graphs)
def test_every_graph_is_one_record_a_line_and_nothing_of_it_is_lost(graph: dict[str, Any]) -> None:
    loaded = load(Kind.JSONL, graph_lines(graph))
    assert loaded.whole
    assert [each for each in loaded.value if each["type"] == "entity"] == [  # type: ignore[union-attr,index,call-overload]
        {"type": "entity", **each} for each in graph["entities"]
    ]
    assert len(loaded.records) == len(graph["entities"]) + len(graph["relations"])


@given(graphs, st.randoms())
def test_the_lines_of_a_graph_are_the_same_in_whatever_order_its_file_has_them(graph: dict[str, Any], random: Any) -> None:
    lines = graph_lines(graph)
    found = load(Kind.JSONL, lines).value
    assert isinstance(found, list)
    assert ordered_lines(found) == lines
    kinds = {kind: [each for each in found if each["type"] == kind] for kind in ("entity", "relation")}  # type: ignore[index,call-overload]
    mixed = []
    while any(kinds.values()):
        record = random.choice([each for each in kinds.values() if each]).pop(0)
        members = list(record.items())
        # The order of the members that the server knows is not the graph's; that of the others is nobody's to change.
        own = ("name", "entityType", "observations") if record["type"] == "entity" else ("from", "to", "relationType")
        known = [pair for pair in members if pair[0] in ("type", *own)]
        random.shuffle(known)
        mixed.append(dict([*known, *(pair for pair in members if pair not in known)]))
    assert set(ordered_lines(mixed).split(b"\n")) == set(lines.split(b"\n"))


def test_a_graph_is_written_as_the_reference_server_writes_it() -> None:
    assert graph_lines(GRAPH) == LINES


def test_records_of_another_type_stand_at_the_end_and_are_kept() -> None:
    found = ordered_lines(
        [{"type": "note", "x": 1}, 7, {"to": "b", "from": "a", "type": "relation"}, {"name": "a", "type": "entity"}]
    )
    assert found.split(b"\n") == [
        b'{"type":"entity","name":"a"}', b'{"type":"relation","from":"a","to":"b"}', b'{"type":"note","x":1}', b"7",
    ]  # fmt: skip


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    graph = {"entities": [{"name": "\ud83d"}], "relations": []}
    assert json.loads(graph_lines(graph))["name"] == "\ud83d"


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (None, "it is no object"),
        ([], "it is no object"),
        ({}, "it has no list entities"),
        ({"entities": []}, "it has no list relations"),
        ({"entities": {}, "relations": []}, "it has no list entities"),
        ({"entities": ["Aino"], "relations": []}, "entities 0 has no name"),
        ({"entities": [{"name": 1}], "relations": []}, "entities 0 has no name"),
        ({"entities": [], "relations": [{"from": "a"}]}, "relations 0 has no from and no to"),
        ({"entities": [{"name": "a", "x": float("nan")}], "relations": []}, "Out of range float values are not JSON compliant"),
    ],
)
def test_what_is_no_graph_is_refused_and_it_is_said_why(graph: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        graph_lines(graph)


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_record_that_nobody_could_read_again_is_refused(depth: int) -> None:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        graph_lines({"entities": [{"name": "a", "x": value}], "relations": []})
    while value:  # taken apart by hand, since Python would recurse
        value = value.pop()
