"""Answers from the archive: what it holds of the memory's documents, the newest reliable version first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive.errors import CorruptArchive
from archive.memory.judging import Offer, is_reliable, judge
from archive.memory.request import MemoryRequest
from archive.model.documents import DocumentState
from archive.model.memory import MemorySource, MemoryTrouble, TroubleKind
from archive.model.snapshots import ProblemKind, Snapshot, Source
from archive.rules import is_virtual
from archive.storage import blobs, documents, known, snapshots
from archive.storage.connection import Connection
from archive.storage.paths import to_text

# Alarms about content that can be read and is much less than it was.
_LOSSES = ("shrunken: ", "emptied: ")


def alarm_stands(source: MemorySource, alarm: str) -> MemoryTrouble:
    """Returns what is to be said of content that was backed up with an alarm, and did not change since."""
    return MemoryTrouble(source, TroubleKind.SHRUNKEN, f"{alarm}; the alarm still stands")


class Stored:
    """Is the archive at one moment, the newest or one of the past.

    Attributes:
        newest: The snapshot of the moment; None where there is none.
        states: The wanted documents that existed at the moment.
        removed: Those that were removed before it, with the snapshot that removed them.
    """

    def __init__(self, connection: Connection, source: Source, request: MemoryRequest) -> None:
        self._connection = connection
        self._source_id = source.id
        self._is_past = request.at is not None
        self.newest: Snapshot | None = request.at or snapshots.newest(connection, source.id)
        self.states: dict[str, DocumentState] = {}
        self.removed: dict[str, int] = {}
        self._alarms: dict[str, str] = {}
        self._alarms_in: dict[int, dict[str, str]] = {}
        if self.newest is not None:
            now = documents.documents_at(connection, source.id, self.newest.id)
            gone = documents.removed_before(connection, source.id, self.newest.id)
            self.states = {state.path: state for state in now if request.wants(state.path)}
            self.removed = {path: snapshot_id for path, snapshot_id in gone if request.wants(path)}
            self._alarms = self._raised(self.newest.id)

    def content_to_compare(self, path: str) -> bytes | None:
        """Returns what the newest snapshot holds of a document; None where that cannot be relied on."""
        state = self.states.get(path)
        if state is None or not is_reliable(state.state, state.error):
            return None
        try:
            return blobs.read(self._connection, state._blob_id)
        except CorruptArchive:
            return None

    def alarm(self, path: str, snapshot_id: int | None) -> str:
        """Returns the alarm that stands about a document, if the content that a snapshot brought is what it is about."""
        state = self.states.get(path)
        return self._alarms.get(to_text(path), "") if state is not None and state.since == snapshot_id else ""

    def _raised(self, snapshot_id: int) -> dict[str, str]:
        """Returns the alarms that stood in a snapshot, by path."""
        if snapshot_id not in self._alarms_in:
            self._alarms_in[snapshot_id] = {
                problem.path: problem.message.partition(": ")[2]
                for problem in known.problems_at(self._connection, self._source_id, snapshot_id)
                if problem.kind is ProblemKind.SUSPICIOUS and problem.message.startswith(_LOSSES)
            }
        return self._alarms_in[snapshot_id]

    def label(self, snapshot_id: int) -> str:
        """Returns the label of a snapshot."""
        return snapshots.by_id(self._connection, snapshot_id).label

    def offers(self, path: str) -> Iterator[Offer | MemoryTrouble]:
        """Yields the versions that should be reliable, the newest first, then the newest of the others.

        One that an alarm was raised about comes after the reliable ones before it: where the file is well it may be meant so,
        but where something has to stand in for the file, to bring back too much is the smaller harm. Of a moment of the past
        it is what there was.
        """
        alarming: DocumentState | None = None
        first_other: DocumentState | None = None
        for state in self._versions(path):
            if not is_reliable(state.state, state.error):
                first_other = first_other or state
            elif not self._is_past and (alarm := self._raised(state.since).get(to_text(path))):
                alarming = alarming or state
                stands = bool(self.alarm(path, state.since))
                yield (
                    alarm_stands(MemorySource.ARCHIVE, alarm)
                    if stands
                    else MemoryTrouble(MemorySource.ARCHIVE, TroubleKind.SHRUNKEN, f"version {state.version}: {alarm}")
                )
            else:
                yield self._offer(state)
        for state in filter(None, (alarming, first_other)):
            yield self._offer(state)

    def _versions(self, path: str) -> Iterator[DocumentState]:
        """Yields the versions up to the moment, the newest first; all but the first are looked up only when asked for."""
        assert self.newest is not None
        state = self.states.get(path)
        if state is not None:
            yield state
        before = state.since if state is not None else self.newest.id + 1
        yield from documents.versions_before(self._connection, self._source_id, path, before)

    def _offer(self, state: DocumentState) -> Offer | MemoryTrouble:
        try:
            data = blobs.read(self._connection, state._blob_id)
        except CorruptArchive as error:
            return MemoryTrouble(MemorySource.ARCHIVE, TroubleKind.CORRUPT, f"version {state.version}: {error.message}")
        # A server's graph may be empty, a file may not.
        judgement = judge(state.kind, data, MemorySource.MCP if is_virtual(state.path) else MemorySource.ARCHIVE)
        if (trouble := judgement.trouble) is not None:
            message = f"version {state.version}: {trouble.message}"
            judgement = replace(judgement, trouble=MemoryTrouble(MemorySource.ARCHIVE, trouble.kind, message))
        return Offer(MemorySource.ARCHIVE, state.kind, state.mtime_ns, state.since, judgement)
