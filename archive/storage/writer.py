"""Writes one snapshot: the versions that changed, the content they brought, and last the snapshot's own row.

Everything happens in the caller's transaction. Content is written in batches, read back and hashed; content that is no
longer current anywhere is turned into deltas at the end, when it is known what is current.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from archive.model.documents import Kind, ParseReport
from archive.model.files import FileStat
from archive.model.snapshots import Problem
from archive.storage import blobs, chains, paths
from archive.storage.bulk import insert_rows
from archive.storage.connection import Connection
from archive.storage.known import KnownDocument, KnownProblem, find_past
from archive.storage.rows import fetch, value

# A batch is written when it holds this much. Larger ones gain nothing and cost memory.
BATCH_FILES = 256
BATCH_BYTES = 4 * 1024 * 1024


def version_line(
    path: str, hash_: str, size_bytes: int, mode: int, mtime_ns: int, parse_state: str, parse_error: str
) -> Sequence[object]:
    """Returns what the digest covers of a version that begins in a snapshot."""
    return (path, hash_, size_bytes, mode, mtime_ns, parse_state, parse_error)


def removal_line(path: str) -> Sequence[object]:
    """Returns what the digest covers of a document that is gone in a snapshot."""
    return (path, None)


def problem_line(path: str, kind: str, message: str, *, begins: bool) -> Sequence[object]:
    """Returns what the digest covers of a problem that begins or ends in a snapshot."""
    return (path, kind, message, int(begins))


class Incoming(NamedTuple):
    """A file that was read because it is new or looked different."""

    stat: FileStat
    data: bytes
    hash: str
    kind: Kind
    category: str
    report: ParseReport
    is_racy: bool
    known: KnownDocument | None


class SnapshotWriter:
    """Collects the changes of one snapshot and writes them.

    Attributes:
        changes: What the digest covers, as `removal_line` and its neighbours make it.
        bytes_stored: Content added to the file, after compression.
    """

    def __init__(self, connection: Connection, source_id: int, snapshot_id: int) -> None:
        self.changes: list[Sequence[object]] = []
        self.bytes_stored = 0
        self._connection = connection
        self._source_id = source_id
        self._snapshot_id = snapshot_id
        self._batch: list[Incoming] = []
        self._batch_bytes = 0
        self._next_blob_id = blobs.next_id(connection)
        self._superseded: dict[int, tuple[int, int | None]] = {}  # blob → the document that had it, what took its place

    def add(self, incoming: Incoming) -> None:
        """Takes in a document that is new, or of which the content, the mode or the time differs."""
        self._batch.append(incoming)
        self._batch_bytes += len(incoming.data)
        if len(self._batch) >= BATCH_FILES or self._batch_bytes >= BATCH_BYTES:
            self.flush()

    def remove(self, known: KnownDocument) -> None:
        """Records that a document is gone."""
        self._close_versions([known.version_id])
        self._connection.execute("DELETE FROM _stat_cache WHERE document_id = ?", (known.document_id,))
        self._superseded.setdefault(known.blob_id, (known.document_id, None))
        self.changes.append(removal_line(known.path))

    def refresh(self, known: KnownDocument, stat: FileStat, *, is_racy: bool) -> None:
        """Notes how an unchanged document's file looks now, so that the next backup need not read it again."""
        self._write_stat_cache([(known.document_id, stat, is_racy)])

    def relabel(self, known: KnownDocument, category: str) -> None:
        """Records that the rules of today sort a document elsewhere."""
        self._connection.execute("UPDATE documents SET category = ? WHERE id = ?", (category, known.document_id))

    def flush(self) -> None:
        """Writes the batch."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if not batch:
            return
        blob_ids, arriving = self._name(batch)
        documents = self._documents(batch)
        replaced = [incoming.known for incoming in batch if incoming.known is not None]
        self._close_versions([known.version_id for known in replaced])
        rows = []
        for incoming, (document_id, number) in zip(batch, documents, strict=True):
            stat, report = incoming.stat, incoming.report
            blob_id = blob_ids[incoming.hash]
            rows.append(
                (
                    *(document_id, number, blob_id, self._snapshot_id, stat.mode, stat.mtime_ns, len(incoming.data)),
                    *(report.state.value, report.error),
                )
            )
            if incoming.known is not None and incoming.known.blob_id != blob_id:
                self._superseded[incoming.known.blob_id] = (document_id, blob_id)
            attributes = (len(incoming.data), stat.mode, stat.mtime_ns)
            self.changes.append(version_line(stat.path, incoming.hash, *attributes, report.state.value, report.error))
        insert_rows(
            self._connection,
            "INSERT INTO versions (document_id, number, blob_id, first_snapshot_id, mode, mtime_ns, size_bytes,"
            " parse_state, parse_error)",
            rows,
        )
        # First the old content goes and then the new one comes, into the pages that this frees. The other way round a file
        # keeps as many empty pages as its largest documents take.
        self.retire_superseded({blob_id: data for blob_id, _, data in arriving})
        blobs.put(self._connection, arriving)
        self._write_stat_cache(
            [
                (document_id, incoming.stat, incoming.is_racy)
                for incoming, (document_id, _) in zip(batch, documents, strict=True)
            ]
        )

    def retire_superseded(self, arriving: Mapping[int, bytes] = MappingProxyType({})) -> None:
        """Turns content that is current nowhere any more into deltas.

        Called again at the end, when all versions are written: what another document still had before may be free by then.
        What a later document of the same snapshot takes up again is revived.

        Args:
            arriving: Content by blob that is current already and about to be stored.
        """
        for blob_id, (document_id, successor_id) in list(self._superseded.items()):
            if not self._is_current(blob_id):
                base = None
                if successor_id is not None and self._is_current(successor_id):
                    data = arriving.get(successor_id)
                    base = (successor_id, blobs.read(self._connection, successor_id) if data is None else data)
                self.bytes_stored += chains.retire(self._connection, blob_id, base, document_id=document_id)
                del self._superseded[blob_id]

    def write_problems(self, standing: list[KnownProblem], now: list[Problem]) -> None:
        """Ends the problems that no longer stand and begins the new ones; the same problem keeps its row."""
        wanted = {Problem(paths.to_text(problem.path), problem.kind, problem.message) for problem in now}
        ended = [(self._snapshot_id, known.id) for known in standing if known.problem not in wanted]
        begun = wanted - {known.problem for known in standing}
        self.changes += [
            problem_line(*_values(known.problem), begins=False) for known in standing if known.problem not in wanted
        ]
        self.changes += [problem_line(*_values(problem), begins=True) for problem in begun]
        if ended:
            self._connection.executemany("UPDATE problems SET until_snapshot_id = ? WHERE id = ?", ended)
        insert_rows(
            self._connection,
            "INSERT INTO problems (source_id, path, kind, severity, message, first_snapshot_id)",
            [
                (self._source_id, each.path, each.kind.value, each.severity.value, each.message, self._snapshot_id)
                for each in sorted(begun, key=lambda problem: (problem.path, problem.kind))
            ],
        )

    def _name(self, batch: list[Incoming]) -> tuple[dict[str, int], list[tuple[int, str, bytes]]]:
        """Names the batch's content; returns the blob ids by hash, and what of it is to be made plain as (id, hash, bytes)."""
        by_hash = {incoming.hash: incoming.data for incoming in batch}
        found = blobs.find(self._connection, list(by_hash))
        ids = {hash_: row.id for hash_, row in found.items()}
        new = []
        for hash_, data in by_hash.items():
            if hash_ not in found:
                ids[hash_] = self._next_blob_id
                new.append((self._next_blob_id, hash_, data))
                self._next_blob_id += 1
        revived = [(row.id, hash_, by_hash[hash_]) for hash_, row in found.items() if not row.is_plain]
        blobs.name(self._connection, new)
        blobs.revive(self._connection, [blob_id for blob_id, _, _ in revived])
        self.bytes_stored += sum(len(data) for _, _, data in new)
        return ids, new + revived

    def _documents(self, batch: list[Incoming]) -> list[tuple[int, int]]:
        """Returns document id and version number for each of the batch; adds the documents that are new."""
        fresh = [incoming for incoming in batch if incoming.known is None]
        past = find_past(self._connection, self._source_id, [each.stat.path for each in fresh]) if fresh else {}
        next_id = value(self._connection, "SELECT coalesce(max(id), 0) + 1 FROM documents")
        result: list[tuple[int, int]] = []
        rows, labels = [], []
        for incoming in batch:
            path = incoming.stat.path
            if incoming.known is not None:
                document_id, number = incoming.known.document_id, incoming.known.number
            elif path in past:
                document_id, number = past[path]
            else:
                document_id, number = next_id, 0
                next_id += 1
                rows.append((document_id, self._source_id, *paths.to_columns(path), incoming.kind.value, incoming.category))
            if number and (incoming.known is None or incoming.known[2:4] != (incoming.kind, incoming.category)):
                labels.append((incoming.kind.value, incoming.category, document_id))
            result.append((document_id, number + 1))
        insert_rows(self._connection, "INSERT INTO documents (id, source_id, path, path_bytes, kind, category)", rows)
        if labels:
            self._connection.executemany("UPDATE documents SET kind = ?, category = ? WHERE id = ?", labels)
        return result

    def _close_versions(self, version_ids: list[int]) -> None:
        if version_ids:
            self._connection.executemany(
                "UPDATE versions SET until_snapshot_id = ? WHERE id = ?",
                [(self._snapshot_id, version_id) for version_id in version_ids],
            )

    def _write_stat_cache(self, rows: list[tuple[int, FileStat, bool]]) -> None:
        insert_rows(
            self._connection,
            "INSERT OR REPLACE INTO _stat_cache (document_id, size_bytes, mtime_ns, ctime_ns, inode, is_racy)",
            [
                # SQLite's integers are signed; some file systems number inodes up to 2**64.
                (document_id, stat.size_bytes, stat.mtime_ns, stat.ctime_ns, stat.inode & (2**63 - 1), int(is_racy))
                for document_id, stat, is_racy in rows
            ],
        )

    def _is_current(self, blob_id: int) -> bool:
        statement = "SELECT 1 FROM versions WHERE blob_id = ? AND until_snapshot_id IS NULL LIMIT 1"
        return bool(fetch(self._connection, statement, (blob_id,)))


def _values(problem: Problem) -> tuple[str, str, str]:
    return problem.path, problem.kind.value, problem.message
