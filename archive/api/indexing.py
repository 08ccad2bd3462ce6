"""Keeping the search index up to date, and making it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.api.opening import OnProgress, Opening
from archive.errors import ArchiveError, ArchiveReadOnly, UsageError
from archive.model.snapshots import Indexed

if TYPE_CHECKING:
    from archive.model.reindex import ReindexResult


class Indexing(Opening):
    """Indexes."""

    def reindex(self, *, verify: bool = False, dry_run: bool = False, on_progress: OnProgress | None = None) -> ReindexResult:
        """Makes everything that is derived from the versions anew: items, their index, tasks.

        Never touches what was backed up. Rebuilding takes a batch a transaction: meanwhile, and after a crash, searches find
        what is there already and say what is missing; the next backup or search goes on where it ended.

        Args:
            verify: Change nothing; make everything anew for comparison and say what in the archive differs. What waits to be
                indexed is no difference.
            dry_run: Change nothing; only say how much would be gone through.
            on_progress: Called with each step.

        Raises:
            ArchiveLocked, ArchiveFull, ArchiveReadOnly: What was not done yet is done by the next backup or search.
        """
        from archive.reindexing import preview, reindex, verify_derived

        if verify and dry_run:
            raise UsageError("verifying changes nothing anyway", hint="Leave out one of verify and dry_run.")
        if dry_run:
            return preview(self._database)
        if verify:
            return verify_derived(self._database, on_progress)
        return reindex(self._database, on_progress)

    def index(self, *, on_progress: OnProgress | None = None) -> Indexed:
        """Indexes what backups left; what goes wrong is said in the result, and the next one goes on with it.

        Raises:
            ArchiveReadOnly: The archive was opened for reading.
        """
        if not self._database.writable:
            raise ArchiveReadOnly(
                f"{self.path} was opened for reading only", hint="Open it with mode='write'.", path=str(self.path)
            )
        return self._index(on_progress)

    def count_waiting(self) -> int:
        """Returns how many versions wait to be indexed; until they are, no search finds them and no task is of them."""
        from archive.indexing import waiting

        with self._database.reading() as connection:
            return waiting(connection).versions

    def _index(self, on_progress: OnProgress | None) -> Indexed:
        """Indexes what waits; whatever goes wrong is said in the result, since it must not make anything else fail."""
        from archive.indexing import index_pending

        try:
            done = index_pending(self._database, on_progress)
        except ArchiveError as error:
            return Indexed(versions=0, items_added=0, items_ended=0, problem=error.message)
        except Exception as error:  # noqa: BLE001 (the backup is done; that its index is not must not look like a failure)
            return Indexed(versions=0, items_added=0, items_ended=0, problem=f"{type(error).__name__}: {error}")
        return Indexed(versions=done.versions, items_added=done.added, items_ended=done.ended, problem="", partly=done.partly)
