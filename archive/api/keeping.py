"""Backing a folder up and bringing its past back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from archive.api.indexing import Indexing
from archive.api.opening import OnProgress
from archive.errors import UsageError
from archive.model.restore import Overwrite
from archive.rules import Rules
from archive.sources import is_root, require_here, require_movable, root_of, source_at, source_for
from archive.storage.paths import to_text

if TYPE_CHECKING:
    from archive.model.memory import MemorySettings
    from archive.model.restore import RestorePlan, RestoreResult
    from archive.model.snapshots import BackupResult, Source
    from archive.planning import RestoreRequest
    from archive.storage.connection import Connection


class Keeping(Indexing):
    """Backs up and restores."""

    def backup(
        self,
        root: Path | str,
        *,
        rules: Rules | None = None,
        message: str = "",
        tags: Sequence[str] = (),
        memory: MemorySettings | None = None,
        only_if_changed: bool = False,
        index: bool = True,
        dry_run: bool = False,
        moved: bool = False,
        on_progress: OnProgress | None = None,
    ) -> BackupResult:
        """Adds a snapshot of a folder; when it returns, the snapshot is durable and was read back.

        Then, in transactions of its own, it brings the search index up to date. Whatever goes wrong with that is said in
        the result's `index` and costs nothing: the next backup or search goes on with it.

        One transaction: after a failure or a crash the archive is as it was. Files that cannot be read keep their last
        version, are reported as problems, and make the snapshot incomplete; files that cannot be parsed are stored like
        all others.

        Args:
            root: The folder.
            rules: What to take in; `Rules()` by default.
            message: For people.
            tags: For filters.
            memory: The memory server, whose graph is taken in as a document, and what counts as suspicious. The server is
                asked before the archive is locked; what it does wrong is a problem like an unreadable file.
            only_if_changed: Write no snapshot where no document changed; the result then has the newest one.
            index: Whether to bring the search index up to date; if not, the next backup or search does.
            dry_run: Write nothing at all; the result says what would be done.
            moved: The archive's source, if it was named, stands in this folder from now on.
            on_progress: Called with each step.

        Raises:
            UsageError: The source of that name stands in another folder, which is still there; or `moved`, and there is no
                such source, or the folder is another one.
            SourceUnreadable: The folder itself cannot be read.
            ArchiveLocked, ArchiveFull, ArchiveReadOnly: Nothing was changed.
        """
        from archive import backup as backup_verb
        from archive.memory.graph import virtual_documents
        from archive.model.memory import MemorySettings

        if isinstance(tags, str):
            raise UsageError("tags are a list of texts, not one text", hint="Write tags=['nightly'].")
        rules, memory = rules or Rules(), memory or MemorySettings()
        root = Path(os.path.realpath(root))  # one folder is one source, by whatever links it is reached
        request = backup_verb.BackupRequest(
            root=root,
            rules=rules,
            message=to_text(message),
            tags=tuple(map(to_text, tags)),
            only_if_changed=only_if_changed,
            exclude_paths=self._own_files(),
            virtual=virtual_documents(memory, root, self._clock),
            shrunken_below=memory.shrunken_below,
            on_progress=on_progress,
        )
        if dry_run:
            with self._database.reading() as connection:
                source = self._source_to_back_up(connection, root, moved=moved)
                return backup_verb.preview(connection, source, request, self._clock)
        with self._database.filling() as connection:
            self._source_to_back_up(connection, root, moved=moved)
            source = source_for(connection, root, self.source_name, rules.to_json(), self.path)
            result = backup_verb.backup(connection, source, request, self._clock)
        return replace(result, index=self._index(on_progress)) if index else result

    def _source_to_back_up(self, connection: Connection, root: Path, *, moved: bool) -> Source | None:
        source = source_at(connection, root, self.source_name, self.path)
        if moved:
            require_movable(connection, source, root, self.path)
        elif source is not None:
            require_here(source, root, self.path)
        return source

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
        from archive.planning import plan_restore

        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            request = self._restore_request(source, target, patterns=paths, overwrite=overwrite, delete_extra=delete_extra)
            return plan_restore(connection, source, snapshot, request)

    def plan_undo(self) -> RestorePlan:
        """Returns the plan that takes the last restore in place back; undoing an undo repeats the restore.

        Raises:
            NotFound: Nothing was restored in place yet.
        """
        from archive.planning import plan_undo

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
        from archive.restore import Restorer

        with self._reading() as (_, source):
            request = self._restore_request(source, plan.target, overwrite=plan.overwrite)
        result = Restorer(self._database, source, request, self._clock, on_progress).restore(plan)
        self._index(None)  # of the safety snapshot
        return result

    def _restore_request(
        self,
        source: Source,
        target: Path | str | None,
        *,
        overwrite: Overwrite,
        patterns: Sequence[str] = (),
        delete_extra: bool = False,
    ) -> RestoreRequest:
        from archive.planning import RestoreRequest

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
