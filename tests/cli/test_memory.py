from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, program_environment
from tests.memory.conftest import LINES, SCRIPT, graph_file

TASKS = b'{"tasks": [{"id": 1, "title": "draw the map", "status": "pending"}]}\n'


def configure(project: Path, mode: str, graph: Path | str = "") -> None:
    command = json.dumps([sys.executable, str(SCRIPT), mode, str(graph)])
    (project / "archive.toml").write_text(f"[mcp]\ncommand = {command}\ntimeout = 10\n")


def test_it_says_of_each_document_where_it_is_from_and_what_was_wrong(project: Path, invoke: Invoke) -> None:
    assert invoke("backup", "-q").code == 0
    (project / "agents/tasks.json").write_bytes(TASKS[:20])
    ran = invoke("memory")
    assert (ran.code, ran.err) == (0, "")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "category source snapshot age state document"
    assert lines[1].startswith("memory files 1 ")
    assert lines[1].endswith(" s valid agents/memory")
    assert lines[2].startswith("tasks archive 1 ")
    assert lines[2].endswith(" valid, see below agents/tasks.json")
    assert lines[3].startswith("files torn: agents/tasks.json ends inside ")
    assert invoke("memory", "--strict").code == 3


def test_what_is_lost_is_said_and_has_an_exit_code_of_its_own(project: Path, invoke: Invoke) -> None:
    (project / "agents/tasks.json").write_bytes(b"{")
    ran = invoke("memory", "--category", "tasks", "--category", "styles")
    assert ran.code == 3
    assert "archive: there is no archive at " in ran.out
    assert "lost   agents/tasks.json" in ran.out
    assert "nothing was ever kept in category styles" in ran.out


def test_the_content_is_one_object_and_the_trouble_is_told_beside_it(project: Path, invoke: Invoke) -> None:
    assert invoke("backup", "-q").code == 0
    (project / "agents/tasks.json").unlink()
    ran = invoke("memory", "--content")
    assert json.loads(ran.out) == {
        "memory": [{"type": "entity", "name": "Aino"}, {"type": "entity", "name": "Bram"}],
        "tasks": json.loads(TASKS),
    }
    assert ran.err == "files missing: agents/tasks.json  there is no such file\n"


def test_the_past_is_asked_with_a_moment(project: Path, invoke: Invoke) -> None:
    for content in (TASKS, TASKS.replace(b"pending", b"done")):
        (project / "agents/tasks.json").write_bytes(content)
        assert invoke("backup", "-q").code == 0
    found = invoke("memory", "--at", "1", "--category", "tasks", "--json").json
    assert found["snapshot"] == 1
    assert found["categories"][0]["documents"][0]["content"] == json.loads(TASKS)
    assert invoke("memory", "--at", "9").code == 10
    assert invoke("memory", "--at", "1", "--source", "files").code == 2


def test_a_corrupt_archive_does_not_keep_the_files_away(project: Path, invoke: Invoke) -> None:
    (project / "broken.db").write_bytes(b"no database at all" * 100)
    ran = invoke("memory", "--db", "broken.db", "--json")
    assert ran.code == 0
    assert [trouble["kind"] for trouble in ran.json["troubles"]] == ["corrupt"]
    assert {each["name"]: each["source"] for each in ran.json["categories"]} == {"memory": "files", "tasks": "files"}
    assert invoke("memory", "--db", "broken.db", "--source", "archive").code == 13


def test_settings_that_cannot_be_read_do_not_keep_the_memory_away(project: Path, invoke: Invoke) -> None:
    assert invoke("backup").code == 0
    (project / "archive.toml").write_text("[mcp\n")
    (project / "agents/memory").unlink()
    ran = invoke("memory", "--json")
    assert ran.code == 0
    assert [trouble["kind"] for trouble in ran.json["troubles"]] == ["unreadable"]
    assert "archive.toml" in ran.json["troubles"][0]["message"]
    assert {each["name"]: each["source"] for each in ran.json["categories"]} == {"memory": "archive", "tasks": "files"}
    assert invoke("backup").code == 2


def test_settings_that_cannot_be_used_are_an_error_of_usage(project: Path, invoke: Invoke) -> None:
    (project / "archive.toml").write_text("[mcp]\nurl = 'x'\n")
    assert invoke("memory").code == invoke("backup").code == 2
    (project / "archive.toml").unlink()
    assert "the settings name no memory server" in invoke("memory", "--source", "mcp").err


def test_the_server_of_the_settings_is_backed_up_and_asked(project: Path, invoke: Invoke, tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    configure(project, "good", graph_file(tmp_path / "graph.json"))
    assert "  + .archive/mcp/memory.jsonl" in invoke("backup").out.splitlines()
    assert invoke("cat", ".archive/mcp/memory.jsonl").out.encode() == LINES
    assert ".archive/mcp/memory.jsonl" in invoke("ls").out
    found = invoke("memory", "--json").json["categories"][0]
    assert (found["name"], found["source"], found["snapshot"], found["valid"]) == ("memory", "mcp", 1, True)
    configure(project, "die")
    ran = invoke("backup")
    assert ran.code == 3
    assert "could not be read: 1\n  .archive/mcp/memory.jsonl  unreachable: went away before it answered" in ran.out
    assert (
        invoke("memory", "--source", "archive", "--json").json["categories"][0]["documents"][0]["content"][0]["name"] == "Aino"
    )


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc to see processes in")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_the_program_ends_the_server_too(project: Path, tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("mcp")
    mark = str(tmp_path / "mark of this test")
    configure(project, "hang", mark)

    def servers() -> list[bytes]:
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found.append(each.read_bytes())
        return [line for line in found if mark.encode() in line]

    command = [sys.executable, "-m", "archive", "memory"]
    with subprocess.Popen(command, cwd=project, env=program_environment(), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while not servers() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert servers()
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
    assert servers() == []


def test_a_dry_run_of_the_first_backup_asks_too(project: Path, invoke: Invoke, tmp_path: Path) -> None:
    pytest.importorskip("mcp")
    configure(project, "good", graph_file(tmp_path / "graph.json"))
    assert ".archive/mcp/memory.jsonl" in invoke("backup", "--dry-run", "--json").json["added"]
    assert not (project / ".archive").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "held 70 bytes and is empty now"),
        (b'{"tasks": []}', "lost most of itself, none of 3 values left"),
        (TASKS[:30], "was whole, and now ends inside "),
    ],
)
def test_backup_raises_the_alarm_and_strictly_it_is_an_exit_code(
    project: Path,
    invoke: Invoke,
    content: bytes,
    message: str,
) -> None:
    (project / "agents/tasks.json").write_bytes(TASKS.ljust(70))
    assert invoke("backup", "-q", "--strict").code == 0
    (project / "agents/tasks.json").write_bytes(content)
    ran = invoke("backup", "--strict")
    assert ran.code == 3
    assert f"suspicious: 1\n  agents/tasks.json  {message}" in ran.out
    assert f"suspicious: 1\n  agents/tasks.json  {message}" in invoke("problems").out
    assert invoke("backup").code == 0
    # What shrank did so once; what cannot be parsed still cannot.
    assert invoke("backup", "--strict").code == (0 if content == b'{"tasks": []}' else 3)
