"""The memory of a project: what each category holds, where that comes from, and what was wrong with better sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from archive.errors import NotFound
from archive.model.base import Json, Value, jsonable
from archive.model.documents import Kind

SHRUNKEN_BELOW = 0.5
"""A document with less than this share of its items is taken for damaged, where the settings say nothing else."""

SERVER_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryServer(Value):
    """How to reach the memory server of a project (Model Context Protocol).

    Attributes:
        command: Program and arguments that start it; it is spoken to on its standard input and output.
        url: Where it listens (streamable HTTP); `command` is empty then.
        file: The knowledge graph as the server stores it, JSON lines, relative to the project; read where the server does
            not answer. Empty where there is none.
        env: Further environment variables for `command`.
        headers: Further headers for `url`.
        timeout_s: How long all of it may take: start, greetings and answer.
        name: What its document is called.
    """

    command: tuple[str, ...] = ()
    url: str = ""
    file: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = SERVER_TIMEOUT_S
    name: str = "memory"

    @property
    def is_live(self) -> bool:
        """Whether there is a server to ask, and not a file alone."""
        return bool(self.command or self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings(Value):
    """What a project says of its memory.

    Attributes:
        shrunken_below: A document with less than this share of the items that it had is taken for damaged; 0 never does.
        server: The memory server, or None.
    """

    shrunken_below: float = SHRUNKEN_BELOW
    server: MemoryServer | None = None


class MemorySource(StrEnum):
    """Says where a content comes from, the best first."""

    MCP = "mcp"
    FILES = "files"
    ARCHIVE = "archive"
    NONE = "none"


class TroubleKind(StrEnum):
    """Says what is wrong with a source of memory."""

    MISSING = "missing"
    EMPTY = "empty"
    TORN = "torn"  # does not parse
    CONFLICT_MARKERS = "conflict_markers"
    NOT_UTF8 = "not_utf8"
    DUPLICATE_KEYS = "duplicate_keys"
    SHRUNKEN = "shrunken"
    UNREADABLE = "unreadable"  # it is there and the system does not let it be read, or it is too large
    UNREACHABLE = "unreachable"  # a server that does not start, does not listen, or goes away
    TIMEOUT = "timeout"
    GARBAGE = "garbage"  # a server that answers something else than a knowledge graph
    CORRUPT = "corrupt"  # an archive whose content does not match its hash


@dataclass(frozen=True, slots=True)
class MemoryTrouble(Value):
    """What is wrong with one source of one document.

    Attributes:
        source: The source that is worse than it should be.
        message: For people; lower case, no period.
    """

    source: MemorySource
    kind: TroubleKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDocument(Value):
    """The best content that is to be had of one document.

    Attributes:
        source: Where it comes from; `none` if there is no content at all.
        snapshot, label: The snapshot that brought this content; None where no snapshot holds it yet.
        age_s: Seconds since it was last changed, as far as known; for an answer of the server that no snapshot holds yet, 0.
        valid: Whether it is whole. What is not whole is the best there is.
        content: The value; for JSONL the list of the records, for prose the text. None where nothing can be read.
        troubles: What is wrong with the better sources, and with this one where it is not valid.
    """

    path: str
    kind: Kind
    source: MemorySource
    snapshot: int | None
    label: str | None
    age_s: float | None
    valid: bool
    content: Json
    troubles: tuple[MemoryTrouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCategory(Value):
    """One category of the memory.

    Attributes:
        documents: All documents of the category, the one that speaks for it first; none where it was asked for and there
            never was one.
    """

    name: str
    documents: tuple[MemoryDocument, ...]

    @property
    def main(self) -> MemoryDocument | None:
        """The document that speaks for the category: the server's graph, else a valid one, else the one nearest to the root."""
        return self.documents[0] if self.documents else None

    @property
    def source(self) -> MemorySource:
        """Where the main document's content comes from."""
        return self.documents[0].source if self.documents else MemorySource.NONE

    @property
    def valid(self) -> bool:
        """Whether the main document's content is whole."""
        return bool(self.documents) and self.documents[0].valid

    @property
    def content(self) -> Json:
        """The main document's content."""
        return self.documents[0].content if self.documents else None

    def to_json(self) -> dict[str, Json]:
        """Returns the category as a JSON object, what its main document says first."""
        main = self.main
        return {
            "name": self.name,
            "source": self.source.value,
            "path": main.path if main else None,
            "snapshot": main.snapshot if main else None,
            "age_s": main.age_s if main else None,
            "valid": self.valid,
            "troubles": jsonable(main.troubles if main else ()),
            "documents": jsonable(self.documents),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(Value):
    """The whole context of a project, by category.

    Attributes:
        as_of: The moment it is about.
        snapshot: The newest snapshot at that moment; None where there is none.
        categories: By name.
        troubles: What is wrong with a source as a whole.
    """

    as_of: datetime
    snapshot: int | None
    categories: tuple[MemoryCategory, ...]
    troubles: tuple[MemoryTrouble, ...] = ()

    def __getitem__(self, name: str) -> MemoryCategory:
        """Returns a category.

        Raises:
            NotFound: The memory has none of that name.
        """
        for category in self.categories:
            if category.name == name:
                return category
        names = ", ".join(category.name for category in self.categories) or "none"
        raise NotFound(f"the memory has no category {name}", hint=f"It has: {names}.", category=name)

    @property
    def is_whole(self) -> bool:
        """Whether every category is valid and comes from the best source, with nothing wrong anywhere."""
        return not self.troubles and all(
            document.valid and not document.troubles for category in self.categories for document in category.documents
        )

    def to_json(self) -> dict[str, Json]:
        """Returns the memory as a JSON object."""
        return {
            "as_of": jsonable(self.as_of),
            "snapshot": self.snapshot,
            "categories": [category.to_json() for category in self.categories],
            "troubles": jsonable(self.troubles),
        }
