from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.folding import MAX_FOLDED_LIST, MAX_FOLDED_RECORD
from archive.extract.items import FRONT_MATTER, Extractor, ItemDraft
from archive.extract.jsonwalk import MAX_DEPTH
from archive.extract.markdown import split_sections
from archive.extract.parse import load, text_of
from archive.extract.pointer import resolve
from archive.extract.rawtext import MAX_CHUNK, split_text
from archive.extract.secrets import MASK
from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.search import ItemKind
from tests.unit.json_strategies import VALUES

LONG = "This sentence is long enough that not many like it fit into one item. " * 3


def items(value: Any) -> list[ItemDraft]:
    return Extractor().of_json(value)


def keys(value: Any) -> list[str]:
    return [item.key for item in items(value)]


def by_key(found: list[ItemDraft]) -> dict[str, tuple[str, str, str, str, bool]]:
    """Returns what makes an item the same in another version, by key."""
    return {item.key: (item.kind, item.title, item.text, item.words, item.is_boilerplate) for item in found}


def added(before: list[ItemDraft], after: list[ItemDraft]) -> set[str]:
    """Returns the keys of the items that are not as before."""
    old = by_key(before)
    return {key for key, item in by_key(after).items() if old.get(key) != item}


def removed(before: list[ItemDraft], after: list[ItemDraft]) -> set[str]:
    """Returns the keys of the items that are there no more."""
    return by_key(before).keys() - by_key(after).keys()


# --- what the items of a JSON document are


def test_an_object_is_an_item_with_its_own_fields_and_short_lists() -> None:
    phase = {"title": "Search Debouncing", "agent": "gpt_4", "minutes": 15, "done": False, "note": None, "tags": ["a", "b"]}
    [item] = items({"projects": {"search": {"phases": {"phase_1": phase}}}})
    assert item == ItemDraft(
        key="/projects/search/phases/phase_1",
        pointer="/projects/search/phases/phase_1",
        kind="object",
        title="phase_1: Search Debouncing",
        text="agent: gpt_4\nminutes: 15\ndone: false\ntags: a, b",
        words="",
        is_boilerplate=False,
    )


def test_what_is_inside_an_object_is_an_item_of_its_own() -> None:
    assert [(item.key, item.text) for item in items({"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": {}, "g": []})] == [
        ("", "a: 1"),
        ("/b", "c: 2"),
        ("/b/d", "e: 3"),
    ]


@pytest.mark.parametrize(
    ("value", "titles"),
    [
        ({"a": {"x": 1}}, ["a"]),
        ({"a": {"title": "T", "x": 1}}, ["a: T"]),
        ({"a": {"title": "a"}}, ["a"]),
        ({"title": "T"}, ["T"]),
        ({"a": {"name": "N", "title": "T"}}, ["a: T"]),
        ({"a": {"title": 5, "name": "N"}}, ["a: N"]),
        ({"a": {"title": "two\nlines"}}, ["a: two lines"]),
        ({"a": {"title": "T" * 500}}, ["a"]),
        ([{"id": 12, "title": "T"}], ["12: T"]),
        ([{"name": "X", "type": "t"}], ["X"]),
        ([{"uuid": "6f1c2b1e-8a9e-4f0b-9d55-0a1b2c3d4e5f-and-more", "title": "T"}], ["T"]),
        ([{"x": 1}], [""]),
    ],
)
def test_an_item_is_named_by_its_place_and_by_itself(value: Json, titles: list[str]) -> None:
    assert [item.title for item in items(value)] == titles


def test_a_title_is_not_repeated_in_the_text() -> None:
    [item] = items({"a": {"name": "N", "title": "T", "x": 1}})
    assert item.text == "name: N\nx: 1"


