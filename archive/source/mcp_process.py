"""Runs a memory server as a process of its own and carries messages to and from it, within bounds.

The client library brings a transport of its own, which waits some seconds for a server that does not end, holds whatever
size of a line in memory, and writes a traceback to the log for each line that is no message. A server that hangs or raves
is what a fallback is for, so here everything is bounded and nothing is logged. The messages are the library's.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.extract.parse import MAX_LOAD_BYTES
from archive.extract.printable import printable

if TYPE_CHECKING:
    import anyio.abc

MAX_ANSWER_BYTES = MAX_LOAD_BYTES

# How long a server may take to end once its input is closed, and once it is asked to, before it is made to [s].
_END_S = 0.3
_TERMINATE_S = 0.3
_REAP_S = 1.0
_POLL_S = 0.005
_SAID_BYTES = 4096
_SHOWN_CHARACTERS = 120


@dataclass(slots=True)
class Impression:
    """What a server let be known beside its answers.

    Attributes:
        babble: The first line that was no message.
        said: The end of what it wrote to its error stream.
        is_too_large: Whether it wrote more than is read.
    """

    babble: bytes | None = None
    said: bytearray = field(default_factory=bytearray)
    is_too_large: bool = False

    @property
    def last_words(self) -> str:
        """The last line of its error stream that says something, shortened."""
        lines = [line for line in bytes(self.said).decode("utf-8", "replace").splitlines() if line.strip()]
        return shown(lines[-1]) if lines else ""


def shown(text: str | bytes) -> str:
    """Returns the beginning of a text on one line, for a message."""
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace")
    line = printable(" ".join(text.split()))
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"


@asynccontextmanager
async def process_transport(
    command: Sequence[str], env: Mapping[str, str], cwd: Path | None, impression: Impression
) -> AsyncIterator[tuple[Any, Any]]:
    """Starts the server and gives the streams to and from it; when it is left, the process and its children are gone.

    Raises:
        OSError: It cannot be started.
    """
    import anyio
    from mcp.client.stdio import get_default_environment

    process = await anyio.open_process([*command], env=get_default_environment() | dict(env), cwd=cwd, start_new_session=True)
    to_client, incoming = anyio.create_memory_object_stream[Any](0)
    outgoing, from_client = anyio.create_memory_object_stream[Any](0)
    async with AsyncExitStack() as closing:
        for stream in (to_client, incoming, outgoing, from_client):
            closing.push_async_callback(stream.aclose)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_receive, process, to_client, impression)
            tasks.start_soon(_send, process, from_client)
            tasks.start_soon(_overhear, process, impression)
            try:
                yield incoming, outgoing
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)
                tasks.cancel_scope.cancel()


def _message(line: bytes, adapter: Any) -> Any:
    """Returns the message in a line.

    Half of a surrogate pair, as programs in JavaScript leave it of an emoji, is more than pydantic takes. Then the graph is
    read from the text of the answer, where it stands too and such halves are escaped.
    """
    try:
        return adapter.validate_json(line, by_name=False)
    except ValueError:
        found = json.loads(line)
        result = found.get("result") if isinstance(found, dict) else None
        if not isinstance(result, dict) or result.pop("structuredContent", None) is None:
            raise
        return adapter.validate_python(found, by_name=False)


async def _receive(process: anyio.abc.Process, to_client: Any, impression: Impression) -> None:
    import anyio
    import mcp_types
    from mcp.shared.message import SessionMessage

    assert process.stdout is not None
    waiting, total = bytearray(), 0
    # Closing the stream tells the client that the connection has ended.
    async with to_client:
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            while True:
                chunk = await process.stdout.receive()
                total += len(chunk)
                if total > MAX_ANSWER_BYTES:
                    impression.is_too_large = True
                    return
                waiting += chunk
                if b"\n" not in chunk:
                    continue
                *lines, rest = bytes(waiting).split(b"\n")
                waiting = bytearray(rest)
                for line in lines:
                    try:
                        message = _message(line, mcp_types.jsonrpc_message_adapter)
                    except (ValueError, RecursionError):
                        if line.strip() and impression.babble is None:
                            impression.babble = line
                        continue
                    await to_client.send(SessionMessage(message))


async def _send(process: anyio.abc.Process, from_client: Any) -> None:
    import anyio

    assert process.stdin is not None
    async with from_client:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            async for each in from_client:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                await process.stdin.send(text.encode() + b"\n")


async def _overhear(process: anyio.abc.Process, impression: Impression) -> None:
    import anyio

    assert process.stderr is not None
    with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        while True:
            impression.said += await process.stderr.receive()
            del impression.said[:-_SAID_BYTES]


async def _end(process: anyio.abc.Process) -> None:
    """Ends the process and its group: by closing its input, by asking, by force; then closes what is left open."""
    import anyio

    if process.stdin is not None:
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await process.stdin.aclose()
    for patience, sent in ((_END_S, signal.SIGTERM), (_TERMINATE_S, signal.SIGKILL)):
        await _has_ended(process, patience)
        # Also where it has ended itself: what it started may still run.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sent)
    await _has_ended(process, _REAP_S)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                await stream.aclose()
    with anyio.move_on_after(_REAP_S):
        await process.aclose()


async def _has_ended(process: anyio.abc.Process, patience_s: float) -> None:
    """Waits until it has ended, or for that long. Its children may hold its pipes, so they tell nothing."""
    import anyio

    with anyio.move_on_after(patience_s):
        while process.returncode is None:
            await anyio.sleep(_POLL_S)
