from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import Archive, MemoryServer, MemorySettings, Rules
from archive.errors import NotFound, SnapshotNotFound, UsageError
from archive.memory import MemoryRequest, load_memory
from archive.model.memory import Memory, MemoryDocument, MemorySource, TroubleKind
from archive.storage.connection import Database
from tests.conftest import FixedClock, Tree, write_tree
from tests.memory.conftest import GRAPH, LINES, graph_file, server

GRAPH_PATH = ".archive/mcp/memory.jsonl"
TASKS = {"tasks": [{"id": number, "title": "x"} for number in range(10)]}
GOOD = json.dumps(TASKS).encode()
LATER = json.dumps({"tasks": [*TASKS["tasks"], {"id": 11, "title": "y"}]}).encode()

Write = Callable[[Tree], None]


def main(memory: Memory, name: str = "tasks") -> MemoryDocument:
    document = memory[name].main
    assert document is not None
    return document


def troubles(document: MemoryDocument) -> list[tuple[str, str]]:
    return [(trouble.source.value, trouble.kind.value) for trouble in document.troubles]


@pytest.mark.parametrize("is_archived", [False, True], ids=["before the next backup", "after it"])
@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (None, "missing"),
        (b"", "empty"),
        (b" \n", "empty"),
        (GOOD[:-20], "torn"),
        (GOOD + GOOD, "torn"),
        (b"\0" * 100, "torn"),
        (b"<<<<<<< HEAD\n" + GOOD + b"\n=======\n{}\n>>>>>>> other\n", "conflict_markers"),
        (GOOD.replace(b"x", b"\xff"), "not_utf8"),
        (json.dumps(TASKS).encode("utf-16"), "not_utf8"),
        (json.dumps(TASKS).encode("utf-16-le"), "not_utf8"),
        (GOOD[:-1] + b', "tasks": []}', "duplicate_keys"),
        (b'{"tasks": [{"id": 1, "title": "x"}]}', "shrunken"),
        (b"{}", "shrunken"),
        (b"null", "shrunken"),
    ],
    ids=lambda value: "-" if isinstance(value, bytes) else str(value),
)
def test_a_broken_file_is_passed_over_for_the_last_reliable_version_and_it_is_said_why(
    archive: Archive, root: Path, write: Write, clock: FixedClock, broken: bytes | None, kind: str, is_archived: bool
) -> None:
    write({"agents/tasks.json": GOOD})
    archive.backup(root)
    clock.tick(hours=1)
    write({} if broken is None else {"agents/tasks.json": broken})
    if is_archived:
        archive.backup(root)
    found = main(archive.load_memory())
    if is_archived and kind == "shrunken":
        # It was backed up, with an alarm; from then on it is what the document is, and the alarm stands.
        assert (found.source, found.valid, troubles(found)) == (MemorySource.FILES, True, [("files", "shrunken")])
        assert found.troubles[0].message.endswith("left; the alarm still stands")
        assert troubles(main(archive.load_memory(at="latest"))) == [("archive", "shrunken")]
        write({"agents/tasks.json": broken + b" "} if broken else {})
        assert main(archive.load_memory()).troubles == ()
        return
    assert (found.source, found.valid, found.snapshot) == (MemorySource.ARCHIVE, True, 1)
    assert found.content == TASKS
    assert troubles(found)[0] == ("files", kind)
    assert all(trouble.message and trouble.message[0].islower() for trouble in found.troubles)


def test_where_something_has_to_stand_in_a_version_about_which_an_alarm_stands_comes_last(
    archive: Archive, root: Path, write: Write
) -> None:
    write({"agents/tasks.json": GOOD})
    archive.backup(root)
    write({"agents/tasks.json": b"{}"})
    archive.backup(root)
    write({"agents/tasks.json": b'{"tasks": ['})
    found = main(archive.load_memory())
    assert (found.source, found.snapshot, found.content, found.valid) == (MemorySource.ARCHIVE, 1, TASKS, True)
    assert troubles(found) == [("files", "torn"), ("archive", "shrunken")]
    assert found.troubles[1].message.endswith("left; the alarm still stands")
    assert main(archive.load_memory(source="archive")).content == TASKS
    assert main(archive.load_memory(at="latest")).content == {}  # of a moment it is what there was
    archive.backup(root)
    later = main(archive.load_memory())
    assert (later.snapshot, later.content) == (1, TASKS)
    assert [trouble.message for trouble in later.troubles if trouble.kind.value == "shrunken"] == [
        "version 2: lost most of itself, none of 20 values left"
    ]