def test_each_text_of_a_long_list_is_an_item() -> None:
    texts = [f"{number}: {LONG}" for number in range(9)]
    found = items({"entity": {"name": "X", "observations": texts}})
    assert [item.text for item in found] == ["", *texts]
    assert [item.kind for item in found] == ["object", *["text"] * 9]
    assert [item.pointer for item in found[1:]] == [f"/entity/observations/{number}" for number in range(9)]
    assert sum(map(len, texts)) > MAX_FOLDED_LIST


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, True, None, "x", ""]}, "a: 1, 2.5, true, x"),
        ({"a": [[1, 2], [], ["x"]]}, "a: 1, 2, x"),
        ({"a": "", "b": None, "c": 0, "d": False}, "c: 0\nd: false"),
        ({"a": list(range(9)), "vector": [0.125] * 5_000}, "a: 0, 1, 2, 3, 4, 5, 6, 7, 8"),
        ({"": 1, "é": "ü"}, ": 1\né: ü"),
        ({"n": 10**30, "f": 1e300}, "n: 1000000000000000000000000000000\nf: 1e+300"),
    ],
)
def test_values_are_written_so_that_they_can_be_searched(value: Json, text: str) -> None:
    [item] = items(value)
    assert item.text == text


@pytest.mark.parametrize("value", ["only text", 5, True])
def test_a_document_may_be_a_single_value(value: Json) -> None:
    assert [item.text for item in items(value)] == [str(value).lower() if value is True else str(value)]


@pytest.mark.parametrize("value", [None, "", {}, [], [[]], [{}], {"a": {}}, {"a": None}, [None, "", [[], {}]]])
def test_a_document_without_content_has_no_items(value: Json) -> None:
    assert items(value) == []


def test_blocks_that_explain_the_file_are_marked_at_the_top_only() -> None:
    found = items({"schema": {"task": {"x": "string"}}, "instructions": {"x": 1}, "tasks": {"schema": {"x": 1}}, "x": 1})
    assert {item.key: item.is_boilerplate for item in found} == {
        "": False,
        "/schema/task": True,
        "/instructions": True,
        "/tasks/schema": False,
    }


def test_parts_of_names_are_found_in_names_ids_titles_and_values() -> None:
    found = items({"loadJson": [{"id": "TaskOne", "deep": {"fetchMe": "callYou(x)"}}]})
    assert found[-1].words == "load json task one fetch me call you"
    assert found[-1].key == "/loadJson[id=TaskOne]/deep"


# --- keys


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"tasks": [{"id": 1, "subtasks": [{"id": 3, "x": 1}], "x": 1}]}, ["/tasks[id=1]", "/tasks[id=1]/subtasks[id=3]"]),
        ([{"id": 1}, {"id": "2"}, {"id": 2}], ["[id=1]", "[id=2]", "[id=2][2]"]),
        ([{"id": 1, "x": 1}, {"id": 1, "x": 2}, {"id": 2}, {"id": 3}], ["[id=1]", "[id=1][2]", "[id=2]", "[id=3]"]),
        ([{"_id": "a"}, {"_id": "b"}], ["[_id=a]", "[_id=b]"]),
        ([{"issue_id": "a", "x": 1}, {"issue_id": "b"}], ["[issue_id=a]", "[issue_id=b]"]),
        ([{"sessionId": "s", "name": "a"}, {"sessionId": "s", "name": "b"}], ["[name=a]", "[name=b]"]),
        ({"a/b": {"m~n": {"[x=1]": {"v": 1}}}}, ["/a~1b/m~0n/~2x=1~3"]),
        ([{"id": "a]/b[id=c"}], ["[id=a~3~1b~2id=c]"]),
        ({"a\0": {"v": 1}, "\ud800": {"v": 1}}, ["/a~u0000", "/~ud800"]),
    ],
)
def test_a_key_names_the_way_to_an_item(value: Json, expected: list[str]) -> None:
    assert keys(value) == expected


def test_elements_without_an_id_are_known_by_their_content() -> None:
    [first, second, third, fourth] = keys([{"x": 1}, {"x": 2, "y": {"z": 1}}, {"x": 1}])
    assert first.startswith("[~")
    assert third == second + "/y"
    assert fourth == first + "[2]"


def test_the_order_of_names_does_not_change_what_an_element_is_known_by() -> None:
    assert keys([{"x": 1, "y": 2}]) == keys([{"y": 2, "x": 1}])


def test_an_id_that_most_lack_or_share_is_none() -> None:
    assert all(key.startswith("[~") for key in keys([{"id": 1}, {"x": 2}, {"x": 3}]))
    assert all(key.startswith("[~") for key in keys([{"name": "n", "x": number} for number in range(5)]))


def test_one_repeated_id_does_not_change_how_the_others_are_known() -> None:
    tasks = [{"id": number, "title": f"task {number}"} for number in range(50)]
    assert added(items(tasks), items([*tasks, {"id": 7, "title": "again"}])) == {"[id=7][2]"}


