from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archive.model.memory import MemoryServer, TroubleKind
from archive.source import mcp_process
from archive.source.mcp_graph import ask_server, read_graph_file
from tests.memory.conftest import GRAPH, LINES, graph_file, server

pytest.importorskip("mcp")


def asked(one: MemoryServer, root: Path) -> tuple[TroubleKind, str]:
    answer = ask_server(one, root)
    assert answer.data is None
    assert answer.trouble is not None
    return answer.trouble.kind, answer.trouble.message


def test_the_real_server_gives_the_bytes_of_its_own_file(real_server: MemoryServer, tmp_path: Path) -> None:
    answer = ask_server(real_server, tmp_path)
    assert answer.trouble is None
    assert answer.data == LINES == (tmp_path / "stored.jsonl").read_bytes()


def test_the_real_server_without_a_file_has_an_empty_graph(real_server: MemoryServer, tmp_path: Path) -> None:
    (tmp_path / "stored.jsonl").unlink()
    assert ask_server(real_server, tmp_path) == (b"", None)


def test_the_real_server_with_a_torn_file_says_so(real_server: MemoryServer, tmp_path: Path) -> None:
    (tmp_path / "stored.jsonl").write_bytes(LINES[:100])
    kind, message = asked(real_server, tmp_path)
    assert kind is TroubleKind.GARBAGE
    assert message.startswith("answered with an error: ")
    assert (tmp_path / "stored.jsonl").read_bytes() == LINES[:100]


