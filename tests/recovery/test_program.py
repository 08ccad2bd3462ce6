"""The program in a package does what it says and no more, wherever and with whatever Python it is run."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import Archive
from archive.recovery import program
from archive.recovery.assets import program as parts
from archive.recovery.program import restore_program
from tests.recovery.conftest import copy_package, entries, leftovers, made_folder, make, run, stored

# Runs the program with one of the standard library's modules out of reach, as in a Python built without it.
WITHOUT = (
    "import runpy, sys; sys.modules[sys.argv.pop(1)] = None; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"
)


def run_without(module: str, package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-c", WITHOUT, module, str(package / "restore.py"), *arguments]
    return subprocess.run(command, cwd=package.parent, capture_output=True, encoding="utf-8", check=False)


def change_manifest(package: Path, old: str, new: str) -> None:
    """Changes a manifest as somebody would who means harm: its own checksum fits again."""
    text = (package / "manifest.json").read_text().replace(old, new)
    head = text[: text.rindex('"checksum": "')]
    (package / "manifest.json").write_text(f'{head}"checksum": "{hashlib.sha256(head.encode()).hexdigest()}"\n}}\n')


@pytest.fixture
def read_only(package: Path) -> Iterator[Path]:
    """A package on a medium that cannot be written to, as far as permissions can make it one."""
    for path in [package, *package.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield package
    for path in [package, *package.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700)


def test_it_is_its_parts_one_after_the_other_and_each_needs_those_before_it_only() -> None:
    text = restore_program()
    known: set[str] = set()
    for name in program.PARTS:
        part = Path(parts.__file__).with_name(f"{name}.py").read_text()
        tree = ast.parse(part)
        ours = [node for node in tree.body if isinstance(node, ast.ImportFrom) and str(node.module).startswith("archive")]
        assert {str(node.module).rpartition(".")[2] for node in ours} <= known
        known.add(name)
        defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert defined
        for node in defined:
            assert str(ast.get_source_segment(part, node)) in text
    assert sorted(path.stem for path in Path(parts.__file__).parent.glob("*.py")) == sorted([*program.PARTS, "__init__"])


def test_whoever_opens_it_can_read_it() -> None:
    text = restore_program()
    assert text.startswith('#!/usr/bin/env python3\n"""Verifies this recovery package')
    assert max(map(len, text.splitlines())) <= 128
    assert "archive.recovery" not in text
    assert text.count("\nfrom __future__ import annotations\n") == 1
    # Nothing is defined twice, and what a part needs stands before it.
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))