@given(VALUES)
def test_all_keys_of_a_document_differ(value: Json) -> None:
    found = items(value)
    assert len({item.key for item in found}) == len(found)


@given(
    st.lists(st.tuples(st.integers(1, 99), VALUES), max_size=6), st.lists(st.tuples(st.integers(1, 99), st.text()), max_size=4)
)
def test_all_keys_of_records_differ(records: list[tuple[int, Json]], bad: list[tuple[int, str]]) -> None:
    found = Extractor().of_jsonl(records, bad)
    assert len({item.key for item in found}) == len(found)


@given(VALUES)
def test_a_pointer_leads_to_what_the_item_shows(value: Json) -> None:
    for item in items(value):
        if "\ufffd" not in item.pointer and "\0" not in repr(value) and "\\ud" not in ascii(value):
            found = resolve(value, item.pointer)
            assert isinstance(found, dict | list | str | int | float)


@given(VALUES)
def test_making_items_twice_gives_the_same(value: Json) -> None:
    extractor = Extractor()
    assert extractor.of_json(value) == extractor.of_json(value) == items(json.loads(json.dumps(value)))


# --- an edit changes what it touches


def _tasks(count: int) -> list[dict[str, Json]]:
    return [{"id": number, "title": f"task {number}", "status": "open", "notes": [{"by": "me"}]} for number in range(count)]


@pytest.mark.parametrize("identity", ["id", "name", None], ids=["by id", "by name", "by content"])
def test_an_element_put_at_the_front_of_a_long_list_adds_one_item(identity: str | None) -> None:
    tasks: list[dict[str, Json]] = [{"status": "open", "n": number} for number in range(5_000)]
    if identity:
        tasks = [{identity: f"t{number}", **task} for number, task in enumerate(tasks)]
    new: dict[str, Json] = {"status": "new", "n": -1, **({identity: "new"} if identity else {})}
    before, after = items({"tasks": tasks}), items({"tasks": [new, *tasks]})
    assert len(added(before, after)) == 1
    assert not removed(before, after)


@given(st.permutations(list(range(8))))
def test_putting_a_list_in_another_order_changes_no_item(order: list[int]) -> None:
    tasks = _tasks(8)
    assert by_key(items(tasks)) == by_key(items([tasks[number] for number in order]))


def test_a_changed_field_changes_one_item_and_keeps_its_key() -> None:
    before, after = _tasks(50), _tasks(50)
    after[7]["status"] = "done"
    assert added(items(before), items(after)) == {"[id=7]"}
    assert not removed(items(before), items(after))


@pytest.mark.parametrize("make", ["json", "jsonl"])
def test_an_observation_added_to_ten_thousand_adds_one_item(make: str) -> None:
    def entity(count: int) -> list[ItemDraft]:
        value: Json = {"type": "entity", "name": "X", "observations": [f"observation {number}" for number in range(count)]}
        return items([value]) if make == "json" else Extractor().of_jsonl([(1, value)])

    before, after = entity(10_000), entity(10_001)
    assert len(before) == 10_001
    assert len(added(before, after)) == 1
    assert not removed(before, after)


def test_a_long_text_is_cut_into_stretches_of_which_an_edit_changes_few() -> None:
    lines = [f"{number} {LONG}" for number in range(1_000)]
    before, after = items({"text": "\n".join(lines)}), items({"text": "\n".join(["new first line", *lines])})
    assert len(before) > 20
    assert max(len(item.text) for item in before) <= MAX_CHUNK
    assert {item.pointer for item in before} == {"/text"}
    assert len(added(before, after)) <= 3


def test_an_object_of_very_many_fields_is_cut_into_groups_of_which_an_edit_changes_few() -> None:
    texts = {f"message_{number}": f"text {number} {LONG}" for number in range(1_000)}
    before, after = items({"en": texts}), items({"en": {"new": "first", **texts, "message_500": "changed"}})
    assert len(before) > 30
    assert before[0].key == "/en"
    assert before[1].key.startswith("/en[+message_")
    assert len(added(before, after)) <= 4
    assert "\n".join(item.text for item in before).count("text ") == 1_000


