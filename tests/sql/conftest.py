"""One archive for all tests that only read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import Archive
from tests.conftest import assert_sound
from tests.sql.sample import build


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of the sample archive; it is checked when all tests are done, and must not have changed."""
    path = build(tmp_path_factory.mktemp("sample"))
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before
    assert_sound(path)


@pytest.fixture
def opened(sample: Path) -> Iterator[Archive]:
    with Archive.open(sample) as archive:
        yield archive


@pytest.fixture
def copied(sample: Path, tmp_path: Path) -> Path:
    """A copy of the sample, for a test that writes."""
    folder = tmp_path / "copy"
    shutil.copytree(sample.parent, folder, ignore=shutil.ignore_patterns("*-wal", "*-shm"))  # others may read it now
    return folder / sample.name
