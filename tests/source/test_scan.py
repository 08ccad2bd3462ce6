from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import SourceUnreadable, UnsafePath
from archive.model.files import Scan
from archive.model.snapshots import ProblemKind, Severity
from archive.rules import Decision, Rules
from archive.source.scan import scan

GRAPH = b'{"type":"entity","name":"a"}\n{"type":"entity","name":"b"}'


def make(root: Path, *files: str, **contents: bytes) -> None:
    for path in files:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents.get("data", b"{}"))


def paths(found: Scan) -> list[str]:
    return [file.path for file in found.files]


def skipped(found: Scan) -> dict[str, ProblemKind]:
    return {problem.path: problem.kind for problem in found.skipped}


def test_files_are_listed_by_path_with_their_stat(tmp_path: Path) -> None:
    make(tmp_path, "b.json", "a/z.md", "a/b/c.yaml", "a.txt", "z.png")
    (tmp_path / "b.json").chmod(0o640)
    os.utime(tmp_path / "b.json", ns=(1, 1_234_567_890_123_456_789))
    found = scan(tmp_path, Rules())
    assert paths(found) == ["a.txt", "a/b/c.yaml", "a/z.md", "b.json"]
    real = (tmp_path / "b.json").stat()
    assert found.files[-1] == ("b.json", 2, 1_234_567_890_123_456_789, real.st_ctime_ns, real.st_ino, 0o640)
    assert (found.skipped, found.problems, found.unreadable_folders) == ([], [], ())


HOSTILE = [
    b"line\nbreak.json",
    b"'quote' \"double\".json",
    b"-rf.json",
    b"--.json",
    b" leading and trailing .json",
    b"tab\tbell\a.json",
    b"e" * 250 + b".json",
    "caf\u00e9.json".encode(),  # NFC
    "cafe\u0301.json".encode(),  # and its NFD twin
    b"not \xff utf-8 \xfe.json",
    b"back\\slash.json",
    b"a:b.json",
    b"*.json",
    b"fold\ner \xff/x.json",
    b"...json",
    b"\xed\xa0\x80.json",  # a surrogate written as if it were UTF-8
]