@given(
    st.lists(st.text(alphabet="ab", max_size=3), max_size=12),
    st.integers(0, 12),
    st.text(alphabet="ab", min_size=1, max_size=3),
)
def test_a_text_put_into_a_list_of_equal_ones_adds_one_item(texts: list[str], at: int, new: str) -> None:
    def elements(values: list[str]) -> list[ItemDraft]:
        return items([*values, "x" * (MAX_FOLDED_LIST + 1)])

    before, after = elements(texts), elements([*texts[:at], new, *texts[at:]])
    assert len(added(before, after)) == 1
    assert not removed(before, after)


# --- nothing is lost, nothing gets in


PLAIN = st.text(alphabet="abcdefghijkl", min_size=1, max_size=12)
DOCUMENTS = st.recursive(
    st.one_of(PLAIN, st.integers(-99, 99), st.none(), st.lists(PLAIN, min_size=90, max_size=95)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.sampled_from(["a", "b", "id", "title", "name"]), inner, max_size=5)
    ),
    max_leaves=20,
)


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


@given(DOCUMENTS)
def test_every_text_of_a_document_is_in_one_of_its_items(value: Json) -> None:
    everything = "\n".join(f"{item.title}\n{item.text}" for item in items(value))
    assert [text for text in _texts(value) if text not in everything] == []


@given(st.lists(DOCUMENTS, max_size=4))
def test_every_text_of_records_is_in_one_of_their_items(values: list[Json]) -> None:
    found = Extractor().of_jsonl(list(enumerate(values, 1)))
    everything = "\n".join(f"{item.title}\n{item.text}" for item in found)
    assert [text for one in values for text in _texts(one) if text not in everything] == []


@given(VALUES)
def test_items_can_be_stored(value: Json) -> None:
    connection = sqlite3.connect(":memory:")
    for item in items(value):
        row = connection.execute("SELECT ?, ?, ?, ?, ?", item[:1] + item[2:6]).fetchone()
        assert row == item[:1] + item[2:6]
        assert "\0" not in item.key + item.title + item.text + item.words
        item.pointer.encode()
    connection.close()


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "value",
    [
        {"api_key": SECRET},
        {"a": {"password": SECRET, "x": 1}},
        {"secrets": {"stripe": SECRET, "deep": [{"x": SECRET}, [SECRET]]}},
        {"passwords": [SECRET, SECRET]},
        {"passwords": [SECRET * 100] * 20},
        {"token": {"value": SECRET}},
        [{"token": SECRET}, {"token": SECRET}],
        [{"token": SECRET, "x": 1}, {"secret": SECRET, "id": 1}],
        [{"id": f"Bearer {SECRET}", "x": 1}],
        [{"name": f"password: {SECRET}", "x": 1}],
        {"x": f"password: {SECRET}"},
        {"x": f"first\npassword = {SECRET}"},
        {"x": ["a", f"--token {SECRET}"]},
        {"note": f"postgres://joe:{SECRET}@host"},
        {f"https://joe:{SECRET}@host": {"x": 1}, "x": 1},
        {"title": f"API_KEY={SECRET}"},
        {"key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"},
        [{"password": SECRET, "x": {"y": number}} for number in range(3)],
        [f"{number} password={SECRET} {LONG}" for number in range(9)],
    ],
)
def test_a_secret_is_in_no_part_of_any_item(value: Json) -> None:
    for found in (items(value), Extractor().of_jsonl([(1, value), (2, {"x": value})]), Extractor().of_text(json.dumps(value))):
        shown = " ".join(str(part) for item in found for part in item).casefold()
        assert SECRET not in shown


