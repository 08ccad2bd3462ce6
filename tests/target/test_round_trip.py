"""What was scanned and read comes back from a restore, whatever it was called: the reading and the writing edge agree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.hashing import hash_bytes
from archive.model.files import FileContent, FileStat
from archive.model.snapshots import Problem
from archive.rules import Rules
from archive.source.read import SourceReader
from archive.source.scan import scan
from archive.target import Obstacle, StagedFile, Target

RULES = Rules(include=("*",), default_excludes=False)

NAMES = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(
        [b"a", b"b", b"-rf", b"a\nb.json", b" ", b"caf\xc3\xa9", b"cafe\xcc\x81", b"\xff\xfe", b"x" * 255, b"a:b", b"~"]
    ),
).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"0"))
NAMES = NAMES.filter(lambda name: name not in (b".", b"..") and not name.startswith(b".archive-restore-"))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
ENTRIES = st.tuples(
    st.binary(max_size=40),
    st.sampled_from([0o600, 0o644, 0o755, 0o444, 0o000, 0o1777]),
    st.integers(-(2**31) * 10**9, 2**33 * 10**9),
)
TREES = st.dictionaries(PATHS, ENTRIES, max_size=8)

Entry = tuple[bytes, int, int]


def build(root: Path, tree: dict[bytes, Entry]) -> dict[bytes, Entry]:
    """Writes the tree as far as the file system can hold it, and returns what it holds."""
    held: dict[bytes, Entry] = {}
    for path, (data, mode, mtime_ns) in tree.items():
        file = os.path.join(os.fsencode(root), path)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "xb") as opened:
                opened.write(data)
        except OSError:  # a file and a folder of one name
            continue
        os.utime(file, ns=(mtime_ns, mtime_ns))
        os.chmod(file, mode)
        if os.lstat(file).st_mtime_ns == mtime_ns:
            held[path] = (data, mode, mtime_ns)
        else:  # beyond what the file system counts to
            os.unlink(file)
    return held


def look(root: Path) -> dict[bytes, Entry]:
    found = {}
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            file = os.path.join(folder, name)
            with open(file, "rb") as opened:
                stat = os.fstat(opened.fileno())
                found[os.path.relpath(file, os.fsencode(root))] = (opened.read(), stat.st_mode & 0o7777, stat.st_mtime_ns)
    return found


def is_drive(path: bytes) -> bool:
    return path[1:2] == b":" and path[:1].isalpha() and path[2:3] in (b"", b"/", b"\\")


@pytest.mark.skipif(os.geteuid() != 0, reason="a file without permissions is unreadable to all but root")
@settings(deadline=None, max_examples=150)
@given(then=TREES, now=TREES)
def test_a_tree_comes_back_exactly_over_any_other(
    tmp_path_factory: pytest.TempPathFactory, then: dict[bytes, Entry], now: dict[bytes, Entry]
) -> None:
    source, place = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("place")
    then = build(source, then)
    found = scan(source, RULES)
    assert all("drive letter" in problem.message for problem in found.problems)
    then = {path: entry for path, entry in then.items() if not is_drive(path)}
    with SourceReader(source) as reader:
        contents = [reader.read(stat) for stat in found.files]
    assert not [content for content in contents if isinstance(content, Problem) or content.problem]
    files = [
        StagedFile(content.stat.path, content.data, content.stat.mode, content.stat.mtime_ns, hash_bytes(content.data))
        for content in contents
        if isinstance(content, FileContent)
    ]
    now = {path: entry for path, entry in build(place, now).items() if not is_drive(path)}
    extra = [os.fsdecode(path) for path in now.keys() - then.keys()]
    with Target(place) as target:
        target.check_paths(file.path for file in files)
        expected = {path: stat for path in [*(file.path for file in files), *extra]
                    if not isinstance(stat := target.stat(path), Obstacle)}  # fmt: skip
        target.stage(files)
        assert target.commit(deletes=extra, expected=expected, remove_empty=True) == ()
    restored = {path: entry for path, entry in look(place).items() if not is_drive(path)}
    assert restored == then
    again = scan(place, RULES)
    assert [seen(stat) for stat in again.files] == [seen(stat) for stat in found.files]


def seen(stat: FileStat) -> tuple[str, int, int, int]:
    return stat.path, stat.size_bytes, stat.mtime_ns, stat.mode