def test_a_version_with_an_alarm_is_given_where_it_is_all_there_is(
    archive: Archive, root: Path, write: Write, damaged_on_purpose: None
) -> None:
    write({"agents/tasks.json": GOOD})
    archive.backup(root)
    write({"agents/tasks.json": b"{}"})
    archive.backup(root)
    with archive._database.writing() as connection:
        connection.execute("UPDATE versions SET parse_state = 'invalid', parse_error = 'torn: x' WHERE number = 1")
    (root / "agents/tasks.json").unlink()
    found = main(archive.load_memory())
    assert (found.content, found.valid) == ({}, True)
    assert troubles(found) == [("files", "missing"), ("archive", "shrunken")]


def test_a_folder_in_the_place_of_a_file_is_told_from_a_file_that_is_missing(
    archive: Archive, root: Path, write: Write
) -> None:
    write({"agents/tasks.json": GOOD})
    archive.backup(root)
    (root / "agents/tasks.json").unlink()
    (root / "agents/tasks.json").mkdir()
    found = main(archive.load_memory())
    assert (found.source, troubles(found)) == (MemorySource.ARCHIVE, [("files", "unreadable")])
    assert found.troubles[0].message == "a folder is in its place"


@pytest.mark.parametrize(
    ("lenient", "value"),
    [
        (b"\xef\xbb\xbf" + GOOD, TASKS),
        (b"// tasks\n" + GOOD, TASKS),
        (GOOD[:-1] + b",}", TASKS),
    ],
)
def test_what_deviates_and_can_be_read_whole_is_as_good_as_any(
    archive: Archive, root: Path, write: Write, lenient: bytes, value: object
) -> None:
    write({"tasks.json": GOOD})
    archive.backup(root)
    write({"tasks.json": lenient})
    found = main(archive.load_memory())
    assert (found.source, found.valid, found.content, found.troubles) == (MemorySource.FILES, True, value, ())


def test_a_file_that_is_well_is_given_with_the_snapshot_that_has_it_or_none(
    archive: Archive, root: Path, write: Write, clock: FixedClock
) -> None:
    write({"tasks.json": GOOD})
    os.utime(root / "tasks.json", (clock.now().timestamp() - 90,) * 2)
    archive.backup(root)
    found = main(archive.load_memory())
    assert (found.source, found.snapshot, found.label, found.age_s) == (MemorySource.FILES, 1, "20260102_030405", 90.0)
    write({"tasks.json": LATER})
    found = main(archive.load_memory())
    assert (found.source, found.snapshot, found.label, found.content) == (MemorySource.FILES, None, None, json.loads(LATER))


def test_where_nothing_is_well_what_can_be_read_is_given_as_not_valid(archive: Archive, root: Path, write: Write) -> None:
    write({"tasks.json": GOOD + b"{", "styles.json": b"{", "memory": b'{"a": 1}\n{"b'})
    archive.backup(root)
    memory = archive.load_memory()
    assert (main(memory).source, main(memory).valid, main(memory).content) == (MemorySource.FILES, False, TASKS)
    assert troubles(main(memory)) == [("files", "torn"), ("archive", "torn")]
    assert (main(memory, "styles").source, main(memory, "styles").content) == (MemorySource.NONE, None)
    assert main(memory, "memory").content == [{"a": 1}]
    assert not memory.is_whole


def test_the_newest_reliable_version_is_taken_however_many_broken_ones_follow(
    archive: Archive, root: Path, write: Write
) -> None:
    for content in (GOOD, LATER, LATER[:9], b"", LATER[:5] + b"\n<<<<<<< x", b'{"a": 1, "a": 2}'):
        write({"tasks.json": content})
        archive.backup(root)
    found = main(archive.load_memory())
    assert (found.snapshot, found.content) == (2, json.loads(LATER))


