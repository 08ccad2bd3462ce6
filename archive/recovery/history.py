"""Packs every version of a source that does not lie in `files` into history.tar.xz.

The file is a tar in xz, which any system unpacks: `manifest.json` and, named by their hashes, the contents. It is a row of
xz streams, each with whole members, so that damage to one costs that one only. A stream ends with a document, since
versions of one document are what repeats itself: with a window that holds two of them, a version costs about as much as what
changed in it. The fast mode of xz is used, because on such data the slow ones gain a tenth and take ten times as long.
"""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Callable

# A stream is ended behind a document when it holds this much, and inside one when it holds the other.
STREAM_BYTES = 256 * 1024
STREAM_MOST_BYTES = 16 * 1024 * 1024
WINDOW_MIN_BYTES = 1024 * 1024
WINDOW_MAX_BYTES = 64 * 1024 * 1024

_PRESET = 1
_MODE = 0o600
_LATEST_TIME = 8**11 - 1  # what the header of a tar can hold


class HistoryWriter:
    """Writes the history piece by piece to a file that is open for writing.

    Call `add` for the manifest first, `begin_document` before the versions of each document, and `finish` at the end.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._compressor: lzma.LZMACompressor | None = None
        self._window = 0
        self._wanted_window = WINDOW_MIN_BYTES
        self._bytes = 0

    def begin_document(self, largest_bytes: int) -> None:
        """Says that versions of another document follow, and how large the largest of them is."""
        self._wanted_window = min(max(2 * largest_bytes, WINDOW_MIN_BYTES), WINDOW_MAX_BYTES)
        if self._bytes >= STREAM_BYTES or self._wanted_window > self._window:
            self._end_stream()

    def add(self, name: str, data: bytes, mtime_ns: int) -> None:
        """Adds a member of the tar."""
        if self._bytes >= STREAM_MOST_BYTES:
            self._end_stream()
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), _MODE
        member.mtime = min(max(mtime_ns // 1_000_000_000, 0), _LATEST_TIME)
        self._feed(member.tobuf(tarfile.USTAR_FORMAT))
        self._feed(data)
        self._feed(bytes(-len(data) % tarfile.BLOCKSIZE))

    def finish(self) -> None:
        """Writes the end of the tar."""
        self._end_stream()
        self._feed(bytes(2 * tarfile.BLOCKSIZE))
        self._end_stream()

    def _feed(self, data: bytes) -> None:
        if self._compressor is None:
            self._window = self._wanted_window
            filters = [{"id": lzma.FILTER_LZMA2, "preset": _PRESET, "dict_size": self._window}]
            self._compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters)
        self._write(self._compressor.compress(data))
        self._bytes += len(data)

    def _end_stream(self) -> None:
        if self._compressor is not None:
            self._write(self._compressor.flush())
        self._compressor, self._bytes, self._window = None, 0, 0
