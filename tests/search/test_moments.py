"""The search against a plain model: which items are alive in which snapshot, found by looking at all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import Archive
from archive.extract.documents import extract_document
from archive.extract.items import Extractor
from archive.extract.words import TOKEN
from archive.model.search import Hit
from tests.conftest import FixedClock, Tree, assert_sound, write_tree
from tests.search.conftest import Remember

WORDS = ("anchor", "beacon", "compass")
Name = tuple[str, str]  # path and key
Span = tuple[int, int, bool]  # first and last snapshot, whether current

records = st.builds(
    lambda number, word, more: {"id": number, "word": word, **({"more": more} if more else {})},
    st.integers(1, 4),
    st.sampled_from(WORDS),
    st.sampled_from(("", "beacon", "deep")),
)
contents = st.one_of(
    st.lists(records, max_size=5).map(lambda some: json.dumps({"records": some, "note": "anchor"}).encode()),
    st.lists(records, max_size=4).map(lambda some: "\n".join(map(json.dumps, some)).encode()),
    st.sampled_from([b'{"note": "compass", "cut', b"", b"# Beacon\n\nanchor\n\n## Compass\n\ndeep", b"null"]),
)
trees = st.dictionaries(st.sampled_from(["a.json", "b.jsonl", "c.md", "d/e.json"]), contents, max_size=4)


def items_in(tree: Tree) -> Iterator[tuple[Name, frozenset[str], tuple[str, ...]]]:
    """Yields each item's name, its words, and what makes it another state."""
    for path, data in tree.items():
        for draft in extract_document(path, data, Extractor()).drafts:
            texts = (draft.title, draft.text, draft.words)
            words = frozenset(TOKEN.findall(" ".join((*texts, draft.key)).lower()))
            yield (path, draft.key), words, texts


def names(hits: tuple[Hit, ...]) -> list[Name]:
    return sorted((hit.path, hit.key) for hit in hits)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(states=st.lists(trees, min_size=2, max_size=5))
