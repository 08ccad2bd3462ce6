"""Shows how far a long operation is: a bar on a terminal, a line now and then elsewhere.

Nothing is shown of what is done in a moment, so that short commands stay as plain, and as fast, as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import click

from archive.cli import units
from archive.cli.output import Output, is_terminal
from archive.model.snapshots import Progress, Stage

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

BAR_AFTER_S = 0.4
BAR_EVERY_S = 0.05
LINE_AFTER_S = 1.0
LINE_EVERY_S = 5.0

_DOING = {
    Stage.SCAN: "scanning",
    Stage.READ: "reading",
    Stage.STORE: "storing",
    Stage.VERIFY: "verifying",
    Stage.WRITE: "writing",
    Stage.INDEX: "indexing",
}


class Display(Protocol):
    """Shows progress somewhere."""

    def show(self, progress: Progress) -> None:
        """Takes a report; called for each file, so mostly it does nothing."""

    def close(self) -> None:
        """Leaves the terminal as it was."""


@contextmanager
def shown(output: Output) -> Iterator[Callable[[Progress], None] | None]:
    """Gives the callback for an operation, or None where its progress is not to be shown."""
    if output.as_json or output.is_quiet:
        yield None
        return
    display: Display = BarDisplay(time.monotonic) if is_terminal(err=True) else LineDisplay(time.monotonic)
    try:
        yield display.show
    finally:
        display.close()


class LineDisplay:
    """Prints a line on the error stream every few seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._stage: Stage | None = None
        self._stage_began = self._due = 0.0
        self._due = monotonic() + LINE_AFTER_S

    def show(self, progress: Progress) -> None:
        """Prints the report if a line is due."""
        now = self._monotonic()
        if progress.stage is not self._stage:
            self._stage, self._stage_began = progress.stage, now
        if now >= self._due:
            self._due = now + LINE_EVERY_S
            with suppress(OSError):  # nobody may listen, and the work goes on
                click.echo(describe(progress, now - self._stage_began), err=True)

    def close(self) -> None:
        """Does nothing: lines stay."""


class BarDisplay:
    """Draws a bar with the time left on the error stream, and takes it away at the end."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._due = monotonic() + BAR_AFTER_S
        self._stage: Stage | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def show(self, progress: Progress) -> None:
        """Moves the bar; draws it first if the operation takes long enough to be worth it."""
        now = self._monotonic()
        if now < self._due and (progress.stage is self._stage or self._bar is None):
            return
        self._due = now + BAR_EVERY_S
        if self._bar is None or self._task is None:
            self._bar = _new_bar()
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        if progress.stage is not self._stage:
            self._stage = progress.stage
            self._bar.reset(self._task, description=_DOING[progress.stage])
        self._bar.update(self._task, completed=progress.done, total=progress.total or None)

    def close(self) -> None:
        """Takes the bar away, if there is one."""
        if self._bar is not None:
            self._bar.stop()


def describe(progress: Progress, elapsed_s: float) -> str:
    """Returns a report as a line, with the time left where it can be estimated."""
    doing = _DOING[progress.stage]
    if not progress.total:
        return f"{doing}: {progress.done:,}"
    line = f"{doing}: {progress.done:,} of {progress.total:,}"
    if 0 < progress.done < progress.total and elapsed_s > 0:
        left = round(elapsed_s * (progress.total - progress.done) / progress.done)
        line += f", about {units.count(max(left, 1), 'second')} left"
    return line


def _new_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
