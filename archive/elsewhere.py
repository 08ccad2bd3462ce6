"""Runs a generator in a process of its own, so that its work and the caller's share the machine's cores.

The other process is a new interpreter and not a fork: a library must not fork a process whose threads and database
connections it does not know. On its standard input it is given the generator's name and, perhaps later, its arguments; on
its standard output it answers with lists of items, all of them pickled. The two trust each other; nobody else can write to
these pipes.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, Generic, Self, TypeVar

from archive.errors import ArchiveError

T = TypeVar("T")

# Items are handed over in lists of this many or this size, so that the pipes cost little; each process may hold a few.
_LIST_ITEMS = 128
_LIST_BYTES = 1024 * 1024
# As large as Linux lets anybody make a pipe; the two wait for each other less often.
_PIPE_BYTES = 1024 * 1024

# Isolated (-I): neither the current folder nor the environment may slip a module of their own in.
_START = "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from archive.elsewhere import serve; serve()"


class ProcessEnded(ArchiveError):
    """The other process ended before its work was done."""


class Elsewhere(Generic[T]):
    """Iterates over `generator(*arguments)` while another process works ahead; ends that process when it is left.

    What the generator raises is raised here, behind the items that came before it. The generator is a function at the top
    of a module, and its arguments and items can be pickled.

    Args:
        size_of: Where to look for the size of an item: the index of its `bytes`, or of a number of bytes.
        ahead: How many lists of items, of a megabyte each, are taken in while the caller is busy with one of its own.
    """

    def __init__(self, generator: Callable[..., Iterator[T]], *arguments: object, size_of: int, ahead: int = 1) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=_PIPE_BYTES,
            start_new_session=True,
        )
        self._arguments = arguments
        self._ahead = ahead
        self._items_given: Generator[T] | None = None
        # It starts, and imports what it needs, while the caller is still busy with what the arguments are to be.
        self._tell(sys.path, (generator.__module__, generator.__qualname__, size_of))

    def given(self, *arguments: object) -> Self:
        """Sets the arguments, where they were not known at the start."""
        self._arguments = arguments
        return self

    def __enter__(self) -> Iterator[T]:
        self._tell(self._arguments)
        self._items_given = self._items()
        return self._items_given

    def _tell(self, *values: object) -> None:
        assert self._process.stdin is not None
        try:
            for value in values:
                pickle.dump(value, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._process.wait()  # it died at once; reading its answer says so

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Ends the process, also one that was never entered. Ending twice does nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        if self._items_given is not None:
            self._items_given.close()  # ends the thread, which the death of the process has woken
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def _items(self) -> Generator[T]:
        from concurrent.futures import ThreadPoolExecutor

        # A thread takes the next parts off the pipe meanwhile: SQLite and the disk work without Python's lock.
        pool = ThreadPoolExecutor(1, "elsewhere")
        try:
            coming = deque(pool.submit(self._part) for _ in range(self._ahead))
            while (part := coming.popleft().result()) is not None:
                coming.append(pool.submit(self._part))
                yield from part
        finally:
            pool.shutdown(cancel_futures=True)

    def _part(self) -> list[T] | None:
        assert self._process.stdout is not None
        try:
            part: list[T] | BaseException | None = pickle.load(self._process.stdout)  # noqa: S301 (our own process wrote it)
        except EOFError:
            code = self._process.wait()
            raise ProcessEnded(
                f"a helping process ended before its work was done (exit code {code})",
                hint="Nothing was changed. Run the command again; if there was no memory left, close other programs first.",
            ) from None
        if isinstance(part, BaseException):
            raise part
        return part


def serve() -> None:
    """Is the other process: answers the one request on standard input."""
    output = os.fdopen(os.dup(1), "wb", buffering=_LIST_BYTES)
    # Whatever prints by mistake must not get between the answers.
    os.dup2(2, 1)
    _widen(output)
    try:
        module, name, size_of = pickle.load(sys.stdin.buffer)  # noqa: S301 (written by our own process)
        generator = getattr(import_module(module), name)
        arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 (the same)
    except (EOFError, pickle.UnpicklingError):
        os._exit(0)  # the caller found that there is nothing to do, or was killed
    try:
        for part in _lists(generator(*arguments), size_of):
            _send(output, part)
        _send(output, None)
    except BrokenPipeError:
        os._exit(0)  # the caller has enough
    except BaseException as error:  # noqa: BLE001 (raised again in the caller's process)
        _send(output, error)
    output.close()


def _send(output: IO[bytes], value: object) -> None:
    pickle.dump(value, output, protocol=pickle.HIGHEST_PROTOCOL)
    output.flush()


def _lists(items: Iterator[Any], size_of: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    size = 0
    for item in items:
        part.append(item)
        size += found if isinstance(found := item[size_of], int) else len(found)
        if size >= _LIST_BYTES or len(part) >= _LIST_ITEMS:
            yield part
            part, size = [], 0
    yield part


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            return  # a limit of the system's; it works with the usual size too
