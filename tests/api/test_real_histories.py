"""Real projects' histories come back byte for byte, and cost little. Skipped where the data is not at hand."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive import Archive
from archive.model.documents import ParseState
from tests.conftest import FixedClock, Tree, read_tree, write_tree

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.real_data


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand")
    return path


@pytest.fixture(scope="session")
def rengine_states(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Tree]]:
    """The dated states of one project's files, oldest first, by label."""
    folder = tmp_path_factory.mktemp("rengine")
    with tarfile.open(data("rengine-agents.tar.xz")) as tar:
        tar.extractall(folder, filter="data")
    return [(state.name, read_tree(state)) for state in sorted(folder.iterdir()) if state.is_dir()]


def taken_in(tree: Tree) -> Tree:
    """What of a state the default rules take in."""
    names = (".json", ".jsonl", ".ndjson", ".md", ".rst", ".txt", ".yaml", ".yml", ".toml")
    return {path: content for path, content in tree.items() if path.endswith(names) or path == "agents/memory"}


def test_dated_states_come_back_by_label_by_time_and_by_id(
    archive: Archive, root: Path, tmp_path: Path, rengine_states: list[tuple[str, Tree]]
) -> None:
    clock = archive._clock
    assert isinstance(clock, FixedClock)
    for label, tree in rengine_states:
        write_tree(root, tree)
        clock.time = datetime.strptime(label, "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
        result = archive.backup(root)
        assert result.is_complete
        assert result.snapshot is not None
        assert result.snapshot.label == label

    for number, (label, tree) in enumerate(rengine_states, start=1):
        time = datetime.strptime(label + "+0000", "%Y%m%d_%H%M%S%z").isoformat()
        for at in (label, time, str(number)):
            target = tmp_path / "restored"
            archive.restore(archive.plan_restore(target, at=at))
            assert read_tree(target) == taken_in(tree), at
            shutil.rmtree(target)
    for name in ("functions.json", "structure.json"):
        history = archive.history(f"agents/{name}")
        assert history.versions[-1].state is ParseState.INVALID or name == "functions.json"
        assert any(version.state is ParseState.INVALID for version in history.versions)
        assert history.last_valid is not None
        assert archive.read(f"agents/{name}", at=str(history.last_valid.snapshot)).startswith(b"{")
    assert {problem.path for problem in archive.problems() if problem.kind == "invalid"} >= {"agents/structure.json"}


def commits(bundle: Path, folder: Path, path: str) -> Iterator[tuple[datetime, bytes]]:
    """Yields time and content of a file in each commit of a bundle, oldest first."""
    subprocess.run(["git", "clone", "-q", "--bare", str(bundle), str(folder)], check=True)
    log = subprocess.run(
        ["git", "-C", str(folder), "log", "--reverse", "--format=%H %ct", "--", path],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    with subprocess.Popen(
        ["git", "-C", str(folder), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        for commit, seconds in zip(log[::2], log[1::2], strict=True):
            git.stdin.write(f"{commit}:{path}\n".encode())
            git.stdin.flush()
            header = git.stdout.readline().split()
            if header[-1] != b"missing":
                content = git.stdout.read(int(header[2]))
                git.stdout.read(1)
                yield datetime.fromtimestamp(int(seconds), UTC), content
        git.stdin.close()


def table_bytes(path: Path, *tables: str) -> int:
    """Returns the size of tables and their indexes in the file."""
    marks = ", ".join("?" * len(tables))
    with closing(sqlite3.connect(path)) as connection:
        try:
            total = connection.execute(
                "SELECT sum(s.pgsize) FROM dbstat s WHERE s.name IN"
                f" (SELECT name FROM sqlite_master WHERE tbl_name IN ({marks}))",
                tables,
            ).fetchone()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")
    return int(total[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "path", "at_least", "tables", "most_bytes"),
    [
        ("taskmaster.bundle", "tasks/tasks.json", 100, ("contents", "deltas"), 1_300_000),
        ("hn.bundle", "simonwillison-net.json", 9_000, ("contents", "deltas", "versions"), 3_000_000),
    ],
)
def test_the_history_of_one_file_costs_little_and_reads_back(
    db_path: Path, root: Path, tmp_path: Path, name: str, path: str, at_least: int, tables: tuple[str, ...], most_bytes: int
) -> None:
    clock = FixedClock()
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    snapshots: dict[int, bytes] = {}
    with Archive.create(db_path, clock=clock) as archive:
        for time, content in commits(data(name), tmp_path / "git", path):
            (root / path).write_bytes(content)
            clock.time = time
            snapshot = archive.backup(root, index=False).snapshot
            assert snapshot is not None
            if snapshot.id % 37 == 0:
                snapshots[snapshot.id] = content
        assert len(archive.snapshots()) >= at_least
        for snapshot_id, content in snapshots.items():
            assert archive.read(path, at=str(snapshot_id)) == content
    assert table_bytes(db_path, *tables) <= most_bytes
