"""Packs the folder of a package into one file that common tools unpack, and proves it by reading it back.

A zip is what every system opens, and Python alone; a tar.zst is smaller and quicker. Both hold one folder at the top, private
to its owner. It is done in a thread of its own while the folder is proven: reading, compressing and hashing let go of the
interpreter, and the proof is mostly another process.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import IO, NamedTuple

import zstandard

from archive.errors import TargetFailed
from archive.model.recovery import PackageFormat
from archive.recovery.output import BUFFER_BYTES, PRIVATE_FOLDER, new_file

_ZIP_LEVEL = 1  # more than three times as quick as the usual 6, for a seventh more
_ZSTD_LEVEL = 3
_ZSTD_THREADS = 2
_UNIX = 3
_FIRST_ZIP_TIME = 315_532_800  # 1980-01-01
_LAST_ZIP_TIME = 4_354_819_198  # 2107-12-31
_EXACT_TIME = 0x5455  # the extra field in which Unix tools keep the time
_PACKED_ALREADY = (".xz",)
_TICK_SECONDS = 0.1


class Packing:
    """Packs a folder and reads the file back while the caller does something else; leaving the context ends it.

    Args:
        folder: The package.
        target: The file to write, which must not exist.
        sums: Hashes of the files to pack.
        kind: Zip or tar.zst.
    """

    def __init__(self, folder: Path, target: Path, sums: Mapping[str, str], kind: PackageFormat) -> None:
        self._folder, self._target, self._sums, self._kind = folder, target, sums, kind
        self._done = 0
        self._is_over = Event()
        self._thread = futures.ThreadPoolExecutor(1, "packing")
        self._result: futures.Future[None] | None = None

    def __enter__(self) -> Packing:
        self._result = self._thread.submit(self._work)
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever leaves early removes the folder next, and nothing may be written then.
        self._is_over.set()
        self._thread.shutdown(wait=True)

    def wait(self, on_done: Callable[[int, int], None]) -> None:
        """Returns when the file is written and proven; `on_done` hears how many files of how many are in it.

        Raises:
            OSError: It could not be written.
            TargetFailed: It does not read back as it was written.
        """
        assert self._result is not None
        told = 0
        is_over = False
        while not is_over:
            is_over = not futures.wait([self._result], _TICK_SECONDS).not_done
            if told < self._done:
                told = self._done
                on_done(told, len(self._sums))
        self._result.result()

    def _work(self) -> None:
        pack(self._folder, self._target, self._sums, self._kind, self._count, self._go_on)
        require_packed(self._target, top_of(self._folder, self._kind), self._sums, self._kind, self._go_on)

    def _count(self, done: int) -> None:
        self._done = done

    def _go_on(self) -> None:
        if self._is_over.is_set():
            raise _Abandoned


class _Abandoned(Exception):
    """Ends a thread on whose work nobody waits."""


def _nothing() -> None:
    """Is asked before each piece where nothing may end the work."""


def pack(
    folder: Path,
    target: Path,
    sums: Mapping[str, str],
    kind: PackageFormat,
    on_file: Callable[[int], None],
    go_on: Callable[[], None] = _nothing,
) -> None:
    """Writes the files named in `sums` to a new file, below a folder called as the package is.

    Args:
        folder: The package.
        target: The file to write, which must not exist.
        sums: Hashes of the files to pack.
        kind: Zip or tar.zst.
        on_file: Hears how many files are in it.
        go_on: Called before each piece is read; what it raises ends the work.

    Raises:
        OSError: It could not be written.
    """
    write = _pack_zip if kind is PackageFormat.ZIP else _pack_tar
    with new_file(target) as file:
        write(folder, file, sorted(sums), on_file, go_on)


def top_of(folder: Path, kind: PackageFormat) -> str:
    """Returns what the folder is called in the packed file: its own name, but for bytes that a zip cannot hold."""
    if kind is PackageFormat.TAR_ZST:
        return folder.name
    return os.fsencode(folder.name).decode("utf-8", "replace").replace("\N{REPLACEMENT CHARACTER}", "_")


def require_packed(
    target: Path, top: str, sums: Mapping[str, str], kind: PackageFormat, go_on: Callable[[], None] = _nothing
) -> None:
    """Reads a packed file back and compares every file in it.

    Raises:
        TargetFailed: Something is missing, too much, or not what it was.
    """
    read = _read_zip if kind is PackageFormat.ZIP else _read_tar
    found: dict[str, str] = {}
    try:
        for name, digest in read(target, go_on):
            if name in found:
                raise _not_proven(f"{name} is in it twice")
            found[name] = digest
    except (zipfile.BadZipFile, tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _not_proven(str(error)) from error
    expected = {f"{top}/{name}": digest for name, digest in sums.items()}
    if found != expected:
        wrong = next(name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name))
        raise _not_proven(f"{wrong!r} is not in it as it was written")


class _Source(NamedTuple):
    """Is a file that is read by pieces."""

    file: IO[bytes]
    go_on: Callable[[], None]

    def read(self, size: int = -1) -> bytes:
        self.go_on()
        return self.file.read(size)


def _pack_zip(
    folder: Path, file: IO[bytes], names: list[str], on_file: Callable[[int], None], go_on: Callable[[], None]
) -> None:
    with zipfile.ZipFile(file, "w") as packed:
        inside = top_of(folder, PackageFormat.ZIP)
        top = zipfile.ZipInfo(inside + "/", _zip_time((folder / names[0]).stat().st_mtime_ns))
        top.create_system, top.external_attr = _UNIX, (stat.S_IFDIR | PRIVATE_FOLDER) << 16 | 0x10
        packed.writestr(top, b"")
        for done, name in enumerate(names, start=1):
            found = (folder / name).stat()
            member = zipfile.ZipInfo(f"{inside}/{name}", _zip_time(found.st_mtime_ns))
            member.create_system, member.external_attr = _UNIX, found.st_mode << 16
            member.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED_ALREADY) else zipfile.ZIP_DEFLATED
            # What was said to ZipFile counts for members that it makes itself; this name of it works on every Python.
            member._compresslevel = _ZIP_LEVEL  # type: ignore[attr-defined,unused-ignore]
            member.file_size = found.st_size  # so that it is known whether large fields are needed
            seconds = found.st_mtime_ns // 1_000_000_000
            if -(2**31) <= seconds < 2**31:
                member.extra = struct.pack("<HHBl", _EXACT_TIME, 5, 1, seconds)
            with (folder / name).open("rb") as source, packed.open(member, "w") as sink:
                shutil.copyfileobj(_Source(source, go_on), sink, BUFFER_BYTES)
            on_file(done)


def _pack_tar(
    folder: Path, file: IO[bytes], names: list[str], on_file: Callable[[int], None], go_on: Callable[[], None]
) -> None:
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, threads=_ZSTD_THREADS, write_checksum=True)
    with (
        compressor.stream_writer(file, closefd=False) as stream,
        tarfile.open(
            fileobj=stream,
            mode="w|",
            format=tarfile.GNU_FORMAT,
            encoding="utf-8",
            errors="surrogateescape",
            bufsize=BUFFER_BYTES,
        ) as packed,
    ):
        top = tarfile.TarInfo(folder.name)
        top.type, top.mode = tarfile.DIRTYPE, PRIVATE_FOLDER
        top.mtime = (folder / names[0]).stat().st_mtime_ns // 1_000_000_000
        packed.addfile(top)
        for done, name in enumerate(names, start=1):
            found = (folder / name).stat()
            member = tarfile.TarInfo(f"{folder.name}/{name}")
            member.size, member.mode = found.st_size, stat.S_IMODE(found.st_mode)
            member.mtime = found.st_mtime_ns // 1_000_000_000
            with (folder / name).open("rb") as source:
                packed.addfile(member, _Source(source, go_on))
            on_file(done)


def _read_zip(target: Path, go_on: Callable[[], None]) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(target) as packed:
        for member in packed.infolist():
            if not member.is_dir():
                with packed.open(member) as source:
                    yield member.orig_filename, _digest(source, go_on)


def _read_tar(target: Path, go_on: Callable[[], None]) -> Iterator[tuple[str, str]]:
    with (
        target.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as stream,
        tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape", bufsize=BUFFER_BYTES) as packed,
    ):
        for member in packed:
            source = packed.extractfile(member)
            if source is not None:
                yield member.name, _digest(source, go_on)


def _digest(source: IO[bytes], go_on: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    while piece := source.read(BUFFER_BYTES):
        go_on()
        digest.update(piece)
    return digest.hexdigest()


def _zip_time(mtime_ns: int) -> tuple[int, int, int, int, int, int]:
    """The time as a zip has it: by the wall clock, from 1980 on."""
    seconds = min(max(mtime_ns // 1_000_000_000, _FIRST_ZIP_TIME + 86_400), _LAST_ZIP_TIME - 86_400)
    local = datetime.fromtimestamp(seconds, UTC).astimezone()
    return local.year, local.month, local.day, local.hour, local.minute, local.second


def _not_proven(reason: str) -> TargetFailed:
    return TargetFailed(
        f"the packed file does not read back as it was written: {reason}; nothing was left there",
        hint="Check the disk, or name a place on another one.",
    )
