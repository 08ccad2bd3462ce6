"""The history is a tar in xz like any other, made of parts that do not need each other."""

from __future__ import annotations

import io
import lzma
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recovery.history import STREAM_BYTES, STREAM_MOST_BYTES, HistoryWriter

STREAM = b"\xfd7zXZ\0"
DOCUMENTS = st.lists(st.lists(st.tuples(st.binary(max_size=2000), st.integers(-(2**70), 2**70)), max_size=4), max_size=4)


def written(documents: list[list[tuple[bytes, int]]]) -> tuple[bytes, dict[str, bytes]]:
    out, members = io.BytesIO(), {}
    writer = HistoryWriter(out.write)
    for number, versions in enumerate(documents):
        writer.begin_document(max((len(data) for data, _ in versions), default=0))
        for index, (data, mtime_ns) in enumerate(versions):
            members[f"versions/{number}-{index}"] = data
            writer.add(f"versions/{number}-{index}", data, mtime_ns)
    writer.finish()
    return out.getvalue(), members


def unpacked(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:xz") as packed:
        found = {}
        for member in packed:
            file = packed.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
        return found


@given(DOCUMENTS)
def test_what_is_put_in_comes_out(documents: list[list[tuple[bytes, int]]]) -> None:
    data, members = written(documents)
    assert unpacked(data) == members


@pytest.mark.skipif(shutil.which("tar") is None or shutil.which("xz") is None, reason="there is no tar or no xz here")
def test_the_usual_tools_unpack_it(tmp_path: Path) -> None:
    documents = [[(bytes([number]) * STREAM_BYTES, 10**18)] for number in range(4)]
    data, members = written(documents)
    (tmp_path / "history.tar.xz").write_bytes(data)
    subprocess.run(["tar", "-xJf", "history.tar.xz"], cwd=tmp_path, check=True)
    assert {f"versions/{path.name}": path.read_bytes() for path in (tmp_path / "versions").iterdir()} == members
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "versions").iterdir())
    assert subprocess.run(["xz", "-t", "history.tar.xz"], cwd=tmp_path, check=False).returncode == 0


def test_documents_of_some_size_have_parts_of_their_own_and_small_ones_share() -> None:
    large = [[(bytes([number]) * (STREAM_BYTES + 1), 0)] for number in range(3)]
    assert written(large)[0].count(STREAM) == 3 + 1
    small = [[(bytes([number]) * 100, 0)] for number in range(200)]
    assert written(small)[0].count(STREAM) == 1 + 1


def test_every_part_is_whole_members_and_can_be_read_alone() -> None:
    data, members = written([[(bytes([number]) * (STREAM_BYTES // 3), 0)] * 2 for number in range(8)])
    found: dict[str, bytes] = {}
    for part in re.split(b"(?=" + re.escape(STREAM) + b")", data)[1:]:
        raw = lzma.decompress(part)
        if any(raw):
            with tarfile.open(fileobj=io.BytesIO(raw)) as packed:
                for member in packed:
                    file = packed.extractfile(member)
                    assert file is not None
                    found[member.name] = file.read()
    assert found == members


def test_a_long_document_does_not_make_an_endless_part() -> None:
    version = bytes(range(256)) * 4096 * 2
    count = 2 * STREAM_MOST_BYTES // len(version) + 1
    data, _ = written([[(version, 0)] * count])
    assert data.count(STREAM) == 3 + 1


@pytest.mark.slow
def test_alike_versions_cost_next_to_nothing_even_if_they_are_long() -> None:
    import random

    version = random.Random("long").randbytes(3_000_000)
    data, _ = written([[(version[:1_000_000] + bytes([number]) + version[1_000_000:], 0) for number in range(5)]])
    assert len(data) < 1.01 * len(version) + 10_000
