"""The front door: everything a program can do with an archive, as methods of one class.

Methods are a few lines each: they open a transaction, let a verb do the work, and return a frozen value. Nothing here
prints, reads the environment, or asks the time of anybody but the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from archive import backup as backup_verb
from archive.check import check
from archive.clock import Clock, SystemClock
from archive.comparing import compare
from archive.errors import PointerNotFound, UsageError
from archive.extract.parse import load
from archive.extract.pointer import resolve
from archive.model.base import Json
from archive.model.check import CheckDepth, CheckResult, Stats
from archive.model.diff import Diff
from archive.model.documents import DocumentState, History
from archive.model.restore import Overwrite, RestorePlan, RestoreResult
from archive.model.snapshots import BackupResult, Problem, Progress, Snapshot, Source
from archive.moment import parse_moment
from archive.planning import RestoreRequest, plan_restore, plan_undo
from archive.restore import Restorer
from archive.rules import Rules
from archive.selection import Selection
from archive.sources import is_root, root_of, source_at, source_for
from archive.storage import blobs, documents, known, migrate, sizes, snapshots
from archive.storage.connection import DEFAULT_WAIT_S, Connection, Database, files_of
from archive.storage.paths import to_text

OnProgress = Callable[[Progress], None]


class Archive:
    """Is one archive file, opened for reading or for writing.

    Use it as a context manager, or call `close`. An object belongs to one thread; any number of processes may read an
    archive while one writes, and a second writer waits.

    Wherever a moment is asked for (`at`), it is given as text: a snapshot's id (`12`), its label (`20230401_120000`),
    `latest`, `latest~3`, an ISO time (the newest snapshot not after it), or a relative time (`2 hours ago`).

    Attributes:
        path: The archive's file.
        source_name: The source that is read, or None for the only one there is.
    """

    def __init__(self, path: Path, database: Database, *, source: str | None, clock: Clock) -> None:
        self.path = path
        self.source_name = source
        self._database = database
        self._clock = clock

    @classmethod
    def create(
        cls, path: Path | str, *, source: str | None = None, clock: Clock | None = None, wait_s: float = DEFAULT_WAIT_S
    ) -> Self:
        """Creates an empty archive (mode 0600, its folder 0700 if it is new) and opens it for writing.

        Raises:
            ArchiveExists: Something is there already; it was left alone.
            ArchiveFull, ArchiveReadOnly: It could not be written; nothing is left behind.
        """
        migrate.create(Path(path))
        return cls.open(path, mode="write", source=source, clock=clock, wait_s=wait_s)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        mode: Literal["read", "write"] = "read",
        source: str | None = None,
        clock: Clock | None = None,
        wait_s: float = DEFAULT_WAIT_S,
    ) -> Self:
        """Opens an archive; never changes its schema.

        Args:
            path: The archive's file.
            mode: `read` works on read-only files and folders too.
            source: Name of the source to read, where the archive holds several.
            clock: What tells the time; the machine's clock by default.
            wait_s: How long to wait for another writer [s].

        Raises:
            ArchiveNotFound: There is no such file.
            NotAnArchive: It is something else.
            ArchiveTooOld: `upgrade` brings it up to date.
            ArchiveTooNew: Only a newer program can read it.
        """
        path = Path(os.path.abspath(path))
        if mode not in ("read", "write"):
            raise UsageError(f"there is no mode {mode!r}", hint="Use 'read' or 'write'.")
        migrate.require_current(path, wait_s)
        database = Database(path, writable=mode == "write", wait_s=wait_s)
        return cls(path, database, source=source, clock=clock or SystemClock())

    @staticmethod
    def upgrade(path: Path | str, *, dry_run: bool = False, wait_s: float = DEFAULT_WAIT_S) -> tuple[int, int]:
        """Brings an archive's schema up to date, wholly or not at all; returns the schema before and after.

        With `dry_run` nothing is changed, and the second number is what the schema would be.
        """
        return migrate.upgrade(Path(os.path.abspath(path)), dry_run=dry_run, wait_s=wait_s)

    def close(self) -> None:
        """Closes the file. Closing twice does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def backup(
        self,
        root: Path | str,
        *,
        rules: Rules | None = None,
        message: str = "",
        tags: Sequence[str] = (),
        only_if_changed: bool = False,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
    ) -> BackupResult:
        """Adds a snapshot of a folder; when it returns, the snapshot is durable and was read back.

        One transaction: after a failure or a crash the archive is as it was. Files that cannot be read keep their last
        version, are reported as problems, and make the snapshot incomplete; files that cannot be parsed are stored like
        all others.

        Args:
            root: The folder.
            rules: What to take in; `Rules()` by default.
            message: For people.
            tags: For filters.
            only_if_changed: Write no snapshot where no document changed; the result then has the newest one.
            dry_run: Write nothing at all; the result says what would be done.
            on_progress: Called with each step.

        Raises:
            SourceUnreadable: The folder itself cannot be read.
            ArchiveLocked, ArchiveFull, ArchiveReadOnly: Nothing was changed.
        """
        if isinstance(tags, str):
            raise UsageError("tags are a list of texts, not one text", hint="Write tags=['nightly'].")
        rules = rules or Rules()
        # One folder is one source, by whatever links it is reached.
        root = Path(os.path.realpath(root))
        request = backup_verb.BackupRequest(
            root=root,
            rules=rules,
            message=to_text(message),
            tags=tuple(map(to_text, tags)),
            only_if_changed=only_if_changed,
            exclude_paths=self._own_files(),
            on_progress=on_progress,
        )
        if dry_run:
            with self._database.reading() as connection:
                source = source_at(connection, root, self.source_name, self.path)
                return backup_verb.preview(connection, source, request, self._clock)
        with self._database.filling() as connection:
            source = source_for(connection, root, self.source_name, rules.to_json(), self.path)
            return backup_verb.backup(connection, source, request, self._clock)

    def sources(self) -> tuple[Source, ...]:
        """Returns all sources of the archive."""
        with self._database.reading() as connection:
            return tuple(snapshots.sources(connection))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Returns all snapshots, oldest first; none for an archive that nothing was backed up to yet."""
        with self._database.reading() as connection:
            if self.source_name is None and not snapshots.sources(connection):
                return ()
            source = snapshots.find_source(connection, self.source_name)
            return tuple(snapshots.all_snapshots(connection, source.id))

    def snapshot(self, at: str = "latest") -> Snapshot:
        """Returns the snapshot that a moment means.

        Raises:
            SnapshotNotFound: None does; the hint names the nearest.
            QueryError: The text is no moment.
        """
        with self._reading() as (connection, source):
            return self._resolve(connection, source, at)

    def documents(self, *, at: str = "latest", patterns: Sequence[str] = ()) -> tuple[DocumentState, ...]:
        """Returns the documents of a moment, sorted by path; `patterns` are paths, folders and globs."""
        with self._reading() as (connection, source):
            found = documents.documents_at(connection, source.id, self._resolve(connection, source, at).id)
        selection = Selection(patterns, (document.path for document in found))
        return tuple(document for document in found if selection.matches(document.path))

    def history(self, path: str) -> History:
        """Returns all versions of a document, oldest first.

        Raises:
            DocumentNotFound: No snapshot ever held it; the hint names paths like it.
        """
        with self._reading() as (connection, source):
            return documents.history(connection, source.id, path)

    def read(self, path: str, *, at: str = "latest") -> bytes:
        """Returns the content of a document as it was, byte for byte, checked against its hash.

        Raises:
            DocumentNotFound: It did not exist then.
            CorruptArchive: The stored content does not match its hash.
        """
        return self._read(path, at)[1]

    def read_value(self, path: str, pointer: str = "", *, at: str = "latest") -> Json:
        """Returns the value at an RFC 6901 pointer in a JSON document; in JSONL the first step counts the records from 0.

        Where the document is damaged, the part of it that can be read is what the pointer looks into.

        Raises:
            DocumentNotFound: The document did not exist then.
            PointerNotFound: The pointer leads nowhere, or there is nothing that could be read.
        """
        document, data = self._read(path, at)
        loaded = load(document.kind, data)
        if not loaded.readable:
            raise PointerNotFound(
                f"{path} cannot be read as {document.kind.value}: {loaded.report.error or 'too large or too deeply nested'}",
                hint=f"Run 'archive log {path}' to see its last valid version, or leave the pointer out to see the bytes.",
                path=path,
            )
        return resolve(loaded.value, pointer)

    def diff(self, old: str, new: str = "latest", *, patterns: Sequence[str] = (), inside: bool = True) -> Diff:
        """Returns what differs between two moments; `inside` also says what differs inside the files."""
        with self._reading() as (connection, source):
            before, after = self._resolve(connection, source, old), self._resolve(connection, source, new)
            return compare(connection, source, before, after, patterns=patterns, inside=inside)

    def problems(self, *, at: str = "latest") -> tuple[Problem, ...]:
        """Returns the problems that stood in a snapshot, skipped files included."""
        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            return tuple(known.problems_at(connection, source.id, snapshot.id))

    def plan_restore(
        self,
        target: Path | str | None = None,
        *,
        at: str = "latest",
        paths: Sequence[str] = (),
        overwrite: Overwrite = Overwrite.IF_CHANGED,
        delete_extra: bool = False,
    ) -> RestorePlan:
        """Compares a moment with the disk and returns what a restore would do; writes nothing.

        Args:
            target: Folder to restore to; the source's own by default.
            at: The moment.
            paths: Documents, folders and globs to restore; none mean everything.
            overwrite: Which existing files may be replaced. Outside the source's own folder, files whose content is in no
                snapshot are kept unless this is `ALWAYS`.
            delete_extra: Whether to delete files that did not exist then and that a backup would take in; others are never
                looked at.

        Raises:
            SnapshotNotFound, DocumentNotFound: Nothing fits.
            UnsafePath: A stored path leads out of the target.
        """
        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            request = self._restore_request(source, target, patterns=paths, overwrite=overwrite, delete_extra=delete_extra)
            return plan_restore(connection, source, snapshot, request)

    def plan_undo(self) -> RestorePlan:
        """Returns the plan that takes the last restore in place back; undoing an undo repeats the restore.

        Raises:
            NotFound: Nothing was restored in place yet.
        """
        with self._reading() as (connection, source):
            return plan_undo(connection, source, self._restore_request(source, None, overwrite=Overwrite.IF_CHANGED))

    def restore(self, plan: RestorePlan, *, on_progress: OnProgress | None = None) -> RestoreResult:
        """Writes the planned state to the plan's target.

        In place, a safety snapshot takes in everything that will be overwritten or deleted, and the restore is recorded, so
        that `plan_undo` can take it back, even after a crash. Then all files are written to a staging folder in the target,
        read back and compared with their hashes; only when all of them are right are they renamed into place, each one
        atomically, with their mode and time of modification. A failure before the first rename leaves the target as it was.
        A crash during the renames leaves a mix of whole old and whole new files; undoing or restoring again settles it.

        Does not touch files that the plan does not name, and follows no link out of the target.

        Raises:
            PlanStale: The archive or the target changed since the plan was made. Nothing was written.
            UnsafePath: A path leads out of the target. Nothing was written.
            TargetFailed: Writing failed (a full disk, say). The target is as it was.
            CorruptArchive: Content does not match its hash. The target is as it was.
        """
        with self._reading() as (_, source):
            request = self._restore_request(source, plan.target, overwrite=plan.overwrite)
        return Restorer(self._database, source, request, self._clock, on_progress).restore(plan)

    def check(self, *, depth: CheckDepth = CheckDepth.FULL, on_progress: OnProgress | None = None) -> CheckResult:
        """Proves what the archive holds: re-reads and re-hashes all content, checks every rule of the format.

        Never repairs and never writes. Damage is in the result's findings and not an exception.
        """
        with self._database.reading() as connection:
            return check(connection, depth, self._clock, on_progress)

    def stats(self) -> Stats:
        """Returns what the archive holds and what it costs."""
        with self._database.reading() as connection:
            return sizes.stats(connection, self.path)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Source]]:
        with self._database.reading() as connection:
            yield connection, snapshots.find_source(connection, self.source_name)

    def _resolve(self, connection: Connection, source: Source, at: str) -> Snapshot:
        return snapshots.resolve(connection, source.id, parse_moment(at, self._clock.now(), self._clock.localize))

    def _read(self, path: str, at: str) -> tuple[DocumentState, bytes]:
        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            document = documents.document_at(connection, source.id, snapshot.id, path)
            return document, blobs.read(connection, document._blob_id)

    def _restore_request(
        self,
        source: Source,
        target: Path | str | None,
        *,
        overwrite: Overwrite,
        patterns: Sequence[str] = (),
        delete_extra: bool = False,
    ) -> RestoreRequest:
        folder = root_of(source, self.path) if target is None else Path(os.path.abspath(target))
        return RestoreRequest(
            target=folder,
            in_place=target is None or is_root(source, self.path, folder),
            rules=Rules.from_json(source.rules),
            patterns=patterns,
            overwrite=overwrite,
            delete_extra=delete_extra,
            protect=self._own_files(),
        )

    def _own_files(self) -> Collection[Path]:
        """The archive's files, which are never backed up and never overwritten."""
        return files_of(self.path)
