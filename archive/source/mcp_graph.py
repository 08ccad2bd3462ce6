"""Asks a memory server for its knowledge graph, with the official client of the Model Context Protocol.

A server is another program, and this is called when things go wrong: whatever it does, or does not do, the answer is a graph
or a trouble, within the timeout and a second for ending a process that will not end itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from archive.extract.graph import graph_lines
from archive.folders import NotRegular, describe_error, open_file
from archive.model.memory import MemoryServer, MemorySource, MemoryTrouble, TroubleKind
from archive.source.mcp_process import MAX_ANSWER_BYTES, Impression, process_transport, shown

TOOL = "read_graph"


class GraphAnswer(NamedTuple):
    """What asking gave: the graph as JSON lines, as the server stores it, or the trouble."""

    data: bytes | None
    trouble: MemoryTrouble | None


def ask_server(server: MemoryServer, root: Path | None) -> GraphAnswer:
    """Returns the server's graph, or why there is none; never raises for what the server does.

    A `command` is started in `root`, or where this process is if that is no folder, and has ended when this returns.
    """
    try:
        import mcp  # noqa: F401 (half a second; not for those who have no server)
    except ImportError as error:
        message = f"the package mcp is missing ({error}); pip install 'rengine-archive[mcp]'"
        return _trouble(TroubleKind.UNREACHABLE, message)
    # The library logs what it meets. Without a handler Python would print that; whoever wants to see it has one.
    logging.getLogger("mcp").addHandler(_SILENT)
    impression = Impression()
    # In a thread of its own, since the caller may be inside an event loop.
    with ThreadPoolExecutor(1, "memory-server") as pool:
        try:
            result = pool.submit(_run, server, root, impression).result()
            return GraphAnswer(graph_lines(_graph_of(result)), None)
        except _Refused as error:
            return _trouble(TroubleKind.GARBAGE, str(error))
        except _Repeated as error:
            return _trouble(TroubleKind.DUPLICATE_KEYS, str(error))
        except ValueError as error:
            return _trouble(TroubleKind.GARBAGE, f"answered with something that is no graph: {shown(str(error))}")
        except Exception as error:  # noqa: BLE001 - another program and three libraries may raise anything; it is told
            return _explain(error, server, impression)


_SILENT = logging.NullHandler()


class _Refused(Exception):
    """The server says that it cannot."""


class _Repeated(Exception):
    """An object in the answer has a name twice, so that a part of it is lost."""


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in threads that nobody waits for: a resolver may take long, and the usual threads are waited for."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        found = self.create_future()

        def tell(result: Any, error: OSError | None) -> None:
            if not found.done():
                found.set_result(result) if error is None else found.set_exception(error)

        def look() -> None:
            result, problem = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except OSError as error:
                problem = error
            with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
                self.call_soon_threadsafe(tell, result, problem)

        threading.Thread(target=look, daemon=True, name="resolver").start()
        return await found


def _run(server: MemoryServer, root: Path | None, impression: Impression) -> Any:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(_ask(server, root, impression))


async def _ask(server: MemoryServer, root: Path | None, impression: Impression) -> Any:
    import anyio
    import mcp_types
    from mcp import Client

    transport: Any
    if server.command:
        transport = process_transport(server.command, server.env, root if root and root.is_dir() else None, impression)
    else:
        transport = _http_transport(server, impression)
    info = mcp_types.Implementation(name="archive", version="1")
    request = mcp_types.CallToolRequest(params=mcp_types.CallToolRequestParams(name=TOOL, arguments={}))
    result = None
    try:
        with anyio.fail_after(server.timeout_s):
            async with Client(transport, client_info=info, cache=None) as client:
                # Not `call_tool`: that would ask for the schema of the answer and hold a large graph against it for seconds.
                result = await client.session.send_request(request, mcp_types.CallToolResult)
    except Exception:
        if result is None:
            raise
        # It has answered; that it did not part politely is no trouble of ours.
    return result


@asynccontextmanager
async def _http_transport(server: MemoryServer, impression: Impression) -> AsyncIterator[tuple[Any, Any]]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    total = 0

    class Bounded(httpx2.AsyncByteStream):
        """Passes on what a response holds, up to the limit for all of them together."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal total
            async for chunk in self._stream:
                total += len(chunk)
                if total > MAX_ANSWER_BYTES:
                    impression.is_too_large = True
                    raise httpx2.ReadError("the answer is too large")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    class BoundedTransport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            response.stream = Bounded(response.stream)
            return response

    # Neither proxies nor certificates from the environment: what is said in the settings is all there is.
    bounded = BoundedTransport(trust_env=False)
    http = httpx2.AsyncClient(headers=dict(server.headers), timeout=server.timeout_s, trust_env=False, transport=bounded)
    async with http, streamable_http_client(server.url, http_client=http) as streams:
        yield streams


