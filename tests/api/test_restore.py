"""Restores: planned, safe, exact, verified, and taken back."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive, Overwrite, Rules
from archive.errors import CorruptArchive, DocumentNotFound, NotFound, PlanStale, SnapshotNotFound, UnsafePath
from archive.model.restore import Action, RestorePlan
from tests.conftest import FixedClock, Tree, read_stats, read_tree, write_tree

OLD: Tree = {"agents/tasks.json": b'{"tasks": []}', "docs/a.md": b"# A\r\n", "docs/b.md": b"# B", "same.txt": b"same"}
NEW: Tree = {"agents/tasks.json": b"torn", "docs/a.md": b"# A\r\n", "same.txt": b"same", "later/new.md": b"new"}


@pytest.fixture
def two(archive: Archive, root: Path, clock: FixedClock) -> Archive:
    """An archive with a snapshot of OLD and one of NEW; NEW is on disk."""
    for tree in (OLD, NEW):
        write_tree(root, tree)
        archive.backup(root)
        clock.tick()
    return archive


def actions(plan: RestorePlan) -> dict[str, str]:
    return {file.path: file.action.value for file in plan.files}


def test_a_plan_says_what_would_happen_to_each_file_and_changes_nothing(two: Archive, root: Path) -> None:
    plan = two.plan_restore(at="1")

    assert actions(plan) == {
        "agents/tasks.json": "overwrite",
        "docs/a.md": "unchanged",
        "docs/b.md": "create",
        "later/new.md": "extra",
        "same.txt": "unchanged",
    }
    assert (plan.size(Action.CREATE), plan.size(Action.OVERWRITE)) == (3, 13)
    assert read_tree(root) == NEW
    assert len(two.snapshots()) == 2
    json.dumps(plan.to_json())


def test_a_restore_in_place_gives_back_content_mode_and_times(two: Archive, root: Path, tmp_path: Path) -> None:
    then = {each.path: (each.mode, each.mtime_ns) for each in two.documents(at="1")}

    result = two.restore(two.plan_restore(at="1"))

    assert read_tree(root) == {**OLD, "later/new.md": b"new"}
    assert {path: stat for path, stat in read_stats(root).items() if path in OLD} == then
    assert (result.created, result.overwritten, result.unchanged, result.deleted) == (1, 1, 2, 0)
    assert result.problems == ()


def test_extra_files_are_deleted_only_on_request_and_only_if_a_backup_would_take_them_in(two: Archive, root: Path) -> None:
    (root / "program.py").write_text("not ours")

    result = two.restore(two.plan_restore(at="1", delete_extra=True))

    assert result.deleted == 1
    assert read_tree(root) == {**OLD, "program.py": b"not ours"}
    assert not (root / "later").exists()


def test_what_was_not_backed_up_before_a_restore_is_in_the_safety_snapshot(two: Archive, root: Path) -> None:
    (root / "agents/tasks.json").write_bytes(b"hours of work")

    result = two.restore(two.plan_restore(at="1"))

    assert result.safety is not None
    assert result.safety.tags == ("safety",)
    assert two.read("agents/tasks.json", at=str(result.safety.id)) == b"hours of work"


def test_a_file_outside_the_rules_of_today_is_taken_in_before_it_is_overwritten(
    two: Archive, root: Path, clock: FixedClock
) -> None:
    two.backup(root, rules=Rules(exclude=("agents/",)))
    (root / "agents/tasks.json").write_bytes(b"edited where no backup looks")

    result = two.restore(two.plan_restore(at="1"))

    assert result.safety is not None
    assert two.read("agents/tasks.json", at=str(result.safety.id)) == b"edited where no backup looks"
    two.restore(two.plan_undo())
    assert (root / "agents/tasks.json").read_bytes() == b"edited where no backup looks"


@pytest.mark.parametrize("delete_extra", [False, True])
def test_restore_and_undo_is_the_identity(two: Archive, root: Path, delete_extra: bool) -> None:
    write_tree(root, {**NEW, "agents/tasks.json": b"unsaved", "unsaved.md": b"!"})
    (root / "same.txt").chmod(0o600)
    before = read_tree(root), read_stats(root), sorted(str(path) for path in root.rglob("*"))

    two.restore(two.plan_restore(at="1", delete_extra=delete_extra))
    assert read_tree(root) != before[0]
    two.restore(two.plan_undo())

    assert (read_tree(root), read_stats(root), sorted(str(path) for path in root.rglob("*"))) == before


def test_undoing_an_undo_repeats_the_restore(two: Archive, root: Path) -> None:
    two.restore(two.plan_restore(at="1", delete_extra=True))
    two.restore(two.plan_undo())
    two.restore(two.plan_undo())

    assert read_tree(root) == OLD


def test_undo_leaves_files_alone_that_the_restore_did_not_touch(two: Archive, root: Path) -> None:
    two.restore(two.plan_restore(at="1"))
    (root / "docs/c.md").write_bytes(b"written since")

    two.restore(two.plan_undo())

    assert read_tree(root) == {**NEW, "docs/c.md": b"written since"}


def test_there_is_nothing_to_undo_before_the_first_restore(two: Archive) -> None:
    with pytest.raises(NotFound):
        two.plan_undo()


@pytest.mark.parametrize(
    ("policy", "newer_on_disk", "expected"),
    [
        (Overwrite.ALWAYS, True, "overwrite"),
        (Overwrite.IF_CHANGED, True, "overwrite"),
        (Overwrite.IF_NEWER, True, "keep"),
        (Overwrite.IF_NEWER, False, "overwrite"),
        (Overwrite.NEVER, False, "keep"),
    ],
)
def test_the_policy_decides_which_files_are_replaced(
    two: Archive, root: Path, policy: Overwrite, newer_on_disk: bool, expected: str
) -> None:
    then = next(each.mtime_ns for each in two.documents(at="1") if each.path == "agents/tasks.json")
    shift = 10**9 if newer_on_disk else -(10**9)
    os.utime(root / "agents/tasks.json", ns=(then + shift, then + shift))

    plan = two.plan_restore(at="1", overwrite=policy)
    two.restore(plan)

    assert actions(plan)["agents/tasks.json"] == expected
    assert (root / "agents/tasks.json").read_bytes() == (OLD if expected == "overwrite" else NEW)["agents/tasks.json"]


def test_only_times_and_mode_are_set_where_the_content_is_right(two: Archive, root: Path) -> None:
    (root / "same.txt").chmod(0o600)

    plan = two.plan_restore(at="1", paths=["same.txt"])
    result = two.restore(plan)

    assert actions(plan) == {"same.txt": "attributes"}
    assert (result.attributes, result.size_bytes) == (1, 0)
    assert (root / "same.txt").stat().st_mode & 0o777 == two.documents(at="1", patterns=["same.txt"])[0].mode


@pytest.mark.parametrize("paths", [["docs"], ["docs/*.md"], ["docs/a.md", "docs/b.md"], ["**/?.md"]])
def test_paths_folders_and_globs_pick_what_is_restored(two: Archive, root: Path, tmp_path: Path, paths: list[str]) -> None:
    two.restore(two.plan_restore(tmp_path / "elsewhere", at="1", paths=paths))

    assert read_tree(tmp_path / "elsewhere") == {"docs/a.md": OLD["docs/a.md"], "docs/b.md": OLD["docs/b.md"]}
    assert read_tree(root) == NEW


def test_a_path_that_fits_nothing_is_an_error_and_nothing_is_restored(two: Archive, root: Path) -> None:
    with pytest.raises(DocumentNotFound):
        two.plan_restore(at="1", paths=["docs/b.md", "dosc"])
    with pytest.raises(SnapshotNotFound) as caught:
        two.plan_restore(at="20200101_000000")

    assert "20260102_030405" in caught.value.hint
    assert read_tree(root) == NEW


def test_elsewhere_content_that_no_snapshot_holds_is_kept_unless_always(two: Archive, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_tree_at(other, {"same.txt": b"precious", "docs/a.md": b"# B", "later/extra.md": b"mine"})

    plan = two.plan_restore(other, at="1", delete_extra=True)
    result = two.restore(plan)

    assert actions(plan)["same.txt"] == "keep"
    assert {problem.path: problem.kind.value for problem in result.problems} == {
        "same.txt": "kept",
        "later/extra.md": "kept",
    }
    assert read_tree(other) == {**OLD, "same.txt": b"precious", "later/extra.md": b"mine"}
    assert two.restore(two.plan_restore(other, at="1", overwrite=Overwrite.ALWAYS)).problems == ()
    assert read_tree(other) == {**OLD, "later/extra.md": b"mine"}


def test_something_that_is_no_file_is_in_the_way_and_stays(two: Archive, root: Path, tmp_path: Path) -> None:
    (root / "agents/tasks.json").unlink()
    (root / "agents/tasks.json").symlink_to(tmp_path / "elsewhere.json")
    (root / "docs/b.md").mkdir()

    result = two.restore(two.plan_restore(at="1"))

    assert {problem.path: problem.kind.value for problem in result.problems} == {
        "agents/tasks.json": "in_the_way",
        "docs/b.md": "in_the_way",
    }
    assert (root / "agents/tasks.json").is_symlink()
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_plan_is_stale_once_the_archive_or_a_file_has_changed(two: Archive, root: Path) -> None:
    plan = two.plan_restore(at="1")
    (root / "docs/b.md").write_bytes(b"appeared since")
    with pytest.raises(PlanStale):
        two.restore(plan)
    assert read_tree(root) == {**NEW, "docs/b.md": b"appeared since"}

    plan = two.plan_restore(at="1")
    two.backup(root)
    with pytest.raises(PlanStale):
        two.restore(plan)


@pytest.mark.parametrize(
    "path", ["../../x", "/etc/x.json", "a/../../x", "C:/x.json", "linked/x.json", "./x", "a//x", "a/./x", "", "a\0x"]
)
@pytest.mark.usefixtures("damaged_on_purpose")
def test_an_archive_that_was_edited_to_lead_outside_writes_nothing(
    two: Archive, root: Path, tmp_path: Path, db_path: Path, path: str
) -> None:
    (root / "linked").symlink_to(tmp_path)
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)
    (target / "linked").symlink_to(tmp_path)
    with closing(sqlite3.connect(db_path)) as connection, connection:
        connection.execute("UPDATE documents SET path = ? WHERE path = 'docs/b.md'", (path,))
    before = sorted(str(each) for each in tmp_path.rglob("*") if "store" not in each.parts)

    for folder in (None, target):
        with pytest.raises(UnsafePath):
            two.plan_restore(folder, at="1")

    assert sorted(str(each) for each in tmp_path.rglob("*") if "store" not in each.parts) == before


@pytest.mark.usefixtures("damaged_on_purpose")
def test_damaged_content_ends_a_restore_before_any_file_is_touched(two: Archive, root: Path, db_path: Path) -> None:
    with closing(sqlite3.connect(db_path)) as connection, connection:
        connection.execute("UPDATE deltas SET data = zeroblob(length(data))")

    with pytest.raises(CorruptArchive):
        two.restore(two.plan_restore(at="1"))

    assert read_tree(root) == NEW
    assert not list(root.glob(".archive-restore-*"))


def test_an_archive_opened_for_reading_restores_elsewhere(two: Archive, db_path: Path, tmp_path: Path) -> None:
    with Archive.open(db_path) as reader:
        reader.restore(reader.plan_restore(tmp_path / "copy", at="1"))

    assert read_tree(tmp_path / "copy") == OLD


def test_an_empty_plan_takes_no_safety_snapshot(two: Archive) -> None:
    plan = two.plan_restore(at="2")

    assert plan.is_empty
    assert two.restore(plan).safety is None
    assert len(two.snapshots()) == 2


def write_tree_at(folder: Path, tree: Tree) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_tree(folder, tree)
