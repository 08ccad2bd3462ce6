"""Writes everything that makes up the folder of a package, from one moment of an archive.

    documents → files/ → (versions → history.tar.xz) → manifest.json, index.html, instructions, restore.py → SHA256SUMS

What the archive cannot give back any more is a problem and is said in the manifest; everything else is written.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from archive.clock import Clock, to_iso
from archive.errors import CorruptArchive
from archive.folders import unsafe_reason
from archive.hashing import hash_bytes
from archive.model.base import Json
from archive.model.documents import DocumentState
from archive.model.snapshots import Problem, ProblemKind, Progress, Snapshot, Source, Stage
from archive.recovery import manifest as lists
from archive.recovery.assets.program.ground import FORMAT, FORMAT_VERSION
from archive.recovery.assets.program.lists import render_sums
from archive.recovery.history import HistoryWriter
from archive.recovery.instructions import render_instructions
from archive.recovery.output import PRIVATE_FOLDER, hash_of, new_file, write_document, write_new
from archive.recovery.page import PageEntry, describe_size, page_entry, render_page, text_limit, wall_clock
from archive.recovery.program import restore_program
from archive.rules import is_virtual
from archive.storage import blobs, snapshots
from archive.storage.connection import Connection
from archive.storage.documents import documents_at
from archive.storage.export import ExportedVersion, HistoryReader, all_versions

FILES, OTHER_NAMES = "files", "other-names"
MANIFEST, SUMS, HISTORY, DATABASE = "manifest.json", "SHA256SUMS", "history.tar.xz", "archive.db"
PAGE, INSTRUCTIONS, PROGRAM = "index.html", "RECOVERY_INSTRUCTIONS.md", "restore.py"

# The owner can read every file of a package; the mode it has in the project is in the manifest.
_READABLE = 0o400
_NAME_REFUSED = frozenset({
    errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EPERM,
})  # fmt: skip


@dataclass(slots=True)
class Filled:
    """What is in the folder by now."""

    sums: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    stored: dict[str, str] = field(default_factory=dict)  # documents by path, and where they are
    entries: list[PageEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)  # hashes
    documents: int = 0
    versions: int = 0
    snapshots: list[int] = field(default_factory=list)  # ids, in order
    other_sources: tuple[str, ...] = ()  # in the copy of the archive


class Filler:
    """Fills the folder of one package."""

    def __init__(
        self,
        folder: Path,
        connection: Connection,
        source: Source,
        snapshot: Snapshot,
        *,
        made_by: str,
        clock: Clock,
        for_zip: bool,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.filled = Filled()
        self._folder = folder
        self._connection = connection
        self._source = source
        self._snapshot = snapshot
        self._made_by = made_by
        self._clock = clock
        self._for_zip = for_zip
        self._on_progress = on_progress
        self._documents = documents_at(connection, source.id, snapshot.id)
        self._made = {""}
        self._limit = text_limit(document.size_bytes for document in self._documents)

    def fill(self, *, history: bool) -> Filled:
        """Writes everything; with `history` the copy of the archive is in the folder already."""
        rows = all_versions(self._connection, self._source.id)
        here = [row for row in rows if _holds(row, self._snapshot.id)]
        elsewhere: list[ExportedVersion] = []
        known = [self._snapshot]
        if history:
            elsewhere = [row for row in rows if not _holds(row, self._snapshot.id)]
            known = snapshots.all_snapshots(self._connection, self._source.id)
            sources = snapshots.sources(self._connection)
            self.filled.other_sources = tuple(each.name for each in sources if each.id != self._source.id)
        else:
            # What came before and after is not in the package, so nothing is said of it.
            here = [row._replace(first=self._snapshot.id, until=None) for row in here]
        self.filled.versions, self.filled.snapshots = len(here) + len(elsewhere), [each.id for each in known]
        self._write_files()
        if history:
            with new_file(self._folder / HISTORY) as file:
                writer = HistoryWriter(file.write)
                self._write_versions(writer, elsewhere)
                manifest = self._manifest(here, elsewhere, known, has_history=True)
                writer.begin_document(0)
                writer.add(MANIFEST, manifest, 0)
                writer.finish()
            for name in (HISTORY, DATABASE):
                self._count(name, *hash_of(self._folder / name))
        else:
            manifest = self._manifest(here, elsewhere, known, has_history=False)
        self._write(MANIFEST, manifest)
        self._write_rest(here, known if history else [])
        return self.filled

    def _write_files(self) -> None:
        self._make_folder(FILES)
        for done, (document, data) in enumerate(self._contents(), start=1):
            if isinstance(data, CorruptArchive):
                self._lose(document.hash, document.path, document.version, data)
            else:
                name = self._place(document, data)
                self.filled.stored[document.path] = name
                self.filled.documents += 1
                self.filled.entries.append(page_entry(document, data, name, self._limit))
                self._count(name, lists.digits(document.hash), len(data))
            self._on_progress(Progress(Stage.WRITE, done, len(self._documents)))

    def _contents(self) -> Iterator[tuple[DocumentState, bytes | CorruptArchive]]:
        """Each document with its content, or with why there is none."""
        documents, done = self._documents, 0
        while done < len(documents):
            try:
                for data in blobs.read_many(self._connection, [document._blob_id for document in documents[done:]]):
                    done += 1
                    yield documents[done - 1], data
            except CorruptArchive as error:
                done += 1
                yield documents[done - 1], error

    def _place(self, document: DocumentState, data: bytes) -> str:
        """Writes a document below `files`, or under its hash where the file system refuses its name; returns where."""
        mode = document.mode | _READABLE
        if not unsafe_reason(document.path) and not (self._for_zip and not _survives_a_zip(document.path)):
            name = f"{FILES}/{document.path}"
            try:
                self._make_folder(os.path.dirname(name))
                write_document(self._folder / name, data, mode, document.mtime_ns)
                return name
            except OSError as error:
                if error.errno not in _NAME_REFUSED:
                    raise
        self._make_folder(OTHER_NAMES)
        # Named by the path and not the content, of which there may be several alike with other modes and times.
        name = f"{OTHER_NAMES}/{lists.digits(hash_bytes(os.fsencode(document.path)))[:32]}"
        write_document(self._folder / name, data, mode, document.mtime_ns)
        return name

    def _make_folder(self, name: str) -> None:
        """Makes a folder and those above it, private as they are not where the system makes those above."""
        if name not in self._made:
            self._make_folder(os.path.dirname(name))
            (self._folder / name).mkdir(PRIVATE_FOLDER)
            self._made.add(name)

    def _write_versions(self, writer: HistoryWriter, versions: Sequence[ExportedVersion]) -> None:
        reader = HistoryReader(self._connection)
        held = {document.hash for document in self._documents}
        done = 0
        for _, group in groupby(versions, key=lambda version: version.path):
            rows = list(group)
            writer.begin_document(max(row.size_bytes for row in rows))
            for row in rows:
                if row.hash not in held:
                    held.add(row.hash)
                    try:
                        data = reader.read(row.blob_id)
                    except CorruptArchive as error:
                        self._lose(row.hash, row.path, row.number, error)
                    else:
                        writer.add(f"versions/{lists.digits(row.hash)}", data, row.mtime_ns)
                done += 1
                self._on_progress(Progress(Stage.STORE, done, len(versions)))

    def _lose(self, hash_: str, path: str, number: int, error: CorruptArchive) -> None:
        self.filled.lost.add(hash_)
        message = f"the archive cannot give back version {number}: {error.message}"
        self.filled.problems.append(Problem(path, ProblemKind.UNREADABLE, message))

    def _manifest(
        self,
        here: Sequence[ExportedVersion],
        elsewhere: Sequence[ExportedVersion],
        known: Sequence[Snapshot],
        *,
        has_history: bool,
    ) -> bytes:
        stored = {path: name for path, name in self.filled.stored.items() if name != f"{FILES}/{path}"}
        head: dict[str, Json] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "made_by": self._made_by,
            "made_at": to_iso(self._clock.now()),
            "source": {"name": self._source.name, "root": self._source.root},
            "snapshot": self._snapshot.id,
            "has_history": has_history,
        }
        lost = self.filled.lost
        return lists.render_manifest(
            head,
            {
                "problems": [problem.to_json() for problem in self.filled.problems],
                "snapshots": [lists.snapshot_row(snapshot) for snapshot in known],
                "documents": [
                    lists.version_row(row, stored=stored.get(row.path, ""), is_lost=row.hash in lost) for row in here
                ],
                "versions": [lists.version_row(row, is_lost=row.hash in lost) for row in elsewhere],
            },
        )

    def _write_rest(self, here: Sequence[ExportedVersion], known: Sequence[Snapshot]) -> None:
        name, snapshot, filled = self._source.name, self._snapshot, self.filled
        notes = []
        if not snapshot.is_complete:
            notes.append("When this state was backed up, some files could not be read. What was known of them is here.")
        if filled.problems:
            notes.append(f"Of {len(filled.problems):,} versions the content was lost before this was made; see manifest.json.")
        page = render_page(name, snapshot, filled.entries, limit=self._limit, notes=notes)
        self._write(PAGE, page)
        instructions = render_instructions(
            name,
            snapshot,
            here,
            when=wall_clock(snapshot),
            summary=f"{len(filled.entries):,} files, {describe_size(sum(row.size_bytes for row in here))}",
            notes=notes,
            snapshots=known,
            other_sources=filled.other_sources,
            has_other_names=(self._folder / OTHER_NAMES).exists(),
            has_graph=any(is_virtual(path) for path in filled.stored),
        )
        self._write(INSTRUCTIONS, instructions)
        self._write(PROGRAM, restore_program().encode("utf-8"))
        sums = render_sums(filled.sums)
        write_new(self._folder / SUMS, sums)
        filled.size_bytes += len(sums)

    def _write(self, name: str, data: bytes) -> None:
        write_new(self._folder / name, data)
        self._count(name, lists.digits(hash_bytes(data)), len(data))

    def _count(self, name: str, hash_: str, size_bytes: int) -> None:
        self.filled.sums[name] = hash_
        self.filled.size_bytes += size_bytes


def _holds(version: ExportedVersion, snapshot_id: int) -> bool:
    return version.first <= snapshot_id and (version.until is None or version.until > snapshot_id)


def _survives_a_zip(path: str) -> bool:
    """Whether the usual `unzip` gives a file its name back: it leaves control characters out, and knows UTF-8 alone."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return not any(unicodedata.category(character) == "Cc" for character in path)
