"""Loads the memory of a project: for each document the first source that gives it whole, with what was wrong before.

    the server's graph    server → the server's file → newest reliable version in the archive
    all other documents   file on disk → newest reliable version in the archive

A content is relied on if it can be parsed, has no duplicate names, and has not lost most of what the last snapshot holds.
What cannot be relied on is given only where there is nothing better, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from archive.clock import Clock
from archive.errors import ArchiveError, CorruptArchive, NotFound, SourceUnreadable
from archive.extract.parse import kind_of
from archive.hashing import hash_bytes
from archive.looking import Seen, looking_at
from archive.memory.graph import find_graph, graph_path
from archive.memory.judging import Offer, judge
from archive.memory.request import MemoryRequest
from archive.memory.stored import Stored, alarm_stands
from archive.model.documents import DocumentState, Kind
from archive.model.memory import (
    Memory,
    MemoryCategory,
    MemoryDocument,
    MemoryServer,
    MemorySource,
    MemoryTrouble,
    TroubleKind,
)
from archive.model.snapshots import Problem, ProblemKind, Source
from archive.rules import is_virtual
from archive.source.scan import scan
from archive.storage.connection import Connection


def load_memory(
    connection: Connection | None,
    source: Source | None,
    request: MemoryRequest,
    clock: Clock,
    troubles: Sequence[MemoryTrouble] = (),
) -> Memory:
    """Returns the memory of a project.

    Args:
        connection, source: A reading transaction and the source, or None where the archive cannot be had.
        troubles: What is known to be wrong with a source as a whole.
    """
    stored = Stored(connection, source, request) if connection is not None and source is not None else None
    as_of = clock.now() if request.at is None else request.at.created_at
    return _Loader(request, stored, as_of, [*troubles]).load()


def load_without_archive(error: ArchiveError, request: MemoryRequest, clock: Clock) -> Memory:
    """Returns the memory where the archive cannot be had: it is one source of three, and the others are all the more wanted."""
    kind = TroubleKind.MISSING if isinstance(error, NotFound) else TroubleKind.UNREADABLE
    if isinstance(error, CorruptArchive):
        kind = TroubleKind.CORRUPT
    return load_memory(None, None, request, clock, [MemoryTrouble(MemorySource.ARCHIVE, kind, error.message)])


class _Loader:
    """Puts the memory together, document by document."""

    def __init__(self, request: MemoryRequest, stored: Stored | None, as_of: datetime, troubles: list[MemoryTrouble]) -> None:
        self._request = request
        self._stored = stored
        self._as_of = as_of
        self._troubles = troubles
        self._documents: dict[str, MemoryDocument] = {}

    def load(self) -> Memory:
        """Asks the sources and returns what they gave."""
        request = self._request
        server = request.settings.server
        if server is not None and request.at is None and request.wants(graph_path(server)):
            self._add_graph(server)
        if request.source != "mcp":
            has_files = request.asks(MemorySource.FILES) and self._add_files()
            self._add_stored(missing=has_files)
        found: dict[str, list[MemoryDocument]] = {name: [] for name in request.categories}
        for path, document in self._documents.items():
            found.setdefault(request.rules.category(path), []).append(document)
        for path, document in self._removed(found):
            found.setdefault(request.rules.category(path), []).append(document)
        newest = self._stored.newest if self._stored is not None else None
        return Memory(
            as_of=self._as_of,
            snapshot=newest.id if newest is not None else None,
            categories=tuple(
                MemoryCategory(name=name, documents=tuple(sorted(documents, key=self._rank)))
                for name, documents in sorted(found.items())
            ),
            troubles=tuple(self._troubles),
        )

    def _add_graph(self, server: MemoryServer) -> None:
        request, path = self._request, graph_path(server)
        graph = find_graph(server, request.root, live=request.asks(MemorySource.MCP), stored=request.asks(MemorySource.FILES))
        offers: list[Offer | MemoryTrouble] = [*graph.troubles]
        if graph.data is not None:
            offers.append(self._offer(path, Kind.JSONL, graph.data, hash_bytes(graph.data), graph.source, None))
        self._documents[path] = self._best(path, Kind.JSONL, chain(offers, self._from_archive(path)))

    def _add_files(self) -> bool:
        """Adds what is on disk; says whether the disk could be looked at."""
        request = self._request
        states = self._stored.states if self._stored is not None else {}
        if request.root is None:
            return False
        try:
            found = scan(request.root, request.rules, exclude_paths=request.exclude_paths, known=states)
        except SourceUnreadable as error:
            self._troubles.append(MemoryTrouble(MemorySource.FILES, TroubleKind.UNREADABLE, error.message))
            return False
        wanted = [(stat, _kind(states, stat.path)) for stat in found.files if request.wants(stat.path)]
        with looking_at(request.root, wanted) as everything:
            for seen in everything:
                self._documents[seen.stat.path] = self._file(seen, states)
        for problem in (*found.problems, *found.skipped):
            path = problem.path
            if path not in self._documents and request.wants(path) and (path in states or kind_of(path) is not None):
                self._documents[path] = self._best(path, _kind(states, path), self._after(_unreadable(problem), path))
        return True

    def _file(self, seen: Seen, states: Mapping[str, DocumentState]) -> MemoryDocument:
        path = seen.stat.path
        if not seen.is_read:
            assert seen.problem is not None
            return self._best(path, _kind(states, path), self._after(_unreadable(seen.problem), path))
        offer = self._offer(path, seen.kind, seen.data, seen.hash, MemorySource.FILES, seen.stat.mtime_ns)
        return self._best(path, seen.kind, self._after(offer, path))

    def _add_stored(self, *, missing: bool) -> None:
        """Adds what only the archive has; `missing` says that it should be on disk."""
        for path, state in self._stored.states.items() if self._stored is not None else ():
            if path in self._documents:
                continue
            offers = self._from_archive(path)
            if missing and not is_virtual(path):
                offers = self._after(self._missing(path), path)
            self._documents[path] = self._best(path, state.kind, offers)

    def _missing(self, path: str) -> MemoryTrouble:
        root = self._request.root
        if root is not None and (root / path).is_dir():
            return MemoryTrouble(MemorySource.FILES, TroubleKind.UNREADABLE, "a folder is in its place")
        return MemoryTrouble(MemorySource.FILES, TroubleKind.MISSING, "there is no such file")

    def _removed(self, found: Mapping[str, Sequence[MemoryDocument]]) -> Iterator[tuple[str, MemoryDocument]]:
        """Yields what was removed last of each category that has nothing else, or all of it could vanish with one backup."""
        removed = self._stored.removed if self._stored is not None and self._request.source != "files" else {}
        empty: dict[str, dict[str, int]] = {}
        for path, snapshot_id in removed.items():
            category = self._request.rules.category(path)
            if all(document.source is MemorySource.NONE for document in found.get(category, ())):
                empty.setdefault(category, {})[path] = snapshot_id
        for paths in empty.values():
            for path, snapshot_id in paths.items():
                if snapshot_id == max(paths.values()) and path not in self._documents:
                    gone = MemoryTrouble(MemorySource.FILES, TroubleKind.MISSING, f"it was gone in snapshot {snapshot_id}")
                    yield path, self._best(path, None, self._after(gone, path))

    def _offer(self, path: str, kind: Kind, data: bytes, hash_: str, source: MemorySource, mtime_ns: int | None) -> Offer:
        state = self._stored.states.get(path) if self._stored is not None else None
        is_known = state is not None and state.hash == hash_
        older = None if is_known or self._stored is None else self._stored.content_to_compare(path)
        judgement = judge(kind, data, source, older, self._request.settings.shrunken_below)
        if state is not None and is_known:
            return Offer(source, kind, state.mtime_ns if mtime_ns is None else mtime_ns, state.since, judgement)
        return Offer(source, kind, mtime_ns, None, judgement)

    def _from_archive(self, path: str) -> Iterator[Offer | MemoryTrouble]:
        if self._stored is not None and self._stored.newest is not None and self._request.asks(MemorySource.ARCHIVE):
            yield from self._stored.offers(path)

    def _after(self, first: Offer | MemoryTrouble, path: str) -> Iterator[Offer | MemoryTrouble]:
        yield first
        yield from self._from_archive(path)

    def _best(self, path: str, kind: Kind | None, offers: Iterable[Offer | MemoryTrouble]) -> MemoryDocument:
        """Returns the first offer with which nothing is wrong, else the first of which anything can be read."""
        troubles: list[MemoryTrouble] = []
        best: Offer | None = None
        valid = False
        for offer in offers:
            trouble = offer if isinstance(offer, MemoryTrouble) else offer.judgement.trouble
            if trouble is not None:
                troubles.append(trouble)
            if isinstance(offer, Offer) and (trouble is None or (best is None and offer.judgement.readable)):
                best, valid = offer, trouble is None
            if valid:
                break
        snapshot = best.snapshot if best is not None else None
        if best is not None and valid and self._stored is not None and (alarm := self._stored.alarm(path, snapshot)):
            # It was backed up so, and may be meant so; whoever reads it should know all the same.
            troubles.append(alarm_stands(best.source, alarm))
        return MemoryDocument(
            path=path,
            kind=best.kind if best is not None else kind or kind_of(path) or Kind.TEXT,
            source=best.source if best is not None else MemorySource.NONE,
            snapshot=snapshot,
            label=self._stored.label(snapshot) if self._stored is not None and snapshot is not None else None,
            age_s=None if best is None else self._age(best.mtime_ns),
            valid=valid,
            content=best.judgement.value if best is not None else None,
            troubles=tuple(dict.fromkeys(troubles)),
        )

    def _rank(self, document: MemoryDocument) -> tuple[bool, bool, int, str]:
        """Puts first what speaks for a category: the graph of the server there is, then what stands nearest to the root.

        Not what is valid: another document of that name is another document, perhaps an old copy that nobody keeps up.
        """
        server = self._request.settings.server
        is_graph = server is not None and document.path == graph_path(server)
        return document.source is MemorySource.NONE, not is_graph, document.path.count("/"), document.path

    def _age(self, mtime_ns: int | None) -> float:
        if mtime_ns is None:
            return 0.0
        return round(max(0.0, self._as_of.timestamp() - mtime_ns / 1e9), 3)


def _kind(states: Mapping[str, DocumentState], path: str) -> Kind | None:
    return states[path].kind if path in states else None


def _unreadable(problem: Problem) -> MemoryTrouble:
    kind = TroubleKind.MISSING if problem.kind is ProblemKind.VANISHED else TroubleKind.UNREADABLE
    return MemoryTrouble(MemorySource.FILES, kind, problem.message)
