"""A packed package unpacks with common tools to the very folder, and is proven by reading it back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archive import Archive
from archive.errors import TargetFailed, UsageError
from archive.model.recovery import PackageFormat
from archive.recovery.packing import pack, require_packed
from tests.recovery.conftest import entries, leftovers, made_file, made_folder, make, run, stored


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")


HOSTILE = (
    b"\xff.md", b"new\nline.md", b"back\\slash.md", "日本.md".encode(), b"-rf.md", b"\x1b[31mred.md", b"cr\rtab\t.md",
    "\x9b.md".encode(), "\u202egnp.md".encode(), b"a:b.md", b"*.md", b" x .md", b"$(x)`y`.md",
)  # fmt: skip


def unpack(packed: Path, target: Path, **environment: str) -> Path:
    target.mkdir()
    if packed.suffix == ".zip":
        need("unzip")
        command = ["unzip", "-q", str(packed)]
    else:
        need("zstd")
        command = ["tar", "--zstd", "-xpf", str(packed)]
    subprocess.run(command, cwd=target, check=True, capture_output=True, env={**os.environ, **environment})
    (folder,) = target.iterdir()
    return folder


@pytest.mark.parametrize("kind", ["zip", "tar.zst"])
def test_it_unpacks_to_the_very_folder(history: Archive, out: Path, tmp_path: Path, kind: str) -> None:
    result = make(history, out, archive_format=kind)
    assert result.packed is not None
    assert result.path == result.folder
    assert result.packed.name == f"{made_folder(result).name}.{kind}"
    assert result.packed.stat().st_mode & 0o777 == 0o600
    assert result.packed_bytes == result.packed.stat().st_size
    folder = unpack(result.packed, tmp_path / "unpacked")
    assert folder.name == made_folder(result).name
    assert folder.stat().st_mode & 0o777 == 0o700
    for path, (data, mode, mtime_ns) in entries(made_folder(result)).items():
        there = entries(folder)[path]
        assert (there[:2], there[2] // 10**9) == ((data, mode), mtime_ns // 10**9), path
    done = run(folder, "restore", "--to", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == stored(history)


@pytest.mark.parametrize("kind", ["zip", "tar.zst"])
def test_a_package_whose_name_is_not_utf8_can_be_packed(history: Archive, tmp_path: Path, kind: str) -> None:
    result = history.recovery_package(tmp_path / os.fsdecode(b"b\xfez"), archive_format=kind)
    assert result.packed is not None
    folder = unpack(result.packed, tmp_path / "unpacked")
    assert os.fsencode(folder.name) == (b"b_z" if kind == "zip" else b"b\xfez")
    assert run(folder, "verify").returncode == 0


def test_python_alone_unpacks_the_zip(history: Archive, out: Path, tmp_path: Path) -> None:
    packed = made_file(make(history, out))
    subprocess.run([sys.executable, "-I", "-S", "-m", "zipfile", "-e", str(packed), str(tmp_path / "u")], check=True)
    (folder,) = (tmp_path / "u").iterdir()
    assert run(folder, "verify").returncode == 0
    assert run(folder, "restore", "--to", str(tmp_path / "a")).returncode == 0
    assert entries(tmp_path / "a") == stored(history)


@pytest.mark.parametrize("kind", ["zip", "tar.zst"])
def test_hostile_names_survive_packing(archive: Archive, root: Path, out: Path, tmp_path: Path, kind: str) -> None:
    for name in HOSTILE:
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(b"# %s\n" % name)  # each another content, so that none can stand in for another
    os.utime(root / "-rf.md", ns=(0, 0))  # before what a zip can say of times
    archive.backup(root)
    folder = unpack(made_file(make(archive, out, archive_format=kind)), tmp_path / "unpacked")
    assert run(folder, "verify").returncode == 0
    done = run(folder, "restore", "--to", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert entries(tmp_path / "a") == stored(archive)


def test_names_that_unzip_changes_where_there_is_no_locale_are_found_again(
    archive: Archive, root: Path, out: Path, tmp_path: Path
) -> None:
    (root / "日本.md").write_text("# Japan\n")
    (root / "plain.md").write_text("# plain\n")
    archive.backup(root)
    packed = made_file(make(archive, out, history=False))
    folder = unpack(packed, tmp_path / "unpacked", LC_ALL="C")
    if (folder / "files" / "日本.md").exists():
        pytest.skip("this unzip keeps the names")
    assert "damaged: files/日本.md: it is missing" in run(folder, "verify").stderr
    done = run(folder, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "found under another name: files/" in done.stderr
    assert entries(tmp_path / "a") == stored(archive)


def test_an_ending_of_the_name_says_how_to_pack(history: Archive, out: Path) -> None:
    result = make(history, out / "mine.tar.zst")
    assert leftovers(out) == ["mine", "mine.tar.zst"]
    assert result.packed == out / "mine.tar.zst"


def test_a_zip_lies_beside_the_folder_unless_another_form_or_none_is_asked_for(history: Archive, out: Path) -> None:
    assert make(history, out / "a").packed == out / "a.zip"
    assert make(history, out / "b", archive_format="tar.zst").packed == out / "b.tar.zst"
    alone = make(history, out / "c", archive_format="folder")
    assert (alone.path, alone.packed, alone.packed_bytes) == (out / "c", None, None)
    assert leftovers(out) == ["a", "a.zip", "b", "b.tar.zst", "c"]


def test_an_ending_and_a_format_that_contradict_each_other_are_refused(history: Archive, out: Path) -> None:
    for name, kind in (("mine.zip", "tar.zst"), ("mine.zip", "folder"), ("mine.tar.zst", "zip")):
        with pytest.raises(UsageError, match=f"{name} is the name of a .*, and the format is to be {kind}"):
            make(history, out / name, archive_format=kind)
    assert leftovers(out) == []


def test_an_unknown_format_is_refused(history: Archive, out: Path) -> None:
    with pytest.raises(UsageError, match="no package format is called 'rar'") as raised:
        make(history, out, archive_format="rar")
    assert "zip, tar.zst, folder" in raised.value.hint


@pytest.mark.parametrize("kind", [PackageFormat.ZIP, PackageFormat.TAR_ZST])
def test_a_packed_file_that_lacks_or_changed_something_is_not_accepted(tmp_path: Path, kind: PackageFormat) -> None:
    folder = tmp_path / "top"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    (folder / "b").write_bytes(b"22")
    sums = {
        "a": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        "b": "785f3ec7eb32f30b90cd0fcf3657d388b5ff4297f2f9716ff66e9b69c05ddd09",
    }
    pack(folder, tmp_path / "good", sums, kind, lambda done: None)
    require_packed(tmp_path / "good", "top", sums, kind)
    for name, wrong in {"less": {"a": sums["a"]}, "more": {**sums, "c": sums["a"]}, "other": {**sums, "a": sums["b"]}}.items():
        with pytest.raises(TargetFailed, match="does not read back"):
            require_packed(tmp_path / "good", "top", wrong, kind)
        assert name
    data = (tmp_path / "good").read_bytes()
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    with pytest.raises(TargetFailed, match="does not read back"):
        require_packed(tmp_path / "cut", "top", sums, kind)


def test_a_zip_holds_each_file_once_and_compressed(history: Archive, out: Path) -> None:
    with zipfile.ZipFile(made_file(make(history, out))) as packed:
        names = packed.namelist()
        assert len(names) == len(set(names))
        kinds = {member.filename.split("/")[-1]: member.compress_type for member in packed.infolist()}
    assert kinds["manifest.json"] == zipfile.ZIP_DEFLATED
    assert kinds["history.tar.xz"] == zipfile.ZIP_STORED
