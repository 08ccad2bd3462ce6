"""A real history of thousands of versions is indexed version by version, costs little, and tells each story right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive import Archive
from archive.model.search import ItemChange
from tests.api.test_real_histories import commits, data
from tests.conftest import FixedClock
from tests.indexing.conftest import query

PATH = "simonwillison-net.json"


@pytest.mark.slow
@pytest.mark.real_data
def test_nine_thousand_versions_of_a_file_are_indexed_one_by_one(db_path: Path, root: Path, tmp_path: Path) -> None:
    clock = FixedClock()
    states: dict[str, list[tuple[int, object]]] = {}  # by story: since which snapshot it says what; None where it is gone
    with Archive.create(db_path, clock=clock) as archive:
        for time, content in commits(data("hn.bundle"), tmp_path / "git", PATH):
            (root / PATH).write_bytes(content)
            clock.time = time
            result = archive.backup(root)
            assert result.snapshot is not None
            assert result.index is not None
            assert not result.index.problem
            stories = {story["id"]: story for story in json.loads(content)}
            for story_id in stories.keys() | states.keys():
                known = states.setdefault(story_id, [])
                if (known[-1][1] if known else None) != stories.get(story_id):
                    known.append((result.snapshot.id, stories.get(story_id)))
        snapshots = len(archive.snapshots())
        assert snapshots > 9_000
        longest = sorted(states, key=lambda story_id: -len(states[story_id]))[:20]
        for story_id in longest:
            history = archive.item_history(PATH, f"[id={story_id}]")
            told = [(state.since.snapshot, state.change is ItemChange.REMOVED) for state in history.states]
            assert told == [(since, story is None) for since, story in states[story_id]]
    assert db_path.stat().st_size <= 12_000_000
    assert query(db_path, "SELECT count(*) FROM items WHERE id > 0 AND key != ''") == [(len(stories),)]