def test_names_of_every_kind_are_returned_exactly(tmp_path: Path) -> None:
    for name in HOSTILE:
        file = os.path.join(os.fsencode(tmp_path), name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as opened:
            opened.write(b"{}")
    found = scan(tmp_path, Rules())
    assert {os.fsencode(path) for path in paths(found)} == set(HOSTILE)
    assert found.problems == []


def test_a_name_that_no_restore_would_write_is_a_problem_and_not_lost(tmp_path: Path) -> None:
    make(tmp_path, "C:/x.json", "d:\\x.json", "sub/C:/x.json", "C:\\x.png")
    found = scan(tmp_path, Rules())
    assert paths(found) == ["sub/C:/x.json"]
    assert [(problem.path, problem.kind) for problem in found.problems] == [
        ("C:", ProblemKind.FOLDER_UNREADABLE),
        ("d:\\x.json", ProblemKind.UNREADABLE),
    ]
    assert "drive letter" in found.problems[0].message


def test_a_tree_deeper_than_recursion_and_than_a_path_may_be_long_is_walked(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("x.json", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    try:
        found = scan(tmp_path, Rules())
        assert paths(found) == ["deep/" * 1_500 + "x.json"]
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)


def no_open(*_: object) -> int:
    raise AssertionError("a special file was opened")


@pytest.fixture
def special(tmp_path: Path) -> Path:
    """A folder with one of everything that is no regular file."""
    root = tmp_path / "root"
    make(root, "real/a.json", "a.json")
    make(tmp_path, "outside/secret.json")
    (root / "file-link.json").symlink_to("a.json")
    (root / "outside-link.json").symlink_to(tmp_path / "outside/secret.json")
    (root / "dangling.json").symlink_to("nowhere")
    (root / "loop.json").symlink_to("loop.json")
    (root / "folder-link").symlink_to("real")
    (root / "folder.link").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to("..")
    (root / "real/node_modules").symlink_to("../real")
    (root / "picture.png").symlink_to("a.json")
    os.mkfifo(root / "fifo.json")
    os.mkfifo(root / "fifo")
    os.mkfifo(root / "fifo.png")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(root)  # the name of a socket may not be long
        try:
            listening.bind("socket.json")
        finally:
            os.chdir(here)
    return root


def test_links_and_special_files_are_listed_as_skipped_and_never_followed(special: Path) -> None:
    found = scan(special, Rules())
    assert paths(found) == ["a.json", "real/a.json"]
    link, other = ProblemKind.SYMLINK, ProblemKind.SPECIAL_FILE
    assert skipped(found) == {
        "dangling.json": link,
        "fifo": other,
        "fifo.json": other,
        "file-link.json": link,
        "folder-link": link,
        "folder.link": link,
        "loop.json": link,
        "outside-link.json": link,
        "real/node_modules": link,  # has no extension: as a file it would have been looked into
        "socket.json": other,
        "up": link,
    }
    assert {problem.severity for problem in found.skipped} == {Severity.SKIPPED}
    assert found.problems == []


def test_special_files_are_never_opened(special: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = os.open

    def recording(path: Any, flags: int, *args: Any, **more: Any) -> int:
        opened.append(os.path.basename(path))
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", recording)
    scan(special, Rules())
    assert set(opened) == {"root", "real"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices_are_skipped(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null.json", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    assert skipped(scan(tmp_path, Rules())) == {"null.json": ProblemKind.SPECIAL_FILE}


def test_files_over_the_limit_are_skipped_unless_asked_for_by_path(tmp_path: Path) -> None:
    make(tmp_path, "small.json", data=b"{}")
    make(tmp_path, "large.json", "graph", "noise", data=GRAPH)
    make(tmp_path, "noise", data=b"x" * 100)
    rules = Rules(max_file_bytes=2)
    found = scan(tmp_path, rules)
    assert paths(found) == ["small.json"]
    assert skipped(found) == {"graph": ProblemKind.TOO_LARGE, "large.json": ProblemKind.TOO_LARGE}
    assert found.skipped[1].message == f"{len(GRAPH)} bytes, over the limit of 2"
    found = scan(tmp_path, rules, extra_paths=["large.json", "noise"])
    assert paths(found) == ["large.json", "noise", "small.json"]
    assert skipped(found) == {"graph": ProblemKind.TOO_LARGE}


def test_files_without_extension_are_taken_in_if_they_hold_json(tmp_path: Path) -> None:
    make(tmp_path, "agents/memory", data=GRAPH)
    make(tmp_path, "Makefile", data=b"all:\n\ttrue\n")
    make(tmp_path, "empty", data=b"")
    assert paths(scan(tmp_path, Rules())) == ["agents/memory"]
    assert paths(scan(tmp_path, Rules(sniff_extensionless=False))) == []


def test_what_is_a_document_already_stays_one_although_it_no_longer_holds_json(tmp_path: Path) -> None:
    make(tmp_path, "agents/memory", data=b"\0torn")
    make(tmp_path, "empty", data=b"")
    assert paths(scan(tmp_path, Rules(), known={"agents/memory", "empty", "gone"})) == ["agents/memory", "empty"]


def test_default_excludes_leave_out_tools_and_caches_at_any_depth(tmp_path: Path) -> None:
    make(tmp_path, ".git/x.json", "a/node_modules/m/package.json", "a/.venv/x.json", ".archive/x.json")
    make(tmp_path, "env/a/x.json", "venv/x.json", "kept/x.json", ".archive-restore-0123456789abcdef/x.json")
    (tmp_path / "env/pyvenv.cfg").write_text("home = /usr")
    make(tmp_path, "target/x.json", "tagged/x.json")
    (tmp_path / "target/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n# a cache")
    (tmp_path / "tagged/CACHEDIR.TAG").write_text("just a name")
    assert paths(scan(tmp_path, Rules())) == ["kept/x.json", "tagged/x.json", "venv/x.json"]
    everything = paths(scan(tmp_path, Rules(default_excludes=False, include=("*.json",))))
    assert ".git/x.json" in everything
    assert "env/a/x.json" in everything
    assert not any("restore" in path for path in everything)
    assert paths(scan(tmp_path, Rules(exclude=("!env/", "kept/", "t*/")))) == ["env/a/x.json", "venv/x.json"]


def test_the_root_itself_is_walked_whatever_it_looks_like(tmp_path: Path) -> None:
    root = tmp_path / "node_modules"
    make(root, "a.json")
    (root / "pyvenv.cfg").touch()
    assert paths(scan(root, Rules())) == ["a.json"]


def test_a_link_to_the_root_will_do(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.json")
    (tmp_path / "link").symlink_to("real")
    assert paths(scan(tmp_path / "link", Rules())) == ["a.json"]


def test_excluded_paths_are_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    make(root, "store/archive", "store/archive-wal", "x/a.json", "x/hidden/b.json", data=GRAPH)
    (root / "second-name").hardlink_to(root / "store/archive")
    (tmp_path / "link").symlink_to(root)
    opened: list[str] = []
    real = os.open

    def recording(path: Any, flags: int, *args: Any, **more: Any) -> int:
        opened.append(str(path))
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", recording)
    through_link = [tmp_path / "link/store/archive", root / "store/archive-wal", root / "x/hidden", root / "no/such"]
    found = scan(root, Rules(), exclude_paths=through_link, extra_paths=["store/archive", "x/hidden/b.json"])
    assert paths(found) == ["x/a.json"]
    assert not {"archive", "archive-wal", "second-name", "hidden"} & set(opened)


def test_excluding_the_root_or_a_folder_above_it_hides_nothing(tmp_path: Path) -> None:
    make(tmp_path, "a.json")
    assert paths(scan(tmp_path, Rules(), exclude_paths=[tmp_path, tmp_path.parent])) == ["a.json"]


def test_extra_paths_are_taken_in_whatever_the_rules_say(special: Path) -> None:
    make(special, "node_modules/m/x.png", "b.png")
    extra = [
        "node_modules/m/x.png",
        "b.png",
        "a.json",
        "gone.png",
        "no/such/folder",
        "folder.link/secret.json",
        "fifo.png",
    ]
    found = scan(special, Rules(), extra_paths=[*extra, "a.json/b", "real"])
    assert paths(found) == ["a.json", "b.png", "node_modules/m/x.png", "real/a.json"]
    expected = {"folder.link/secret.json": ProblemKind.SYMLINK, "fifo.png": ProblemKind.SPECIAL_FILE}
    assert expected.items() <= skipped(found).items()
    assert found.problems == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.json", "a/../../x", "", "a//b", "./a", "C:/x", "a\0b"])
def test_an_extra_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnsafePath):
        scan(tmp_path, Rules(), extra_paths=[path])


def deny(monkeypatch: pytest.MonkeyPatch, function: str, name: str, error: OSError) -> None:
    """Makes a function of `os` fail for entries of that name: tests may run as root, whom nothing is denied."""
    real: Callable[..., Any] = getattr(os, function)

    def denying(path: Any, *args: Any, **more: Any) -> Any:
        if path == name:
            raise error
        return real(path, *args, **more)

    monkeypatch.setattr(os, function, denying)


def test_a_folder_that_cannot_be_listed_is_a_problem_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.json", "closed/b.json", "open/c.json", "open/closed/d.json")
    deny(monkeypatch, "open", "closed", PermissionError(13, "Permission denied"))
    found = scan(tmp_path, Rules())
    assert paths(found) == ["a.json", "open/c.json"]
    assert [(problem.path, problem.kind, problem.message) for problem in found.problems] == [
        ("closed", ProblemKind.FOLDER_UNREADABLE, "permission denied"),
        ("open/closed", ProblemKind.FOLDER_UNREADABLE, "permission denied"),
    ]
    assert found.unreadable_folders == ("closed", "open/closed")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_folders_without_permissions_are_problems(tmp_path: Path) -> None:
    make(tmp_path, "unlisted/a.json", "unsearched/b.json", "secret")
    for name, mode in {"unlisted": 0o300, "unsearched": 0o600, "secret": 0}.items():
        (tmp_path / name).chmod(mode)
    try:
        found = scan(tmp_path, Rules())
    finally:
        for name in ("unlisted", "unsearched"):
            (tmp_path / name).chmod(0o700)
    assert found.unreadable_folders == ("secret", "unlisted", "unsearched/b.json")


def test_a_file_without_extension_that_cannot_be_looked_into_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.json", "memory")
    deny(monkeypatch, "open", "memory", PermissionError(13, "Permission denied"))
    found = scan(tmp_path, Rules())
    assert paths(found) == ["a.json"]
    assert [(problem.path, problem.kind) for problem in found.problems] == [("memory", ProblemKind.UNREADABLE)]
    assert found.unreadable_folders == ("memory",)


def test_a_folder_that_vanishes_or_becomes_a_link_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    make(root, "gone/a.json", "swapped/b.json", "stays/c.json")
    make(tmp_path, "outside/secret.json")
    real = os.scandir

    def changing(fd: int) -> Any:
        result = real(fd)
        if (root / "gone").exists():
            entries = list(result)
            (root / "gone").rename(tmp_path / "elsewhere")
            (root / "swapped").rename(tmp_path / "was-swapped")
            (root / "swapped").symlink_to(tmp_path / "outside")
            return _Entries(entries)
        return result

    monkeypatch.setattr(os, "scandir", changing)
    found = scan(root, Rules())
    assert paths(found) == ["stays/c.json"]
    assert found.unreadable_folders == ("gone", "swapped")
    assert "symbolic link" in found.problems[1].message


class _Entries(list[Any]):
    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceUnreadable) as caught:
        scan(tmp_path / name, Rules())
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "open", tmp_path, PermissionError(13, "Permission denied"))  # type: ignore[arg-type]
    with pytest.raises(SourceUnreadable, match="permission denied"):
        scan(tmp_path, Rules())


def test_each_decision_is_told_with_its_reason(tmp_path: Path) -> None:
    make(tmp_path, "a.json", "b.png", ".git/x.json", "sub/c.log.json", "sub/memory")
    make(tmp_path, "env/x.json")
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / ".gitignore").write_text("# logs\n*.log.json\n")
    told: dict[str, str] = {}

    def tell(path: str, is_dir: bool, decision: Decision) -> None:
        told[path] = decision.reason

    scan(tmp_path, Rules(gitignore=True), on_decision=tell)
    assert told == {
        ".git": "in .git",
        ".gitignore": "has no extension, and is taken in if it holds JSON",
        "a.json": "matches *.json",
        "b.png": "matches no include pattern",
        "env": "is a virtual environment",
        "sub": "a folder",
        "sub/c.log.json": "ignored by .gitignore line 2",
        "sub/memory": "has no extension, and is taken in if it holds JSON",
    }


def test_gitignored_files_are_left_out_only_when_asked(tmp_path: Path) -> None:
    make(tmp_path, "a.json", "build/b.json", "sub/keep.json", "sub/drop.json", "private.json", "forced/x.json")
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbfbuild/\r\n*.json\nforced/\n")
    (tmp_path / "sub/.gitignore").write_text("!keep.json\n")
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / ".git/info/exclude").write_text("private.json\n")
    assert len(paths(scan(tmp_path, Rules()))) == 6
    found = scan(tmp_path, Rules(gitignore=True, exclude=("!forced/", "!/forced/*.json")))
    assert paths(found) == ["forced/x.json", "sub/keep.json"]


def test_an_unreadable_gitignore_ignores_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.json")
    (tmp_path / ".gitignore").write_text("*.json")
    deny(monkeypatch, "open", ".gitignore", PermissionError(13, "Permission denied"))
    found = scan(tmp_path, Rules(gitignore=True, sniff_extensionless=False))
    assert paths(found) == ["a.json"]
    assert [problem.kind for problem in found.problems] == [ProblemKind.SUSPICIOUS]
    assert found.unreadable_folders == ()


def has_git() -> bool:
    try:
        return subprocess.run(["git", "--version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


segments = st.sampled_from(["a", "b", "c", "*", "?", "**", "a*", "*b", "[ab]", "[!a]", "\\a", "a?c", "abc"])
lines = st.builds(
    lambda bang, lead, steps, tail: bang + lead + "/".join(steps) + tail,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(segments, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " "]),
)
ignore_files = st.lists(lines, max_size=5).map("\n".join)
entry_names = st.sampled_from(["a", "b", "c", "abc", "ab"])
trees = st.lists(st.lists(entry_names, min_size=1, max_size=4), max_size=12)


@pytest.mark.skipif(not has_git(), reason="git is not installed")
@settings(deadline=None, max_examples=150)
@given(tree=trees, ignores=st.dictionaries(st.sampled_from(["", "a/", "b/", "a/b/"]), ignore_files, min_size=1))
def test_what_gitignore_leaves_out_is_what_git_leaves_out(
    tmp_path_factory: pytest.TempPathFactory, tree: list[list[str]], ignores: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for steps in tree:
        file = root.joinpath(*steps)
        if not any(above.is_file() for above in file.parents) and not file.exists():
            make(root, "/".join(steps))
    for folder, text in ignores.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text(text)
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", "--template="], cwd=root, env=environment, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=root, env=environment, check=True, capture_output=True,
    ).stdout  # fmt: skip
    expected = sorted(os.fsdecode(name) for name in listed.split(b"\0") if name)
    assert paths(scan(root, Rules(include=("*",), gitignore=True))) == expected


def test_a_passing_file_that_is_no_document_is_no_problem_and_one_that_was_asked_for_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.json", "lock", "memory", "stays.json")
    listed = os.scandir(tmp_path)
    entries = _Entries(listed)
    listed.close()
    for name in ("a.json", "lock", "memory"):
        (tmp_path / name).unlink()
    monkeypatch.setattr(os, "scandir", lambda _: entries)
    found = scan(tmp_path, Rules(), known={"memory"})
    assert paths(found) == ["stays.json"]
    assert [(problem.path, problem.kind.value) for problem in found.problems] == [
        ("a.json", "vanished"),
        ("memory", "vanished"),
    ]
    assert found.unreadable_folders == ("a.json", "memory")
