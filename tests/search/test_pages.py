from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import ArchiveReadOnly, QueryError
from archive.model.search import Hit, NoteKind
from archive.query import parse, title_test
from tests.conftest import FixedClock, write_tree
from tests.search.conftest import Remember

SECRETS = ("hunter2-horse", "AKIAIOSFODNN7EXAMPLE", "tok-8f2b9c1d7e6a5b4c3d2e", "MIIEpAIBAAKCAQEA7bq")


def tasks(count: int, word: str = "lantern") -> bytes:
    return json.dumps({"tasks": [{"id": n, "title": f"{word} {n}", "text": word * (n % 3)} for n in range(count)]}).encode()


@pytest.mark.parametrize("options", [{}, {"history": True}, {"substring": True}, {"at": "latest"}])
def test_pages_go_on_where_the_one_before_ended_while_backups_go_on(
    archive: Archive, remember: Remember, options: dict[str, object]
) -> None:
    remember({"old.json": b"{}", "tasks.json": tasks(60)})
    whole = {hit.key for hit in archive.search("lantern", limit=1000, **options).items}  # type: ignore[arg-type]
    seen: list[Hit] = []
    cursor = None
    for turn in range(30):
        page = archive.search("lantern", limit=7, cursor=cursor, **options)  # type: ignore[arg-type]
        seen += page.items
        remember(
            {"tasks.json": tasks(40 - turn, "lantern" if turn % 2 else "lantern new"), f"{turn}.json": b'{"a": "lantern"}'}
        )
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == len(whole) == 60
    assert {hit.key for hit in seen} == whole


@pytest.mark.parametrize("cursor", ["", "x", "eJw", "☃", "A" * 5000])
def test_a_damaged_cursor_is_refused(sample: Archive, cursor: str) -> None:
    with pytest.raises(QueryError, match="damaged"):
        sample.search("memory", cursor=cursor)


def test_a_cursor_of_another_query_is_refused(sample: Archive) -> None:
    page = sample.search("memory", limit=1)
    assert page.cursor
    with pytest.raises(QueryError, match="another query"):
        sample.search("task", limit=1, cursor=page.cursor)


def test_more_matches_than_are_ranked_are_bounded_and_the_page_says_so(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.storage.fts.MAX_RANKED", 50)
    remember({"tasks.json": tasks(300), "old.json": b'{"title": "a lantern", "note": "lantern"}'})
    page = archive.search("lantern")
    assert (page.total, page.total_is_exact, len(page.items)) == (51, False, 20)
    assert [note.kind for note in page.notes] == [NoteKind.BOUNDED]
    for query in ("lantern", "path:tasks", "lantern path:tasks"):
        assert len(archive.search(query, limit=200).items) == 200  # a page is full where there is enough to fill it


@pytest.mark.parametrize("query", ["l*", "lantern l*", "title:l* lantern", "lantern -l*"])
def test_one_letter_is_a_word_itself_among_many_items_and_the_page_says_so(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    remember({"tasks.json": tasks(30), "other.json": b'{"title": "a lantern l", "note": "l lantern"}'})
    assert NoteKind.BOUNDED not in [note.kind for note in archive.search(query).notes]
    monkeypatch.setattr("archive.storage.fts._MANY_ITEMS", 20)
    page = archive.search(query)
    assert [note.kind for note in page.notes] == [NoteKind.BOUNDED]
    assert {hit.path for hit in page.items} == {"other.json" if "-" not in query else "tasks.json"}


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("loadJson", "load json"), ("loadJson", "the load_json"), ("2025-08-16", "on 2025-08-16T10:00"), ("3.04", "v3.04"),
        ("plan*", "planning it"), ('"big plan"', "a big plan"), ("café", "cafe"), ("cafe", "Café"), ("TASK-12", "task 12"),
        ("plan OR dream", "a dream"), ("ß", "STRAẞE ß"), ("記憶", "記憶の"), ("a -b", "a c"),
    ],
)  # fmt: skip
def test_a_title_that_has_all_the_words_is_never_thought_unable_to(
    archive: Archive, remember: Remember, query: str, title: str
) -> None:
    assert title_test(parse(query))(title)
    remember({"a.json": json.dumps({"title": title, "note": "x"}).encode(), "b.json": json.dumps({"note": title}).encode()})
    assert archive.search(query).items[0].path == "a.json"


