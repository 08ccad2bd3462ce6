from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive import folders as module
from archive.folders import Folders, NotRegular, open_file, relative_to, unsafe_reason


def names(fd: int) -> list[str]:
    return sorted(os.listdir(fd))


def test_folders_are_opened_below_each_other(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    with Folders(tmp_path) as opened:
        assert [names(opened.open(folder)) for folder in ("a/b", "", "a", "a/b/c", "a/b")] == [
            ["c"],
            ["a"],
            ["b"],
            [],
            ["c"],
        ]


def test_missing_folders_are_made_only_on_request(tmp_path: Path) -> None:
    with Folders(tmp_path) as opened:
        with pytest.raises(FileNotFoundError) as caught:
            opened.open("a/b")
        assert caught.value.filename == "a"
        assert names(opened.open("a/b", create=True)) == []
    assert (tmp_path / "a/b").is_dir()


@pytest.mark.parametrize("folder", ["link", "link/below", "real/link/x", "file", "file/x"])
@pytest.mark.parametrize("create", [False, True])
def test_no_link_and_no_file_is_taken_for_a_folder(tmp_path: Path, folder: str, create: bool) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (tmp_path / "outside/below").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "real/link").symlink_to("..")
    (root / "file").touch()
    with Folders(root) as opened, pytest.raises(NotRegular) as caught:
        opened.open(folder, create=create)
    assert caught.value.path == folder.removesuffix("/below").removesuffix("/x")
    assert caught.value.is_symlink == ("link" in folder)


@pytest.mark.parametrize("folder", ["..", "a/../..", ".", "a//b", "/etc"])
def test_steps_that_lead_up_are_never_taken(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a").mkdir()
    with Folders(tmp_path) as opened, pytest.raises(ValueError, match="not a path below a root"):
        opened.open(folder, create=True)


def test_only_so_many_folders_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_OPEN", 3)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    wide = [f"a{number}/b/c/d/e" for number in range(10)]
    with Folders(tmp_path) as opened:
        for folder in [*wide, *wide]:
            os.close(os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=opened.open(folder, create=True)))
        if before:
            assert len(os.listdir("/proc/self/fd")) <= before + 4
    assert len(list(tmp_path.rglob("x"))) == 10
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_fresh_look_sees_a_folder_that_was_made_anew(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Folders(tmp_path) as opened:
        opened.open("a")
        (tmp_path / "a").rmdir()
        (tmp_path / "a").mkdir()
        (tmp_path / "a/new").touch()
        assert names(opened.open("a")) == []
        opened.forget()
        assert names(opened.open("a")) == ["new"]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with Folders(tmp_path) as opened:
        os.close(open_file("file", "file", opened.root_fd))
        for name, what in {"link": "a symbolic link", "folder": "a folder", "fifo": "a FIFO"}.items():
            with pytest.raises(NotRegular) as caught:
                open_file(f"x/{name}", name, opened.root_fd)
            assert (caught.value.path, caught.value.what) == (f"x/{name}", what)
        with pytest.raises(FileNotFoundError):
            open_file("gone", "gone", opened.root_fd)


SAFE = [
    "a",
    "a/b.json",
    "..a/b..",
    "...",
    "a:b.json",
    "ab:/x",
    "x/C:/y",
    "-",
    " ",
    "a\nb",
    "~",
    "a\\..\\b",
    "\udcff",
    "é",
]
UNSAFE = {
    "": "step",
    "/": "absolute",
    "/etc/passwd": "absolute",
    "//x": "absolute",
    "..": "step",
    "../x": "step",
    "a/..": "step",
    "a/../b": "step",
    "./a": "step",
    "a/.": "step",
    "a//b": "step",
    "a/": "step",
    "C:": "drive",
    "C:/x": "drive",
    "c:\\x": "drive",
    "a\0b": "NUL",
    "a/\ud800": "name of a file",
}


def test_paths_that_stay_below_a_root_are_safe() -> None:
    assert [unsafe_reason(path) for path in SAFE] == [""] * len(SAFE)


@pytest.mark.parametrize("path", UNSAFE)
def test_paths_that_may_lead_elsewhere_are_not_safe(path: str) -> None:
    assert UNSAFE[path] in unsafe_reason(path)


def test_places_are_found_as_written_and_behind_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to("real")
    (tmp_path / "alias").symlink_to("root")
    (tmp_path / "into").symlink_to(root / "real")
    places = [root / "link/a.db", tmp_path / "alias/b.db", tmp_path / "into/c.db", tmp_path / "elsewhere"]
    assert relative_to(root, places) == {"link/a.db", "real/a.db", "b.db", "real/c.db"}
    assert relative_to(tmp_path / "alias", [root / "real"]) == {"real"}
    assert relative_to(root / "real", [root, root / "real", Path("/")]) == {""}
    assert relative_to(Path("/"), [tmp_path]) == {str(tmp_path.resolve()).lstrip("/")}
