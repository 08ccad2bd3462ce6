from __future__ import annotations

import json
import re
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, Ran, bare_environment, invoke, run_on_terminal  # noqa: F401 (fixtures)
from tests.conftest import Tree, assert_sound, write_tree
from tests.search.project import TREE

Run = Callable[..., Ran]

MOVED: Tree = {
    "tasks.json": json.dumps(
        {"tasks": [{"id": 1, "title": "paint", "status": "pending"}, {"id": 12, "title": "draw", "status": "pending"}]}
    ).encode(),
    "memory.json": b'{"entries": [{"id": "a", "note": "x"}]}',
}
MOVED_LATER: Tree = {
    "tasks.json": json.dumps(
        {"tasks": [{"id": 12, "title": "draw", "status": "done"}, {"id": 1, "title": "paint", "status": "pending"}]}
    ).encode(),
    "memory.json": b'{"entries": [{"id": "a", "note": "x"}, {"id": "b", "note": "y"}, {"id": "c", "note": "z"}]}',
}


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> Path:  # noqa: F811
    """The sample project, backed up twice: in the second state two documents are gone and one is changed."""
    monkeypatch.chdir(root)
    write_tree(root, TREE)
    assert invoke("backup").code == 0
    later = {path: data for path, data in TREE.items() if path not in ("docs/operations.md", "agents/decisions.json")}
    later["agents/memory"] = b'{"type": "entity", "name": "NewFirst"}\n' + TREE["agents/memory"]
    write_tree(root, later)
    assert invoke("backup").code == 0
    return root


def commands(out: str) -> list[str]:
    return re.findall(r"archive cat .*$", out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [
        ("shadows",), ("redis",), ("quaternion",), ("TexturePool",), ("connection", "refused"), ("timeline", "--history"),
        ("whys", "--at", "1"), ("path:operations", "--history"), ("metric", "--history"), ("--regex", "leak|lag"),
    ],
)  # fmt: skip
def test_what_a_hit_says_to_type_shows_the_hit(project: Path, invoke: Invoke, arguments: tuple[str, ...]) -> None:  # noqa: F811
    found = invoke("search", *arguments, "--json").json
    typed = commands(invoke("search", *arguments).out)
    assert len(typed) == len(found["items"]) > 0
    for command, hit in zip(typed, found["items"], strict=True):
        ran = invoke(*shlex.split(command)[1:])
        assert ran.code == 0
        words = [hit["snippet"][start:end] for start, end in hit["snippet_spans"]]
        assert all(word in ran.out for word in words), (command, words)


def test_words_to_leave_out_and_options_are_told_apart(project: Path, invoke: Invoke) -> None:  # noqa: F811
    both = invoke("search", "memory", "-texture", "--limit", "50", "--json").json
    assert both["items"]
    assert not [hit for hit in both["items"] if "texture" in hit["snippet"]]
    assert invoke("search", "-texture", "memory", "--json").json["total"] == both["total"]
    assert invoke("search", "memory", "--histroy").code == 2
    for word in ("-hover", "-Chart", "-2025", "-3.04", "-7", "-x", "-über", '-"a b"'):
        assert invoke("search", "memory", word, "--json").json == invoke("search", f"memory {word}", "--json").json, word
    assert invoke("search", "memory", "-C./", "--json").json == invoke("search", "memory", "--json").json
    assert invoke("search").code == 2


def test_matched_words_are_marked_on_a_terminal_and_plain_elsewhere(project: Path, invoke: Invoke) -> None:  # noqa: F811
    shown = run_on_terminal("search", "certificates", cwd=project)
    assert "\x1b[33mcertificates\x1b[0m" in shown.out
    assert "\x1b" not in invoke("search", "certificates").out


def test_the_next_page_goes_on_with_the_cursor_that_is_shown(project: Path, invoke: Invoke) -> None:  # noqa: F811
    first = invoke("search", "memory", "--limit", "2")
    (cursor,) = re.findall(r"--cursor (\S+)", first.out)
    second = invoke("search", "memory", "--limit", "2", "--cursor", cursor)
    assert second.code == 0
    assert not {*commands(first.out)} & {*commands(second.out)}


def test_notes_are_shown(project: Path, invoke: Invoke) -> None:  # noqa: F811
    assert "--history shows what was" in invoke("search", "timeline").out
    assert "did you mean\n  certificates" in invoke("search", "certifcates").out
    assert invoke("search", "certificates quokka").out.startswith("no item has all of these words")
    assert invoke("search", "zzzzzz").out.splitlines()[-1] == "nothing found"
    damaged = invoke("search", "quaternion").out
    assert "damaged" in damaged.splitlines()[0]