def test_a_reliable_version_that_the_archive_lost_is_passed_over_for_an_older_one(
    archive: Archive, root: Path, write: Write, db_path: Path, damaged_on_purpose: None
) -> None:
    for content in (GOOD, None, LATER, b"["):
        # Removed in between, so that the first content stands alone and not on the second.
        write({} if content is None else {"tasks.json": content})
        archive.backup(root)
    database = Database(db_path, writable=True)
    with database.writing() as connection:
        connection.execute("UPDATE deltas SET data = x'00' WHERE blob_id = (SELECT blob_id FROM versions WHERE number = 2)")
    database.close()
    found = main(archive.load_memory())
    assert troubles(found) == [("files", "torn"), ("archive", "corrupt")]
    assert (found.snapshot, found.content, found.valid) == (1, TASKS, True)


def test_the_past_comes_from_the_archive_alone(archive: Archive, root: Path, write: Write, clock: FixedClock) -> None:
    for content in (GOOD, b"{", LATER):
        write({"tasks.json": content})
        os.utime(root / "tasks.json", (clock.now().timestamp() - 60,) * 2)
        archive.backup(root)
        clock.tick(days=1)
    shutil.rmtree(root)
    then = archive.load_memory(at="1")
    assert (then.snapshot, main(then).content, main(then).age_s, main(then).troubles) == (1, TASKS, 60.0, ())
    torn = archive.load_memory(at="2")
    assert (torn.snapshot, main(torn).snapshot, main(torn).content) == (2, 1, TASKS)
    assert troubles(main(torn)) == []
    assert main(archive.load_memory(at="latest")).content == json.loads(LATER)
    with pytest.raises(SnapshotNotFound):
        archive.load_memory(at="7")


def test_all_that_was_removed_with_one_backup_is_still_remembered(archive: Archive, root: Path, write: Write) -> None:
    write({"agents/tasks.json": GOOD, "agents/styles.json": GOOD, "old/styles.json": GOOD, "a.md": b"#"})
    archive.backup(root)
    write({"agents/tasks.json": GOOD, "agents/styles.json": GOOD, "a.md": b"#"})
    archive.backup(root)
    write({"a.md": b"#"})
    archive.backup(root)
    memory = archive.load_memory()
    assert [category.name for category in memory.categories] == ["styles", "tasks"]
    assert [document.path for document in memory["styles"].documents] == ["agents/styles.json"]
    assert main(memory).troubles[0].message == "it was gone in snapshot 3"
    assert (main(memory).source, main(memory).content) == (MemorySource.ARCHIVE, TASKS)


def test_a_document_speaks_for_its_category_by_its_place_and_not_by_its_health(
    archive: Archive, root: Path, write: Write
) -> None:
    write({"agents/tasks.json": GOOD + b"{", "agents/backup/tasks.json": LATER, "agents/tasks.md": b"# x"})
    memory = archive.load_memory(root)
    assert [document.path for document in memory["tasks"].documents] == ["agents/tasks.json", "agents/backup/tasks.json"]
    assert not memory["tasks"].valid


def test_prose_and_other_data_are_given_only_on_demand(archive: Archive, root: Path, write: Write) -> None:
    write({"tasks.json": GOOD, "a.md": b"# A", "b.json": b"1", "settings.yaml": b"a: 1"})
    assert [category.name for category in archive.load_memory(root).categories] == ["tasks"]
    memory = archive.load_memory(root, categories=["docs", "data", "styles"])
    assert [(each.name, each.content) for each in memory.categories] == [("data", 1), ("docs", "# A"), ("styles", None)]
    assert memory["styles"].documents == ()
    with pytest.raises(NotFound, match="no category tasks"):
        _ = memory["tasks"]


