"""Compares a moment with the disk and says what a restore would do; reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive.errors import DocumentNotFound, NotFound
from archive.hashing import hash_bytes
from archive.model.documents import DocumentState
from archive.model.files import FileStat
from archive.model.restore import Action, Overwrite, PlannedFile, RestorePlan
from archive.model.snapshots import Problem, Snapshot, Source
from archive.rules import Rules, is_virtual
from archive.selection import Selection
from archive.source.read import SourceReader
from archive.source.scan import scan
from archive.storage import blobs, restores, snapshots
from archive.storage.connection import Connection
from archive.storage.documents import documents_at
from archive.storage.known import KnownDocument, load_documents
from archive.target import Obstacle, Target

_NOT_ARCHIVED = "its content is in no snapshot; --overwrite always replaces it"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequest:
    """What to restore, where to, and how.

    Attributes:
        in_place: Whether the target is the source's own folder.
        patterns: Paths, folders and globs; none mean everything.
        protect: Paths that are never written to: the archive's own folder.
    """

    target: Path
    in_place: bool
    rules: Rules
    patterns: Sequence[str] = ()
    overwrite: Overwrite = Overwrite.IF_CHANGED
    delete_extra: bool = False
    protect: Collection[Path] = ()


def plan_restore(connection: Connection, source: Source, snapshot: Snapshot, request: RestoreRequest) -> RestorePlan:
    """Returns what restoring the snapshot would do.

    Raises:
        DocumentNotFound: A pattern fits nothing that existed then.
        UnsafePath: A document's path leads out of the target.
    """
    # What no file holds is not restored to one.
    everything = [document for document in documents_at(connection, source.id, snapshot.id) if not is_virtual(document.path)]
    selection = Selection(request.patterns, (document.path for document in everything))
    documents = [document for document in everything if selection.matches(document.path)]
    then = {document.path for document in everything}
    extras = [stat for stat in _on_disk(request) if stat.path not in then and selection.matches(stat.path)]
    _require_all_matched(selection, [*(document.path for document in documents), *(stat.path for stat in extras)], snapshot)
    comparison = _Comparison(connection, source, request, documents)
    files = [comparison.planned(document) for document in documents]
    files += [comparison.extra(stat, wanted=request.delete_extra) for stat in extras]
    return _plan(connection, source, snapshot, request, files)


def plan_undo(connection: Connection, source: Source, request: RestoreRequest) -> RestorePlan:
    """Returns what undoing the last restore in place would do: its paths go back to how they were before it.

    Files that it did not touch are left alone, also where they changed since.

    Raises:
        NotFound: Nothing was restored in place yet.
    """
    last = restores.last(connection, source.id)
    if last is None:
        raise NotFound("there is no restore to undo", hint="Run 'archive snapshots' and restore the one you want.")
    snapshot = snapshots.by_id(connection, last.safety_snapshot_id)
    before = {document.path: document for document in documents_at(connection, source.id, snapshot.id)}
    paths = [path for path, _ in last.changes]
    Target(request.target, protect=request.protect).check_paths(paths)
    documents = [before[path] for path in paths if path in before]
    comparison = _Comparison(connection, source, request, documents)
    files = [comparison.planned(document) for document in documents]
    for path in paths:
        if path not in before and isinstance(stat := comparison.target.stat(path), FileStat):
            files.append(comparison.extra(stat, wanted=True))
    return _plan(connection, source, snapshot, request, files)


def _plan(
    connection: Connection, source: Source, snapshot: Snapshot, request: RestoreRequest, files: Iterable[PlannedFile]
) -> RestorePlan:
    newest = snapshots.newest(connection, source.id)
    assert newest is not None  # the one to be restored exists
    return RestorePlan(
        snapshot=snapshot,
        target=request.target,
        in_place=request.in_place,
        overwrite=request.overwrite,
        delete_extra=request.delete_extra,
        files=tuple(sorted(files, key=lambda file: file.path)),
        _newest_snapshot=newest.id,
    )


def _on_disk(request: RestoreRequest) -> list[FileStat]:
    """The files below the target that a backup would take in; others are nobody's business here."""
    if not request.target.is_dir():
        return []
    return scan(request.target, request.rules, exclude_paths=request.protect).files


