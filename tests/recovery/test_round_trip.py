"""What was archived comes back from a package with nothing but Python: every snapshot, byte for byte, mode and time."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import Archive, Rules
from archive.model.memory import MemoryServer, MemorySettings
from archive.storage.export import copy_archive
from tests.conftest import FixedClock, Tree, write_tree
from tests.recovery.conftest import entries, leftovers, made_folder, make, run, stored

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "rengine-agents.tar.xz"
EVERYTHING = Rules(include=("*",), default_excludes=False)
HOSTILE = (
    b"\xff\xfe.md", b"new\nline.md", b"carriage\rreturn.md", b"back\\slash.md", b"-rf.md", b" .md", b"caf\xc3\xa9.md",
    b"cafe\xcc\x81.md", b"'quotes\"`$(x).md", b"<script>.md", b"%41.md", b"#hash?.md", b"x" * 252 + b".md", b"tab\t.md",
    b"\x1b[31mred.md", b"folder\nwith/\xe2\x80\xae.md", b"a:b.md", b"~/tilde.md", b"*.md", b"[x].md",
)  # fmt: skip


def test_every_snapshot_comes_back_as_it_was(history: Archive, package: Path, tmp_path: Path) -> None:
    for snapshot in history.snapshots():
        target = tmp_path / snapshot.label
        done = run(package, "restore", "--at", snapshot.label, "--to", str(target))
        assert (done.returncode, done.stderr) == (0, "")
        assert entries(target) == stored(history, str(snapshot.id))


def test_the_files_lie_there_as_they_were_for_a_plain_copy(history: Archive, package: Path) -> None:
    assert entries(package / "files") == stored(history)


def test_a_package_of_an_older_moment_has_its_files_and_still_all_others(history: Archive, out: Path, tmp_path: Path) -> None:
    package = made_folder(make(history, out, at="latest~2"))
    assert entries(package / "files") == stored(history, "latest~2")
    assert run(package, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history, "latest~2")
    assert run(package, "restore", "--at", "latest", "--to", str(tmp_path / "b")).returncode == 0
    assert entries(tmp_path / "b") == stored(history)


def test_without_history_there_is_this_one_moment_and_nothing_of_any_other(history: Archive, out: Path, tmp_path: Path) -> None:
    result = make(history, out, at="latest~1", history=False)
    package = made_folder(result)
    assert leftovers(package) == [
        "RECOVERY_INSTRUCTIONS.md", "SHA256SUMS", "files", "index.html", "manifest.json", "restore.py",
    ]  # fmt: skip
    assert (result.snapshots, result.versions, result.has_history) == (1, 3, False)
    assert b"archive.db" not in (package / "RECOVERY_INSTRUCTIONS.md").read_bytes()
    assert b'"until": null' in (package / "manifest.json").read_bytes()
    assert run(package, "verify").returncode == 0
    assert run(package, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history, "latest~1")
    refused = run(package, "restore", "--at", "1", "--to", str(tmp_path / "b"))
    assert refused.returncode == 1
    assert "no snapshots fit 1" in refused.stderr
    assert not (tmp_path / "b").exists()


def test_content_that_lies_in_files_is_not_in_the_history_again(history: Archive, package: Path) -> None:
    with tarfile.open(package / "history.tar.xz") as unpacked:
        names = unpacked.getnames()
    here = {state.hash for state in history.documents()}
    everywhere = {
        version.hash
        for path in ("agents/tasks.json", "notes.md", "gone.md", "copy.md", "agents/memory.json")
        for version in history.history(path).versions
    }
    assert sorted(names) == sorted(["manifest.json", *(f"versions/{hash_[7:]}" for hash_ in everywhere - here)])


def test_the_result_says_what_was_made(history: Archive, out: Path) -> None:
    result = make(history, out)
    assert result.path == result.folder == out / f"recovery-project-{history.snapshot().label}"
    assert result.packed == out / f"{result.path.name}.zip"
    assert (result.documents, result.snapshots, result.is_encrypted, result.is_complete) == (3, 3, False, True)
    assert result.versions == 9
    assert result.size_bytes == sum(file.stat().st_size for file in made_folder(result).rglob("*") if file.is_file())
    assert result.to_json()["path"] == str(result.path)


def test_an_empty_project_has_a_package_too(archive: Archive, root: Path, out: Path, tmp_path: Path) -> None:
    archive.backup(root)
    package = made_folder(make(archive, out))
    assert run(package, "verify").returncode == 0
    assert run(package, "restore", "--to", str(tmp_path / "a")).stdout.endswith("no files\n")


def test_hostile_names_come_back_exactly(archive: Archive, root: Path, out: Path, tmp_path: Path) -> None:
    for number, name in enumerate(HOSTILE):
        path = os.path.join(os.fsencode(root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"# %d\n" % number)
    archive.backup(root, rules=EVERYTHING)
    package = made_folder(make(archive, out, archive_format="folder"))
    assert entries(package / "files") == entries(root)
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == entries(root)
    listed = run(package, "list", "--at", "latest").stdout
    assert "\x1b" not in listed
    assert listed.count("\n") == len(HOSTILE) + 1
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=package, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="a file without permissions is unreadable to all but root")
def test_odd_modes_and_times_come_back(archive: Archive, root: Path, out: Path, tmp_path: Path) -> None:
    for number, mode in enumerate((0o600, 0o755, 0o444, 0o000, 0o1777, 0o200)):
        file = root / f"{number}.md"
        file.write_text("# x\n")
        file.chmod(mode)
        os.utime(file, ns=(0, (-(10**9), 1, 0, 2**33 * 10**9, 10**18 + 1, 999_999_999)[number]))
    archive.backup(root)
    package = made_folder(make(archive, out))
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == stored(archive)
    # So that whoever has the package can read it, whatever the files' modes in the project are.
    assert all(file.stat().st_mode & 0o400 for file in (package / "files").iterdir())


def test_a_name_that_the_file_system_refuses_is_kept_under_another(
    history: Archive, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def like_on_a_stick(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_CREAT and str(path).endswith("memory.json"):
            raise OSError(22, "Invalid argument")
        return real_open(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", like_on_a_stick)
    package = made_folder(make(history, out))
    monkeypatch.undo()
    assert not (package / "files" / "agents" / "memory.json").exists()
    assert len(list((package / "other-names").iterdir())) == 1
    assert "`other-names`" in (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    assert run(package, "verify").returncode == 0
    assert run(package, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history)


def test_two_packages_of_one_moment_stand_beside_each_other(history: Archive, out: Path) -> None:
    first, second = make(history, out), make(history, out)
    assert second.path == first.path.with_name(first.path.name + "-2")


def test_everything_in_a_package_is_its_owner_s_alone(package: Path) -> None:
    assert package.stat().st_mode & 0o777 == 0o700
    for path in package.rglob("*"):
        own = "files" not in path.parts or path.is_dir()
        assert not own or path.stat().st_mode & 0o077 == 0, path


def test_the_copy_of_the_archive_is_one_sound_file_with_a_rollback_journal(history: Archive, package: Path) -> None:
    assert (package / "archive.db").read_bytes()[18:20] == b"\x01\x01"
    with Archive.open(package / "archive.db") as copy:
        assert copy.check().is_good
        assert [each.digest for each in copy.snapshots()] == [each.digest for each in history.snapshots()]


def test_the_copy_is_made_by_an_sqlite_that_cannot_vacuum_generated_columns_elsewhere_too(
    history: Archive, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(history.path)) as connection:
        connection.execute("CREATE TABLE more (a TEXT CHECK (a != ''), b TEXT AS (upper(a)), c TEXT AS (a || a))")
        connection.execute("INSERT INTO more (a) VALUES ('x'), ('y')")
        connection.commit()
        expected = sorted(connection.iterdump())
    copy_archive(history.path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert sorted(connection.iterdump()) == expected  # in what order things were made does not matter
    with closing(sqlite3.connect(history.path)) as connection:
        connection.execute("DROP TABLE more")
        connection.commit()


def test_the_copy_has_every_row_of_every_table_of_the_archive(history: Archive, out: Path) -> None:
    def rows(path: Path) -> dict[str, int]:
        with closing(sqlite3.connect(path)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
            return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}

    expected = rows(history.path)
    assert {"versions", "contents", "deltas", "current_documents"} < expected.keys()
    assert rows(made_folder(make(history, out)) / "archive.db") == expected


def test_another_source_of_the_archive_is_named_since_it_is_in_the_copy(
    history: Archive, out: Path, tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.md").write_text("# other\n")
    history.backup(tmp_path / "other")
    with Archive.open(history.path, source="project", clock=clock) as archive:
        result = make(archive, out)
    assert result.other_sources == ("other",)
    assert "other." in (made_folder(result) / "RECOVERY_INSTRUCTIONS.md").read_text()
    assert not (made_folder(result) / "files" / "a.md").exists()


def real_states(tmp_path: Path) -> list[Path]:
    with tarfile.open(REAL) as packed:
        packed.extractall(tmp_path / "states", filter="data")
    return sorted((tmp_path / "states").iterdir())


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the real states are not here")
@pytest.mark.parametrize("history", [True, False], ids=["with history", "without"])
def test_each_real_state_comes_back_in_an_empty_environment(
    archive: Archive, root: Path, out: Path, tmp_path: Path, clock: FixedClock, history: bool
) -> None:
    states = real_states(tmp_path)
    assert len(states) == 6
    for state in states:
        shutil.rmtree(root)
        shutil.copytree(state, root)
        archive.backup(root, rules=EVERYTHING)
        clock.tick(days=1)
    for number, state in enumerate(states, start=1):
        package = made_folder(make(archive, out, at=str(number), history=history))
        empty = tmp_path / f"empty-{number}"
        empty.mkdir()
        done = run(package, "restore", "--to", ".", cwd=empty)
        assert (done.returncode, done.stderr) == (0, "")
        assert entries(empty) == entries(state)


NAMES = st.sampled_from(["a.json", "b.md", "deep/er/c.txt", "d\udcff.md", "e\n.json", "deep/f.jsonl"])
CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"", b"{}", b'{"a": 1}\n' * 40, b"\0" * 600, b"# Title\n\nwords\n"]),
)
STATES = st.lists(st.dictionaries(NAMES, CONTENTS, max_size=5), min_size=1, max_size=5)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=STATES, data=st.data())
def test_any_history_comes_back_from_a_package_of_any_moment(
    tmp_path_factory: pytest.TempPathFactory, states: list[Tree], data: st.DataObject
) -> None:
    base, clock = tmp_path_factory.mktemp("history"), FixedClock()
    root, out = base / "project", base / "out"
    root.mkdir()
    out.mkdir()
    with Archive.create(base / "archive.db", clock=clock) as archive:
        for state in states:
            write_tree(root, state)
            archive.backup(root, rules=EVERYTHING)
            clock.tick(minutes=1)
        package = made_folder(make(archive, out, at=str(data.draw(st.integers(1, len(states))))))
        for number in range(1, len(states) + 1):
            done = run(package, "restore", "--at", str(number), "--to", str(base / str(number)))
            assert (done.returncode, done.stderr) == (0, "")
            assert entries(base / str(number)) == stored(archive, str(number))


def test_a_chain_of_versions_that_was_taken_apart_comes_back_whole(
    archive: Archive, root: Path, write: Callable[[Tree], None], out: Path, tmp_path: Path, clock: FixedClock
) -> None:
    lines = [f'{{"n": {number}}}\n'.encode() for number in range(300)]
    states = []
    for number in range(140):
        lines[number * 31 % 300] = b'{"n": "changed %d"}\n' % number
        damaged = number % 29 == 28  # a base for nothing
        states.append(b"\0\xff" * 50 if damaged else b"" if number % 41 == 40 else b"".join(lines))
        write({"log.jsonl": states[-1]})
        archive.backup(root, index=False)
        clock.tick(minutes=1)
    with closing(sqlite3.connect(archive.path)) as connection:
        (elsewhere,) = connection.execute("SELECT count(*) FROM deltas WHERE base_id > blob_id + 2").fetchone()
    assert elsewhere, "every version leans on the one that followed it, so this proves nothing"
    package = made_folder(make(archive, out))
    with tarfile.open(package / "history.tar.xz") as packed:
        held = {member.name: member.size for member in packed}
    assert {f"versions/{hashlib.sha256(state).hexdigest()}": len(state) for state in states[:-1]}.items() <= held.items()
    for number in (1, 29, 41, 77, 140):
        assert run(package, "restore", "--at", str(number), "--to", str(tmp_path / str(number))).returncode == 0
        assert entries(tmp_path / str(number)) == stored(archive, str(number))
        assert entries(tmp_path / str(number))["log.jsonl"][0] == states[number - 1]


def test_the_graph_of_a_memory_server_is_in_the_package_with_its_history(
    archive: Archive, root: Path, out: Path, tmp_path: Path
) -> None:
    settings = MemorySettings(server=MemoryServer(file="graph"))
    graphs = [b'{"type":"entity","name":"mast","entityType":"part","observations":["%d"]}' % number for number in range(3)]
    for graph in graphs:
        (root / "graph").write_bytes(graph)
        archive.backup(root, memory=settings)
    package = made_folder(make(archive, out))
    assert (package / "files/.archive/mcp/memory.jsonl").read_bytes() == graphs[-1]
    assert "files/.archive/mcp" in (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    for number, graph in enumerate(graphs, start=1):
        target = tmp_path / str(number)
        assert run(package, "restore", "--at", str(number), "--to", str(target)).returncode == 0
        assert (target / ".archive/mcp/memory.jsonl").read_bytes() == graph


def test_a_long_history_is_packed_and_restored(
    archive: Archive, root: Path, write: Callable[[Tree], None], out: Path, tmp_path: Path, clock: FixedClock
) -> None:
    lines = [f'{{"n": {number}, "text": "{number * 7919 % 1000}"}}\n'.encode() for number in range(2000)]
    for number in range(40):
        lines[number * 31 % 2000] = b'{"n": "changed %d"}\n' % number
        write({"log.jsonl": b"".join(lines), "other.md": b"# %d\n" % (number // 10)})
        archive.backup(root)
        clock.tick(minutes=1)
    package = made_folder(make(archive, out))
    raw = sum(version.size_bytes for version in archive.history("log.jsonl").versions)
    assert (package / "history.tar.xz").stat().st_size < raw / 40
    assert run(package, "restore", "--at", "latest~33", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(archive, "latest~33")