def test_files_that_may_not_be_taken_in_are_named(archive: Archive, root: Path, write: Write) -> None:
    write({"tasks.json": GOOD, "styles.json": GOOD})
    archive.backup(root)
    (root / "tasks.json").unlink()
    (root / "tasks.json").symlink_to("styles.json")
    (root / "styles.json").unlink()
    (root / "styles.json").mkdir()
    memory = archive.load_memory()
    assert troubles(main(memory)) == [("files", "unreadable")]
    assert troubles(main(memory, "styles")) == [("files", "unreadable")]
    assert main(memory).content == main(memory, "styles").content == TASKS


def test_without_the_project_s_folder_the_archive_gives_all(archive: Archive, root: Path, write: Write) -> None:
    write({"tasks.json": GOOD})
    archive.backup(root)
    shutil.rmtree(root)
    memory = archive.load_memory()
    assert [(trouble.source, trouble.kind) for trouble in memory.troubles] == [(MemorySource.FILES, TroubleKind.UNREADABLE)]
    assert (main(memory).source, main(memory).content) == (MemorySource.ARCHIVE, TASKS)


def test_without_an_archive_the_files_give_what_they_can(root: Path, write: Write, clock: FixedClock) -> None:
    write({"tasks.json": GOOD, "styles.json": b"{"})
    memory = load_memory(None, None, MemoryRequest(root=root, rules=Rules()), clock)
    assert (main(memory).valid, main(memory, "styles").valid, memory.snapshot) == (True, False, None)


def test_an_empty_archive_is_no_obstacle(archive: Archive, root: Path, write: Write) -> None:
    assert archive.load_memory().categories == ()
    write({"tasks.json": GOOD})
    assert main(archive.load_memory(root)).content == TASKS


@pytest.mark.parametrize("source", ["files", "archive"])
def test_one_source_alone_can_be_asked(archive: Archive, root: Path, write: Write, source: str) -> None:
    write({"tasks.json": GOOD})
    archive.backup(root)
    write({"tasks.json": LATER[:-1], "styles.json": GOOD})
    memory = archive.load_memory(source=source)
    if source == "archive":
        assert [category.name for category in memory.categories] == ["tasks"]
        assert (main(memory).source, main(memory).valid, main(memory).troubles) == (MemorySource.ARCHIVE, True, ())
    else:
        assert (main(memory).source, main(memory).valid) == (MemorySource.NONE, False)
        assert main(memory, "styles").valid


@pytest.mark.parametrize(
    "wish",
    [
        {"source": "nowhere"},
        {"source": "mcp"},
        {"source": "mcp", "settings": MemorySettings(server=MemoryServer(file="x"))},
        {"source": "files", "at": "1"},
        {"categories": "tasks"},
    ],
)
def test_wishes_that_make_no_sense_are_refused(archive: Archive, root: Path, wish: dict[str, object]) -> None:
    archive.backup(root)
    with pytest.raises(UsageError):
        archive.load_memory(**wish)  # type: ignore[arg-type]


# --- the graph of a server -----------------------------------------------------------------------------------------


@pytest.fixture
def live(tmp_path: Path) -> MemorySettings:
    pytest.importorskip("mcp")
    return MemorySettings(server=server("good", graph_file(tmp_path / "graph.json")))


def records() -> list[object]:
    return [json.loads(line) for line in LINES.splitlines()]


def test_the_server_speaks_for_the_memory_and_the_files_for_the_rest(
    archive: Archive, root: Path, write: Write, live: MemorySettings
) -> None:
    write({"memory.json": GOOD, "tasks.json": GOOD})
    memory = archive.load_memory(root, settings=live)
    assert [document.path for document in memory["memory"].documents] == [GRAPH_PATH, "memory.json"]
    found = main(memory, "memory")
    assert (found.source, found.valid, found.age_s, found.content) == (MemorySource.MCP, True, 0.0, records())
    assert main(memory).source is MemorySource.FILES
    alone = archive.load_memory(root, settings=live, source="mcp")
    assert [document.path for category in alone.categories for document in category.documents] == [GRAPH_PATH]


