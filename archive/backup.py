"""Makes snapshots: scan, compare with what is known, read what looks different, write it all in one transaction.

    scan (stat only) → compare → read and hash the rest → ONE transaction: content, versions, problems, snapshot row
    last → commit

The lock is held from before the scan, so that snapshots follow each other as the states of the disk did. A file that
cannot be read keeps its last version and makes the snapshot incomplete, and one that outgrew the size limit keeps it too;
only a document that is gone, or that the rules no longer take in, is recorded as removed. What no file holds (`is_virtual`)
is given with the request, and stays as it was where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive.clock import Clock
from archive.collector import collector_paused
from archive.errors import CorruptArchive
from archive.hashing import chain_digest
from archive.looking import Ahead, Seen, looking_at
from archive.model.documents import Kind, ParseState
from archive.model.files import FileStat, Scan
from archive.model.memory import SHRUNKEN_BELOW
from archive.model.snapshots import BackupResult, Problem, ProblemKind, Progress, Severity, Snapshot, Source, Stage
from archive.rules import Rules, is_virtual
from archive.source.scan import scan
from archive.storage import blobs, snapshots
from archive.storage.connection import Connection
from archive.storage.known import KnownDocument, KnownProblem, last_readable_blob, load_documents, load_problems
from archive.storage.paths import to_text
from archive.storage.writer import Incoming, SnapshotWriter
from archive.suspicion import suspicion

OnProgress = Callable[[Progress], None]

# A file changed this shortly before it was read may change again without its times showing it: file systems count in
# steps, some of two seconds. Such a file is read again by the next backup.
RACY_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRequest:
    """What to back up and how.

    Attributes:
        exclude_paths: Absolute paths that are never looked at: the archive's own files.
        extra_paths: Documents to take in whatever the rules say.
        virtual: Documents that no file holds, below `VIRTUAL_PREFIX`.
        shrunken_below: A document that keeps less than this share of its items is a `suspicious` problem.
        only_if_changed: Write no snapshot where nothing changed since the newest.
    """

    root: Path
    rules: Rules
    message: str = ""
    tags: tuple[str, ...] = ()
    only_if_changed: bool = False
    exclude_paths: Collection[Path] = ()
    extra_paths: Collection[str] = ()
    virtual: Collection[Seen] = ()
    shrunken_below: float = SHRUNKEN_BELOW
    on_progress: OnProgress | None = None


@dataclass(slots=True)
class Outcome:
    """What became of the files, collected while they are looked at."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    bytes_read: int = 0
    documents: int = 0
    size_bytes: int = 0

    @property
    def is_change(self) -> bool:
        """Whether any document differs from the snapshot before."""
        return bool(self.added or self.changed or self.touched or self.removed)

    @property
    def reexamined(self) -> set[str]:
        """Documents whose standing warnings no longer count, since their content is another or gone."""
        return {*self.added, *self.changed, *self.removed}


@collector_paused()
def backup(connection: Connection, source: Source, request: BackupRequest, clock: Clock) -> BackupResult:
    """Adds a snapshot of the request's root in the caller's transaction, which must be a writing one.

    Raises:
        SourceUnreadable: The root itself cannot be read.
        CorruptArchive: What was written did not read back as it was.
    """
    started, now = clock.monotonic(), clock.now()
    known = load_documents(connection, source.id)
    standing = load_problems(connection, source.id)
    snapshot_id = snapshots.next_id(connection)
    writer = SnapshotWriter(connection, source.id, snapshot_id)
    outcome, found = _walk(connection, request, known, clock, writer)
    problems = _standing_problems(outcome, found, standing, known)
    previous = snapshots.newest(connection, source.id)
    if request.only_if_changed and previous is not None and not outcome.is_change:
        return _result(outcome, problems, len(known), previous, created=False)
    writer.retire_superseded()
    writer.write_problems(standing, problems)
    snapshot = Snapshot(
        id=snapshot_id,
        source=source.name,
        label=snapshots.free_label(connection, source.id, now),
        created_at=now,
        message=request.message,
        tags=request.tags,
        is_complete=not any(problem.severity is Severity.INCOMPLETE for problem in problems),
        documents=outcome.documents,
        size_bytes=outcome.size_bytes,
        added=len(outcome.added),
        changed=len(outcome.changed),
        touched=len(outcome.touched),
        removed=len(outcome.removed),
        problems=sum(problem.severity is not Severity.SKIPPED for problem in problems),
        bytes_read=outcome.bytes_read,
        bytes_stored=writer.bytes_stored,
        duration_ms=round((clock.monotonic() - started) * 1000),
        digest="",
    )
    header = snapshots.header(source.id, snapshot)
    snapshot = replace(snapshot, digest=chain_digest(previous.digest if previous else "", header, writer.changes))
    snapshots.insert(connection, source.id, snapshot)
    return _result(outcome, problems, len(known), snapshot, created=True)


