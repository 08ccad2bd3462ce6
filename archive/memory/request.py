"""Says what of a project's memory is wanted, and from where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from archive.errors import UsageError
from archive.model.memory import MemorySettings, MemorySource
from archive.model.snapshots import Snapshot
from archive.rules import DOCS_CATEGORY, OTHER_CATEGORY, VIRTUAL_CATEGORY, Rules

SOURCES = ("auto", "mcp", "files", "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRequest:
    """What is wanted, and where it may be.

    Attributes:
        root: The project's folder; None where it is not to be had.
        at: A moment of the past; None for now. Then the archive alone is asked.
        source: One of `SOURCES`; `auto` asks all of them.
        categories: None mean all but prose and other data.
        exclude_paths: Absolute paths that are never looked at: the archive's own files.

    Raises:
        UsageError: What is wanted makes no sense.
    """

    root: Path | None
    rules: Rules
    settings: MemorySettings = field(default_factory=MemorySettings)
    at: Snapshot | None = None
    source: str = "auto"
    categories: Collection[str] = ()
    exclude_paths: Collection[Path] = ()

    def __post_init__(self) -> None:
        if isinstance(self.categories, str):
            raise UsageError("categories are a list of texts, not one text", hint="Write categories=['tasks'].")
        if self.source not in SOURCES:
            raise UsageError(f"there is no source {self.source!r}", hint=f"Use one of {', '.join(SOURCES)}.")
        if self.at is not None and self.source in ("mcp", "files"):
            raise UsageError(f"the past is in the archive, not in {self.source}", hint="Leave out the source, or the moment.")
        if self.source == "mcp" and not (self.settings.server and self.settings.server.is_live):
            raise UsageError(
                "the settings name no memory server",
                hint="Write a table [mcp] with command or url to archive.toml; 'archive init' writes a file with examples.",
            )

    def asks(self, source: MemorySource) -> bool:
        """Says whether a source is to be asked."""
        if self.at is not None:
            return source is MemorySource.ARCHIVE
        return self.source in ("auto", source.value)

    def wants(self, path: str) -> bool:
        """Says whether a document is wanted."""
        category = self.rules.category(path)
        if self.source == "mcp" and category != VIRTUAL_CATEGORY:
            return False
        return category in self.categories if self.categories else category not in (DOCS_CATEGORY, OTHER_CATEGORY)
