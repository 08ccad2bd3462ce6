"""Looking at what an archive holds: snapshots, documents as they were, what differs, what is wrong, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archive.api.opening import OnProgress, Opening
from archive.errors import PointerNotFound
from archive.model.check import CheckDepth
from archive.storage import blobs, documents, known, snapshots

if TYPE_CHECKING:
    from archive.extract.secrets import SecretRules
    from archive.model.base import Json
    from archive.model.check import CheckResult, Stats
    from archive.model.diff import Diff
    from archive.model.documents import DocumentState, History
    from archive.model.snapshots import Problem, Snapshot, Source


class Looking(Opening):
    """Answers what was where, and when."""

    def sources(self) -> tuple[Source, ...]:
        """Returns all sources of the archive."""
        with self._database.reading() as connection:
            return tuple(snapshots.sources(connection))

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Returns all snapshots, oldest first; none for an archive that nothing was backed up to yet."""
        with self._database.reading() as connection:
            if self.source_name is None and not snapshots.sources(connection):
                return ()
            source = snapshots.find_source(connection, self.source_name)
            return tuple(snapshots.all_snapshots(connection, source.id))

    def snapshot(self, at: str = "latest") -> Snapshot:
        """Returns the snapshot that a moment means.

        Raises:
            SnapshotNotFound: None does; the hint names the nearest.
            QueryError: The text is no moment.
        """
        with self._reading() as (connection, source):
            return self._resolve(connection, source, at)

    def documents(self, *, at: str = "latest", patterns: Sequence[str] = ()) -> tuple[DocumentState, ...]:
        """Returns the documents of a moment, sorted by path; `patterns` are paths, folders and globs."""
        from archive.selection import Selection

        with self._reading() as (connection, source):
            found = documents.documents_at(connection, source.id, self._resolve(connection, source, at).id)
        selection = Selection(patterns, (document.path for document in found))
        return tuple(document for document in found if selection.matches(document.path))

    def history(self, path: str) -> History:
        """Returns all versions of a document, oldest first.

        Raises:
            DocumentNotFound: No snapshot ever held it; the hint names paths like it.
        """
        with self._reading() as (connection, source):
            return documents.history(connection, source.id, path)

    def read(self, path: str, *, at: str = "latest") -> bytes:
        """Returns the content of a document as it was, byte for byte, checked against its hash.

        Raises:
            DocumentNotFound: It did not exist then.
            CorruptArchive: The stored content does not match its hash.
        """
        return self._read(path, at)[1]

    def read_value(self, path: str, pointer: str = "", *, at: str = "latest") -> Json:
        """Returns the value at an RFC 6901 pointer in a JSON document; in JSONL the first step counts the records from 0.

        Where the document is damaged, the part of it that can be read is what the pointer looks into. In any document lines
        may be named instead, as `L10-L20`, and in Markdown the way of headings, as `/Plans/Summer`: that gives their text.

        Raises:
            DocumentNotFound: The document did not exist then.
            PointerNotFound: The pointer leads nowhere, or there is nothing that could be read.
        """
        from archive.extract.parse import load
        from archive.extract.places import is_text_place, text_at
        from archive.extract.pointer import resolve

        document, data = self._read(path, at)
        if is_text_place(document.kind, pointer):
            return text_at(document.kind, data, pointer)
        loaded = load(document.kind, data)
        if not loaded.readable:
            raise PointerNotFound(
                f"{path} cannot be read as {document.kind.value}: {loaded.report.error or 'too large or too deeply nested'}",
                hint=f"Run 'archive log {path}' to see its last valid version, or leave the pointer out to see the bytes.",
                path=path,
            )
        return resolve(loaded.value, pointer)

    def diff(self, old: str, new: str = "latest", *, patterns: Sequence[str] = (), inside: bool = True) -> Diff:
        """Returns what differs between two moments; `inside` also says what differs inside the files."""
        from archive.comparing import compare

        with self._reading() as (connection, source):
            before, after = self._resolve(connection, source, old), self._resolve(connection, source, new)
            return compare(connection, source, before, after, patterns=patterns, inside=inside)

    def problems(self, *, at: str = "latest") -> tuple[Problem, ...]:
        """Returns the problems that stood in a snapshot, skipped files included."""
        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            return tuple(known.problems_at(connection, source.id, snapshot.id))

    def check(self, *, depth: CheckDepth = CheckDepth.FULL, on_progress: OnProgress | None = None) -> CheckResult:
        """Proves what the archive holds: re-reads and re-hashes all content, checks every rule of the format.

        Never repairs. Damage is in the result's findings and not an exception. If the archive was opened for writing, it
        records that it was checked, and what was found; where it cannot, the result says why, and is the same otherwise.
        """
        from archive.check import check, remember

        with self._database.reading() as connection:
            result = check(connection, CheckDepth(depth), self._clock, on_progress)
        return remember(self._database, result)

    def secret_rules(self) -> SecretRules:
        """Returns what decides which values are masked wherever they are shown, as search masks them.

        Of several sources: what any of them masks, and left alone what all of them leave alone.
        """
        from archive.extract.secrets import SecretRules
        from archive.rules import Rules
        from archive.storage.pending import source_rules

        with self._database.reading() as connection:
            found = [Rules.from_json(rules) for rules in source_rules(connection).values()]
        allowed = set.intersection(*[set(rules.not_secret) for rules in found]) if found else set[str]()
        return SecretRules.extended([name for rules in found for name in rules.secret_names], sorted(allowed))

    def stats(self) -> Stats:
        """Returns what the archive holds and what it costs."""
        from archive.storage import sizes

        with self._database.reading() as connection:
            return sizes.stats(connection, self.path)

    def _read(self, path: str, at: str) -> tuple[DocumentState, bytes]:
        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
            document = documents.document_at(connection, source.id, snapshot.id, path)
            return document, blobs.read(connection, document._blob_id)
