"""What must not happen: code from the project run, content lost for its name, one transaction inside another."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archive import Archive, Rules
from archive.errors import ArchiveError, ArchiveLocked, UsageError
from archive.model.snapshots import ProblemKind
from tests.conftest import FixedClock, read_tree, write_tree

REPOSITORY = Path(__file__).parents[2]


def test_the_helping_process_runs_no_code_from_the_project(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{n}.txt": b"words " * 100_000 for n in range(50)})
    for name in ("pickle", "struct", "codecs", "orjson", "archive"):
        (tmp_path / f"{name}.py").write_text(f"open('{tmp_path}/caught-{name}', 'w').close()\n")
    code = f"import sys; sys.path[:] = {[str(REPOSITORY), *filter(None, sys.path)]!r}; from archive import Archive\n"
    code += f"with Archive.create('{tmp_path}/store/a.db') as archive: archive.backup('{tmp_path}')"

    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, timeout=120)

    assert not list(tmp_path.glob("caught-*"))


def test_an_unreadable_file_is_kept_by_a_restore_whatever_its_name(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["plain.json", os.fsdecode(b"caf\xe9.json")]
    for name in names:
        (root / name).write_bytes(b"old")
    archive.backup(root)
    for name in names:
        (root / name).write_bytes(b"precious")
    plan = archive.plan_restore(at="1")
    real_open = os.open

    def deny(path: object, flags: int, *args: object, **kwargs: object) -> int:
        if str(path).endswith(".json") and not flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return real_open(path, flags, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", deny)
    result = archive.restore(plan)
    monkeypatch.undo()

    assert set(read_tree(root).values()) == {b"precious"}
    assert {problem.path for problem in result.problems if problem.kind is ProblemKind.KEPT} == set(names)


def test_a_call_into_the_same_archive_from_its_callback_is_refused_and_harms_nothing(archive: Archive, root: Path) -> None:
    write_tree(root, {f"{n}.json": b"{}" * n for n in range(5)})
    refused: list[ArchiveError] = []

    def look(progress: object) -> None:
        try:
            archive.snapshots()
        except UsageError as error:
            refused.append(error)

    assert archive.backup(root, on_progress=look).snapshot is not None
    assert refused
    assert archive.check().is_good


def test_an_archive_belongs_to_one_thread_and_ends_with_close(archive: Archive, root: Path) -> None:
    errors: list[ArchiveError] = []

    def elsewhere() -> None:
        try:
            archive.snapshots()
        except UsageError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    archive.close()
    with pytest.raises(UsageError):
        archive.snapshots()

    assert errors


def test_reading_from_an_archive_open_for_writing_does_not_wait_for_writers(
    archive: Archive, root: Path, db_path: Path
) -> None:
    write_tree(root, {"a.json": b"1"})
    archive.backup(root)
    with Archive.open(db_path, mode="write", wait_s=0.05) as other:

        def look(progress: object) -> None:
            assert other.read("a.json") == b"1"
            with pytest.raises(ArchiveLocked):
                other.backup(root)

        write_tree(root, {"a.json": b"2"})
        archive.backup(root, on_progress=look)


@pytest.mark.parametrize("paths", [[""], ["/"], "a.json"])
def test_an_empty_path_or_a_lone_text_never_means_everything(archive: Archive, root: Path, paths: list[str]) -> None:
    write_tree(root, {"a.json": b"1"})
    archive.backup(root)

    with pytest.raises(UsageError):
        archive.plan_restore(paths=paths)


def test_a_failed_restore_leaves_the_one_before_it_to_be_undone(
    archive: Archive, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in (b"1", b"2"):
        write_tree(root, {"a.json": data})
        archive.backup(root)
    archive.restore(archive.plan_restore(at="1"))
    write_tree(root, {"a.json": b"3"})
    monkeypatch.setattr("archive.target.writing.write_all", lambda fd, data: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(ArchiveError):
        archive.restore(archive.plan_restore(at="2"))
    monkeypatch.undo()

    archive.restore(archive.plan_undo())

    assert read_tree(root) == {"a.json": b"2"}


def test_a_document_that_outgrows_the_limit_keeps_its_last_version(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": b"[1]"})
    archive.backup(root)
    write_tree(root, {"a.json": b"[" + b"1, " * 500 + b"1]"})

    result = archive.backup(root, rules=Rules(max_file_bytes=100))

    assert result.removed == ()
    assert [problem.kind for problem in result.skipped] == [ProblemKind.TOO_LARGE]
    assert archive.read("a.json") == b"[1]"


def test_new_categories_hold_for_files_that_did_not_change(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": b"[1]"})
    archive.backup(root)

    archive.backup(root, rules=Rules(categories=(("a.json", "special"),)))

    assert archive.documents()[0].category == "special"


def test_a_root_behind_a_link_is_the_same_source(archive: Archive, root: Path, tmp_path: Path, clock: FixedClock) -> None:
    write_tree(root, {"a.json": b"[1]"})
    (tmp_path / "link").symlink_to(root)
    archive.backup(root)

    archive.backup(tmp_path / "link")

    assert len(archive.sources()) == 1


def test_text_that_is_no_utf8_in_a_message_is_shown_and_no_error(archive: Archive, root: Path) -> None:
    write_tree(root, {"a.json": b"[1]"})

    snapshot = archive.backup(root, message=os.fsdecode(b"caf\xe9"), tags=[os.fsdecode(b"\xff")]).snapshot

    assert snapshot is not None
    assert (snapshot.message, snapshot.tags) == ("caf\\xe9", ("\\xff",))
