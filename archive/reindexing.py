"""Makes the derived tier anew, or proves that it is as it would be if it were."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.indexing import OnProgress, index_pending, start_state, waiting
from archive.model.reindex import Difference, ReindexResult
from archive.storage import audit_derived, pending, taskstore
from archive.storage.connection import Connection, Database
from archive.storage.export import copy_archive

MOST_DIFFERENCES = 1_000


def reindex(database: Database, on_progress: OnProgress | None) -> ReindexResult:
    """Drops everything derived and makes it again from the first version on.

    That the old rows no longer count is recorded at once, and they go with the first batch of new ones: whatever happens in
    between, the next indexing goes on from there.
    """
    with database.writing() as connection:
        versions, size_bytes = pending.count_versions(connection, 0)
        pending.forget(connection)
    index_pending(database, on_progress)
    with database.reading() as connection:
        items = pending.count_items(connection)
    return _result(versions, size_bytes, items)


def preview(database: Database) -> ReindexResult:
    """Returns what a reindexing would go through."""
    with database.reading() as connection:
        return _result(*pending.count_versions(connection, 0), pending.count_items(connection))


def verify_derived(database: Database, on_progress: OnProgress | None) -> ReindexResult:
    """Compares everything derived with what is made of a copy of the archive; writes to temporary files alone.

    Takes twice the archive's size in the folder for temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="archive-reindex-") as folder:
        present, fresh = Path(folder) / "present.db", Path(folder) / "fresh.db"
        copy_archive(database.path, present)
        with database.reading() as connection:
            left = waiting(connection).versions
        _finish(present)
        with _reading(present) as connection:
            fault = audit_derived.index_fault(connection)
        shutil.copyfile(present, fresh)
        made = Database(fresh, writable=True)
        try:
            done = reindex(made, on_progress)
            with made.reading() as connection, audit_derived.beside(connection, present):
                differences = [Difference(path="", what=f"full-text index: {fault}")] if fault else []
                differences += [Difference(path=path, what=what) for path, what in audit_derived.differences(connection)]
        finally:
            made.close()
        differences += _task_differences(present, fresh)
    found = tuple(differences[:MOST_DIFFERENCES])
    return _result(done.versions, done.size_bytes, done.items, verified=True, differences=found, waiting=left)


def _finish(path: Path) -> None:
    """Indexes what waits in the copy the way it would be in the archive itself, if it was made by the rules of today."""
    database = Database(path, writable=True)
    try:
        with database.reading() as connection:
            state = pending.index_state(connection)
            is_of_today = state.derivation == 0 or start_state(connection, state) == state
        if is_of_today:
            index_pending(database)
        database.take_in_log()
    finally:
        database.close()


def _task_differences(present: Path, fresh: Path) -> list[Difference]:
    """Returns what is not the same of the tasks in two archives."""
    # Only hashes are kept: there may be hundreds of thousands.
    hashes = []
    for path in (present, fresh):
        with _reading(path) as connection:
            hashes.append({hash(row) for row in taskstore.content(connection)})
    wanted = hashes[0] ^ hashes[1]
    if not wanted:
        return []
    found = []
    for path, what in ((present, "is there and should not be"), (fresh, "is missing")):
        with _reading(path) as connection:
            names = audit_derived.paths_of(connection)
            rows = [row for row in taskstore.content(connection) if hash(row) in wanted]
        found += [Difference(path=names.get(row.document_id, ""), what=f"{row.name} {what}") for row in rows]
    return found


@contextmanager
def _reading(path: Path) -> Iterator[Connection]:
    database = Database(path, writable=False)
    try:
        with database.reading() as connection:
            yield connection
    finally:
        database.close()


def _result(
    versions: int,
    size_bytes: int,
    items: int,
    *,
    verified: bool = False,
    differences: tuple[Difference, ...] = (),
    waiting: int = 0,
) -> ReindexResult:
    return ReindexResult(
        versions=versions,
        size_bytes=size_bytes,
        items=items,
        verified=verified,
        differences=differences,
        waiting=waiting,
    )
