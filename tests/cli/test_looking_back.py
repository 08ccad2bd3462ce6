"""Moments, documents, values and differences are found by what people type."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive.cli.commands.cat import readings
from archive.cli.commands.diff import understand
from tests.cli.conftest import LATER, TREE, Invoke, run_program
from tests.conftest import write_tree

FIRST, SECOND = "# Roadmap\n\n- the map\n", "# Roadmap\n\n- the tides\n"


@pytest.mark.parametrize(
    ("at", "content"),
    [
        ("1", FIRST),
        ("#1", FIRST),
        ("20200101_120000", FIRST),
        ("20200101_", FIRST),
        ("latest~1", FIRST),
        ("2020-01-01T12:00:00Z", FIRST),
        ("2020-01-02 11:59:59+00:00", FIRST),
        ("2020-01-02T14:00+02:00", SECOND),
        ("2", SECOND),
        ("20200102_120000", SECOND),
        ("latest", SECOND),
        ("2020-01-04", SECOND),
        ("now", SECOND),
        ("1 hour ago", SECOND),
        ("yesterday", SECOND),
    ],
)
def test_a_moment_is_understood_in_each_form(backed_up: Path, invoke: Invoke, at: str, content: str) -> None:
    assert invoke("cat", "docs/roadmap.md", "--at", at).out == content


@pytest.mark.parametrize("args", [["ls"], ["problems"], ["restore", "--dry-run"], ["cat", "settings.yaml"]], ids=" ".join)
def test_every_command_about_a_moment_takes_it(backed_up: Path, invoke: Invoke, args: list[str]) -> None:
    result = invoke(*args, "--at", "20200101_120000", "--json").json
    assert result["snapshot"]["id"] == 1


def test_ls_lists_what_was_there(backed_up: Path, invoke: Invoke) -> None:
    assert invoke("ls", "--at", "1").out.splitlines() == sorted(TREE)
    assert invoke("ls").out.splitlines() == sorted(LATER)
    assert invoke("ls", "docs").out.splitlines() == ["docs/new.md", "docs/roadmap.md"]
    assert invoke("ls", "*.json", "docs/new.md").out.splitlines() == ["agents/tasks.json", "docs/new.md"]
    assert "invalid  agents/memory" in invoke("ls", "-l").out


def test_snapshots_are_listed_oldest_first_with_what_changed(backed_up: Path, invoke: Invoke) -> None:
    lines = invoke("snapshots").out.splitlines()
    assert lines[0].split() == ["id", "label", "files", "size", "changes", "stored", "notes"]
    assert lines[1].split()[:3] == ["1", "20200101_120000", "4"]
    assert lines[1].endswith("first · [one]")
    assert "+1 ~3 -1" in lines[2]
    assert invoke("snapshots", "--reverse").out.splitlines()[1].startswith(" 2")
    assert len(invoke("snapshots", "--limit", "1").out.splitlines()) == 2


def test_log_marks_the_last_valid_version_and_says_how_to_see_it(backed_up: Path, invoke: Invoke) -> None:
    lines = invoke("log", "agents/memory").out.splitlines()
    assert lines[1].endswith("valid  ← last valid")
    assert "invalid: " in lines[2]
    assert lines[3] == "last valid: archive cat agents/memory --version 1"
    assert invoke("cat", "agents/memory", "--version", "1").out.encode() == TREE["agents/memory"]
    assert invoke("log", "agents/memory", "--limit", "1").out.splitlines()[0] == "… 1 older version"


def test_log_says_that_a_document_is_gone_or_was_never_valid(backed_up: Path, invoke: Invoke) -> None:
    assert invoke("log", "settings.yaml").out.splitlines()[-1] == "removed by snapshot 2"
    write_tree(backed_up, {"never.json": b"{"})
    assert invoke("backup", "-q").code == 0
    assert invoke("log", "never.json").out.splitlines()[-1] == "no version was ever valid"


def test_the_same_damage_is_told_once(backed_up: Path, invoke: Invoke) -> None:
    os.utime(backed_up / "agents/memory", (1, 1))
    assert invoke("backup", "-q").code == 0
    assert "invalid, as before" in invoke("log", "agents/memory").out.splitlines()[3]


def test_cat_prints_the_bytes_and_a_pointer_the_value(project: Path, invoke: Invoke) -> None:
    data = bytes(range(256)) + b"\r\n\n"
    write_tree(project, {**TREE, "any.txt": data})
    assert invoke("backup", "-q").code == 0
    assert run_program("cat", "any.txt", cwd=project).out.encode("utf-8", "surrogateescape") == data
    assert invoke("cat", "agents/tasks.json#/tasks/0/title").out == '"draw the map"\n'
    assert invoke("cat", "agents/memory#/1/name").out == '"Bram"\n'
    assert invoke("cat", "agents/tasks.json#/tasks/0").out == (
        '{\n  "id": 1,\n  "title": "draw the map",\n  "status": "pending"\n}\n'
    )


def test_a_name_that_really_holds_a_hash_comes_before_the_pointer(project: Path, invoke: Invoke) -> None:
    write_tree(project, {"a.json": b'{"x": 1, "y#z": 2}', "a.json#/x": b"[]", "b#c.json": b'{"d": 3}'})
    (project / "a.json#").rename(project / "a.json#")
    assert invoke("backup", "-q", "--include", "x").code == 0
    assert invoke("cat", "a.json#/x").out == "[]"
    assert invoke("cat", "a.json#/y#z").out == "2\n"
    assert invoke("cat", "b#c.json#/d").out == "3\n"
    assert invoke("cat", "b#c.json").out == '{"d": 3}'
    ran = invoke("cat", "c.json#/d")
    assert (ran.code, ran.err.splitlines()[0]) == (10, "error: the archive holds no document c.json")


def test_a_pointer_can_be_read_in_every_way_that_a_hash_allows() -> None:
    assert list(readings("a#/b#c")) == [("a#/b#c", None), ("a#/b", "c"), ("a", "/b#c")]
    assert list(readings("a.json")) == [("a.json", None)]
    assert list(readings("#a")) == [("#a", None)]


def test_of_a_damaged_document_what_can_be_read_is_printed_and_that_it_is_damaged(backed_up: Path, invoke: Invoke) -> None:
    ran = invoke("cat", "agents/memory#/0/name")
    assert (ran.code, ran.out) == (0, '"Aino"\n')
    assert ran.err.startswith("damaged: agents/memory ")


@pytest.mark.parametrize(
    ("arguments", "behind", "understood"),
    [
        ((), (), ("latest~1", "latest", ())),
        (("1",), (), ("1", "latest", ())),
        (("1", "2"), (), ("1", "2", ())),
        (("1", "a.json"), (), ("1", "latest", ("a.json",))),
        (("1", "now", "a.json", "2"), (), ("1", "now", ("a.json", "2"))),
        (("1", "2 hours ago"), (), ("1", "2 hours ago", ())),
        (("1",), ("2",), ("1", "latest", ("2",))),
        ((), ("2",), ("latest~1", "latest", ("2",))),
        (("1", "2"), ("3",), ("1", "2", ("3",))),
    ],
)
def test_the_arguments_of_diff_are_moments_first_and_paths_then(
    arguments: tuple[str, ...], behind: tuple[str, ...], understood: tuple[str, str, tuple[str, ...]]
) -> None:
    assert understand(arguments, behind) == understood


def test_diff_of_a_path_alone_is_told_where_the_moment_goes(backed_up: Path, invoke: Invoke) -> None:
    ran = invoke("diff", "docs/new.md")
    assert ran.code == 2
    assert ran.err.endswith("hint:  Give the moment first, as in: archive diff latest~1 docs/new.md\n")


def test_diff_shows_values_of_json_lines_of_text_and_names_of_files(backed_up: Path, invoke: Invoke) -> None:
    lines = invoke("diff").out.splitlines()
    assert lines[0] == "1 (20200101_120000) → 2 (20200102_120000)"
    assert "    ~ task 1 (draw the map): status pending → done" in lines
    assert '    ~ /tasks/0/status: "pending" → "done"' in invoke("diff", "--values").out.splitlines()
    assert "    -- the map" in lines
    assert "    +- the tides" in lines
    assert "- settings.yaml  11 B" in lines
    assert lines[-1] == "1 added, 1 removed, 3 modified"
    assert invoke("diff", "1", "2", "--stat", "--", "docs/new.md").out.splitlines()[1:] == ["+ docs/new.md  6 B", "1 added"]
    assert invoke("diff", "2", "2").out.splitlines()[1:] == ["no differences"]


def test_diff_counts_touched_files_and_lists_them_when_asked(backed_up: Path, invoke: Invoke) -> None:
    os.utime(backed_up / "docs/new.md", (1, 1))
    assert invoke("backup", "-q").code == 0
    assert invoke("diff").out.splitlines()[1:] == ["1 touched (mode or time only; --touched lists them)"]
    assert invoke("diff", "--touched").out.splitlines()[1] == "t docs/new.md  mode or time only"


def test_long_values_are_shown_where_they_differ(backed_up: Path, invoke: Invoke) -> None:
    write_tree(backed_up, {"a.json": b'{"x": "%s1%s"}' % (b"a" * 500, b"b" * 500)})
    assert invoke("backup", "-q").code == 0
    write_tree(backed_up, {"a.json": b'{"x": "%s2%s", "y": "%s"}' % (b"a" * 500, b"b" * 500, b"c" * 500)})
    assert invoke("backup", "-q").code == 0
    shown = invoke("diff", "latest~1", "latest", "a.json").out
    assert "a1b" in shown
    assert "a2b" in shown
    assert "… (502 characters)" in shown
    assert max(map(len, shown.splitlines())) < 400


def test_paths_are_understood_from_a_folder_below_the_root(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backed_up / "docs")
    assert invoke("cat", "roadmap.md").out == SECOND
    assert invoke("cat", "docs/roadmap.md").out == SECOND
    assert invoke("ls", "./*.md").out.splitlines() == ["docs/new.md", "docs/roadmap.md"]
    assert invoke("ls", ".").out.splitlines() == ["docs/new.md", "docs/roadmap.md"]


def test_stats_and_problems_read_well(backed_up: Path, invoke: Invoke) -> None:
    facts = dict(line.split("  ", 1) for line in invoke("stats").out.splitlines())
    assert facts["snapshots"].strip() == "2"
    out = invoke("problems").out
    assert out.startswith("suspicious: 1\n  agents/memory  was whole, and now ")
    assert "\ncannot be parsed (stored as they are): 1\n  agents/memory  " in out
    assert invoke("problems", "--at", "1").out == "no problems in snapshot 1 (20200101_120000)\n"
