"""Carries out restore plans: a safety snapshot, then everything staged and verified before the first file is put in place.

    RestorePlan → safety snapshot → stage and verify → record for undo → rename into place → RestoreResult

Content on disk that no snapshot holds is never destroyed: the safety snapshot takes in every file that the plan
overwrites or deletes, whatever the rules say of it, and a file that it could not take in is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from archive.backup import BackupRequest, OnProgress, backup
from archive.clock import Clock
from archive.elsewhere import Elsewhere
from archive.errors import PlanStale
from archive.looking import WORTH_A_PROCESS_BYTES
from archive.model.documents import DocumentState
from archive.model.files import FileStat
from archive.model.restore import WRITING, Action, PlannedFile, RestorePlan, RestoreResult
from archive.model.snapshots import Problem, ProblemKind, Progress, Snapshot, Source, Stage
from archive.planning import RestoreRequest
from archive.storage import blobs, restores, snapshots
from archive.storage.connection import Connection, Database
from archive.target import AttributeChange, Place, StagedFile, Target, Written, clean_stale, stage_share

# What of an existing file is lost when it is done.
_DESTROYING = frozenset({Action.OVERWRITE, Action.ATTRIBUTES, Action.DELETE})
_CONTENT = frozenset({Action.CREATE, Action.OVERWRITE})
_HINT = "Make a new plan: run the restore again."
# Making a file takes about as long as writing so much into it.
_FILE_WEIGHS_BYTES = 16 * 1024


class Prepared(NamedTuple):
    """What of a plan may be carried out now, and the snapshot of the state before."""

    files: list[PlannedFile]
    problems: list[Problem]
    safety: Snapshot | None


@dataclass(frozen=True, slots=True)
class Restorer:
    """Carries out plans for one source."""

    database: Database
    source: Source
    request: RestoreRequest
    clock: Clock
    on_progress: OnProgress | None = None

    def restore(self, plan: RestorePlan) -> RestoreResult:
        """Writes the planned state to the plan's target; `Archive.restore` says what that promises."""
        started = self.clock.monotonic()
        clean_stale(plan.target)  # what a killed restore left
        with Target(plan.target, protect=self.request.protect) as target:
            prepared = self._prepare(plan, target)
            problems = [*_left_alone(plan), *prepared.problems]
            if prepared.files:
                self._stage([file for file in prepared.files if file.action in _CONTENT], target)
                if prepared.safety is not None:
                    self._record(plan.snapshot, prepared.safety, prepared.files)
                problems += self._put_in_place(prepared.files, target)
        failed = {problem.path for problem in problems}
        done = [file for file in prepared.files if file.path not in failed]
        return RestoreResult(
            restored=plan.snapshot,
            target=plan.target,
            safety=prepared.safety,
            created=_count(done, Action.CREATE),
            overwritten=_count(done, Action.OVERWRITE),
            attributes=_count(done, Action.ATTRIBUTES),
            deleted=_count(done, Action.DELETE),
            unchanged=plan.count(Action.UNCHANGED),
            size_bytes=sum(file.size_bytes for file in done if file.action in _CONTENT),
            duration_ms=round((self.clock.monotonic() - started) * 1000),
            problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        )

    def _prepare(self, plan: RestorePlan, target: Target) -> Prepared:
        """Checks that the plan still holds; in place also takes the safety snapshot."""
        files = [file for file in plan.files if file.action in WRITING or file.action is Action.DELETE]
        if not plan.in_place:
            with self.database.reading() as connection:
                _require_current(plan, files, target, snapshots.newest(connection, self.source.id))
            return Prepared(files, [], None)
        if not files:
            # Recorded all the same: undoing it does nothing, and not what the one before it did.
            with self.database.reading() as connection:
                newest = snapshots.newest(connection, self.source.id)
            _require_current(plan, files, target, newest)
            assert newest is not None
            self._record(plan.snapshot, newest, [])
            return Prepared(files, [], None)
        at_risk = {file.path for file in files if file.action in _DESTROYING}
        with self.database.writing() as connection:
            _require_current(plan, files, target, snapshots.newest(connection, self.source.id))
            request = BackupRequest(
                root=plan.target,
                rules=self.request.rules,
                message=f"before restoring {plan.snapshot.label}",
                tags=("safety",),
                only_if_changed=True,
                exclude_paths=self.request.protect,
                extra_paths=at_risk,
                on_progress=self.on_progress,
            )
            result = backup(connection, self.source, request, self.clock)
            assert result.snapshot is not None
            met = (*result.problems, *result.skipped)
            unsafe = {problem.path: problem for problem in met if problem.kind in _NOT_TAKEN_IN}
            kept = [file for file in files if file.path not in at_risk or file.path not in unsafe]
        problems = [
            Problem(path, ProblemKind.KEPT, f"it could not be backed up before: {problem.message}")
            for path, problem in unsafe.items()
            if path in at_risk
        ]
        return Prepared(kept, problems, result.snapshot)

    def _record(self, snapshot: Snapshot, safety: Snapshot, files: list[PlannedFile]) -> None:
        """Records what is about to be done to which file. Only now, since a restore that failed before has nothing to undo."""
        with self.database.writing() as connection:
            restores.record(
                connection,
                self.source.id,
                now=self.clock.now(),
                snapshot_id=snapshot.id,
                safety_snapshot_id=safety.id,
                changes=[(file.path, file.action.value) for file in files],
            )

    def _put_in_place(self, files: list[PlannedFile], target: Target) -> list[Problem]:
        problems = target.commit(
            deletes=[file.path for file in files if file.action is Action.DELETE],
            attributes=[
                AttributeChange(file.path, file._document.mode, file._document.mtime_ns)
                for file in files
                if file.action is Action.ATTRIBUTES and file._document is not None
            ],
            # What appears or changes between the safety snapshot and the renaming is in no snapshot.
            expected={file.path: file._stat for file in files},
            remove_empty=True,
        )
        return list(problems)

    def _stage(self, files: list[PlannedFile], target: Target) -> None:
        """Writes all content to the staging folder; where it is much, a second process writes a share of it."""
        documents = [file._document for file in files if file._document is not None]
        near, far = _shares(documents)
        with closing(self._contents(near, len(documents))) as contents:
            if not far:
                target.stage(contents)
                return
            wanted = [(each.path, each.mode, each.mtime_ns, each.hash, each._blob_id) for each in far]
            with Elsewhere(write_share, self.database.path, target.begin(), wanted, size_of=0) as theirs:
                target.stage(contents, self._written(far, theirs, len(documents)))

    def _contents(self, documents: list[DocumentState], total: int) -> Generator[StagedFile]:
        wanted = [(each.path, each.mode, each.mtime_ns, each.hash, each._blob_id) for each in documents]
        with self.database.reading() as connection:
            for done, file in enumerate(_read(connection, wanted), start=1):
                yield file
                self._tell(done, total)

    def _written(
        self, documents: list[DocumentState], theirs: Iterable[tuple[int, tuple[Written, bool] | None]], total: int
    ) -> Iterator[tuple[Written, bool]]:
        for done, (document, (_, unusual)) in enumerate(zip(documents, theirs, strict=True), start=total - len(documents) + 1):
            yield unusual or (Written.in_tree(document.path, document.size_bytes, document.mode, document.mtime_ns), False)
            self._tell(done, total)

    def _tell(self, done: int, total: int) -> None:
        if self.on_progress is not None:
            self.on_progress(Progress(Stage.WRITE, done, total))


