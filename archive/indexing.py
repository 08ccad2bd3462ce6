"""Brings the derived tier up to date with the versions, in transactions of its own.

The bytes are durable before indexing starts. It goes through the versions in the order in which they came, a batch a
transaction, and records how far it has come in the same transaction: a kill costs the batch under way, and whoever comes
next goes on. A document that cannot be understood is indexed as the text it is, and the reason is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from archive.collector import collector_paused
from archive.model.snapshots import PartlyIndexed, Progress, Stage
from archive.rules import Rules
from archive.storage import pending
from archive.storage.connection import Connection, Database
from archive.storage.pending import IndexState

# Number of the rules by which items are made. Raise it when the same bytes would give other items: archives then know
# that theirs are of an older kind, and make them again.
DERIVATION = 2

# So many versions are looked up at once.
LOOKED_UP = 100_000

OnProgress = Callable[[Progress], None]


class IndexResult(NamedTuple):
    """What an indexing did: counts of versions and items, and the sound documents that could only be indexed in part."""

    versions: int
    added: int
    ended: int
    moved: int
    partly: tuple[PartlyIndexed, ...] = ()

    def plus(self, other: IndexResult) -> IndexResult:
        """Returns the counts of both."""
        versions, added, ended, moved, _ = other
        return IndexResult(self.versions + versions, self.added + added, self.ended + ended, self.moved + moved)


class Waiting(NamedTuple):
    """What is not indexed yet: versions, and their size."""

    versions: int
    size_bytes: int


def waiting(connection: Connection) -> Waiting:
    """Says what an indexing would have to do."""
    start = start_state(connection, pending.index_state(connection))
    return Waiting(*pending.count_versions(connection, start.version_id))


def index_pending(database: Database, on_progress: OnProgress | None = None) -> IndexResult:
    """Indexes every version that waits.

    Takes the write lock for a batch at a time. If another process indexes meanwhile, the two take turns and neither does
    the other's work again.

    Raises:
        ArchiveLocked: Another process wrote for longer than the timeout. What was indexed stays.
    """
    total, done, start = IndexResult(0, 0, 0, 0), 0, None
    while True:
        with database.reading() as connection:
            found = pending.index_state(connection)
            state = start_state(connection, found)
            start = state.version_id if start is None else min(start, state.version_id)
            if state == found and pending.is_complete(connection, state):
                return total._replace(partly=pending.partly_indexed(connection, start))
            versions = pending.pending_versions(connection, state.version_id, LOOKED_UP)
            goal = done + pending.count_versions(connection, state.version_id)[0]
        # Reading documents takes a lot of modules, and mostly there is nothing to be read.
        from archive.deriving import index_batch
        from archive.extracting import extracting

        def report(before: int, count: int, done: int = done, goal: int = goal) -> None:
            if on_progress is not None:
                on_progress(Progress(Stage.INDEX, done + before + count, goal))

        with collector_paused(), extracting(database, versions, state.masking) as extract:
            at = 0
            while True:
                batch = index_batch(database, state, versions[at:], extract, partial(report, at))
                if batch is None:
                    break  # somebody else has been here; look again
                state, at = batch.state, at + batch.versions
                total = total.plus(batch.result)
                if at == len(versions):
                    break
            done += at


def start_state(connection: Connection, state: IndexState) -> IndexState:
    """Returns the state to go on from: the present one, or if it was made by other rules the very beginning."""
    masking = _masking_of(pending.rules_as_stored(connection))
    return state if state[:2] == (DERIVATION, masking) else IndexState(DERIVATION, masking, 0, 0)


@lru_cache(maxsize=8)  # every search asks
def _masking_of(stored: tuple[tuple[int, str], ...]) -> str:
    """Returns what is to be masked or left alone in each source, beyond the usual, as canonical JSON."""
    found = {source_id: Rules.from_json(rules) for source_id, rules in pending.read_rules(stored).items()}
    names = {source_id: [sorted(rules.secret_names), sorted(rules.not_secret)] for source_id, rules in found.items()}
    return json.dumps({str(source_id): names[source_id] for source_id in sorted(names) if any(names[source_id])})
