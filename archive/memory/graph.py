"""Gets the knowledge graph of the memory server: from the server itself, else from the file in which it stores it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from archive.clock import Clock
from archive.extract.graph import ordered_lines
from archive.extract.parse import classify
from archive.hashing import hash_bytes
from archive.looking import Seen
from archive.memory.judging import judge
from archive.model.documents import Kind, ParseReport, ParseState
from archive.model.files import FileStat
from archive.model.memory import MemoryServer, MemorySettings, MemorySource, MemoryTrouble, TroubleKind
from archive.model.snapshots import Problem, ProblemKind
from archive.rules import VIRTUAL_PREFIX

_MODE = 0o600


class Graph(NamedTuple):
    """What was found, and what was wrong before it was.

    Attributes:
        data: JSON lines; None where there is nothing whole.
        source: Where they are from.
    """

    data: bytes | None
    source: MemorySource
    troubles: tuple[MemoryTrouble, ...]


def graph_path(server: MemoryServer) -> str:
    """Returns the path of the document as which the server's graph is archived."""
    return f"{VIRTUAL_PREFIX}{server.name}.jsonl"


def find_graph(server: MemoryServer, root: Path | None, *, live: bool = True, stored: bool = True) -> Graph:
    """Returns the graph from the server, else from its file; never raises for what either of them is.

    Args:
        root: The folder that a relative path means, and in which a server is started; None where there is none.
        live: Whether to ask the server.
        stored: Whether to read the file.
    """
    troubles: list[MemoryTrouble] = []
    if live and server.is_live:
        from archive.source.mcp_graph import ask_server  # with asyncio and ssl behind it

        answer = ask_server(server, root)
        if answer.data is not None:
            return Graph(answer.data, MemorySource.MCP, ())
        assert answer.trouble is not None
        troubles.append(answer.trouble)
    if stored and server.file:
        found = _from_file((root or Path()) / server.file)
        if isinstance(found, bytes):
            return Graph(found, MemorySource.FILES, tuple(troubles))
        troubles.append(MemoryTrouble(MemorySource.FILES, found.kind, f"{server.file}: {found.message}"))
    return Graph(None, MemorySource.NONE, tuple(troubles))


def _from_file(path: Path) -> bytes | MemoryTrouble:
    from archive.source.mcp_graph import read_graph_file

    data = read_graph_file(path)
    if isinstance(data, MemoryTrouble):
        return data
    found = judge(Kind.JSONL, data, MemorySource.FILES)
    if found.trouble is not None:
        return found.trouble
    assert isinstance(found.value, list)
    try:
        return ordered_lines(found.value)
    except ValueError as error:
        return MemoryTrouble(MemorySource.FILES, TroubleKind.TORN, str(error))


def virtual_documents(settings: MemorySettings, root: Path, clock: Clock) -> tuple[Seen, ...]:
    """Returns what a backup takes in that no file holds: the graph of the memory server, where there is one."""
    return () if settings.server is None else (graph_document(settings.server, root, clock),)


def graph_document(server: MemoryServer, root: Path, clock: Clock) -> Seen:
    """Returns the graph as a backup takes it in; where there is none, the problem, with which it keeps its last version."""
    graph = find_graph(server, root)
    path = graph_path(server)
    problem = None
    if graph.troubles:
        message = "; ".join(f"{trouble.kind.value}: {trouble.message}" for trouble in graph.troubles)
        if graph.data is not None:
            message += f"; taken from {server.file}"
        problem = Problem(path, ProblemKind.UNREADABLE, message)
    if graph.data is None:
        stat = FileStat(path, 0, 0, 0, 0, _MODE)
        return Seen(stat, b"", "", Kind.JSONL, ParseReport(ParseState.UNCHECKED), problem, False)
    mtime_ns = round(clock.now().timestamp() * 1000) * 1_000_000
    stat = FileStat(path, len(graph.data), mtime_ns, 0, 0, _MODE)
    return Seen(stat, graph.data, hash_bytes(graph.data), Kind.JSONL, classify(Kind.JSONL, graph.data), problem, True)
