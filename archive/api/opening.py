"""Opening and closing an archive, and what every method needs: a transaction, a source, a moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from archive.clock import Clock, SystemClock
from archive.errors import UsageError
from archive.model.snapshots import Progress, Snapshot, Source
from archive.moment import parse_moment
from archive.storage import migrate, snapshots
from archive.storage.connection import DEFAULT_WAIT_S, Connection, Database, files_of

OnProgress = Callable[[Progress], None]


class Opening:
    """Opens, upgrades and closes the file."""

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

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Source]]:
        with self._database.reading() as connection:
            yield connection, snapshots.find_source(connection, self.source_name)

    def _resolve(self, connection: Connection, source: Source, at: str) -> Snapshot:
        return snapshots.resolve(connection, source.id, parse_moment(at, self._clock.now(), self._clock.localize))

    def _own_files(self) -> Collection[Path]:
        """The archive's files, which are never backed up and never overwritten."""
        return files_of(self.path)