# Path, mode, time of modification, hash and blob of a document.
_Wanted = tuple[str, int, int, str, int]


def write_share(path: Path, place: Place, wanted: Sequence[_Wanted]) -> Iterator[tuple[int, tuple[Written, bool] | None]]:
    """Writes documents to a staging folder, in a process of its own; yields their sizes, and where the unusual ones wait."""
    database = Database(path, writable=False)
    try:
        with database.reading() as connection:
            for written, is_doubtful in stage_share(place, _read(connection, wanted)):
                yield written.size_bytes, (written, is_doubtful) if is_doubtful or not written.is_in_tree else None
    finally:
        database.close()


def _read(connection: Connection, wanted: Sequence[_Wanted]) -> Iterator[StagedFile]:
    contents = blobs.read_many(connection, [blob_id for *_, blob_id in wanted])
    for (path, mode, mtime_ns, hash_, _), data in zip(wanted, contents, strict=True):
        yield StagedFile(path, data, mode, mtime_ns, hash_)


def _shares(documents: list[DocumentState]) -> tuple[list[DocumentState], list[DocumentState]]:
    """Splits documents into those to be written here and those for a second process, where that is worth its start.

    The first share is larger, by what the other process misses while it starts. Neighbours stay together, as the two had
    better not work in the same folders.
    """
    weights = [_FILE_WEIGHS_BYTES + document.size_bytes for document in documents]
    if (left := sum(weights)) < WORTH_A_PROCESS_BYTES or (os.cpu_count() or 1) < 2:
        return documents, []
    left = left * 11 // 20
    for number, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return documents[:number], documents[number:]
    return documents, []


_NOT_TAKEN_IN = frozenset({ProblemKind.UNREADABLE, ProblemKind.VANISHED, ProblemKind.CHANGED_WHILE_READ, ProblemKind.TOO_LARGE})


def _require_current(plan: RestorePlan, files: list[PlannedFile], target: Target, newest: Snapshot | None) -> None:
    if newest is None or newest.id != plan._newest_snapshot:
        raise PlanStale("the archive has a new snapshot since the plan was made", hint=_HINT)
    target.check_paths([file.path for file in files])
    for file in files:
        stat = target.stat(file.path)
        if stat != file._stat:
            was = "appeared" if file._stat is None else "changed" if isinstance(stat, FileStat) else "vanished"
            raise PlanStale(f"{file.path} has {was} since the plan was made", hint=_HINT, path=file.path)


def _left_alone(plan: RestorePlan) -> Iterator[Problem]:
    """What the plan itself says will not be as it was, other than by the caller's own policy."""
    for file in plan.files:
        if file.action is Action.CONFLICT:
            yield Problem(file.path, ProblemKind.IN_THE_WAY, file.reason)
        elif file._is_protected:
            yield Problem(file.path, ProblemKind.KEPT, file.reason)


def _count(files: list[PlannedFile], action: Action) -> int:
    return sum(file.action is action for file in files)
