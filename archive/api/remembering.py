"""Giving a project its memory back, from whatever still has it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from archive.api.opening import Opening
from archive.errors import SourceNotFound
from archive.rules import Rules
from archive.sources import root_of
from archive.storage import snapshots

if TYPE_CHECKING:
    from archive.model.memory import Memory, MemorySettings


class Remembering(Opening):
    """Loads the memory."""

    def load_memory(
        self,
        root: Path | str | None = None,
        *,
        at: str | None = None,
        categories: Collection[str] = (),
        source: str = "auto",
        rules: Rules | None = None,
        settings: MemorySettings | None = None,
    ) -> Memory:
        """Returns the whole context of a project by category, each document from the first source that has it whole.

        The sources are, in this order, the memory server for its knowledge graph, the files, and the newest reliable version
        in the archive. A file that is missing, empty, torn, full of conflict markers, not UTF-8, with duplicate names, or
        suddenly much smaller is passed over for an older version that is well, and the document says so; where nothing is
        well, what can be read is given as not valid. Nothing is written, and trouble with a single document is no exception.

        Args:
            root: The project's folder; the source's own by default.
            at: A moment of the past, for which the archive alone is asked.
            categories: Which to load; by default all but prose and other data.
            source: `auto`, or `mcp`, `files` or `archive` to ask that one alone.
            rules: What is a document and of which category; by default what the last backup said.
            settings: The memory server, and when a document counts as shrunken.

        Raises:
            SnapshotNotFound: No snapshot is meant by `at`.
            UsageError: What is asked for makes no sense, such as the past of the files.
            CorruptArchive: The archive cannot be read at all; `archive memory` then goes on without it.
        """
        from archive.memory import MemoryRequest, load_memory
        from archive.model.memory import MemorySettings, MemorySource, MemoryTrouble, TroubleKind

        troubles: list[MemoryTrouble] = []
        with self._database.reading() as connection:
            found = None
            if self.source_name is not None or snapshots.sources(connection):
                found = snapshots.find_source(connection, self.source_name)
            folder = None if root is None else Path(os.path.abspath(root))
            if folder is None and found is not None:
                try:
                    folder = root_of(found, self.path)
                except SourceNotFound as error:
                    troubles.append(MemoryTrouble(MemorySource.FILES, TroubleKind.MISSING, error.message))
            request = MemoryRequest(
                root=folder,
                rules=rules or Rules.from_json(found.rules if found is not None else None),
                settings=settings or MemorySettings(),
                at=self._resolve(connection, found, at) if found is not None and at is not None else None,
                source=source,
                categories=categories,
                exclude_paths=self._own_files(),
            )
            return load_memory(connection, found, request, self._clock, troubles)
