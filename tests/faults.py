"""Plants faults: the n-th statement fails, the n-th call of the operating system fails, a process dies."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


class Countdown:
    """Counts calls and says when it is the n-th one's turn."""

    def __init__(self, n: int) -> None:
        self.left = n

    def strikes(self) -> bool:
        self.left -= 1
        return self.left == 0

    @property
    def has_struck(self) -> bool:
        return self.left <= 0


@contextmanager
def hearing_statements(listen: Callable[[str], None]) -> Iterator[None]:
    """Calls the listener before each statement of archives that are first read or written inside the block.

    Those that begin and commit are among them, those of migrations, and what sets a connection up; a rollback is not.
    """

    class HeardCursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = ()) -> HeardCursor:
            listen(sql)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any) -> HeardCursor:
            listen(sql)
            return super().executemany(sql, parameters)

    class HeardConnection(sqlite3.Connection):
        def cursor(self, factory: Any = HeardCursor) -> Any:
            return super().cursor(factory)

        # Left to itself, a connection does not ask its own `cursor` for one.
        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            return self.cursor().execute(sql, parameters)  # type: ignore[no-any-return]

        def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
            return self.cursor().executemany(sql, parameters)  # type: ignore[no-any-return]

    with patch("archive.storage.connection.Connection", HeardConnection):
        yield


@contextmanager
def failing_statement(n: int) -> Iterator[Countdown]:
    """Makes the n-th statement, as `hearing_statements` counts them, fail as a broken disk would make it."""
    countdown = Countdown(n)

    def statement(sql: str) -> None:
        if countdown.strikes():
            error = sqlite3.OperationalError(f"planted: disk I/O error, in place of {sql}")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
            raise error

    with hearing_statements(statement):
        yield countdown


def copy_archive(source: Path, target: Path) -> Path:
    """Copies a closed archive, so that a test can try again from the same state."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal", "-shm", "-journal"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copy2(source, target)
    return target


def in_child(work: Callable[[], None]) -> int:
    """Runs the work in a forked process; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 (a forked child must not return into the tests)
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def wait(pid: int) -> int:
    """Waits for a child; returns its exit code, negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_after(work: Callable[[], None], delay_s: float) -> bool:
    """Runs the work in a child and kills it after the delay; returns whether it was killed before it had finished."""
    pid = in_child(work)
    deadline = time.monotonic() + delay_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return False
        time.sleep(0.0002)
    os.kill(pid, signal.SIGKILL)
    return wait(pid) == -signal.SIGKILL


def duration_s(work: Callable[[], None]) -> float:
    """Returns how long the work takes in a child."""
    started = time.monotonic()
    assert wait(in_child(work)) == 0
    return time.monotonic() - started
