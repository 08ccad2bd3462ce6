"""The archive against a plain dict of dicts: every state ever backed up reads back, restores, and can be undone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from archive import Archive
from tests.conftest import FixedClock, assert_sound, read_stats, read_tree

NAMES = st.sampled_from(["a.json", "b.md", "dir/c.json", "dir/deep/d.txt", "dir/e.jsonl", "ü\n'.json"])
CONTENTS = st.one_of(
    st.sampled_from([b"", b"{}", b'{"a": 1}', b"# text\n", b"\xff\xfe", b"<<<<<<< x\n", b'{"a": 1}' * 200]),
    st.binary(max_size=40),
)


class HistoryMachine(RuleBasedStateMachine):
    """Edits a tree, backs it up, restores and undoes; `states` is what each snapshot must give back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="archive-model-"))
        self.root = self.folder / "root"
        self.root.mkdir()
        self.clock = FixedClock()
        self.archive = Archive.create(self.folder / "archive.db", clock=self.clock)
        self.states: dict[int, tuple[dict[str, bytes], dict[str, tuple[int, int]]]] = {}
        self.undo_to: tuple[dict[str, bytes], dict[str, tuple[int, int]]] | None = None

    def seen(self) -> tuple[dict[str, bytes], dict[str, tuple[int, int]]]:
        return read_tree(self.root), read_stats(self.root)

    @rule(name=NAMES, data=CONTENTS)
    def write(self, name: str, data: bytes) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self.undo_to = None

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.undo_to = None

    @rule(name=NAMES, mode=st.sampled_from([0o600, 0o644, 0o755]), seconds=st.integers(1, 2_000_000_000))
    def touch(self, name: str, mode: int, seconds: int) -> None:
        file = self.root / name
        if file.exists():
            file.chmod(mode)
            os.utime(file, ns=(seconds * 10**9 + 123, seconds * 10**9 + 123))
            self.undo_to = None

    @rule(tick=st.integers(0, 3))
    def backup(self, tick: int) -> None:
        self.clock.tick(seconds=tick)
        result = self.archive.backup(self.root)
        assert result.snapshot is not None
        assert result.is_complete
        self.states[result.snapshot.id] = self.seen()

    @precondition(lambda self: self.states)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        snapshot_id = data.draw(st.sampled_from(sorted(self.states)))
        before = self.seen()
        result = self.archive.restore(self.archive.plan_restore(at=str(snapshot_id), delete_extra=True))
        assert result.problems == ()
        assert self.seen() == self.states[snapshot_id]
        if result.safety is not None:
            self.states[result.safety.id] = before
        self.undo_to = before

    @precondition(lambda self: self.undo_to is not None)
    @rule()
    def undo(self) -> None:
        before = self.seen()
        result = self.archive.restore(self.archive.plan_undo())
        assert result.problems == ()
        assert self.seen() == self.undo_to
        if result.safety is not None:
            self.states[result.safety.id] = before
        self.undo_to = before

    @invariant()
    def every_state_reads_back(self) -> None:
        for snapshot_id, (tree, stats) in self.states.items():
            documents = self.archive.documents(at=str(snapshot_id))
            assert {each.path: self.archive.read(each.path, at=str(snapshot_id)) for each in documents} == tree
            assert {each.path: (each.mode, each.mtime_ns) for each in documents} == stats

    def teardown(self) -> None:
        self.archive.close()
        assert_sound(self.folder / "archive.db")
        shutil.rmtree(self.folder)


TestHistory = HistoryMachine.TestCase
TestHistory.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)


@pytest.mark.slow
class TestLongHistory(HistoryMachine.TestCase):  # type: ignore[valid-type,misc]
    settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
