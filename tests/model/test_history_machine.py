"""The archive against plain dicts: every state ever backed up reads back, restores, and can be undone.

Two projects share one archive; their rules change, their files have awkward names, and the archive is closed and opened in
between.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from archive import Archive, Rules
from archive.model.snapshots import Snapshot
from tests.conftest import FixedClock, assert_sound, read_stats, read_tree

NAMES = st.sampled_from(
    ["a.json", "b.md", "dir/c.json", "dir/deep/d.txt", "dir/e.jsonl", "ü\n'.json", os.fsdecode(b"\xff.json"), "-rf.md"]
)
CONTENTS = st.one_of(
    st.sampled_from([b"", b"{}", b'{"a": 1}', b"# text\n", b"\xff\xfe", b"<<<<<<< x\n", b'{"a": 1}' * 200]),
    st.binary(max_size=40),
)
RULES = {"all": Rules(), "no folders": Rules(exclude=("dir/",)), "no JSON": Rules(include=("*.md", "*.txt", "*.jsonl"))}
SOURCES = ("one", "two")

# What a file is: its content, and its mode and time of modification.
State = dict[str, tuple[bytes, tuple[int, int]]]


def is_taken_in(path: str, rules: str) -> bool:
    match rules:
        case "no folders":
            return not path.startswith("dir/")
        case "no JSON":
            return not path.endswith(".json")
        case _:
            return True


@dataclass
class Project:
    """One of the two, and what the archive has to know of it: what each snapshot must give back."""

    root: Path
    archive: Archive
    states: dict[int, State] = field(default_factory=dict)
    undo_to: State | None = None
    rules: str = "all"

    def seen(self) -> State:
        tree, stats = read_tree(self.root), read_stats(self.root)
        return {path: (data, stats[path]) for path, data in tree.items()}


class HistoryMachine(RuleBasedStateMachine):
    """Edits trees, backs them up, restores and undoes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="archive-model-"))
        self.clock = FixedClock()
        self.projects: dict[str, Project] = {}

    @initialize()
    def start(self) -> None:
        Archive.create(self.folder / "archive.db").close()
        for name in SOURCES:
            root = self.folder / name
            root.mkdir()
            self.projects[name] = Project(root, self.opened(name))

    def opened(self, source: str) -> Archive:
        return Archive.open(self.folder / "archive.db", mode="write", source=source, clock=self.clock)

    @rule(source=st.sampled_from(SOURCES), name=NAMES, data=CONTENTS)
    def write(self, source: str, name: str, data: bytes) -> None:
        project = self.projects[source]
        file = project.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        project.undo_to = None

    @rule(source=st.sampled_from(SOURCES), name=NAMES)
    def delete(self, source: str, name: str) -> None:
        (self.projects[source].root / name).unlink(missing_ok=True)
        self.projects[source].undo_to = None

    @rule(
        source=st.sampled_from(SOURCES), name=NAMES, mode=st.sampled_from([0o600, 0o644, 0o755]), seconds=st.integers(1, 2**31)
    )
    def touch(self, source: str, name: str, mode: int, seconds: int) -> None:
        file = self.projects[source].root / name
        if file.exists():
            file.chmod(mode)
            os.utime(file, ns=(seconds * 10**9 + 123, seconds * 10**9 + 123))
            self.projects[source].undo_to = None

    @rule(source=st.sampled_from(SOURCES))
    def reopen(self, source: str) -> None:
        self.projects[source].archive.close()
        self.projects[source].archive = self.opened(source)

    @rule(
        source=st.sampled_from(SOURCES), tick=st.integers(0, 3), rules=st.sampled_from(["all", "all", "no folders", "no JSON"])
    )
    def backup(self, source: str, tick: int, rules: str) -> None:
        project = self.projects[source]
        self.clock.tick(seconds=tick)
        result = project.archive.backup(project.root, rules=RULES[rules])
        assert result.snapshot is not None
        assert result.is_complete
        project.rules = rules
        project.states[result.snapshot.id] = {path: file for path, file in project.seen().items() if is_taken_in(path, rules)}

    @rule(source=st.sampled_from(SOURCES), data=st.data())
    def restore(self, source: str, data: st.DataObject) -> None:
        project = self.projects[source]
        if not project.states:
            return
        snapshot_id = data.draw(st.sampled_from(sorted(project.states)))
        before, then = project.seen(), project.states[snapshot_id]
        result = project.archive.restore(project.archive.plan_restore(at=str(snapshot_id), delete_extra=True))
        assert result.problems == ()
        # What the rules leave out and what did not exist then is none of a restore's business.
        kept = {path: file for path, file in before.items() if path not in then and not is_taken_in(path, project.rules)}
        assert project.seen() == then | kept
        self._note_safety(project, result.safety, before, then)
        project.undo_to = before

    @rule(source=st.sampled_from(SOURCES))
    def undo(self, source: str) -> None:
        project = self.projects[source]
        if project.undo_to is None:
            return
        before, then = project.seen(), project.undo_to
        result = project.archive.restore(project.archive.plan_undo())
        assert result.problems == ()
        assert project.seen() == then
        self._note_safety(project, result.safety, before, then)
        project.undo_to = before

    def _note_safety(self, project: Project, safety: Snapshot | None, before: State, then: State) -> None:
        """Notes the snapshot taken before a restore: all that the rules take in, and all whose content was to be replaced."""
        if safety is None:
            return
        at_risk = {path for path, (content, _) in then.items() if path in before and before[path][0] != content}
        found = {each.path for each in project.archive.documents(at=str(safety.id))}
        must = {path for path in before if is_taken_in(path, project.rules)} | at_risk
        assert must <= found <= set(before)
        project.states[safety.id] = {path: before[path] for path in found}

    @invariant()
    def every_state_reads_back(self) -> None:
        for project in self.projects.values():
            for snapshot_id, state in project.states.items():
                documents = project.archive.documents(at=str(snapshot_id))
                found = {
                    each.path: (project.archive.read(each.path, at=str(snapshot_id)), (each.mode, each.mtime_ns))
                    for each in documents
                }
                assert found == state

    def teardown(self) -> None:
        for project in self.projects.values():
            project.archive.close()
        assert_sound(self.folder / "archive.db")
        shutil.rmtree(self.folder)


TestHistory = HistoryMachine.TestCase
TestHistory.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


@pytest.mark.slow
class TestLongHistory(HistoryMachine.TestCase):  # type: ignore[valid-type,misc]
    settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