@pytest.mark.parametrize("secret", ["https://bob:hunter2,hunter2@db.example/", "/sk-ant-api03-hunter2hunter2hunter2hunter2"])
@pytest.mark.parametrize("make", [lambda text: {"log": text}, lambda text: [text, "x" * 1_500], lambda text: {"log": [text]}])
def test_a_secret_on_the_border_between_two_stretches_is_in_neither(secret: str, make: Callable[[str], Json]) -> None:
    for before in range(MAX_CHUNK - 60, MAX_CHUNK + 1, 3):
        for after in (" gr\u00fcezi", " hello"):
            texts = "\n".join(item.text for item in Extractor().of_json(make("y" * before + secret + after)))
            assert "hunter" not in texts, before


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["password:hunter2"], ["password:[masked]"]),
        ({"notes": ["PASSWORD:hunter2", {"x": "y"}]}, ["PASSWORD:[masked]", "x: y"]),
        ({"at": "2025-08-01T12:30:00Z", "what": "a --token abc"}, ["at: 2025-08-01T12:30:00Z\nwhat: a --token [masked]"]),
        ({"at": "12:30", "password of": "password: x"}, ["at: 12:30\npassword of: password: [masked]"]),
        ({"one": "caf\u00e9 token=abc", "two": "plain"}, ["one: caf\u00e9 token=[masked]\ntwo: plain"]),
        ({"one": "caf\u00e9", "two": {"three": "token=abc"}}, ["one: caf\u00e9", "three: token=[masked]"]),
        ({"one": "plain 12:30:00", "two": {"three": "12:30"}}, ["one: plain 12:30:00", "three: 12:30"]),
    ],
)
def test_an_assignment_in_a_value_is_masked_and_what_looks_like_one_is_not(value: Json, shown: list[str]) -> None:
    assert [item.text for item in Extractor().of_json(value)] == shown


def test_a_masked_value_leaves_its_name_and_says_so() -> None:
    [item] = items({"api_key": SECRET, "tokens": 5, "max_tokens": 7, "has_password": True, "password": ""})
    assert item.text == f"api_key: {MASK}\ntokens: 5\nmax_tokens: 7\nhas_password: true"


def test_a_changed_secret_does_not_change_the_key_of_what_holds_it() -> None:
    assert keys([{"x": 1, "password": "a"}]) == keys([{"x": 1, "password": "b"}])


# --- limits


def test_very_deep_nesting_becomes_one_text() -> None:
    value: Json = {"deepest": "treasure"}
    for _ in range(50_000):
        value = {"a": value, "b": 1}
    found = items(value)
    assert len(found) > MAX_DEPTH
    assert any("deepest: treasure" in item.text for item in found)
    assert {item.kind for item in found} == {"object", "raw"}


def test_very_deep_lists_of_things_without_an_id_take_no_longer_than_their_size_explains() -> None:
    value: Json = [{"x": 1}]
    for number in range(5_000):
        value = [value, {"y": [number]}]
    assert len(items(value)) > MAX_DEPTH


def test_an_extractor_forgets_names_before_they_fill_the_memory() -> None:
    extractor = Extractor()
    for start in range(0, 60_000, 1_000):
        extractor.of_json({f"name{number}": 1 for number in range(start, start + 1_000)})
    assert extractor.of_json({"name1": 1}) == items({"name1": 1})


# --- JSONL


def test_a_record_is_one_item_with_all_that_is_nested_in_it() -> None:
    record: Json = {
        "id": "bd-1",
        "title": "T",
        "open": True,
        "by": {"name": "Ann", "at": {"x": 1}},
        "deps": [{"on": 2}, {"on": 3}],
    }
    [item] = Extractor().of_jsonl([(7, record)])
    assert item.key == "[id=bd-1]"
    assert item.pointer == "/0"
    assert item.kind == ItemKind.RECORD
    assert item.title == "bd-1: T"
    assert item.text == "id: bd-1\nopen: true\nby.name: Ann\nby.at.x: 1\ndeps.on: 2\ndeps.on: 3"
    assert (item.line_start, item.line_end) == (7, 7)


