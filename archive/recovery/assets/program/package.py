"""What the package holds."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from datetime import datetime, timezone
from typing import Callable, Iterable, Iterator

from archive.recovery.assets.program.ground import (
    DATABASE,
    HELD,
    HISTORY,
    MANIFEST,
    MODE_BITS,
    SUMS,
    Report,
    Row,
    Stop,
    open_plain,
    place,
    read_plain,
    sha256,
    shown,
    why,
)
from archive.recovery.assets.program.lists import parse_manifest, parse_sums, unpacked

STREAM = b"\xfd7zXZ\0"  # how each part of the history begins


class Package:
    """Is the folder with its manifest; where the manifest is damaged, with what can be known without it."""

    def __init__(self, folder: str, report: Report) -> None:
        self.folder, self.report = folder, report
        self.is_guessed = False
        self.manifest = self._load()
        self.documents: list[Row] = self.manifest["documents"]
        self.versions: list[Row] = self.manifest["versions"]
        self.strays: dict[str, str] | None = None
        self.snapshots: dict[int, Row] = {row["id"]: row for row in self.manifest["snapshots"]}

    def read(self, name: str) -> bytes:
        """Returns the bytes of one of the package's files."""
        return read_plain(place(self.folder, name))

    def digest(self, name: str) -> str:
        """Returns the hash of one of the package's own files, read a piece at a time."""
        digest = hashlib.sha256()
        with open_plain(place(self.folder, name)) as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        return digest.hexdigest()

    @staticmethod
    def name(row: Row) -> str:
        """Returns where in the package a document is: below files, but for names that could not be made there."""
        return str(row.get("stored") or HELD[0] + "/" + row["path"])

    def _load(self) -> Row:
        try:
            return parse_manifest(self.read(MANIFEST))
        except (OSError, ValueError) as error:
            self.report(f"damaged: {MANIFEST}: {why(error)}")
        for name, data in self.history(lambda message: None):
            if name == MANIFEST:
                try:
                    manifest = parse_manifest(data)
                    self.report(f"using the copy of {MANIFEST} in {HISTORY}")
                    return manifest
                except ValueError:
                    break
        self.report(f"using {SUMS} and what lies in files; older versions cannot be found")
        return self._guessed()

    def _guessed(self) -> Row:
        """Makes up a manifest from what lies in files/ and what SHA256SUMS says of it."""
        sums, documents = {}, []
        try:
            sums = parse_sums(self.read(SUMS))
        except OSError as error:
            self.report(f"damaged: {SUMS}: {why(error)}")
        for name in sorted({*self.lying(HELD[0]), *(name for name in sums if name.startswith(HELD[0] + "/"))}):
            try:
                found = os.lstat(place(self.folder, name))
                digest = sums.get(name) or sha256(self.read(name))
            except OSError as error:
                self.report(f"damaged: {shown(name)}: {why(error)}")
                continue
            if name not in sums:
                self.report(f"not proven: {shown(name)}: it has no line in {SUMS}")
            row = {"path": name[len(HELD[0]) + 1 :], "from": 1, "until": None, "version": 1, "sha256": digest}
            row.update(size_bytes=found.st_size, mode=format(found.st_mode & MODE_BITS, "04o"), mtime_ns=found.st_mtime_ns)
            documents.append(row)
        snapshot = {
            "id": 1,
            "label": "unknown",
            "created_at": "1970-01-01T00:00:00.000Z",
            "message": "manifest damaged",
        }
        self.is_guessed = True
        return {"snapshot": 1, "snapshots": [snapshot], "documents": documents, "versions": [], "has_history": False}

    def lying(self, below: str) -> Iterator[str]:
        """Yields the names of everything in a folder of the package that is no folder itself."""
        top = place(self.folder, below)
        for where, folders, names in os.walk(top):
            for name in (*names, *(each for each in folders if os.path.islink(os.path.join(where, each)))):
                path = os.fsencode(os.path.relpath(os.path.join(where, name), top))
                yield below + "/" + path.decode("utf-8", "surrogateescape").replace(os.sep, "/")

    def state(self, snapshot: int) -> list[Row]:
        """Returns the documents of a snapshot, by path."""
        rows = [
            row
            for row in (*self.documents, *self.versions)
            if row["from"] <= snapshot and (row["until"] is None or row["until"] > snapshot)
        ]
        return sorted(rows, key=lambda row: str(row["path"]))

    def history(self, report: Callable[[str], None]) -> Iterator[tuple[str, bytes]]:
        """Yields name and bytes of everything in the history that can be unpacked.

        The file is a row of xz streams, each with whole members of a tar; behind a damaged one the next is looked for.
        """
        try:
            import lzma

            with open(place(self.folder, HISTORY), "rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ImportError:
            report(f"{HISTORY} was left out: this Python cannot read it; another may, or 'tar -xJf {HISTORY}'")
            return
        except (OSError, ValueError) as error:
            report(f"damaged: {HISTORY}: {why(error)}")
            return
        start = 0
        while 0 <= start < len(data):
            decoder, members, end = lzma.LZMADecompressor(lzma.FORMAT_XZ), bytearray(), start
            try:
                while not decoder.eof:
                    if end >= len(data):
                        raise ValueError("cut off")
                    members += decoder.decompress(data[end : end + 4096])
                    end = min(end + 4096, len(data))
                    yield from unpacked(members)
                start = end - len(decoder.unused_data)
            except (lzma.LZMAError, ValueError):
                report(f"damaged: {HISTORY}: the part at byte {start} cannot be read to its end")
                start = data.find(STREAM, start + 1)

    def from_database(self, digest: str) -> bytes | None:
        """Returns content from archive.db, which holds plainly what was current when the package was made."""
        try:
            import sqlite3
            from urllib.request import pathname2url
        except ImportError:
            return None
        try:
            uri = "file:" + pathname2url(os.path.join(self.folder, DATABASE)) + "?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True)
            try:
                query = "SELECT CAST(data AS BLOB) FROM contents JOIN blobs ON id = blob_id WHERE hash = ?"
                row = connection.execute(query, ("sha256:" + digest,)).fetchone()
            finally:
                connection.close()
        except (sqlite3.Error, UnicodeError):
            return None
        if row is None or sha256(row[0]) != digest:
            return None
        for each in self.documents:
            if each["sha256"] == digest:
                self.report("found in {}: {}".format(DATABASE, shown(each["path"])))
        return bytes(row[0])

    def from_stray(self, digest: str) -> bytes | None:
        """Returns content from a file that lies here under another name; some programs that unpack change names."""
        if self.strays is None:
            self.strays = {}
            named = {self.name(row) for row in self.documents}
            for name in (each for folder in HELD for each in self.lying(folder)):
                if name not in named:
                    try:
                        self.strays[sha256(self.read(name))] = name
                    except OSError:
                        continue  # verify names it; nothing can be had from it
        try:
            data = self.read(self.strays[digest])
        except (KeyError, OSError):
            return None
        self.report(f"found under another name: {shown(self.strays[digest])}")
        return data if sha256(data) == digest else None

    def contents(self, wanted: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yields each wanted hash once with its bytes, or None where nothing undamaged has them."""
        left = set(wanted)
        for row in self.documents:
            if row["sha256"] in left and not row.get("lost"):
                data = self.document(row)
                if data is not None:
                    left.discard(row["sha256"])
                    yield row["sha256"], data
        if left - {row["sha256"] for row in self.documents}:
            for name, data in self.history(self.report):
                digest = name[len("versions/") :]
                if digest in left and sha256(data) == digest:
                    left.discard(digest)
                    yield digest, data
                if not left:
                    return
        for digest in sorted(left):
            data = self.from_stray(digest)
            yield digest, self.from_database(digest) if data is None else data

    def document(self, row: Row) -> bytes | None:
        """Returns the bytes of one of the package's documents, or None, reported, where they are damaged."""
        name = self.name(row)
        try:
            data = self.read(name)
        except OSError as error:
            self.report(f"damaged: {shown(name)}: {why(error)}")
            return None
        if sha256(data) == row["sha256"]:
            return data
        self.report(f"damaged: {shown(name)}: its content is not what it was")
        return None

    def find(self, at: str) -> Row:
        """Returns the snapshot that a moment means."""
        if self.is_guessed and at not in ("", "latest"):
            raise Stop(f"{at}: nothing says any more what was when; without --at there is what lies in {HELD[0]}")
        rows = [self.snapshots[number] for number in sorted(self.snapshots)]
        found: list[Row] = []
        back = re.fullmatch(r"latest(?:~(\d{1,9}))?", at)
        if not at:
            found = [self.snapshots[self.manifest["snapshot"]]]
        elif back:
            found = rows[::-1][int(back.group(1) or 0) :][:1]
        elif re.fullmatch(r"\d{1,15}", at):
            found = [row for row in rows if row["id"] == int(at)]
        elif re.fullmatch(r"\d{8}_\d{0,6}(_\d+)?", at):
            found = [row for row in rows if row["label"] == at] or [row for row in rows if row["label"].startswith(at)]
        else:
            time = at + ("T23:59:59.999999" if re.fullmatch(r"\d{4}-\d\d-\d\d", at) else "")
            try:
                moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", time)).astimezone(timezone.utc)
            except (ValueError, OverflowError):
                raise Stop(f"{at}: give a number, a label, a time such as 2023-04-01T12:00, or latest~1") from None
            before = [row for row in rows if row["created_at"] <= moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"]
            found = sorted(before, key=lambda row: (row["created_at"], row["id"]))[-1:]
        if len(found) != 1:
            raise Stop("{} snapshots fit {}; 'list' shows what there is".format(len(found) or "no", at))
        return found[0]