def test_what_excludes_each_other_is_refused(project: Path, invoke: Invoke) -> None:  # noqa: F811
    assert invoke("search", "x", "--at", "1", "--history").code == 2
    assert invoke("search", "x", "--regex", "--substring").code == 2
    assert invoke("search", "(", "--regex").code == 2
    assert invoke("search", "x", "--at", "77").code == 10


def test_the_log_of_an_item_shows_its_states(root: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> None:  # noqa: F811
    monkeypatch.chdir(root)
    for tree in (MOVED, MOVED_LATER, {"memory.json": b"{}"}):
        write_tree(root, tree)
        invoke("backup")
    ran = invoke("log", "tasks.json#/tasks[id=12]")
    assert ran.out.splitlines()[0] == "tasks.json /tasks[id=12]"
    assert [line.split()[3] for line in ran.out.splitlines()[1:]] == ["added", "changed", "removed"]
    assert "status pending → done" in ran.out
    assert [state["change"] for state in invoke("log", "tasks.json#/tasks/0", "--json").json["states"]][-1] == "removed"
    assert invoke("log", "tasks.json#/nothing").code == 10
    assert invoke("log", "nothing#/tasks").code == 10
    assert_sound(root / ".archive/archive.db")


def test_a_diff_speaks_of_items(root: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> None:  # noqa: F811
    monkeypatch.chdir(root)
    for tree in (MOVED, MOVED_LATER):
        write_tree(root, tree)
        invoke("backup")
    lines = invoke("diff").out.splitlines()
    assert "    ~ task 12 (draw): status pending → done" in lines
    assert "    + 2 entries added: b, c" in lines
    files = {one["path"]: one for one in invoke("diff", "--json").json["files"]}
    (changed,) = [item for item in files["tasks.json"]["items"] if item["change"] == "changed"]
    assert (changed["noun"], changed["name"], changed["key"], changed["pointer"]) == ("task", "12", "/tasks[id=12]", "/tasks/0")
    assert changed["fields"] == [{"name": "status", "change": "changed", "old": "pending", "new": "done"}]
    assert '    ~ /tasks/0/status: "pending" → "done"' in invoke("diff", "--values").out.splitlines()


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("L3-L4", "What to do when things break.\n\n"),
        ("/Operations guide/Backups", "## Backups\n\nNightly at 02:00, kept for 30 days. Test a restore every month.\n"),
        ("L1", "# Operations guide\n"),
    ],
)
def test_lines_and_sections_can_be_printed(project: Path, invoke: Invoke, place: str, shown: str) -> None:  # noqa: F811
    assert invoke("cat", f"docs/operations.md#{place}", "--at", "1").out == shown
    assert invoke("cat", f"docs/operations.md#{place}", "--at", "1", "--json").json["value"] == shown


@pytest.mark.parametrize("place", ["L999", "L5-L2", "/No such heading", "/bad~9"])
def test_lines_and_sections_that_are_not_there_are_refused(project: Path, invoke: Invoke, place: str) -> None:  # noqa: F811
    assert invoke("cat", f"docs/operations.md#{place}", "--at", "1").code in (2, 10)


@pytest.mark.parametrize(
    "asked",
    [
        ("search", "kettle"),
        ("log", "new.json#/tasks/0"),
        ("tasks",),
        ("sql", "SELECT title FROM current_tasks WHERE title LIKE '%kettle%'"),
        ("sql", "SELECT title FROM items WHERE title LIKE '%kettle%'", "--at", "latest"),
    ],
)
def test_what_a_backup_left_unindexed_the_next_command_indexes(project: Path, invoke: Invoke, asked: tuple[str, ...]) -> None:  # noqa: F811
    task = {"tasks": [{"id": "k1", "title": "mend the kettle", "status": "pending"}]}
    (project / "new.json").write_text(json.dumps(task))
    assert invoke("backup", "--no-index").code == 0
    assert "kettle" in invoke(*asked, "--json").out


def test_a_search_finds_what_it_can_where_another_writes_or_nobody_may(project: Path, invoke: Invoke) -> None:  # noqa: F811
    (project / "new.json").write_text('{"note": "the kettle"}')
    assert invoke("backup", "--no-index").code == 0
    with closing(sqlite3.connect(project / ".archive" / "archive.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = invoke("search", "kettle", "memory")
        assert found.code == 0
        assert "waits to be indexed" in found.out
    assert invoke("search", "kettle", "--json").json["total"] == 1
