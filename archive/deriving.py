"""Writes items and tasks of waiting versions, a batch a transaction, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archive.extract.tasks.registry import installed_adapters
from archive.extracting import Extract
from archive.indexing import IndexResult, start_state
from archive.storage import items, pending, taskstore
from archive.storage.connection import Connection, Database
from archive.storage.items import ItemWriter
from archive.storage.pending import IndexState, PendingVersion
from archive.storage.taskstore import TaskWriter

# What one transaction takes in, so that other writers get their turn.
BATCH_BYTES = 96 * 1024 * 1024
BATCH_VERSIONS = 20_000


class Batch(NamedTuple):
    """What one transaction did: how many versions it went through, how far all has come, and counts."""

    versions: int
    state: IndexState
    result: IndexResult


def index_batch(
    database: Database,
    state: IndexState,
    versions: Sequence[PendingVersion],
    extract: Extract,
    on_version: Callable[[int], None],
) -> Batch | None:
    """Indexes some of the versions in one transaction, and the removals behind the last one.

    Returns None if the state is not what it was; then nothing was done.

    Args:
        on_version: Called with the number of versions of this batch that are done.
    """
    with database.deriving() as connection:
        found = pending.index_state(connection)
        if start_state(connection, found) != state:
            return None
        if found != state:
            _drop(connection)
        writers = _Writers(ItemWriter(connection), TaskWriter(connection))
        count = size = 0
        for version in versions:
            if version.removed_in is not None:
                writers.remove(version.document_id, version.removed_in)
            if not version.is_same:
                taken = extract(connection, version)
                writers.items.replace(version.document_id, version.snapshot_id, taken.drafts, is_first=version.is_first)
                writers.tasks.replace(
                    version.document_id,
                    version.snapshot_id,
                    taken.tasks,
                    source_id=version.source_id,
                    is_first=version.is_first,
                )
                if taken.extent:
                    pending.write_note(connection, version.id, taken.extent, taken.note)
                size += version.size_bytes
            count += 1
            on_version(count)
            if size >= BATCH_BYTES or count >= BATCH_VERSIONS:
                break
        last = versions[count - 1].id if count else state.version_id
        snapshot_id = state.snapshot_id
        newest_version_id, newest_snapshot_id = pending.newest(connection)
        if last >= newest_version_id:
            for document_id, removed_in in pending.removals(connection, snapshot_id):
                writers.remove(document_id, removed_in)
            last, snapshot_id = newest_version_id, newest_snapshot_id
        writers.flush()
        after = state._replace(version_id=last, snapshot_id=snapshot_id)
        pending.set_index_state(connection, after)
        return Batch(count, after, IndexResult(count, writers.items.added, writers.items.ended, writers.items.moved))


class _Writers(NamedTuple):
    """What writes items and tasks, in step."""

    items: ItemWriter
    tasks: TaskWriter

    def remove(self, document_id: int, snapshot_id: int) -> None:
        self.items.remove(document_id, snapshot_id)
        self.tasks.remove(document_id, snapshot_id)

    def flush(self) -> None:
        self.items.flush()
        self.tasks.flush()


def _drop(connection: Connection) -> None:
    """Empties the derived tier, to be made again from the first version on."""
    items.drop_items(connection)
    taskstore.drop_tasks(connection)
    taskstore.set_known_adapters(connection, installed_adapters().foreign)
