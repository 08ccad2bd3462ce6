"""Takes versions apart into items and tasks, in processes of its own where there is much.

The other processes open the archive for themselves and work ahead, so that the one that writes waits for nothing but the disk.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from archive.elsewhere import Elsewhere, ProcessEnded
from archive.errors import ArchiveError
from archive.extract.documents import Extraction, extract_document, only_path
from archive.extract.items import Extractor, ItemDraft
from archive.extract.secrets import SecretRules
from archive.extract.tasks.documents import TaskReader
from archive.storage import blobs
from archive.storage.connection import Connection, Database
from archive.storage.items import Draft
from archive.storage.pending import PendingVersion
from archive.storage.taskrows import PackedTasks, from_plain, pack, to_plain

# From this much on, a second process is worth its start.
WORTH_A_PROCESS_BYTES = 6 * 1024 * 1024
# So many documents are read at once, so that nobody holds on to an old moment of the archive for long.
_READ_AT_ONCE = 64
# Lists of documents that come in while the index, which takes many items at once, has the caller busy.
_AHEAD = 5
# Taking documents apart is twice the work of writing what is in them.
_PROCESSES = 2
_AT_ONCE = 1 << 40  # a size that no other item is waited for


class Taken(NamedTuple):
    """What was taken out of a document, ready to be written; see `Extraction`."""

    drafts: Sequence[Draft]
    extent: str
    note: str
    tasks: PackedTasks


Extract = Callable[[Connection, PendingVersion], Taken]


class Tools(NamedTuple):
    """What takes documents apart."""

    items: Extractor
    tasks: TaskReader


def tools_for(masking: str) -> Callable[[int], Tools]:
    """Returns a function that gives the tools for a source.

    Args:
        masking: The names that are masked, or left alone, beyond the usual: JSON, by the source's id.
    """
    usual = _tools(SecretRules())
    special = {
        int(source_id): _tools(SecretRules.extended(names, allowed))
        for source_id, (names, allowed) in json.loads(masking).items()
    }
    return lambda source_id: special.get(source_id, usual)


def _tools(rules: SecretRules) -> Tools:
    return Tools(Extractor(rules), TaskReader(rules))


@contextmanager
def extracting(database: Database, versions: Sequence[PendingVersion], masking: str) -> Iterator[Extract]:
    """Gives the function that takes versions apart, to be asked for each in its order, but not for those that are the same."""
    wanted = [version for version in versions if not version.is_same]
    if sum(version.size_bytes for version in wanted) < WORTH_A_PROCESS_BYTES or (os.cpu_count() or 1) < 2:
        tools_of = tools_for(masking)

        def at_once(connection: Connection, version: PendingVersion) -> Taken:
            data = _content(connection, version.blob_id)
            drafts, extent, note, tasks = _extract(version.path, data, tools_of(version.source_id))
            return Taken(_stored(drafts), extent, note, pack(tasks))

        yield at_once
        return
    helpers = _Helpers(database.path, [(version.path, version.source_id, version.blob_id) for version in wanted], masking)
    try:
        yield helpers.take
    finally:
        helpers.close()


class _Helpers:
    """Takes documents apart in other processes; one that is the end of these is found out and indexed by its path alone."""

    def __init__(self, path: Path, wanted: Sequence[tuple[str, int, int]], masking: str) -> None:
        self._path = path
        self._wanted = wanted
        self._masking = masking
        self._at = 0
        self._is_careful = False
        self._stack = ExitStack()
        self._found = self._start()

    def take(self, connection: Connection, version: PendingVersion) -> Taken:
        """Returns what was taken out of the next document."""
        del connection
        while True:
            try:
                _, drafts, extent, note, tasks = next(self._found)
            except ProcessEnded as error:
                # Documents come in parts of many. Only where each came by itself it is known which was under way.
                if self._is_careful:
                    self._is_careful, self._at = False, self._at + 1
                    self._found = self._start()
                    return _plain_path(version.path, error.message)
                self._is_careful = True
                self._found = self._start()
                continue
            self._at += 1
            return Taken(drafts, extent, note, from_plain(tasks))

    def close(self) -> None:
        """Ends the process."""
        self._stack.close()

    def _start(self) -> Iterator[_Plain]:
        self._stack.close()
        rest = self._wanted[self._at :]
        parts = [rest[start : start + _READ_AT_ONCE] for start in range(0, len(rest), _READ_AT_ONCE)]
        found: list[Iterator[_Plain]] = []
        for number in range(1 if self._is_careful else min(_PROCESSES, len(parts))):
            own = list(chain.from_iterable(parts[number :: 1 if self._is_careful else _PROCESSES]))
            elsewhere = Elsewhere(extract_blobs, self._path, own, self._masking, self._is_careful, size_of=0, ahead=_AHEAD)
            found.append(self._stack.enter_context(elsewhere))
        # Each has every other part, so that all of them are asked in turn.
        return (one for number, part in enumerate(parts) for one in islice(found[number % len(found)], len(part)))


def _plain_path(path: str, reason: str) -> Taken:
    drafts, extent, note, tasks = only_path(path, reason)
    return Taken(_stored(drafts), extent, note, pack(tasks))


def _stored(drafts: Sequence[ItemDraft]) -> list[tuple[Any, ...]]:
    """Returns drafts as plain tuples, quick to send, of what is stored of them: all but the lines."""
    return [draft[:7] for draft in drafts]


# What goes through the pipe: a size, the drafts as plain tuples, extent and note, and the tasks as plain tuples.
_Plain = tuple[int, list[tuple[Any, ...]], str, str, tuple[Any, ...] | None]


def extract_blobs(
    path: Path, wanted: Sequence[tuple[str, int, int]], masking: str, is_careful: bool = False
) -> Iterator[_Plain]:
    """Takes documents apart, given by path, source and blob; opens the archive for itself.

    Args:
        is_careful: Whether to send each by itself, before the next one is begun.
    """
    # The values and drafts of a large document are hundreds of thousands of objects without cycles, which the collector
    # would look through again and again: with it running this takes five times as long.
    gc.disable()
    tools_of = tools_for(masking)
    database = Database(path, writable=False)
    try:
        for start in range(0, len(wanted), _READ_AT_ONCE):
            part = wanted[start : start + _READ_AT_ONCE]
            with database.reading() as connection:
                contents = _contents(connection, [blob_id for _, _, blob_id in part])
                for (document_path, source_id, _), data in zip(part, contents, strict=True):
                    drafts, extent, note, tasks = _extract(document_path, data, tools_of(source_id))
                    size = _AT_ONCE if is_careful else sum([len(draft.text) for draft in drafts]) + 300 * len(drafts)
                    yield size, _stored(drafts), extent, note, to_plain(pack(tasks))
    finally:
        database.close()


def _contents(connection: Connection, blob_ids: Sequence[int]) -> Iterator[bytes | ArchiveError]:
    """Yields many contents as `_content` does, quicker where all are sound."""
    done = 0
    try:
        for data in blobs.read_many(connection, blob_ids):
            yield data
            done += 1
    except ArchiveError:
        for blob_id in blob_ids[done:]:
            yield _content(connection, blob_id)


def _content(connection: Connection, blob_id: int) -> bytes | ArchiveError:
    try:
        return blobs.read(connection, blob_id)
    except ArchiveError as error:
        return error


def _extract(path: str, data: bytes | ArchiveError, tools: Tools) -> Extraction:
    if isinstance(data, ArchiveError):
        return only_path(path, data.message)
    try:
        return extract_document(path, data, tools.items, tools.tasks)
    except (ArchiveError, RecursionError, MemoryError, ValueError, TypeError, KeyError, IndexError) as error:
        # One document must not keep all others out of the index. It can still be found by its path, and the reason is kept.
        return only_path(path, f"{type(error).__name__}: {error}")
