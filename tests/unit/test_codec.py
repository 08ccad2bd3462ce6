"""The codec: what goes in comes out, small edits cost little, damage is noticed."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import codec

TEXT = b"".join(b'{"id": %d, "status": "pending", "title": "task number %d"}\n' % (n, n) for n in range(4000))


@given(older=st.binary(max_size=2000), newer=st.binary(min_size=1, max_size=2000))
def test_a_delta_decodes_to_what_was_encoded_whatever_the_base(older: bytes, newer: bytes) -> None:
    assert codec.decode(codec.encode_delta(older, newer), newer) == older


@given(data=st.binary(max_size=2000))
def test_a_keyframe_decodes_to_what_was_encoded(data: bytes) -> None:
    assert codec.decode(codec.encode_keyframe(data), None) == data


@pytest.mark.parametrize("size_bytes", [200_000, 1_000_000, 2_000_000, 9_000_000, 30_000_000])
def test_the_delta_of_a_small_edit_stays_small_however_long_the_document_is(size_bytes: int) -> None:
    """Random text, so that nothing but the place it stood at before can help."""
    newer = random.Random(size_bytes).randbytes(size_bytes // 2).hex().encode()
    middle = len(newer) // 2
    older = newer[:100] + b"an edit" + newer[107:middle] + b"something put in" + newer[middle:]

    delta = codec.encode_delta(older, newer)

    assert len(delta) < 1000 + len(newer) // 100
    assert codec.decode(delta, newer) == older


def test_a_damaged_frame_is_an_error_and_never_wrong_bytes_of_another_length() -> None:
    frame = codec.encode_delta(TEXT[:5000], TEXT)
    for position in range(0, len(frame), 3):
        damaged = bytearray(frame)
        damaged[position] ^= 0x10
        try:
            data = codec.decode(bytes(damaged), TEXT)
        except codec.DecodeError:
            continue
        assert len(data) == 5000


def test_a_truncated_frame_is_an_error() -> None:
    with pytest.raises(codec.DecodeError):
        codec.decode(codec.encode_keyframe(TEXT)[:-10], None)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the zstd program is not installed")
def test_the_stock_zstd_program_decodes_a_delta_with_patch_from(tmp_path: Path) -> None:
    older, newer = TEXT[:90_000] + b"the end", TEXT
    (tmp_path / "base").write_bytes(newer)
    (tmp_path / "delta.zst").write_bytes(codec.encode_delta(older, newer))

    command = ["zstd", "-d", "-q", "--patch-from", "base", "delta.zst", "-o", "out"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)

    assert (tmp_path / "out").read_bytes() == older