def test_a_match_of_the_title_is_found_although_it_is_too_old_to_be_ranked(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.storage.fts.MAX_RANKED", 50)
    remember({"a.json": b'{"title": "the lantern of old", "note": "first"}'})
    later = json.dumps([{"id": n, "text": "a lantern"} for n in range(300)]).encode()
    remember({"a.json": b'{"title": "the lantern of old", "note": "first"}', "b.json": later})
    assert archive.search("lantern").items[0].path == "a.json"


def test_older_matches_of_titles_change_nothing_on_a_page_that_newer_ones_fill(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.storage.fts.MAX_RANKED", 50)
    old = json.dumps([{"id": n, "title": f"a lantern of old {n}"} for n in range(30)]).encode()
    remember({"old.json": old})
    new = [{"id": n, "title": f"lantern {'more ' * (n % 7)}{n}" if n % 2 else "x", "text": "a lantern"} for n in range(60)]
    remember({"old.json": old, "new.json": json.dumps(new).encode()})
    found = archive.search("lantern", limit=45)
    assert [hit.path for hit in found.items].index("old.json") > 20
    for limit in (1, 10, 20, 24, 25, 26, 40):  # the first of these ask for no older ones, the last do
        assert archive.search("lantern", limit=limit).items == found.items[:limit]


@pytest.mark.parametrize("query", ["lantern path:b", "lantern -path:b", "lantern path:a path:c", "lantern path:nowhere"])
def test_a_filter_finds_the_same_whether_items_are_listed_or_looked_at(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    remember({f"{name}.json": tasks(20) for name in "abc"})
    listed = archive.search(query)
    monkeypatch.setattr("archive.storage.fts._FEW_ITEMS", -1)
    monkeypatch.setattr("archive.storage.fts._ROWS_FOR_A_LOOK", 0)
    assert archive.search(query) == listed
    assert archive.search(query, history=True).items == listed.items


def test_what_could_only_be_indexed_as_text_is_said_by_the_backup_and_by_each_hit(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.extract.documents.MAX_LOAD_BYTES", 100)
    write_tree(root, {"large.json": json.dumps({"note": "the kettle " * 20}).encode(), "small.json": b'{"note": "the kettle"}'})
    result = archive.backup(root).index
    assert result is not None
    assert [(one.path, one.extent) for one in result.partly] == [("large.json", "raw")]
    assert "is indexed as text" in result.partly[0].note
    assert {hit.path: hit.extent for hit in archive.search("kettle").items} == {"large.json": "raw", "small.json": ""}
    write_tree(root, {"other.json": b"{}"})
    again = archive.backup(root).index
    assert again is not None
    assert again.partly == ()  # it was said when it was so


def test_what_waits_to_be_indexed_is_said_by_a_reader_and_indexed_first_by_a_writer(
    archive: Archive, remember: Remember, clock: FixedClock
) -> None:
    remember({"a.json": b'{"note": "the kettle"}'})
    archive._database.raw.execute("UPDATE _indexing SET version_id = 0, snapshot_id = 0")
    archive._database.raw.execute("DELETE FROM items")
    archive._database.raw.execute("INSERT INTO items_fts (items_fts) VALUES ('delete-all')")
    with Archive.open(archive.path, clock=clock) as reader:
        page = reader.search("kettle")
        assert not page.items
        assert NoteKind.NOT_INDEXED in {note.kind for note in page.notes}
        with pytest.raises(ArchiveReadOnly), reader._database.writing():
            pass
    page = archive.search("kettle")
    assert len(page.items) == 1
    assert not page.notes


def test_secrets_are_in_no_hit_and_cannot_be_found(archive: Archive, remember: Remember) -> None:
    settings = {
        "service": {"name": "mailer", "api_key": SECRETS[1], "password": SECRETS[0], "nested": {"token": SECRETS[2]}},
        "note": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRETS[3]}\n-----END RSA PRIVATE KEY-----",
    }
    readme = f"# Mailer\n\npassword: {SECRETS[0]}\n\nexport API_KEY={SECRETS[1]}\n"
    remember({"settings.json": json.dumps(settings).encode(), "README.md": readme.encode()})
    assert {hit.path for hit in archive.search("mailer").items} == {"settings.json", "README.md"}
    for options in ({}, {"history": True}, {"substring": True}, {"regex": True}):
        for secret in SECRETS:
            page = archive.search(secret, **options)  # type: ignore[arg-type]
            assert secret not in json.dumps(page.to_json()["items"])
            assert not [hit for hit in page.items if hit.snippet_spans and options]
        everything = archive.search("mailer OR password OR note OR name", limit=100).to_json()
        assert not [secret for secret in SECRETS if secret in json.dumps(everything)]
    assert not [state for state in archive.item_history("settings.json", "/service").states if SECRETS[0] in state.text]


def test_an_empty_archive_and_one_without_documents_find_nothing(archive: Archive, remember: Remember) -> None:
    remember({})
    page = archive.search("anything")
    assert (page.items, page.total, page.cursor) == ((), 0, None)