def _require_all_matched(selection: Selection, paths: Iterable[str], snapshot: Snapshot) -> None:
    unmatched = selection.unmatched(paths)
    if unmatched and is_virtual(unmatched[0]):
        raise DocumentNotFound(
            f"{unmatched[0]} is no file, and a restore writes files",
            hint=f"Run 'archive cat {unmatched[0]} --at {snapshot.label} > FILE' to write it where you want it.",
            patterns=unmatched,
        )
    if unmatched:
        raise DocumentNotFound(
            f"{unmatched[0]} fits nothing in snapshot {snapshot.label}",
            hint=f"Run 'archive ls --at {snapshot.label}' to see what there was.",
            patterns=unmatched,
        )


class _Comparison:
    """Compares documents with files, each file read at most once and only where its stat does not settle it."""

    def __init__(
        self, connection: Connection, source: Source, request: RestoreRequest, documents: Iterable[DocumentState]
    ) -> None:
        self.target = Target(request.target, protect=request.protect)
        self.target.check_paths([document.path for document in documents])
        self._reader = SourceReader(request.target)
        self._connection = connection
        self._request = request
        self._known: dict[str, KnownDocument] = load_documents(connection, source.id) if request.in_place else {}

    def planned(self, document: DocumentState) -> PlannedFile:
        """What would be done with a document that existed then."""
        stat = self.target.stat(document.path)
        if isinstance(stat, Obstacle):
            return _file(document, None, Action.CONFLICT, stat.message)
        if stat is None:
            return _file(document, None, Action.CREATE)
        hash_ = self._hash(stat)
        same_attributes = (stat.mode, stat.mtime_ns) == (document.mode, document.mtime_ns)
        policy = self._request.overwrite
        if policy is Overwrite.ALWAYS:
            return _file(document, stat, Action.OVERWRITE)
        if hash_ == document.hash and same_attributes:
            return _file(document, stat, Action.UNCHANGED)
        if policy is Overwrite.NEVER:
            return _file(document, stat, Action.KEEP, "it exists")
        if policy is Overwrite.IF_NEWER and document.mtime_ns <= stat.mtime_ns:
            return _file(document, stat, Action.KEEP, "it is not older")
        if hash_ == document.hash:
            return _file(document, stat, Action.ATTRIBUTES)
        if not self._is_safe(hash_):
            return replace(_file(document, stat, Action.KEEP, _NOT_ARCHIVED), _is_protected=True)
        return _file(document, stat, Action.OVERWRITE)

    def extra(self, stat: FileStat, *, wanted: bool) -> PlannedFile:
        """What would be done with a file that did not exist then."""
        is_protected = wanted and not self._is_safe(self._hash(stat))
        return PlannedFile(
            path=stat.path,
            action=Action.DELETE if wanted and not is_protected else Action.EXTRA,
            size_bytes=stat.size_bytes,
            old_size_bytes=stat.size_bytes,
            reason="its content is in no snapshot" if is_protected else "",
            _stat=stat,
            _is_protected=is_protected,
        )

    def _hash(self, stat: FileStat) -> str | None:
        """The hash of the file's content, or None if it cannot be read."""
        known = self._known.get(stat.path)
        if known is not None and known.looks_like(stat):
            return known.hash
        content = self._reader.read(stat)
        return None if isinstance(content, Problem) else hash_bytes(content.data)

    def _is_safe(self, hash_: str | None) -> bool:
        """Whether content may go: in place the safety snapshot takes it in, elsewhere it has to be archived already."""
        if self._request.in_place:
            return True
        return hash_ is not None and bool(blobs.find(self._connection, [hash_]))


def _file(document: DocumentState, stat: FileStat | None, action: Action, reason: str = "") -> PlannedFile:
    return PlannedFile(
        path=document.path,
        action=action,
        size_bytes=document.size_bytes,
        old_size_bytes=None if stat is None else stat.size_bytes,
        reason=reason,
        _document=document,
        _stat=stat,
    )
