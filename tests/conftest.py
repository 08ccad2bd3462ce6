"""What all tests share: a clock that stands still, trees as literals, and archives that are checked when a test ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from archive import Archive
from archive.model.check import CheckDepth

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("default")

START = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


class FixedClock:
    """Stands still until it is told to tick; files are stamped by the real one."""

    def __init__(self, now: datetime = START) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def localize(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.time.tzinfo)

    def monotonic(self) -> float:
        return self.time.timestamp()

    def file_time_ns(self) -> int:
        return time.time_ns()

    def tick(self, **span: float) -> None:
        self.time += timedelta(**(span or {"seconds": 1}))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def db_path(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where a test's archive is; if one is there when the test ends, it must be sound."""
    path = tmp_path / "store" / "archive.db"
    yield path
    if path.exists() and "damaged_on_purpose" not in request.fixturenames:
        assert_sound(path)


@pytest.fixture
def damaged_on_purpose() -> None:
    """For tests that damage their archive: no check when they end."""


@pytest.fixture
def archive(db_path: Path, clock: FixedClock) -> Iterator[Archive]:
    """An empty archive, open for writing, fully checked when the test ends."""
    with Archive.create(db_path, clock=clock) as opened:
        yield opened


def assert_sound(path: Path) -> None:
    """Asserts that a full check of the archive finds nothing wrong."""
    with Archive.open(path) as opened:
        result = opened.check(depth=CheckDepth.FULL)
    assert result.is_good, result.findings


Tree = dict[str, bytes]


def write_tree(root: Path, tree: Tree) -> None:
    """Makes the folder hold exactly these files, by path."""
    for path in read_tree(root).keys() - tree.keys():
        (root / path).unlink()
    for path, data in tree.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != data:
            file.write_bytes(data)


def read_tree(root: Path) -> Tree:
    """Returns every regular file below the folder, the archive's own left out."""
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and not file.is_symlink() and ".archive" not in file.relative_to(root).parts
    }


def read_stats(root: Path) -> dict[str, tuple[int, int]]:
    """Returns mode and time of modification of every file below the folder."""
    return {path: (stat.st_mode & 0o7777, stat.st_mtime_ns) for path in read_tree(root) for stat in [(root / path).lstat()]}


@pytest.fixture
def write(root: Path) -> Callable[[Tree], None]:
    """Makes the project hold exactly the given files."""
    return lambda tree: write_tree(root, tree)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files and generated parts of the docs")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
