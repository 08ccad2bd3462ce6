"""What a backup does with the graph of a memory server, and when it raises the alarm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archive import Archive, MemoryServer, MemorySettings
from archive.errors import DocumentNotFound
from archive.model.documents import Change, Kind
from archive.model.restore import Action, Overwrite
from archive.model.snapshots import ProblemKind, Severity
from archive.rules import VIRTUAL_PREFIX, Rules
from tests.conftest import FixedClock, Tree, read_tree, write_tree
from tests.memory.conftest import GRAPH, LINES, graph_file, server

PATH = ".archive/mcp/memory.jsonl"
TEN = json.dumps({"tasks": [{"id": number, "title": "x"} for number in range(10)]}).encode()
TWO = json.dumps({"tasks": [{"id": number, "title": "x"} for number in range(2)]}).encode()


def problems(found: object) -> list[tuple[str, str, str]]:
    assert isinstance(found, tuple)
    return [(each.path, each.kind.value, each.message) for each in found]


@pytest.fixture
def settings(tmp_path: Path) -> MemorySettings:
    """A server whose graph is in a file that tests may change."""
    pytest.importorskip("mcp")
    return MemorySettings(server=server("good", graph_file(tmp_path / "graph.json")))


@pytest.fixture
def silent() -> MemorySettings:
    """A server that goes away."""
    pytest.importorskip("mcp")
    return MemorySettings(server=server("die"))


def test_the_real_server_s_graph_is_a_document_with_history(
    archive: Archive, root: Path, clock: FixedClock, real_server: MemoryServer, tmp_path: Path
) -> None:
    settings = MemorySettings(server=real_server)
    first = archive.backup(root, memory=settings)
    assert (first.added, first.problems, first.is_complete) == ((PATH,), (), True)
    assert archive.read(PATH) == LINES
    clock.tick()
    second = archive.backup(root, memory=settings, only_if_changed=True)
    assert not second.created
    (tmp_path / "stored.jsonl").write_bytes(LINES.splitlines()[0])
    third = archive.backup(root, memory=settings)
    assert third.changed == (PATH,)
    assert problems(third.problems) == [(PATH, "suspicious", "shrunken: lost most of itself, 1 of 3 records left")]
    assert archive.read(PATH, at="1") == LINES
    assert [version.change for version in archive.history(PATH).versions] == [Change.ADDED, Change.MODIFIED]


def test_the_graph_is_a_document_like_any_other(archive: Archive, root: Path, settings: MemorySettings) -> None:
    write_tree(root, {"a.json": b"{}"})
    archive.backup(root, memory=settings)
    (document,) = archive.documents(patterns=[PATH])
    assert (document.kind, document.category, document.mode) == (Kind.JSONL, "memory", 0o600)
    assert archive.read_value(PATH, "/0/name") == "Aino"
    assert archive.diff("1", "1").files == ()
    assert [hit.path for hit in archive.search("draws maps").items] == [PATH]


def test_a_file_with_the_same_bytes_is_the_same_content(archive: Archive, root: Path, settings: MemorySettings) -> None:
    write_tree(root, {"memory.jsonl": LINES})
    archive.backup(root, memory=settings)
    stats = archive.stats()
    assert len({document.hash for document in archive.documents()}) == 1
    assert stats.blobs == 1


def test_without_an_answer_the_graph_stays_as_it_was_and_the_snapshot_is_incomplete(
    archive: Archive, root: Path, settings: MemorySettings, silent: MemorySettings
) -> None:
    archive.backup(root, memory=settings)
    result = archive.backup(root, memory=silent)
    assert not result.is_complete
    assert problems(result.problems) == [
        (PATH, "unreadable", "unreachable: went away before it answered; it said: out of memory")
    ]
    assert (result.changed, result.touched, result.removed) == ((), (), ())
    assert archive.read(PATH) == LINES
    assert archive.backup(root, memory=settings).problems == ()


def test_a_server_that_never_answered_leaves_no_document(archive: Archive, root: Path, silent: MemorySettings) -> None:
    result = archive.backup(root, memory=silent)
    assert [problem.kind for problem in result.problems] == [ProblemKind.UNREADABLE]
    assert archive.documents() == ()


def test_a_backup_that_does_not_ask_leaves_the_graph_as_it_was(archive: Archive, root: Path, settings: MemorySettings) -> None:
    archive.backup(root, memory=settings)
    result = archive.backup(root)
    assert (result.removed, result.problems, result.unchanged) == ((), (), 1)
    assert archive.read(PATH) == LINES


def test_where_the_server_is_silent_its_file_gives_the_same_document(
    archive: Archive, root: Path, clock: FixedClock, settings: MemorySettings
) -> None:
    archive.backup(root, memory=settings)
    clock.tick()
    disordered = [dict(reversed(json.loads(line).items())) for line in reversed(LINES.splitlines()[:2])]
    text = "\n".join(json.dumps(each) for each in [json.loads(LINES.splitlines()[2]), *reversed(disordered)])
    (root.parent / "stored.jsonl").write_text(text)
    result = archive.backup(root, memory=MemorySettings(server=server("die", file="../stored.jsonl")))
    assert (result.changed, result.touched) == ((), ())
    assert [problem.message for problem in result.problems] == [
        "unreachable: went away before it answered; it said: out of memory; taken from ../stored.jsonl"
    ]


def test_a_torn_file_of_the_server_is_not_taken_for_its_graph(archive: Archive, root: Path, settings: MemorySettings) -> None:
    archive.backup(root, memory=settings)
    (root / "stored.jsonl").write_bytes(LINES[:-5])
    result = archive.backup(root, memory=MemorySettings(server=MemoryServer(file="stored.jsonl")))
    found = {each.kind: each for each in result.problems if each.path == PATH}
    assert found[ProblemKind.UNREADABLE].message.startswith("torn: stored.jsonl: ends inside ")
    assert archive.read(PATH) == LINES


def test_a_dry_run_asks_the_server_and_writes_nothing(archive: Archive, root: Path, settings: MemorySettings) -> None:
    result = archive.backup(root, memory=settings, dry_run=True)
    assert result.added == (PATH,)
    assert archive.snapshots() == ()


@pytest.mark.parametrize("rules", [Rules(), Rules(default_excludes=False, include=("*",)), Rules(exclude=("!.archive",))])
def test_no_file_can_take_the_place_of_the_graph(archive: Archive, root: Path, settings: MemorySettings, rules: Rules) -> None:
    write_tree(root, {"a.json": b"{}", PATH: b"not the graph", VIRTUAL_PREFIX + "x/other.json": b"1"})
    archive.backup(root, memory=settings, rules=rules)
    assert [document.path for document in archive.documents()] == [PATH, "a.json"]
    assert archive.read(PATH) == LINES
    plan = archive.plan_restore(at="1", delete_extra=True, overwrite=Overwrite.ALWAYS)
    assert [(file.path, file.action) for file in plan.files] == [("a.json", Action.OVERWRITE)]


def test_a_restore_writes_no_graph_and_its_safety_snapshot_keeps_it(
    archive: Archive, root: Path, settings: MemorySettings, write: Callable[[Tree], None]
) -> None:
    write({"a.json": b"1", "b.json": b"2"})
    archive.backup(root, memory=settings)
    write({"a.json": b"3", "c.json": b"4"})
    archive.restore(archive.plan_restore(at="1", delete_extra=True))
    assert read_tree(root) == {"a.json": b"1", "b.json": b"2"}
    assert not os.path.exists(root / ".archive")
    assert archive.read(PATH) == LINES
    archive.restore(archive.plan_undo())
    assert read_tree(root) == {"a.json": b"3", "c.json": b"4"}
    elsewhere = root.parent / "elsewhere"
    archive.restore(archive.plan_restore(elsewhere, at="1"))
    assert read_tree(elsewhere) == {"a.json": b"1", "b.json": b"2"}


def test_who_wants_to_restore_the_graph_is_told_how(archive: Archive, root: Path, settings: MemorySettings) -> None:
    archive.backup(root, memory=settings)
    with pytest.raises(DocumentNotFound) as caught:
        archive.plan_restore(paths=[PATH])
    assert caught.value.message == f"{PATH} is no file, and a restore writes files"
    assert f"archive cat {PATH}" in caught.value.hint


def test_an_emptied_graph_is_stored_and_suspicious(
    archive: Archive, root: Path, settings: MemorySettings, tmp_path: Path
) -> None:
    archive.backup(root, memory=settings)
    graph_file(tmp_path / "graph.json", {"entities": [], "relations": []})
    result = archive.backup(root, memory=settings)
    assert problems(result.problems) == [(PATH, "suspicious", f"emptied: held {len(LINES)} bytes and is empty now")]
    assert archive.read(PATH) == b""
    assert GRAPH["entities"]


def test_an_alarm_stands_until_the_document_is_another(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": TEN, "b.json": TEN})
    assert archive.backup(root).problems == ()
    write_tree(root, {"a.json": TWO, "b.json": TEN})
    alarm = ("a.json", "suspicious", "shrunken: lost most of itself, 4 of 20 values left")
    for _ in range(3):
        assert problems(archive.backup(root).problems) == [alarm]
    assert archive.problems()[0].severity is Severity.WARNING
    write_tree(root, {"a.json": TEN, "b.json": TEN})
    assert archive.backup(root).problems == ()
    assert problems(archive.problems(at="latest~1")) == [alarm]


def test_a_torn_document_is_both_invalid_and_suspicious_and_stays_so(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": TEN})
    archive.backup(root)
    write_tree(root, {"a.json": TEN[:50]})
    first, second = archive.backup(root), archive.backup(root)
    assert [problem.kind for problem in first.problems] == [ProblemKind.INVALID, ProblemKind.SUSPICIOUS]
    assert second.problems == first.problems == archive.problems()
    assert first.is_complete


def test_a_document_that_was_torn_and_then_begun_anew_is_compared_with_what_it_was(archive: Archive, root: Path) -> None:
    for content in (TEN, TEN[:50], b"", TWO):
        write_tree(root, {"a.json": content})
        result = archive.backup(root)
    assert problems(result.problems) == [("a.json", "suspicious", "shrunken: lost most of itself, 4 of 20 values left")]


def test_a_dry_run_raises_the_alarm_too(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": TEN})
    archive.backup(root)
    write_tree(root, {"a.json": b""})
    result = archive.backup(root, dry_run=True)
    assert {problem.kind for problem in result.problems} == {ProblemKind.INVALID, ProblemKind.SUSPICIOUS}
    assert len(archive.snapshots()) == 1


def test_the_share_that_is_suspicious_is_a_setting(archive: Archive, root: Path) -> None:
    for share, content in ((0.0, TEN), (0.0, b"{}"), (0.0, TEN), (0.1, TWO)):
        write_tree(root, {"a.json": content})
        assert archive.backup(root, memory=MemorySettings(shrunken_below=share)).problems == ()


def test_documents_that_are_new_removed_or_touched_are_never_suspicious(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": TEN, "b.json": TEN})
    archive.backup(root)
    write_tree(root, {"a.json": TEN, "c.json": b"{}"})
    os.utime(root / "a.json", (1, 1))
    assert archive.backup(root).problems == ()
