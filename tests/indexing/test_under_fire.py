"""Indexing under load: killed at random moments, many processes at once, very large documents, long histories."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from archive import Archive
from archive.storage import migrate
from tests.conftest import assert_sound, write_tree
from tests.faults import copy_archive, duration_s, in_child, kill_after, wait
from tests.indexing.conftest import assert_items_are_those_of_the_versions, found, query
from tests.indexing.test_resuming import waiting_versions

pytestmark = pytest.mark.slow

KILLS = 100


def tree(state: int) -> dict[str, bytes]:
    """A tree of 60 documents of which a third differs from state to state."""
    return {
        f"folder{n % 5}/{n}.json": json.dumps(
            {"number": n, "tasks": [{"id": k, "text": f"word{k + (state if n % 3 == 0 else 0)} " * 9} for k in range(20)]}
        ).encode()
        for n in range(60 + state)
    }


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["in one process", "with a helping process"])
def test_a_killed_indexing_costs_nothing_and_the_next_goes_on(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_elsewhere: bool
) -> None:
    if is_elsewhere:
        monkeypatch.setattr("archive.extracting.WORTH_A_PROCESS_BYTES", 0)
    monkeypatch.setattr("archive.deriving.BATCH_VERSIONS", 25)  # so that many moments lie between two batches
    planted, path = tmp_path / "planted.db", tmp_path / "try.db"
    with Archive.create(planted) as archive:
        for state in (1, 2, 3):
            write_tree(root, tree(state))
            archive.backup(root, index=state == 1)
    waiting = waiting_versions(planted)

    def work() -> None:
        with Archive.open(path, mode="write") as archive:
            archive.search("word1")

    copy_archive(planted, path)
    span, random_, killed, halfway = duration_s(work), random.Random(5), 0, 0
    early, late = 0.0, span  # the last moments at which nothing and everything was indexed: between them it is under way
    for turn in range(KILLS * 5):
        copy_archive(planted, path)
        delay = random_.uniform(0.0, span) if turn % 2 else random_.uniform(min(early, late), max(early, late))
        struck = kill_after(work, delay)
        killed += struck
        span *= 1.02 if struck else 0.9
        left = waiting_versions(path)
        halfway += 0 < left < waiting
        early, late = delay if left == waiting else early, late if left else delay
        assert query(path, "SELECT count(*) FROM snapshots") == [(3,)]
        if turn % 10 == 0:
            assert_sound(path)
            work()
            assert waiting_versions(path) == 0
            assert_sound(path)
            assert_items_are_those_of_the_versions(path)
        if killed >= KILLS // (1 + is_elsewhere):
            break
    assert killed >= KILLS // (1 + is_elsewhere)
    assert halfway > 0, f"none of {killed} kills came between two batches"


def test_eight_processes_that_back_up_and_index_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    migrate.create(path)
    roots = [tmp_path / f"project{n}" for n in range(2)]
    for folder in roots:
        folder.mkdir()
        write_tree(folder, tree(1))

    def write(number: int) -> None:
        folder = roots[number % 2]
        for turn in range(5):
            (folder / f"own{number}.json").write_text(f'{{"id": {number}, "turn": "turn{turn} of {number}"}}')
            with Archive.open(path, mode="write", wait_s=120) as archive:
                result = archive.backup(folder).index
                assert result is not None
                assert not result.problem

    children = [in_child(lambda number=number: write(number)) for number in range(8)]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0] * len(children)

    assert waiting_versions(path) == 0
    assert_sound(path)
    with Archive.open(path) as archive:
        assert archive.reindex(verify=True).differences == ()
    assert len(found(path, "turn4")) == 8


# Indexes, and prints what the process and the ones it started took together at most [KB].
MEASURED = """
import os, sys, threading, time
from pathlib import Path
from archive import Archive

def resident():
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except (OSError, ValueError):
            continue
        if os.getpid() in (int(folder.name), int(status["PPid"])) and "VmRSS" in status:
            total += int(status["VmRSS"].split()[0])
    return total

most = 0
def watch():
    global most
    while True:
        most = max(most, resident())
        time.sleep(0.02)

threading.Thread(target=watch, daemon=True).start()
with Archive.open(sys.argv[1], mode="write") as archive:
    archive.search("word1", limit=1)
print(most)
"""


@pytest.mark.parametrize("is_one_line", [False, True], ids=["indented", "in one line"])
def test_a_json_of_100_mb_is_indexed_within_bounds_as_text_and_says_so(
    root: Path, tmp_path: Path, db_path: Path, is_one_line: bool
) -> None:
    words = [f"word{n}" for n in range(5_000)]
    random_ = random.Random(1)
    tasks = [{"id": n, "text": " ".join(random_.choices(words, k=60)), "password": f"secret{n}"} for n in range(200_000)]
    (root / "large.json").write_text(json.dumps({"tasks": tasks}, indent=None if is_one_line else 1))
    assert (root / "large.json").stat().st_size > 100_000_000
    del tasks

    with Archive.create(db_path) as archive:
        archive.backup(root, index=False)

    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(db_path)], check=True, capture_output=True, text=True, timeout=300
    )

    assert int(done.stdout) < 1_200_000
    assert query(db_path, "SELECT extent FROM index_notes") == [("raw",)]
    assert "large" in query(db_path, "SELECT note FROM index_notes")[0][0]
    assert found(db_path, "large AND json")
    assert query(db_path, "SELECT count(*) FROM items_fts WHERE items_fts MATCH 'word4999'")[0][0] > 100
    assert query(db_path, "SELECT count(*) FROM items WHERE text LIKE '%secret1%'") == [(0,)]
