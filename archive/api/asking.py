"""Asking an archive with SQL, and what there is to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archive.api.opening import Opening
from archive.storage import snapshots

if TYPE_CHECKING:
    from archive.model.snapshots import Snapshot, Source
    from archive.model.tables import Table, TableInfo
    from archive.storage.asking import Parameters
    from archive.storage.connection import Connection


class Asking(Opening):
    """Answers SQL."""

    def sql(
        self, statement: str, parameters: Parameters = (), *, at: str | None = None, time_limit_s: float | None = None
    ) -> Table:
        """Runs one statement that only reads and returns all of its rows.

        The functions `archive_content`, `archive_json`, `archive_at` and `archive_diff` are there, see
        `archive.storage.functions`. With `at`, `documents`, `items` and `tasks` are views of that moment of the source, and so
        are `current_documents`, `current_items`, `current_tasks`, `current_problems` and `available_tasks`.

        Raises:
            QueryError: It cannot be understood, would do more than read, or takes longer than the limit.
            SnapshotNotFound: The moment means no snapshot.
            CorruptArchive, SourceNotFound: One of the functions met damaged content, or a source that there is not.
        """
        from archive.storage import asking

        with self._database.reading() as connection, self._limited(connection, time_limit_s):
            moment = available = None
            if at is not None:
                source = snapshots.find_source(connection, self.source_name)
                snapshot = self._resolve(connection, source, at)
                moment = source.id, snapshot
                if "available_tasks" in statement.casefold():
                    available = _available(connection, source, snapshot)
            return asking.ask(connection, statement, parameters, clock=self._clock, at=moment, available=available)

    def schema(self) -> tuple[TableInfo, ...]:
        """Returns all views and tables with descriptions, columns and a query that is ready to run."""
        from archive.storage import schema

        with self._database.reading() as connection:
            return tuple(schema.tables(connection))

    @contextmanager
    def one_moment(self, *, time_limit_s: float | None = None) -> Iterator[None]:
        """Lets everything that is read inside the block see one moment of the archive, whatever others write meanwhile.

        Nothing can be written inside it.

        Raises:
            QueryError: What was read inside took longer than the limit.
        """
        from archive.storage import asking

        with self._database.holding() as connection, asking.limited(connection, self._clock, time_limit_s):
            yield

    @contextmanager
    def _limited(self, connection: Connection, time_limit_s: float | None) -> Iterator[None]:
        if self._database.is_held:
            yield  # the block that holds the moment has a limit of its own
        else:
            from archive.storage import asking

            with asking.limited(connection, self._clock, time_limit_s):
                yield


def _available(connection: Connection, source: Source, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Returns the tasks that could be worked on in a snapshot; judging them takes too long to be done unasked."""
    from archive.availability import AvailabilityOptions
    from archive.model.taskviews import TaskFilter
    from archive.tasks import list_available

    options = AvailabilityOptions(as_of=snapshot.created_at)
    found = list_available(connection, source, snapshot, TaskFilter(finished=True), options)
    return [(verdict.task.path, verdict.task.ref) for verdict in found.verdicts]