def test_the_real_server_killed_before_it_answers_went_away(real_server: MemoryServer, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = 'echo $$ > "$0"; kill -STOP $$; exec "$@"'
    stopped = MemoryServer(command=("sh", "-c", script, str(pid_file), *real_server.command), env=real_server.env, timeout_s=30)
    killer = subprocess.Popen([sys.executable, "-c", KILLER, str(pid_file)])
    kind, message = asked(stopped, tmp_path)
    assert killer.wait() == 0
    assert (kind, message) == (TroubleKind.UNREACHABLE, "went away before it answered")


KILLER = """
import os, pathlib, signal, sys, time
file = pathlib.Path(sys.argv[1])
while not file.exists() or not file.read_text().strip():
    time.sleep(0.01)
os.kill(int(file.read_text()), signal.SIGKILL)
"""


# Read by Node before the server: of its answer with the graph it lets out the first half, and then the process gets a signal.
HALF = """
const fs = require("fs"), write = process.stdout.write.bind(process.stdout)
process.stdout.write = (data, ...rest) => {
    if (!String(data).includes("Aino")) return write(data, ...rest)
    fs.writeSync(1, String(data).slice(0, String(data).length / 2))
    fs.writeFileSync(process.env.REACHED, "")
    process.kill(process.pid, process.env.SIGNAL)
}
"""


def real_server_that_gets(signal_name: str, real_server: MemoryServer, folder: Path, timeout_s: float) -> MemoryServer:
    """Returns the real server; it gets the signal when half of its answer is out, and leaves `reached` in the folder."""
    (folder / "half.cjs").write_text(HALF)
    node, script = real_server.command
    env = {**real_server.env, "SIGNAL": signal_name, "REACHED": str(folder / "reached")}
    return MemoryServer(command=(node, "--require", str(folder / "half.cjs"), script), env=env, timeout_s=timeout_s)


def test_the_real_server_killed_in_the_middle_of_its_answer_went_away(real_server: MemoryServer, tmp_path: Path) -> None:
    killed = real_server_that_gets("SIGKILL", real_server, tmp_path, 30)
    kind, message = asked(killed, tmp_path)
    assert kind is TroubleKind.UNREACHABLE
    assert message.startswith("went away before it answered; it said: Knowledge Graph MCP Server")
    assert (tmp_path / "reached").exists()


@pytest.mark.slow
def test_the_real_server_that_stops_in_the_middle_of_its_answer_is_given_up(real_server: MemoryServer, tmp_path: Path) -> None:
    stopped = real_server_that_gets("SIGSTOP", real_server, tmp_path, 5)
    kind, message = asked(stopped, tmp_path)
    assert kind is TroubleKind.TIMEOUT
    assert message.startswith("did not answer within 5 s; it said: Knowledge Graph MCP Server")
    assert (tmp_path / "reached").exists()


def test_the_real_server_that_hangs_is_given_up_after_the_timeout(real_server: MemoryServer, tmp_path: Path) -> None:
    stopped = MemoryServer(command=("sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *real_server.command), timeout_s=0.1)
    assert asked(stopped, tmp_path) == (TroubleKind.TIMEOUT, "did not answer within 0.1 s")


@pytest.mark.parametrize("mode", ["good", "text_only", "noisy"])
def test_a_graph_comes_as_structured_content_or_as_text_and_noise_does_no_harm(mode: str, tmp_path: Path) -> None:
    answer = ask_server(server(mode, graph_file(tmp_path / "graph.json")), tmp_path)
    assert answer == (LINES, None)


@pytest.mark.parametrize("mode", ["good", "text_only"])
def test_half_an_emoji_in_the_graph_is_no_reason_not_to_have_it(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text('{"entities": [{"name": "a", "entityType": "t", "observations": ["half \\ud83d"]}], "relations": []}')
    answer = ask_server(server(mode, path), tmp_path)
    assert answer.data is not None
    assert json.loads(answer.data)["observations"] == ["half \ud83d"]


@pytest.mark.parametrize(
    ("mode", "kind", "message"),
    [
        ("die", TroubleKind.UNREACHABLE, "went away before it answered; it said: out of memory"),
        ("die_in_the_middle", TroubleKind.UNREACHABLE, "went away before it answered"),
        ("error", TroubleKind.GARBAGE, "answered with an error: Unexpected token } in JSON at position 7"),
        ("repeated", TroubleKind.DUPLICATE_KEYS, "a name occurs twice: entities"),
        ("prose", TroubleKind.GARBAGE, "answered with something that is no graph: I remember nothing."),
        ("nothing", TroubleKind.GARBAGE, "answered with something that is no graph: nothing"),
        ("wrong_shape", TroubleKind.GARBAGE, "answered with something that is no graph: it has no list entities"),
        ("wrong_result", TroubleKind.GARBAGE, "answered with something that is n"),
        ("wrong_version", TroubleKind.GARBAGE, "answered with something that is not understood: "),
    ],
)
def test_a_server_that_does_it_wrong_is_told_apart(mode: str, kind: TroubleKind, message: str, tmp_path: Path) -> None:
    found, text = asked(server(mode), tmp_path)
    assert found is kind
    assert text.startswith(message)
    assert text.isprintable()


@pytest.mark.parametrize("mode", ["hang", "stubborn", "other_id"])
def test_a_server_that_does_not_answer_is_given_up_after_the_timeout(mode: str, tmp_path: Path) -> None:
    assert asked(server(mode, timeout_s=0.2), tmp_path) == (TroubleKind.TIMEOUT, "did not answer within 0.2 s")


def test_a_server_that_babbles_is_quoted(tmp_path: Path) -> None:
    one = MemoryServer(
        command=(sys.executable, "-c", r"print('\x1b[31mHello\x07', flush=True); input(); input()"), timeout_s=0.3
    )
    assert asked(one, tmp_path) == (
        TroubleKind.GARBAGE, r"answered with something that is no message: \x1b[31mHello\x07",
    )  # fmt: skip


def test_an_answer_without_end_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_process, "MAX_ANSWER_BYTES", 2_000_000)
    kind, message = asked(server("huge"), tmp_path)
    assert kind is TroubleKind.UNREADABLE
    assert message.startswith("its answer is larger than ")


def test_the_server_and_what_it_started_have_ended_when_the_answer_is_there(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # The child holds the pipes of its parent, as the node that npx starts does.
    script = 'sleep 60 & echo $$ $! > "$0"; wait'
    one = MemoryServer(command=("sh", "-c", script, str(pids)), timeout_s=0.5)
    assert asked(one, tmp_path)[0] is TroubleKind.TIMEOUT
    # A killed process is there until its parent or init has taken note of it.
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("no-such-program",), "no-such-program cannot be started: no such file or directory"),
        (("/",), "/ cannot be started: permission denied"),
    ],
)
def test_a_command_that_cannot_be_started_is_named(command: tuple[str, ...], message: str, tmp_path: Path) -> None:
    assert asked(MemoryServer(command=command), tmp_path) == (TroubleKind.UNREACHABLE, message)


def test_a_server_may_be_asked_from_inside_an_event_loop(tmp_path: Path) -> None:
    async def inside() -> bytes | None:
        return ask_server(server("good", graph_file(tmp_path / "graph.json")), tmp_path).data

    assert asyncio.run(inside()) == LINES


def test_without_its_package_the_server_is_out_of_reach_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    kind, message = asked(server("good"), tmp_path)
    assert kind is TroubleKind.UNREACHABLE
    assert message.endswith("pip install 'rengine-archive[mcp]'")


def test_nothing_is_printed_whatever_the_server_does(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for mode in ("noisy", "die", "wrong_result", "prose"):
        ask_server(server(mode), tmp_path)
    assert capfd.readouterr() == ("", "")


SERVING = """
import sys
from mcp.server import MCPServer
import json, pathlib
server = MCPServer("memory")
@server.tool()
def read_graph() -> dict:
    return json.loads(pathlib.Path(sys.argv[2]).read_text())
server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_server_that_listens_at_a_url_is_asked_there(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    port = free_port()
    graph = graph_file(tmp_path / "graph.json")
    with subprocess.Popen([sys.executable, "-c", SERVING, str(port), str(graph)], stderr=subprocess.DEVNULL) as process:
        try:
            one = MemoryServer(url=f"http://127.0.0.1:{port}/mcp", timeout_s=5)
            for _ in range(100):
                answer = ask_server(one, tmp_path)
                if answer.data is not None:
                    break
                time.sleep(0.1)
            assert answer == (LINES, None)
            elsewhere = MemoryServer(url=f"http://127.0.0.1:{port}/other", timeout_s=5)
            assert asked(elsewhere, tmp_path)[0] is TroubleKind.GARBAGE
            process.send_signal(signal.SIGSTOP)
            patient = MemoryServer(url=one.url, timeout_s=0.3)
            assert asked(patient, tmp_path) == (TroubleKind.TIMEOUT, "did not answer within 0.3 s")
        finally:
            process.kill()
    kind, message = asked(one, tmp_path)
    assert kind is TroubleKind.UNREACHABLE
    assert message.startswith("cannot be reached: ")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_a_name_that_takes_long_to_look_up_does_not_hold_anybody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        released.wait(60)
        raise socket.gaierror("no such name")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    try:
        answer = ask_server(MemoryServer(url="http://slow.example/mcp", timeout_s=0.5), tmp_path)
        assert not released.is_set()
    finally:
        released.set()
    assert answer.trouble is not None
    assert answer.trouble.kind is TroubleKind.TIMEOUT
    assert all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())


def test_the_file_of_a_server_is_read_by_whatever_links_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(LINES)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    found = {name: read_graph_file(tmp_path / name) for name in ("real", "link", "loop", "fifo", "none", ".")}
    assert found["real"] == found["link"] == LINES
    kinds = {name: each.kind for name, each in found.items() if not isinstance(each, bytes)}
    assert kinds.pop("none") is TroubleKind.MISSING
    assert kinds == dict.fromkeys(("loop", "fifo", "."), TroubleKind.UNREADABLE)


def test_the_graph_of_these_tests_is_what_its_lines_say() -> None:
    assert len(GRAPH["entities"]) + len(GRAPH["relations"]) == LINES.count(b"\n") + 1