@collector_paused()
def preview(connection: Connection | None, source: Source | None, request: BackupRequest, clock: Clock) -> BackupResult:
    """Returns what `backup` would do; reads files and writes nothing.

    Args:
        connection: A reading transaction, or None where there is no archive yet; then `source` is None too.
    """
    known: dict[str, KnownDocument] = {}
    standing: list[KnownProblem] = []
    if connection is not None and source is not None:
        known, standing = load_documents(connection, source.id), load_problems(connection, source.id)
    outcome, found = _walk(connection, request, known, clock, None)
    return _result(outcome, _standing_problems(outcome, found, standing, known), len(known), None, created=False)


def _walk(
    connection: Connection | None,
    request: BackupRequest,
    known: dict[str, KnownDocument],
    clock: Clock,
    writer: SnapshotWriter | None,
) -> tuple[Outcome, Scan]:
    # Taken before the first look: what changes from here on may look unchanged next time.
    fresh_from_ns = clock.file_time_ns() - RACY_NS
    ahead = Ahead()
    found, doubtful = _scan(request, known, ahead)
    outcome = Outcome(documents=len(known), size_bytes=sum(document.size_bytes for document in known.values()))
    # A document that outgrew the size limit is not gone: it keeps its last version, and the problem says so.
    present = {stat.path for stat in found.files}
    present |= {problem.path for problem in found.skipped if problem.kind is ProblemKind.TOO_LARGE}
    on_progress = request.on_progress or _ignore
    wanted = [(stat, Kind(old.kind) if (old := known.get(stat.path)) is not None else None) for stat in doubtful]

    def take_in(seen: Seen) -> None:
        if seen.problem is not None:
            outcome.problems.append(seen.problem)
        if seen.is_read:
            incoming = _incoming(seen, request, known, fresh_from_ns)
            if message := _suspicion(connection, incoming, request.shrunken_below):
                outcome.problems.append(Problem(seen.stat.path, ProblemKind.SUSPICIOUS, message))
            _take(incoming, outcome, writer)

    with looking_at(request.root, wanted, ahead) as everything:
        for done, seen in enumerate(everything, start=1):
            take_in(seen)
            on_progress(Progress(Stage.READ, done, len(doubtful)))
    for seen in request.virtual:
        # No file has a time of modification to compare; the same content is the same.
        is_same = (old := known.get(seen.stat.path)) is not None and old.hash == seen.hash
        take_in(seen._replace(is_read=seen.is_read and not is_same))
    if writer is not None:
        writer.flush()
    for path, document in known.items():
        if path not in present and not _is_below(path, found.unreadable_folders) and not is_virtual(path):
            outcome.removed.append(path)
            outcome.documents -= 1
            outcome.size_bytes -= document.size_bytes
            if writer is not None:
                writer.remove(document)
        elif writer is not None and (category := request.rules.category(path)) != document.category:
            writer.relabel(document, category)
    return outcome, found


def _scan(request: BackupRequest, known: dict[str, KnownDocument], ahead: Ahead) -> tuple[Scan, list[FileStat]]:
    """Returns what there is, and of its files those that do not look as they did when they were read."""
    doubtful: list[FileStat] = []

    def look(stat: FileStat) -> None:
        if (old := known.get(stat.path)) is None or not old.looks_like(stat):
            doubtful.append(stat)
            ahead.expect(stat.size_bytes)

    try:
        found = scan(
            request.root,
            request.rules,
            exclude_paths=request.exclude_paths,
            extra_paths=request.extra_paths,
            known=known,
            on_file=look,
        )
    except BaseException:
        ahead.end()
        raise
    return found, sorted(doubtful)


