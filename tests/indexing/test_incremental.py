"""The cost of indexing is that of the change, and what comes out is what indexing everything anew gives."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from archive import Archive
from tests.conftest import FixedClock, assert_sound, write_tree
from tests.indexing.conftest import Query, assert_items_are_those_of_the_versions, found


def dump(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def tasks(count: int) -> list[dict[str, Any]]:
    return [{"id": n, "title": f"task number {n}", "text": f"word{n} " * 5} for n in range(count)]


def test_an_element_inserted_at_the_front_of_five_thousand_is_one_row_and_one_entry(
    archive: Archive, root: Path, db_path: Path, rows: Query
) -> None:
    write_tree(root, {"tasks.json": dump({"tasks": tasks(5_000)})})
    archive.backup(root)
    before = rows("SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM items_fts_docsize)")[0]
    write_tree(root, {"tasks.json": dump({"tasks": [{"id": "new", "title": "front"}, *tasks(5_000)]})})

    result = archive.backup(root).index

    assert result is not None
    assert (result.items_added, result.items_ended) == (1, 0)
    after = rows("SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM items_fts_docsize)")[0]
    assert after == (before[0] + 1, before[1] + 1)
    assert found(db_path, "front") == ["/tasks/0"]
    assert found(db_path, "word4999") == ["/tasks/5000"]  # it moved, and its pointer with it


def test_an_observation_appended_to_ten_thousand_is_the_only_one_indexed(archive: Archive, root: Path, db_path: Path) -> None:
    observations = [f"observation {n}: {random.Random(n).getrandbits(64):x} was seen in the evening" for n in range(10_000)]
    write_tree(root, {"memory.json": dump({"entities": {"Aino": {"observations": observations}}})})
    archive.backup(root)
    write_tree(root, {"memory.json": dump({"entities": {"Aino": {"observations": [*observations, "a late arrival"]}}})})

    result = archive.backup(root).index

    assert result is not None
    assert (result.items_added, result.items_ended) == (1, 0)
    assert found(db_path, '"late arrival"') == ["/entities/Aino/observations/10000"]


def test_a_changed_element_ends_and_begins_and_both_can_be_found(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, {"tasks.json": dump({"tasks": [{"id": 1, "status": "pending"}, {"id": 2, "status": "pending"}]})})
    archive.backup(root)
    write_tree(root, {"tasks.json": dump({"tasks": [{"id": 2, "status": "pending"}, {"id": 1, "status": "done"}]})})

    result = archive.backup(root).index

    assert result is not None
    assert (result.items_added, result.items_ended) == (1, 1)
    assert found(db_path, "done") == ["/tasks/1"]
    assert found(db_path, "pending") == ["/tasks/0"]
    assert found(db_path, "pending", past=True) == ["/tasks/0"]  # where it was when it was last so


def test_a_document_that_is_gone_is_found_in_the_past_only_and_comes_back_as_new_items(
    archive: Archive, root: Path, db_path: Path, rows: Query
) -> None:
    tree = {"a.md": b"# Heading\n\nlighthouse\n", "b.md": b"# Other\n"}
    for state in (tree, {"b.md": tree["b.md"]}, tree):
        write_tree(root, state)
        archive.backup(root)
        assert bool(found(db_path, "lighthouse")) == ("a.md" in state)
    assert len(found(db_path, "lighthouse", past=True)) == 1
    spans = "SELECT i.first_snapshot_id, i.until_snapshot_id FROM items i JOIN documents d ON d.id = i.document_id"
    assert set(rows(f"{spans} WHERE d.path = 'a.md'")) == {(1, 2), (3, None)}


def test_a_touched_document_costs_nothing(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": b'{"id": 1}'})
    archive.backup(root)
    (root / "a.json").touch()

    result = archive.backup(root)

    assert result.touched == ("a.json",)
    assert result.index is not None
    assert (result.index.items_added, result.index.items_ended) == (0, 0)


NAMES = st.sampled_from(["id", "name", "title", "text", "tags", "notes", "api_key", "x/y"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b c", "日本語", "loadJson", "x" * 50])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)), max_leaves=10
)
ELEMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.sampled_from(["tasks.json", "memory.jsonl", "notes.md", "deep/list.json", "plain"])


class Edits(RuleBasedStateMachine):
    """Edits a project in the ways that lists, records and files are edited, and backs it up in between."""

    folder: Path
    number = 0

    def __init__(self) -> None:
        super().__init__()
        Edits.number += 1
        base = self.folder / str(Edits.number)
        self.root, self.path = base / "project", base / "archive.db"
        self.root.mkdir(parents=True)
        self.lists: dict[str, list[Any]] = {}
        self.gone: dict[str, list[Any]] = {}
        self.broken: dict[str, bytes] = {}
        self.archive = Archive.create(self.path, clock=FixedClock())

    @initialize(path=PATHS, elements=st.lists(ELEMENTS, max_size=5))
    def begin(self, path: str, elements: list[Any]) -> None:
        self.lists[path] = elements

    @rule(path=PATHS, elements=st.lists(ELEMENTS, max_size=5))
    def replace_list(self, path: str, elements: list[Any]) -> None:
        self.lists[path] = elements

    @precondition(lambda self: self.lists)
    @rule(data=st.data(), element=ELEMENTS, at_front=st.booleans())
    def insert(self, data: st.DataObject, element: Any, at_front: bool) -> None:
        chosen = self.lists[data.draw(st.sampled_from(sorted(self.lists)))]
        chosen.insert(0 if at_front else len(chosen), element)

    @precondition(lambda self: any(self.lists.values()))
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(path for path, elements in self.lists.items() if elements)))
        self.lists[path] = data.draw(st.permutations(self.lists[path]))

    @precondition(lambda self: any(self.lists.values()))
    @rule(data=st.data())
    def duplicate(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(path for path, elements in self.lists.items() if elements)))
        element = data.draw(st.sampled_from(self.lists[path]))
        self.lists[path].append({**element, "text": data.draw(SCALARS)} if data.draw(st.booleans()) else element)

    @precondition(lambda self: any(self.lists.values()))
    @rule(data=st.data(), to=PATHS)
    def move(self, data: st.DataObject, to: str) -> None:
        path = data.draw(st.sampled_from(sorted(path for path, elements in self.lists.items() if elements)))
        self.lists.setdefault(to, []).append(self.lists[path].pop())

    @precondition(lambda self: self.lists)
    @rule(data=st.data())
    def remove_document(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.lists)))
        self.gone[path] = self.lists.pop(path)
        self.broken.pop(path, None)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def return_document(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.gone)))
        self.lists.setdefault(path, self.gone.pop(path))

    @precondition(lambda self: self.lists)
    @rule(data=st.data(), end=st.sampled_from([b"", b"}{", b"\n<<<<<<< HEAD\n", b"\x00", b'{"a": [1, "thr']))
    def break_or_mend(self, data: st.DataObject, end: bytes) -> None:
        self.broken[data.draw(st.sampled_from(sorted(self.lists)))] = end

    @rule(index=st.booleans())
    def backup(self, index: bool) -> None:
        write_tree(self.root, {path: self.bytes_of(path) for path in self.lists})
        result = self.archive.backup(self.root, index=index)
        assert result.index is None or not result.index.problem

    def bytes_of(self, path: str) -> bytes:
        elements = self.lists[path]
        if path.endswith(".jsonl"):
            text = "".join(json.dumps(element) + "\n" for element in elements)
        elif path.endswith(".md"):
            text = "".join(f"# {element.get('name')}\n\n{element.get('text')}\n\n" for element in elements)
        else:
            text = json.dumps({"list": elements}, ensure_ascii=False)
        return text.encode() + self.broken.get(path, b"")

    def teardown(self) -> None:
        self.backup(index=True)
        verified = self.archive.reindex(verify=True)
        assert verified.differences == ()
        self.archive.close()
        assert_items_are_those_of_the_versions(self.path)
        assert_sound(self.path)


def test_indexing_step_by_step_gives_what_indexing_everything_gives(tmp_path: Path) -> None:
    Edits.folder = tmp_path
    state_machine = Edits.TestCase
    state_machine.settings = settings(
        max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
    )
    state_machine().runTest()


@settings(max_examples=40)
@given(st.lists(st.permutations(range(12)), min_size=1, max_size=4))
def test_elements_that_only_change_places_keep_their_rows(tmp_path_factory: Any, orders: list[list[int]]) -> None:
    folder = tmp_path_factory.mktemp("orders")
    root = folder / "project"
    root.mkdir()
    with Archive.create(folder / "archive.db", clock=FixedClock()) as archive:
        for order in [list(range(12)), *orders]:
            write_tree(root, {"tasks.json": dump([tasks(12)[n] for n in order])})
            result = archive.backup(root).index
            assert result is not None
            if result.versions:
                assert result.items_ended == 0
    assert_items_are_those_of_the_versions(folder / "archive.db")
