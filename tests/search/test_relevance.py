from __future__ import annotations

import json

import pytest

from archive import Archive
from archive.model.search import Hit, NoteKind
from tests.conftest import Tree
from tests.search.conftest import Remember
from tests.search.project import JUDGED


def is_expected(hit: Hit, path: str, mark: str) -> bool:
    if hit.path != path:
        return False
    return hit.key == "" if not mark else hit.key.endswith(mark) or mark in f"{hit.title}\n{hit.snippet}"


def rank_of(archive: Archive, query: str, path: str, mark: str) -> int | None:
    hits = archive.search(query).items
    return next((rank for rank, hit in enumerate(hits, 1) if is_expected(hit, path, mark)), None)


def test_what_people_look_for_is_among_the_first_three_hits_in_nine_of_ten_queries(sample: Archive) -> None:
    assert len({query for query, _, _ in JUDGED}) == len(JUDGED) >= 40
    missed = {query: rank for query, *expected in JUDGED if (rank := rank_of(sample, query, *expected)) is None or rank > 3}
    assert len(missed) <= len(JUDGED) // 10, missed


@pytest.mark.parametrize(
    ("query", "path", "mark"),
    [("deployment", "agents/tasks.json", "/zero_downtime"), ("memory leak", "agents/memory.json", "[id=s-2025-08-16]")],
)
def test_blocks_that_explain_a_file_come_behind_what_it_holds(sample: Archive, query: str, path: str, mark: str) -> None:
    hits = sample.search(query).items
    assert is_expected(hits[0], path, mark)
    explaining = [number for number, hit in enumerate(hits) if hit.key.startswith(("/schema", "/instructions"))]
    real = [number for number, hit in enumerate(hits) if number not in explaining]
    assert all(number > max(real) for number in explaining) or not explaining


@pytest.mark.parametrize("limit", [1, 5, 100])
def test_however_well_a_block_about_the_file_fits_all_that_the_file_holds_comes_before_it(
    archive: Archive, remember: Remember, limit: int
) -> None:
    about = {"title": "deployment", "deployment": "deployment deployment deployment"}
    real = [{"id": n, "notes": "words " * 60 + "deployment " + "words " * n} for n in range(30)]
    blocks = [{"schema": {f"part{n}": about for n in range(40)}, "instructions": about} for _ in range(3)]
    tree: Tree = {f"{n}.json": json.dumps(block).encode() for n, block in enumerate(blocks)}
    remember({**tree, "real.json": json.dumps(real).encode()})
    paths: list[str] = []
    page = archive.search("deployment", limit=limit)
    while len(paths) < 30:
        paths += [hit.path for hit in page.items]
        page = archive.search("deployment", limit=limit, cursor=page.cursor)
    assert set(paths[:30]) == {"real.json"}


def test_a_match_of_the_title_comes_before_any_match_of_the_text(archive: Archive, remember: Remember) -> None:
    body = ", ".join(f'{{"id": {n}, "title": "other {n}", "text": "{"lantern " * n}"}}' for n in range(1, 30))
    padding = "words " * 300
    titled = f'{{"id": 99, "title": "a lantern among many other things", "text": "{padding}"}}'
    remember({"a.json": f"[{body}, {titled}]".encode()})
    assert archive.search("lantern").items[0].key == "[id=99]"


def test_what_is_found_by_the_names_around_it_has_them_marked(archive: Archive, remember: Remember) -> None:
    remember({"a.json": b'{"harbour": {"tideTables": {"note": "high at noon"}}}', "b.md": b"# Harbour\n\n## Boats\n\nsix\n"})
    marks = {
        (hit.path, hit.place[start:end]) for word in ("harbour", "tide") for hit in archive.search(word).items
        for start, end in hit.place_spans
    }  # fmt: skip
    assert marks >= {("a.json", "harbour"), ("a.json", "tide"), ("b.md", "Harbour")}


def test_words_of_a_title_and_of_a_long_text_below_it_are_found_together(archive: Archive, remember: Remember) -> None:
    task = {"id": 7, "title": "Chart the harbour", "details": "deep water " * 900 + "zanzibar", "status": "pending"}
    remember({"tasks.json": json.dumps({"tasks": [task]}).encode()})
    for query in ("harbour zanzibar", "zanzibar chart", "harbour pending"):
        page = archive.search(query)
        assert page.items, query
        assert not page.notes
    assert archive.search("harbour").items[0].pointer == "/tasks/0"


def test_of_equal_matches_the_newer_comes_first(archive: Archive, remember: Remember) -> None:
    remember({"b.json": b'{"note": "the kettle"}'})
    remember({"b.json": b'{"note": "the kettle"}', "a.json": b'{"note": "the kettle"}'})
    remember({"b.json": b'{"note": "the kettle"}', "a.json": b'{"note": "the kettle"}', "c.json": b'{"note": "the kettle"}'})
    assert [hit.path for hit in archive.search("kettle").items] == ["c.json", "a.json", "b.json"]


def test_where_not_all_words_are_found_any_of_them_counts_and_the_page_says_so(sample: Archive) -> None:
    page = sample.search("certificates quokka")
    assert page.items[0].key.endswith("/nginx")
    assert [note.kind for note in page.notes] == [NoteKind.RELAXED]


def test_the_last_word_may_be_the_beginning_of_one_where_nothing_else_is_found(sample: Archive) -> None:
    page = sample.search("certificates ren")
    assert page.items[0].key.endswith("/nginx")
    assert [note.kind for note in page.notes] == [NoteKind.RELAXED]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("deploymnet", "deployment"), ("certifcates", "certificates"), ("quaternoin", "quaternion"), ("postgers", "postgres")],
)
def test_where_nothing_is_found_near_spellings_are_proposed_that_find_something(
    sample: Archive, typed: str, meant: str
) -> None:
    page = sample.search(typed)
    assert not page.items
    (note,) = page.notes
    assert note.kind is NoteKind.DID_YOU_MEAN
    assert note.suggestions[0] == meant
    assert all(sample.search(suggestion).items for suggestion in note.suggestions)


def test_what_is_no_more_is_not_proposed_to_be_misspelt_but_said_to_be_past(archive: Archive, remember: Remember) -> None:
    remember({"a.json": b'{"note": "the kettle"}'})
    remember({"a.json": b'{"note": "the teapot"}'})
    (note,) = archive.search("kettle").notes
    assert note.kind is NoteKind.PAST
    assert archive.search("kettle", history=True).total == 1


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Søren", "soren"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Æther", "aether"),
        ("ışık", "isik"),
        ("Đorđe", "dorde"),
        ("Ελλάδα", "ελλαδα"),
        ("ἄνθρωπος", "ανθρωπος"),
        ("ёлка", "елка"),
        ("ﬁle", "file"),
        ("żółć", "zolc"),
        ("Ærø", "aero"),
    ],
)
def test_letters_with_strokes_and_ligatures_are_found_as_people_type_them(
    archive: Archive, remember: Remember, text: str, typed: str
) -> None:
    remember({"a.json": json.dumps({"note": f"by {text}, with care", text: 1}).encode(), "b.md": f"# {text}\n".encode()})
    for query in (typed, text, text.upper()):
        assert {hit.path for hit in archive.search(query).items} == {"a.json", "b.md"}, query
