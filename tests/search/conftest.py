"""Archives to search in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive import Archive
from tests.conftest import FixedClock, Tree, write_tree
from tests.search.project import TREE

Remember = Callable[[Tree], int]


@pytest.fixture(scope="session")
def sample_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the sample project, indexed."""
    folder = tmp_path_factory.mktemp("searched")
    write_tree(folder / "project", TREE)
    with Archive.create(folder / "archive.db", clock=FixedClock()) as archive:
        archive.backup(folder / "project")
        archive.search("anything")
    return folder / "archive.db"


@pytest.fixture
def sample(sample_db: Path, db_path: Path) -> Iterator[Archive]:
    """That archive, open for reading; what the tests do to it they do to a copy."""
    db_path.parent.mkdir()
    shutil.copy(sample_db, db_path)
    with Archive.open(db_path, clock=FixedClock()) as archive:
        yield archive


@pytest.fixture
def remember(archive: Archive, root: Path, clock: FixedClock) -> Remember:
    """Makes a tree the project's state, backs it up, and returns the snapshot's id."""

    def run(tree: Tree) -> int:
        write_tree(root, tree)
        snapshot = archive.backup(root).snapshot
        clock.tick(minutes=1)
        assert snapshot is not None
        return snapshot.id

    return run
