"""Salvage: what can be read of broken JSON, and that no bytes make it fail or take for ever."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.parse import load
from archive.extract.tasks import BUILT_IN, LoadedAdapters
from archive.extract.tasks.documents import TaskReader
from archive.extract.tasks.salvage import salvage
from archive.model.base import Json
from archive.model.documents import Kind
from tests.unit.tasks.strategies import json_values

RECORDS: list[Json] = [{"id": number, "title": f"T{number}", "nested": {"deep": [number]}} for number in range(1, 21)]
WHOLE = json.dumps({"tasks": RECORDS}, indent=1)


def ids(value: Json) -> list[Json]:
    assert isinstance(value, dict)
    tasks = value["tasks"]
    assert isinstance(tasks, list)
    return [task["id"] for task in tasks if isinstance(task, dict)]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.99])
def test_of_a_file_that_was_cut_off_the_whole_records_are_left(share: float) -> None:
    cut = WHOLE[: int(len(WHOLE) * share)]
    (value,) = salvage(cut.encode())
    assert ids(value) == list(range(1, len(ids(value)) + 1))
    assert cut.count('"title"') - len(ids(value)) <= 1


@given(st.integers(0, 19), st.sampled_from(["", '"', "{", "}", "]", "oops", "\x00"]))
def test_a_damaged_record_costs_itself_and_its_neighbour_at_most(number: int, damage: str) -> None:
    text = WHOLE.replace(f'"T{number + 1}",', damage)
    (value,) = salvage(text.encode())
    assert len(set(map(str, ids(value)))) >= 18
    assert set(map(str, ids(value))) <= {str(each) for each in range(1, 21)}


def test_objects_of_records_keep_the_names_they_stand_under() -> None:
    text = '{"active_tasks": {"T1": {"title": "a"}, "T2": {"title": "b" oops}, "T3": {"title": "c"}}}'
    assert salvage(text.encode()) == [{"active_tasks": {"T1": {"title": "a"}, "T3": {"title": "c"}}}]


def test_each_side_of_a_conflict_is_a_value() -> None:
    text = "[\n1,\n<<<<<<< HEAD\n2\n||||||| base\n9\n=======\n3\n>>>>>>> other\n]"
    assert salvage(text.encode()) == [[1, 2], [1, 3]]


@given(st.binary(max_size=200) | st.text('[]{}",:\\\n 1a<>=', max_size=200).map(str.encode))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    for value in salvage(data):
        json.dumps(value)
    TaskReader(adapters=LoadedAdapters(BUILT_IN)).read("t.json", Kind.JSON, load(Kind.JSON, data), data)


@given(json_values, st.integers(0, 400))
def test_any_value_that_is_cut_off_is_read_as_a_part_of_itself(value: Json, at: int) -> None:
    text = json.dumps([value, {"id": 1}])
    for found in salvage(text[:at].encode()):
        assert isinstance(found, list)
        assert not found or type(found[0]) is type(value)


def hostile() -> list[bytes]:
    opened = b'{"a": 1, "b": ['
    return [
        b"[" * 300_000,
        b"[{}," + b'{"a":' * 200_000,
        b'[{"x": 1},' + (opened + b"1," * 400) * 900,
        b'[{"x": 1}, "' + b"{" * 500_000,
        b'[{"x": 1},' + b'{"a' * 200_000,
        b"\\" * 300_000 + b'"' * 300_001,
        b"[" + b'{"a":1},' * 100_000 + b"!",
    ]


@pytest.mark.parametrize("data", hostile(), ids=range(len(hostile())))
def test_hostile_files_are_read_to_an_end(data: bytes) -> None:
    for value in salvage(data):
        assert isinstance(value, list)
        assert len(value) <= 100_000


def test_records_that_share_a_line_are_read_and_a_damaged_one_costs_only_itself() -> None:
    def issue(number: int) -> str:
        record = {"id": f"bd-{number}", "title": "T", "issue_type": "task", "status": "open"}
        return json.dumps({**record, "dependencies": [{"depends_on_id": "bd-1", "type": "related"}]})

    text = "\n".join([issue(1), issue(2) + issue(3), issue(4)[:-1] + " oops", "oops " + issue(5), "{broken", issue(6)])
    data = text.encode()
    reading = TaskReader(adapters=LoadedAdapters(BUILT_IN)).read("issues.jsonl", Kind.JSONL, load(Kind.JSONL, data), data)
    found = [(draft.id, draft.pointer, [note.code.value for note in draft.anomalies]) for draft in reading.drafts]
    assert found == [
        ("bd-1", "/0", []),
        ("bd-6", "/1", []),
        ("bd-2", "L2", ["broken_line"]),
        ("bd-3", "L2", ["broken_line"]),
        ("bd-5", "L4", ["broken_line"]),
    ]
    assert [draft.order for draft in reading.drafts] == [0, 1, 2, 3, 4]
    assert not reading.broken