def test_a_moment_has_exactly_the_items_alive_then_and_the_history_each_once_with_its_span(
    states: list[Tree], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("model")
    clock = FixedClock()
    with Archive.create(folder / "archive.db", clock=clock) as archive:
        ids = []
        (folder / "project").mkdir()
        for tree in states:
            write_tree(folder / "project", tree)
            snapshot = archive.backup(folder / "project").snapshot
            assert snapshot is not None
            ids.append(snapshot.id)
            clock.tick()
        for word in (*WORDS, "deep", "records"):
            for number, tree in zip(ids, states, strict=True):
                expected = sorted(name for name, words, _ in items_in(tree) if word in words)
                assert names(archive.search(word, at=str(number), limit=1000).items) == (
                    expected or names_of_longer(tree, word)
                )
            assert spans(archive, word) == expected_spans(states, ids, word)
        newest = archive.search("anchor OR beacon OR compass OR deep", limit=1000)
        assert names(newest.items) == sorted(name for name, words, _ in items_in(states[-1]) if words & {*WORDS, "deep"})
    assert_sound(folder / "archive.db")


def names_of_longer(tree: Tree, word: str) -> list[Name]:
    """What counts where no item has the word itself."""
    return sorted(name for name, words, _ in items_in(tree) if any(one.startswith(word) for one in words))


def spans(archive: Archive, word: str) -> dict[Name, Span]:
    hits = archive.search(f'"{word}"', history=True, limit=1000).items
    found = {(hit.path, hit.key): (hit.first_seen.snapshot, hit.last_seen.snapshot, hit.present) for hit in hits}
    assert len(found) == len(hits), "an item came twice"
    return found


def expected_spans(states: list[Tree], ids: list[int], word: str) -> dict[Name, Span]:
    found: dict[Name, Span] = {}
    for number, tree in zip(ids, states, strict=True):
        for name, words, _ in items_in(tree):
            if word in words:
                found[name] = (found.get(name, (number,))[0], number, number == ids[-1])
    return found


def test_the_states_of_one_item_are_one_hit_that_counts_them(archive: Archive, remember: Remember) -> None:
    for status in ("new", "begun", "done"):
        remember({"tasks.json": json.dumps({"tasks": [{"id": 7, "title": "paint the buoy", "status": status}]}).encode()})
    (hit,) = archive.search("buoy", history=True).items
    assert (hit.first_seen.snapshot, hit.last_seen.snapshot, hit.states, hit.present) == (1, 3, 3, True)
    assert "done" in hit.snippet


@pytest.mark.parametrize(("text", "options"), [("uoy", {"substring": True}), ("b.oy", {"regex": True}), ("buoy", {})])
def test_whatever_way_it_is_looked_for_an_item_is_one_hit_over_history_with_its_span(
    archive: Archive, remember: Remember, text: str, options: dict[str, Any]
) -> None:
    for status in ("new", "begun", "done"):
        tasks = [{"id": n, "title": f"paint buoy {n}", "status": status if n == 7 else "new"} for n in range(6, 10)]
        remember({"tasks.json": json.dumps({"tasks": tasks}).encode()})
    for limit in (1, 2, 10):
        hits: list[Hit] = []
        page = archive.search(text, history=True, limit=limit, **options)
        while True:
            hits += page.items
            if page.cursor is None:
                break
            page = archive.search(text, history=True, limit=limit, cursor=page.cursor, **options)
        spans = {hit.key: (hit.first_seen.snapshot, hit.last_seen.snapshot, hit.states, hit.present) for hit in hits}
        assert len(hits) == len(spans) == page.total == 4
        assert spans == {f"/tasks[id={n}]": (1, 3, 3 if n == 7 else 1, True) for n in range(6, 10)}


@pytest.mark.parametrize(("text", "options"), [("our_ch", {"substring": True}), ("har.*ch", {"regex": True}), ("harbour", {})])
def test_what_holds_nothing_but_objects_is_found_by_its_name_in_theirs(
    archive: Archive, remember: Remember, text: str, options: dict[str, Any]
) -> None:
    remember({"a.json": b'{"harbour_chart": {"inner": {"note": "deep"}}}'})
    (hit,) = archive.search(text, **options).items
    assert hit.pointer == "/harbour_chart/inner"
    assert [hit.place[start:end] for start, end in hit.place_spans]


def test_a_time_bounds_what_came_to_be_as_it_is(archive: Archive, remember: Remember, clock: FixedClock) -> None:
    begin = clock.now().isoformat()
    remember({"a.json": b'{"note": "the kettle"}'})
    remember({"a.json": b'{"note": "the kettle"}', "b.json": b'{"note": "the kettle"}'})
    assert [hit.path for hit in archive.search("kettle", since="2").items] == ["b.json"]
    assert [hit.path for hit in archive.search("kettle", until="1").items] == ["a.json"]
    assert archive.search("kettle", since=begin).total == 2
    assert archive.search("kettle", until="2000-01-01").total == 0


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "today"])
def test_a_day_or_a_minute_is_wholly_within_since_and_until(
    archive: Archive, remember: Remember, clock: FixedClock, form: str
) -> None:
    remember({"a.json": b'{"note": "the kettle"}'})
    named = archive.snapshot().created_at.astimezone(clock.localize(clock.now().replace(tzinfo=None)).tzinfo).strftime(form)
    assert archive.search("kettle", since=named).total == 1
    assert archive.search("kettle", until=named).total == 1
    assert archive.search("kettle", since=named, until=named).total == 1


def test_filters_of_documents_are_met(archive: Archive, remember: Remember) -> None:
    remember({f"{folder}/{name}": b"kettle" for folder in ("one", "two") for name in ("a.md", "b.txt", "tasks.json")})
    assert {hit.path for hit in archive.search("kettle", kind="markdown").items} == {"one/a.md", "two/a.md"}
    assert {hit.path for hit in archive.search("kettle", path="one/*").items} == {"one/a.md", "one/b.txt", "one/tasks.json"}
    assert {hit.path for hit in archive.search("kettle path:two", path="*.md").items} == {"two/a.md"}
    assert {hit.path for hit in archive.search("kettle", category="tasks").items} == {"one/tasks.json", "two/tasks.json"}
    assert {hit.path for hit in archive.search("kettle -path:one", category="tasks", history=True).items} == {"two/tasks.json"}
    assert archive.search("kettle", path="nowhere").total == 0


def test_each_source_is_searched_by_itself(db_path: Path, tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_tree(tmp_path / name, {"a.json": f'{{"note": "kettle of the {name}"}}'.encode()})
    with Archive.create(db_path) as archive:
        archive.backup(tmp_path / "north")
        archive.backup(tmp_path / "south")
    for name in ("north", "south"):
        with Archive.open(db_path, mode="write", source=name) as archive:
            for options in (dict[str, Any](), {"history": True}, {"at": "latest"}, {"substring": True}):
                (hit,) = archive.search("kettle", **options).items
                assert name in hit.snippet
