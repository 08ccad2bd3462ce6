"""Projects with task files that are really backed up, and their tasks as the library and as plain SQLite give them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive, TaskFilter
from archive.indexing import index_pending
from archive.model.snapshots import Snapshot
from archive.model.taskviews import TaskList
from tests.conftest import FixedClock, write_tree

SQLITE3 = shutil.which("sqlite3")


class Project:
    """A folder that is backed up again and again, a minute apart."""

    def __init__(self, archive: Archive, root: Path, clock: FixedClock) -> None:
        self.archive = archive
        self.root = root
        self.clock = clock
        self.tree: dict[str, bytes] = {}

    def save(self, changes: Mapping[str, object], **span: float) -> Snapshot:
        """Changes files (None removes one; what is no text or bytes is written as JSON) and backs up."""
        for path, content in changes.items():
            if content is None:
                del self.tree[path]
            else:
                self.tree[path] = as_bytes(content)
        write_tree(self.root, self.tree)
        self.clock.tick(**(span or {"minutes": 1}))
        snapshot = self.archive.backup(self.root).snapshot
        index_pending(self.archive._database)
        assert snapshot is not None
        return snapshot

    def names(self, at: str = "latest", *, containers: bool = False) -> list[str]:
        """Returns what is available."""
        return [task.name for task in self.archive.available_tasks(at=at, containers=containers).tasks]

    def codes(self, at: str = "latest") -> dict[str, list[str]]:
        """Returns the codes against each task, by its title."""
        found = self.archive.tasks(TaskFilter(finished=True), at=at)
        return {verdict.task.title: [reason.code for reason in verdict.reasons] for verdict in found.verdicts}

    def assert_view_is_library(self) -> TaskList:
        """Compares rows and order of the view, in the stock program, with what the library gives at the newest snapshot."""
        found = self.archive.available_tasks()
        source = self.archive.snapshots()[-1].source
        expected = [
            [source, task.path, task.ref, task.id, task.title, task.pointer, task.status, task.rank, int(task.from_last_valid)]
            for task in found.tasks
        ]
        columns = "source, path, ref, task_id, title, pointer, status, rank, is_from_last_valid"
        assert in_sqlite(self.archive.path, f"SELECT {columns} FROM available_tasks") == expected
        return found


def as_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()


def in_sqlite(path: Path, statement: str) -> list[list[object]]:
    """Runs a statement in the stock program; where there is none, in Python's own SQLite without any function of ours."""
    if SQLITE3 is None:
        with closing(sqlite3.connect(path)) as connection:
            return [list(row) for row in connection.execute(statement)]
    done = subprocess.run([SQLITE3, "-json", str(path), statement], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [list(row.values()) for row in json.loads(done.stdout or b"[]")]


@pytest.fixture
def project(archive: Archive, root: Path, clock: FixedClock) -> Project:
    return Project(archive, root, clock)


MakeProject = Callable[[], Project]


@pytest.fixture(scope="session")
def empty_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive without anything in it, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("empty") / "archive.db"
    Archive.create(path).close()
    return path


@pytest.fixture
def projects(empty_archive: Path, tmp_path: Path) -> Iterator[MakeProject]:
    """Makes any number of fresh projects, for properties."""
    opened: list[Archive] = []

    def make() -> Project:
        for archive in opened:
            archive.close()
        folder = tmp_path / f"p{len(opened)}"
        (folder / "project").mkdir(parents=True)
        shutil.copy2(empty_archive, folder / "archive.db")
        clock = FixedClock()
        opened.append(Archive.open(folder / "archive.db", mode="write", clock=clock))
        return Project(opened[-1], folder / "project", clock)

    yield make
    for archive in opened:
        archive.close()