def test_a_large_record_is_several_items_of_its_line() -> None:
    record: Json = {"name": "X", "observations": [LONG + str(number) for number in range(MAX_FOLDED_RECORD // len(LONG) + 1)]}
    found = Extractor().of_jsonl([(1, {"name": "W"}), (3, record)])
    assert [item.kind for item in found[:3]] == ["record", "record", "text"]
    assert found[2].key.startswith("[name=X]/observations[~")
    assert found[2].pointer == "/1/observations/0"
    assert {item.line_start for item in found[1:]} == {3}


def test_bad_lines_are_items_with_their_numbers() -> None:
    found = Extractor().of_jsonl([(1, {"id": 1}), (3, {"id": 2})], [(2, '{"id": 9, "x'), (4, '{"id": 9, "x')])
    assert [(item.kind, item.pointer, item.text) for item in found[2:]] == [
        ("raw", "L2-L2", '{"id": 9, "x'),
        ("raw", "L4-L4", '{"id": 9, "x'),
    ]


def test_a_record_may_be_any_value() -> None:
    found = Extractor().of_jsonl([(1, "text"), (2, ["a", "b"]), (3, 5), (4, None), (5, [{"x": 1}])])
    assert [item.text for item in found] == ["text", "a, b", "x: 1"]


# --- Markdown


def sections(text: str) -> list[tuple[str, str, str]]:
    return [(item.key, item.pointer, item.text) for item in Extractor().of_markdown(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \n", []),
        ("just text\nmore", [("", "L1-L2", "just text\nmore")]),
        ("# A\n\none\n\n## B\ntwo\n# C\n", [("/A", "L1-L3", "one"), ("/A/B", "L5-L6", "two"), ("/C", "L7-L7", "")]),
        ("intro\n\n# A #\n### B\nx", [("", "L1-L1", "intro"), ("/A", "L3-L3", ""), ("/A/B", "L4-L5", "x")]),
        ("# A\nx\n# A\ny", [("/A", "L1-L2", "x"), ("/A[2]", "L3-L4", "y")]),
        ("# a/b [x]\ny", [("/a~1b ~2x~3", "L1-L2", "y")]),
        ("# A\n```\n# no\n```\n~~~~ py\n```\n# no\n~~~~\n", [("/A", "L1-L8", "```\n# no\n```\n~~~~ py\n```\n# no\n~~~~")]),
        ("# A\n```\n# never closed", [("/A", "L1-L3", "```\n# never closed")]),
        ("    # code\n\n#no\n\n####### no", [("", "L1-L5", "    # code\n\n#no\n\n####### no")]),
        ("<!--\n# no\n-->\n# A", [("", "L1-L3", "<!--\n# no\n-->"), ("/A", "L4-L4", "")]),
        ("One\n===\nx\n\nTwo\nlines\n---\ny", [("/One", "L1-L3", "x"), ("/One/Two lines", "L5-L8", "y")]),
        ("- item\n---\n| a |\n---\n\n---\nx", [("", "L1-L7", "- item\n---\n| a |\n---\n\n---\nx")]),
        ("---\ntitle: T\n---\n# A\nx", [(FRONT_MATTER, "L1-L3", "title: T"), ("/A", "L4-L5", "x")]),
        ("---\nno end", [("", "L1-L2", "---\nno end")]),
        ("---\n\nbreak\n\n---\nx", [("", "L1-L6", "---\n\nbreak\n\n---\nx")]),
        ("# A\r\nx\r\ny\r\n", [("/A", "L1-L3", "x\ny")]),
        ("# \n\nx", [("/", "L1-L3", "x")]),
    ],
)
def test_a_section_is_what_stands_under_a_heading(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert sections(text) == expected


def test_a_section_is_named_by_its_heading_and_front_matter_by_its_title() -> None:
    found = Extractor().of_markdown('---\ntitle: "The Title"\n---\nintro\n# A *b*\nx')
    assert [item.title for item in found] == ["The Title", "", "A *b*"]
    assert {item.kind for item in found} == {"section"}


def test_a_secret_in_markdown_is_masked_and_lines_keep_their_numbers() -> None:
    text = f"# A\n-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n- **Password**: {SECRET}\n# B\nx"
    found = Extractor().of_markdown(text)
    assert SECRET not in repr(found)
    assert found[1].pointer == "L6-L7"


MARKDOWN = st.lists(
    st.sampled_from(
        ["# A", "## B", "# A", "text", "- item", "", "```", "~~~", "---", "===", "<!--", "-->", "  x", "| a |", "> q"]
    ),
    max_size=14,
).map("\n".join)


@given(MARKDOWN)
def test_all_keys_of_sections_differ_and_their_lines_follow_each_other(text: str) -> None:
    found = Extractor().of_markdown(text)
    assert len({item.key for item in found}) == len(found)
    lines = [number for item in found for number in (item.line_start, item.line_end)]
    assert lines == sorted(lines)


@given(MARKDOWN)
def test_the_lines_of_a_section_hold_its_text(text: str) -> None:
    lines = text.split("\n")
    for section in split_sections(text):
        own = "\n".join(lines[section.first_line - 1 : section.last_line])
        assert section.text in own
        for word in " ".join(section.headings[-1:]).split():
            assert word in own


@given(MARKDOWN)
def test_every_word_of_a_markdown_text_is_in_one_of_its_items(text: str) -> None:
    everything = " ".join(f"{item.title} {item.text}" for item in Extractor().of_markdown(text))
    for word in ("A", "B", "text", "item", "x", "a", "q"):
        assert (word in text) <= (word in everything)


def test_a_very_long_section_is_cut_into_stretches_of_which_an_edit_changes_few() -> None:
    lines = [f"{number} {LONG}" for number in range(500)]
    before = Extractor().of_markdown("# A\n" + "\n".join(lines))
    after = Extractor().of_markdown("# A\nnew\n" + "\n".join(lines))
    assert len(before) > 10
    assert all(item.title == "A" for item in before)
    assert len(added(before, after)) <= 3


# --- other text


@given(st.text(alphabet=st.sampled_from("ab \n\t\r\0x"), max_size=200), st.integers(1, 1000))
def test_a_stretch_has_the_lines_it_says(text: str, first: int) -> None:
    lines = text.split("\n")
    for chunk in split_text(text, first):
        own = "\n".join(lines[chunk.first_line - first : chunk.last_line - first + 1])
        assert chunk.text == own.rstrip()
        assert chunk.text.split("\n", 1)[0].strip()


@pytest.mark.parametrize(
    "make",
    [
        lambda: "\n".join(f"line {number} with some words" for number in range(5_000)),
        lambda: "\n\n".join(f"paragraph {number} " * 20 for number in range(400)),
        lambda: ",".join(f'{{"id":{number},"text":"words {number * 7}"}}' for number in range(6_000)),
        lambda: "".join(chr(97 + number * number % 26) for number in range(100_000)),
    ],
    ids=["lines", "paragraphs", "one line", "no border at all"],
)
def test_a_text_is_cut_where_an_insertion_moves_few_borders(make: Callable[[], str]) -> None:
    text = make()
    before, after = Extractor().of_text(text), Extractor().of_text(f"inserted, {text}")
    assert len(before) > 10
    assert max(len(item.text) for item in before) <= MAX_CHUNK
    assert "".join("".join(item.text.split()) for item in before) == "".join(text.split())
    if " " in text or "," in text:
        assert len(added(before, after)) <= len(before) // 3


def test_a_short_text_is_one_item_and_keeps_its_key() -> None:
    [item] = Extractor().of_text("My Notes\n\nfirst\n")
    assert item == ItemDraft("", "L1-L3", "raw", "My Notes", "My Notes\n\nfirst", "", False, 1, 3)


def test_the_rest_of_a_document_has_keys_and_lines_of_its_own() -> None:
    [item] = Extractor().of_text("\n}, second", key="[rest]", first_line=10)
    assert (item.key, item.pointer) == ("[rest]", "L11-L11")


@given(st.text())
def test_any_text_gives_items_that_can_be_stored(text: str) -> None:
    for item in [*Extractor().of_text(text), *Extractor().of_markdown(text), *Extractor().of_jsonl([], [(1, text)])]:
        for part in (item.key, item.title, item.text, item.words):
            assert "\0" not in part
            part.encode()


# --- real files


@pytest.mark.real_data
def test_real_files_of_six_dates_give_items_whose_keys_last() -> None:
    archive = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "rengine-agents.tar.xz"
    if not archive.exists():
        pytest.skip("the real files are not here")
    extractor = Extractor()
    found: dict[str, dict[str, list[ItemDraft]]] = {}
    with tarfile.open(archive) as files:
        for member in files:
            if not member.isfile():
                continue
            date, _, name = member.name.removeprefix("./").partition("/")
            reader = files.extractfile(member)
            assert reader is not None
            data = reader.read()
            if name.endswith(".json"):
                loaded = load(Kind.JSON, data)
                drafts = extractor.of_json(loaded.value) if loaded.readable else extractor.of_text(text_of(data))
            else:
                drafts = extractor.of_markdown(text_of(data))
            assert len({item.key for item in drafts}) == len(drafts)
            found.setdefault(date, {})[name] = drafts
    dates = sorted(found)
    phase = "/active_projects/performance_optimization/phases/phase_1"
    for date in dates:
        assert phase in {item.key for item in found[date]["agents/tasks.json"]}
    for old, new in pairwise(dates):
        before, after = found[old]["agents/tasks.json"], found[new]["agents/tasks.json"]
        assert len(removed(before, after)) <= 2