@pytest.mark.parametrize(("mode", "kind"), [("die", "unreachable"), ("hang", "timeout"), ("prose", "garbage")])
def test_where_the_server_fails_its_file_and_then_the_archive_stand_in(
    archive: Archive, root: Path, live: MemorySettings, clock: FixedClock, mode: str, kind: str
) -> None:
    archive.backup(root, memory=live)
    clock.tick(minutes=5)
    (root / "stored.jsonl").write_bytes(LINES)
    one = server(mode, file="stored.jsonl", timeout_s=0.4 if mode == "hang" else 5)
    found = main(archive.load_memory(settings=MemorySettings(server=one)), "memory")
    assert (found.source, found.content, troubles(found)) == (MemorySource.FILES, records(), [("mcp", kind)])
    (root / "stored.jsonl").write_bytes(LINES[:-3])
    found = main(archive.load_memory(settings=MemorySettings(server=one)), "memory")
    assert (found.source, found.content, found.age_s) == (MemorySource.ARCHIVE, records(), 300.0)
    assert troubles(found) == [("mcp", kind), ("files", "torn")]


def test_a_server_that_forgot_nearly_everything_is_not_believed(
    archive: Archive, root: Path, live: MemorySettings, tmp_path: Path
) -> None:
    archive.backup(root, memory=live)
    graph_file(tmp_path / "graph.json", {"entities": GRAPH["entities"][:1], "relations": []})
    found = main(archive.load_memory(settings=live), "memory")
    assert (found.source, found.content, troubles(found)) == (MemorySource.ARCHIVE, records(), [("mcp", "shrunken")])


def test_a_server_that_knows_nothing_yet_is_well(archive: Archive, root: Path) -> None:
    pytest.importorskip("mcp")
    found = main(archive.load_memory(root, settings=MemorySettings(server=server("good"))), "memory")
    assert (found.source, found.valid, found.content) == (MemorySource.MCP, True, [])


def test_a_server_that_never_answered_does_not_vanish_from_the_memory(archive: Archive, root: Path) -> None:
    pytest.importorskip("mcp")
    found = main(archive.load_memory(root, settings=MemorySettings(server=server("die"))), "memory")
    assert (found.source, found.valid, found.content, troubles(found)) == (
        MemorySource.NONE, False, None, [("mcp", "unreachable")],
    )  # fmt: skip


def test_the_graph_has_a_past(archive: Archive, root: Path, live: MemorySettings, tmp_path: Path) -> None:
    archive.backup(root, memory=live)
    graph_file(tmp_path / "graph.json", {"entities": [], "relations": []})
    archive.backup(root, memory=live)
    assert main(archive.load_memory(at="1", settings=live), "memory").content == records()
    assert main(archive.load_memory(at="2"), "memory").content == []


# --- any history at all --------------------------------------------------------------------------------------------

contents = st.sampled_from([GOOD, LATER, b"", GOOD[:30], b"{}", b'{"a": 1, "a": 2}', b"\xff", None])


@given(st.lists(contents, max_size=5), contents)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_after_any_history_a_valid_content_is_given_if_there_ever_was_one(
    tmp_path_factory: pytest.TempPathFactory, history: list[bytes | None], last: bytes | None
) -> None:
    folder = tmp_path_factory.mktemp("history")
    root = folder / "project"
    root.mkdir()
    with Archive.create(folder / "archive.db") as archive:
        for content in history:
            write_tree(root, {} if content is None else {"tasks.json": content})
            archive.backup(root)
        write_tree(root, {} if last is None else {"tasks.json": last})
        memory = archive.load_memory(root)
    seen = [*history, last]
    reliable = [content for content in seen if content in (GOOD, LATER, b"{}")]
    if not any(content is not None for content in seen):
        assert memory.categories == ()
        return
    found = main(memory)
    assert found.valid == bool(reliable)
    if found.valid:
        assert found.content in [json.loads(content) for content in reliable if content is not None]
        newest = reliable[-1]
        # The newest reliable content, unless it lost most of what the last snapshot holds.
        if newest != b"{}":
            assert newest is not None
            assert found.content == json.loads(newest)
    elif found.content is not None:
        assert found.troubles