def test_it_is_python_3_8_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(restore_program(), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
    # On each machine there are Pythons that lack these.
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert not top & {"lzma", "sqlite3", "zlib"}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.8", "3.9", "3.13"])
def test_an_old_and_a_new_python_run_it(history: Archive, package: Path, tmp_path: Path, version: str) -> None:
    # Behind a version manager the name is a shell script, which has to be told that this version is meant.
    environment = {**os.environ, "PYENV_VERSION": version}
    asked = subprocess.run(
        [f"python{version}", "-c", "import sys; print(sys.executable)"],
        env=environment, capture_output=True, text=True, check=False,
    ) if shutil.which(f"python{version}") else None  # fmt: skip
    if asked is None or asked.returncode:
        pytest.skip(f"there is no Python {version} here")
    python = asked.stdout.strip()
    assert run(package, "verify", python=python).returncode == 0
    done = run(package, "restore", "--at", "1", "--to", str(tmp_path / "a"), python=python)
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == stored(history, "1")


def test_it_runs_without_sqlite(history: Archive, package: Path, tmp_path: Path) -> None:
    assert run_without("sqlite3", package, "verify").returncode == 0
    assert run_without("sqlite3", package, "restore", "--at", "1", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history, "1")


def test_without_lzma_the_files_are_restored_and_the_rest_is_named(history: Archive, package: Path, tmp_path: Path) -> None:
    done = run_without("lzma", package, "restore", "--to", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == stored(history)
    older = run_without("lzma", package, "restore", "--at", "1", "--to", str(tmp_path / "b"))
    assert older.returncode == 1
    assert "history.tar.xz was left out: this Python cannot read it" in older.stderr
    assert "not restored: gone.md: its content could not be read from the package" in older.stderr
    assert set(entries(tmp_path / "b")) == {"notes.md"}  # as it was then it lies in files again


def test_a_package_that_cannot_be_written_to_works_and_stays_as_it_is(
    history: Archive, read_only: Path, tmp_path: Path
) -> None:
    before = entries(read_only)
    assert run(read_only, "verify", cwd=read_only).returncode == 0
    assert run(read_only, "restore", "--at", "2", "--to", str(tmp_path / "a"), cwd=read_only).returncode == 0
    assert entries(tmp_path / "a") == stored(history, "2")
    assert entries(read_only) == before


def test_list_shows_the_snapshots_and_the_files_of_each(history: Archive, package: Path) -> None:
    lines = run(package, "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "*", "*"]
    assert next(line for line in lines if line.startswith("*")).split()[1] == "3"
    listed = run(package, "list", "--at", "1").stdout.splitlines()
    assert [line.split("  ")[-1] for line in listed[:-1]] == ["agents/tasks.json", "gone.md", "notes.md"]
    assert listed[-1].startswith("3 files in snapshot 1")
    assert len(run(package, "list", "--at", "1", "agents").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("at", "snapshot"),
    [
        ("1", 1),
        ("latest", 3),
        ("latest~1", 2),
        ("20260102_040405", 2),
        ("20260102_03", 1),
        ("2026-01-02T04:04:05Z", 1),  # the snapshot has 678 milliseconds more
        ("2026-01-02T04:04:05.678Z", 2),
        ("2026-01-02T05:30:00+01:00", 2),
        ("2026-01-02T23:00Z", 3),
    ],
)
def test_a_moment_is_given_as_people_know_it(package: Path, at: str, snapshot: int) -> None:
    done = run(package, "list", "--at", at)
    assert f" in snapshot {snapshot} (" in done.stdout, done.stderr


@pytest.mark.parametrize("at", ["9", "latest~3", "20250101_", "2026-01-01", "soon", "20260102_0"])
def test_a_moment_that_means_none_or_several_is_an_error_and_nothing_is_written(package: Path, tmp_path: Path, at: str) -> None:
    done = run(package, "restore", "--at", at, "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a").exists()


def test_files_folders_and_globs_choose_what_is_restored(package: Path, tmp_path: Path) -> None:
    assert run(package, "restore", "--to", str(tmp_path / "a"), "agents/", "*.md").returncode == 0
    assert sorted(entries(tmp_path / "a")) == ["agents/memory.json", "agents/tasks.json", "notes.md"]
    done = run(package, "restore", "--to", str(tmp_path / "b"), "agents/tasks.json", "missing.md")
    assert done.returncode == 1
    assert "nothing fits missing.md" in done.stderr
    assert sorted(entries(tmp_path / "b")) == ["agents/tasks.json"]


def test_a_dry_run_writes_nothing(package: Path, tmp_path: Path) -> None:
    done = run(package, "restore", "--dry-run", "--to", str(tmp_path / "a"))
    assert done.returncode == 0
    assert "created: notes.md" in done.stdout
    assert "nothing was written" in done.stdout
    assert not (tmp_path / "a").exists()


def test_a_file_with_another_content_is_kept_and_named_unless_it_may_be_replaced(
    history: Archive, package: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (target / "notes.md").write_text("mine\n")
    done = run(package, "restore", "--to", str(target))
    assert done.returncode == 1
    assert "not restored: notes.md: another content is there; --overwrite replaces it" in done.stderr
    assert (target / "notes.md").read_text() == "mine\n"
    assert set(entries(target)) == set(stored(history))
    again = run(package, "restore", "--to", str(target), "--overwrite")
    assert again.returncode == 0
    assert "3 overwritten" in again.stdout
    assert entries(target) == stored(history)
    assert "3 as it should be already" in run(package, "restore", "--to", str(target)).stdout


def test_what_is_no_file_is_never_replaced_and_no_link_is_followed(package: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "a", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    (elsewhere / "file").write_text("precious")
    (target / "agents").symlink_to(elsewhere)
    (target / "notes.md").symlink_to(elsewhere / "file")
    (target / "copy.md").mkdir()
    done = run(package, "restore", "--to", str(target), "--overwrite", "--at", "2")
    assert done.returncode == 1
    assert "not restored: agents/tasks.json: a link or file is in the place of its folder" in done.stderr
    assert "not restored: notes.md: something that is no file is in its place" in done.stderr
    assert "not restored: copy.md: something that is no file is in its place" in done.stderr
    assert leftovers(elsewhere) == ["file"]
    assert (elsewhere / "file").read_text() == "precious"


@pytest.mark.parametrize(
    "path", ["../evil", "/tmp/archive-evil", "a/../../evil", "./evil", "a//evil", "evil/", "", "e\\u0000vil"]
)
def test_a_path_that_leads_out_of_the_folder_is_refused_and_the_rest_is_restored(
    package: Path, tmp_path: Path, path: str
) -> None:
    change_manifest(package, '"notes.md", "version": 3', f'"{path}", "stored": "files/notes.md", "version": 3')
    target = tmp_path / "deep" / "a"
    done = run(package, "restore", "--to", str(target))
    assert done.returncode == 1
    assert "its path could lead out of the folder" in done.stderr
    assert sorted(entries(target)) == ["agents/memory.json", "agents/tasks.json"]
    assert leftovers(tmp_path / "deep") == ["a"]
    assert not Path("/tmp/archive-evil").exists()


def test_a_restore_that_fails_leaves_no_temporary_file(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "a"
    command = ["bash", "-c", 'ulimit -f 0; exec "$@"', "-", sys.executable, "-I", "-S", str(package / "restore.py")]
    done = subprocess.run([*command, "restore", "--to", str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not restored: notes.md: file too large" in done.stderr
    assert entries(target) == {}


def test_without_a_folder_a_new_one_is_made_where_one_stands(history: Archive, package: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    assert run(package, "restore", cwd=here).returncode == 0
    (made,) = here.iterdir()
    assert made.name == f"restored-{history.snapshot().label}"
    assert entries(made) == stored(history)


@pytest.mark.parametrize("target", ["files", ".", "new/folder", "link"])
def test_nothing_is_restored_into_the_package_itself(package: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(package / "files")
    before = entries(package)
    place = str(tmp_path / "link") if target == "link" else target
    refused = run(package, "restore", "--overwrite", "--to", place, cwd=package)
    assert (refused.returncode, "inside this package" in refused.stderr) == (1, True)
    assert entries(package) == before


def test_without_a_folder_and_standing_in_the_package_a_new_one_is_made_beside_it(package: Path) -> None:
    before = entries(package)
    restored = run(package, "restore", cwd=package)
    assert restored.returncode == 0
    assert entries(package) == before
    assert [path.name for path in package.parent.iterdir() if path.name.startswith("restored-")]


def test_a_place_where_no_folder_can_be_made_is_said_once_and_not_for_each_file(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(package, "restore", "--to", str(tmp_path / "file" / "deeper"))
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith("nothing was restored: cannot make ")
    assert said.endswith("not a directory; name another place with --to")


def test_wrong_usage_is_told_from_failure(package: Path) -> None:
    assert [run(package, *words).returncode for words in ([], ["mend"], ["restore", "--nothing"])] == [2, 2, 2]
    assert run(package, "--help").returncode == 0


def test_one_copy_of_the_program_serves_another_package(package: Path, tmp_path: Path) -> None:
    other = copy_package(package, tmp_path / "other")
    (other / "notes.md").write_text("not ours")
    (other / "files" / "notes.md").write_text("damaged")
    done = run(package, "verify", "--package", str(other))
    assert done.returncode == 1
    assert "damaged: files/notes.md" in done.stderr
    assert run(package, "verify").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1"])
def test_the_locale_makes_no_difference(archive: Archive, root: Path, out: Path, tmp_path: Path, locale: str) -> None:
    (root / "日本.md").write_text("# 日本\n")
    with open(os.fsencode(root) + b"/caf\xe9.md", "wb") as file:
        file.write(b"# x\n")
    archive.backup(root)
    package = made_folder(make(archive, out))
    command = [sys.executable, "-S", str(package / "restore.py"), "restore", "--to", str(tmp_path / "a")]
    environment = {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert entries(tmp_path / "a") == stored(archive)


def test_the_manifest_is_json_with_a_line_for_each_version(history: Archive, package: Path) -> None:
    text = (package / "manifest.json").read_text()
    manifest = json.loads(text)
    assert [row["label"] for row in manifest["snapshots"]] == [each.label for each in history.snapshots()]
    versions = [row for row in (*manifest["documents"], *manifest["versions"]) if row["path"] == "notes.md"]
    assert len(re.findall('^.*"notes.md".*$', text, re.MULTILINE)) == len(versions) == 3
    for row, version in zip(
        sorted(versions, key=lambda row: row["version"]), history.history("notes.md").versions, strict=True
    ):
        assert (row["version"], row["from"], row["until"]) == (version.number, version.snapshot, version.until)
        assert (f"sha256:{row['sha256']}", int(row["mode"], 8), row["mtime_ns"]) == (
            version.hash,
            version.mode,
            version.mtime_ns,
        )