def _graph_of(result: Any) -> object:
    """Returns the graph in an answer: the structured content, or the JSON in its text as older servers have it."""
    text = "".join(getattr(part, "text", "") for part in result.content)
    if result.is_error:
        raise _Refused(f"answered with an error: {shown(text)}")
    if result.structured_content is not None:
        return result.structured_content
    try:
        found: object = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{shown(text)}" if text.strip() else "nothing") from error
    return found


def _without_repeats(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) < len(members):
        name = next(name for name, count in Counter(name for name, _ in members).items() if count > 1)
        raise _Repeated(f"a name occurs twice: {shown(name)}")
    return found


def _explain(error: BaseException, server: MemoryServer, impression: Impression) -> GraphAnswer:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = f"; it said: {impression.last_words}" if impression.last_words else ""
    if impression.is_too_large:
        return _trouble(TroubleKind.UNREADABLE, f"its answer is larger than {MAX_ANSWER_BYTES:,} bytes")
    if impression.babble is not None:
        return _trouble(TroubleKind.GARBAGE, f"answered with something that is no message: {shown(impression.babble)}")
    if isinstance(error, TimeoutError):
        return _trouble(TroubleKind.TIMEOUT, f"did not answer within {server.timeout_s:g} s{said}")
    if isinstance(error, OSError):
        what = f"{server.command[0]} cannot be started" if server.command else "cannot be reached"
        return _trouble(TroubleKind.UNREACHABLE, f"{what}: {describe_error(error)}")
    import httpx2
    from mcp.shared.exceptions import MCPError

    if isinstance(error, httpx2.TimeoutException):
        return _trouble(TroubleKind.TIMEOUT, f"did not answer within {server.timeout_s:g} s")
    if isinstance(error, httpx2.TransportError | httpx2.InvalidURL):
        return _trouble(TroubleKind.UNREACHABLE, f"cannot be reached: {shown(str(error)) or type(error).__name__}")
    if isinstance(error, MCPError) and error.message.lower().startswith("connection closed"):
        return _trouble(TroubleKind.UNREACHABLE, f"went away before it answered{said}")
    if isinstance(error, MCPError):
        return _trouble(TroubleKind.GARBAGE, f"answered with an error: {shown(error.message)}{said}")
    return _trouble(TroubleKind.GARBAGE, f"answered with something that is not understood: {shown(str(error))}")


def _trouble(kind: TroubleKind, message: str) -> GraphAnswer:
    return GraphAnswer(None, MemoryTrouble(MemorySource.MCP, kind, message))


def read_graph_file(path: Path) -> bytes | MemoryTrouble:
    """Returns the content of a server's own file, wherever it is and by whatever links, or why it cannot be had."""
    place = Path(os.path.realpath(path))
    try:
        folder_fd = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with open(open_file(str(place), place.name, folder_fd), "rb") as file:
                data = file.read(MAX_ANSWER_BYTES + 1)
        finally:
            os.close(folder_fd)
    except FileNotFoundError:
        return MemoryTrouble(MemorySource.FILES, TroubleKind.MISSING, "there is no such file")
    except NotRegular as error:
        return MemoryTrouble(MemorySource.FILES, TroubleKind.UNREADABLE, f"it is {error.what}")
    except OSError as error:
        return MemoryTrouble(MemorySource.FILES, TroubleKind.UNREADABLE, describe_error(error))
    if len(data) > MAX_ANSWER_BYTES:
        return MemoryTrouble(MemorySource.FILES, TroubleKind.UNREADABLE, f"it is larger than {MAX_ANSWER_BYTES:,} bytes")
    return data
