"""Working with tasks: what there is to do, what may be done next, and what happened."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from archive.api.opening import Opening
from archive.errors import SnapshotNotFound
from archive.moment import parse_moment
from archive.storage import snapshots

if TYPE_CHECKING:
    from archive.availability import AvailabilityOptions
    from archive.model.snapshots import Snapshot, Source
    from archive.model.taskviews import (
        BurndownDay,
        Drawing,
        Explanation,
        NextTask,
        TaskChanges,
        TaskFilter,
        TaskHistory,
        TaskList,
    )
    from archive.storage.connection import Connection


class Working(Opening):
    """Answers what may be worked on, now and at any past moment."""

    def tasks(self, wanted: TaskFilter | None = None, *, at: str = "latest") -> TaskList:
        """Returns the tasks that a filter asks for, each with what stands against it; unfinished ones by default.

        The order is that in which tasks are offered: priority, not-before or due date, creation, place in the document, id.
        Tasks of a document that is broken are those of its last valid version, and say so.
        """
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            return verbs.list_tasks(connection, source, self._resolve(connection, source, at), wanted or TaskFilter())

    def available_tasks(
        self,
        wanted: TaskFilter | None = None,
        *,
        at: str = "latest",
        assignee: str = "",
        include_started: bool = False,
        containers: bool = False,
        cancelled_satisfies: bool = False,
    ) -> TaskList:
        """Returns the tasks that may be worked on, the most urgent first.

        Without options it is what the view `available_tasks` gives in SQL. A task may be worked on if it is pending, nobody
        forbids it before a later time, all that blocks it is done, and nothing above it is put off; where it has unfinished
        children, they are the work.

        Args:
            wanted: Only projects and documents of the filter count.
            at: The moment; not-before dates are held against its time.
            assignee: Keeps what is assigned to nobody or to this one.
            include_started: Whether tasks that are in progress are offered too.
            containers: Whether tasks with unfinished children are offered too.
            cancelled_satisfies: Whether a cancelled dependency counts as done.
        """
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            options = _options(snapshot, assignee, include_started, containers, cancelled_satisfies)
            return verbs.list_available(connection, source, snapshot, wanted or TaskFilter(finished=True), options)

    def next_task(
        self,
        wanted: TaskFilter | None = None,
        *,
        at: str = "latest",
        assignee: str = "",
        include_started: bool = False,
        containers: bool = False,
        cancelled_satisfies: bool = False,
    ) -> NextTask:
        """Returns the first of the available tasks with the reason for the choice, or the reason why there is none."""
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            options = _options(snapshot, assignee, include_started, containers, cancelled_satisfies)
            return verbs.choose_next(connection, source, snapshot, wanted or TaskFilter(finished=True), options)

    def explain_task(
        self,
        name: str,
        *,
        at: str = "latest",
        include_started: bool = False,
        containers: bool = False,
        cancelled_satisfies: bool = False,
    ) -> tuple[Explanation, ...]:
        """Returns every reason that holds a task back, followed down to the tasks at the root of it.

        Args:
            name: An id, `project/id`, `path#id` or `path#pointer`; all tasks that it means are explained.

        Raises:
            TaskNotFound: It means none; the hint has ids like it.
        """
        from archive import tasks as verbs

        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            options = _options(snapshot, "", include_started, containers, cancelled_satisfies)
            return verbs.explain(connection, source, snapshot, name, options)

    def task_history(self, name: str, *, at: str = "latest") -> tuple[TaskHistory, ...]:
        """Returns each status that a task had, with when and in which snapshot, up to a moment; also of one that is gone.

        Raises:
            TaskNotFound: There never was a task that the name means.
        """
        from archive import tasks as verbs

        with self._reading() as (connection, source):
            return verbs.history(connection, source, self._resolve(connection, source, at), name)

    def changed_tasks(self, since: str, *, at: str = "latest", wanted: TaskFilter | None = None) -> TaskChanges:
        """Returns the tasks that were opened, started, finished, cancelled, removed or reopened between two moments.

        What counts is the state at the end against that at the beginning; the statuses of a filter do not count. A day begins
        at its start: where nothing was backed up before it, with its first snapshot.
        """
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            before, after = self._beginning(connection, source, since), self._resolve(connection, source, at)
            return verbs.changes(connection, source, before, after, wanted or TaskFilter(finished=True))

    def _beginning(self, connection: Connection, source: Source, since: str) -> Snapshot:
        beginning = parse_moment(since, self._clock.now(), self._clock.localize, is_start=True)
        try:
            return snapshots.resolve(connection, source.id, beginning)
        except SnapshotNotFound:
            self._resolve(connection, source, since)  # raises where all of it is before the first snapshot
            return snapshots.all_snapshots(connection, source.id)[0]

    def task_burndown(
        self, wanted: TaskFilter | None = None, *, at: str = "latest", zone: tzinfo | None = None
    ) -> tuple[BurndownDay, ...]:
        """Returns how many tasks were open, done and cancelled at the end of each day, up to that of a moment.

        Args:
            zone: Whose midnight ends a day; by default that of the clock.
        """
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            wanted = wanted or TaskFilter(finished=True)
            zone = zone or self._clock.now().tzinfo or UTC
            return verbs.count_days(connection, source, self._resolve(connection, source, at), wanted, zone)

    def task_graph(self, wanted: TaskFilter | None = None, *, at: str = "latest") -> Drawing:
        """Returns tasks and what connects them; `archive.availability` writes it as Mermaid and Graphviz DOT."""
        from archive import tasks as verbs
        from archive.model.taskviews import TaskFilter

        with self._reading() as (connection, source):
            return verbs.drawing(connection, source, self._resolve(connection, source, at), wanted or TaskFilter(finished=True))


def _options(
    snapshot: Snapshot, assignee: str, include_started: bool, containers: bool, cancelled_satisfies: bool
) -> AvailabilityOptions:
    from archive.availability import AvailabilityOptions

    return AvailabilityOptions(
        as_of=snapshot.created_at,
        assignee=assignee,
        include_started=include_started,
        containers=containers,
        cancelled_satisfies=cancelled_satisfies,
    )