def _incoming(seen: Seen, request: BackupRequest, known: dict[str, KnownDocument], fresh_from_ns: int) -> Incoming:
    newest = max(seen.stat.mtime_ns, seen.stat.ctime_ns)
    return Incoming(
        stat=seen.stat,
        data=seen.data,
        hash=seen.hash,
        kind=seen.kind,
        category=request.rules.category(seen.stat.path),
        report=seen.report,
        is_racy=newest > fresh_from_ns or seen.problem is not None,
        known=known.get(seen.stat.path),
    )


def _suspicion(connection: Connection | None, incoming: Incoming, shrunken_below: float) -> str:
    """What is suspicious about the change of a document; documents that are new or as they were cost nothing."""
    old = incoming.known
    if connection is None or old is None or old.hash == incoming.hash:
        return ""

    def last_valid() -> bytes | None:
        blob_id = last_readable_blob(connection, old.document_id)
        return None if blob_id is None else blobs.read(connection, blob_id)

    try:
        before = blobs.read(connection, old.blob_id)
        return suspicion(
            incoming.kind, before, incoming.data, incoming.report, shrunken_below=shrunken_below, last_valid=last_valid
        )
    except CorruptArchive:
        return ""  # a check says so; here there is just nothing to compare with


def _take(incoming: Incoming, outcome: Outcome, writer: SnapshotWriter | None) -> None:
    stat, old, size_bytes = incoming.stat, incoming.known, len(incoming.data)
    is_same = old is not None and old.hash == incoming.hash
    outcome.bytes_read += size_bytes
    if old is not None and is_same and (old.mode, old.mtime_ns) == (stat.mode, stat.mtime_ns):
        # Read for nothing: only the inode or the time of change differs, or it was racy.
        if writer is not None and not old.is_cached_as(stat, is_racy=incoming.is_racy):
            writer.refresh(old, stat, is_racy=incoming.is_racy)
        return
    if old is None:
        outcome.added.append(stat.path)
        outcome.documents += 1
        outcome.size_bytes += size_bytes
    else:
        (outcome.touched if is_same else outcome.changed).append(stat.path)
        outcome.size_bytes += size_bytes - old.size_bytes
    if incoming.report.state is ParseState.INVALID and not is_same:
        outcome.problems.append(Problem(stat.path, ProblemKind.INVALID, incoming.report.error))
    if writer is not None:
        writer.add(incoming)


def _standing_problems(
    outcome: Outcome, found: Scan, standing: list[KnownProblem], known: dict[str, KnownDocument]
) -> list[Problem]:
    """All problems that stand now: those just met, and the warnings about documents that are as they were."""
    # Rows show paths as text; only a document's own path says which bytes are meant.
    warned: dict[str, list[Problem]] = {}
    for each in standing:
        if each.problem.severity is Severity.WARNING:
            warned.setdefault(each.problem.path, []).append(each.problem)
    reexamined = outcome.reexamined
    kept = [
        Problem(path, problem.kind, problem.message)
        for path in (known if warned else ())
        if path not in reexamined
        for problem in warned.get(to_text(path), ())
    ]
    problems = {*kept, *outcome.problems, *found.problems, *found.skipped}
    return sorted(problems, key=lambda problem: (problem.path, problem.kind, problem.message))


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(folder in (".", path) or path.startswith(folder + "/") for folder in folders)


def _result(outcome: Outcome, problems: list[Problem], known: int, snapshot: Snapshot | None, *, created: bool) -> BackupResult:
    return BackupResult(
        snapshot=snapshot,
        created=created,
        added=tuple(outcome.added),
        changed=tuple(outcome.changed),
        touched=tuple(outcome.touched),
        removed=tuple(sorted(outcome.removed)),
        unchanged=known - len(outcome.changed) - len(outcome.touched) - len(outcome.removed),
        problems=tuple(problem for problem in problems if problem.severity is not Severity.SKIPPED),
        skipped=tuple(problem for problem in problems if problem.severity is Severity.SKIPPED),
        is_complete=not any(problem.severity is Severity.INCOMPLETE for problem in problems),
    )


def _ignore(progress: Progress) -> None:
    """Is the callback where the caller wants no reports."""
