"""What an adapter is: the part of the program that knows one tool's way of keeping tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from archive.model.base import Json
from archive.model.documents import Kind
from archive.model.tasks import TaskDraft


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One version of a document, read.

    Attributes:
        path: Relative to the root, POSIX. A hint: what counts is the shape of the value.
        value: For JSON the value, for JSONL the list of the values of the lines that can be read, for Markdown and text
            the text.
        data: The bytes, where they are known to be what the value was read from; for quick looks only.
    """

    path: str
    kind: Kind
    value: Json
    data: bytes = b""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without its last part; empty at the root."""
        return self.path.rpartition("/")[0]

    @property
    def text(self) -> str:
        """The text, if it is Markdown or text; else empty."""
        return self.value if isinstance(self.value, str) and self.kind in (Kind.MARKDOWN, Kind.TEXT) else ""

    @property
    def members(self) -> dict[str, Json]:
        """The members, if it is a JSON object; else empty."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> list[Json]:
        """The elements of a JSON array or the records of JSONL; else empty."""
        return self.value if isinstance(self.value, list) else []


class Adapter(Protocol):
    """Turns the documents of one tool into task drafts; pure.

    A third party's adapter is found through the entry point group `archive.task_adapters`. What it returns is completed
    by the registry (see `TaskDraft`), and what it raises is reported as a problem of the document, never more than
    that.
    """

    @property
    def name(self) -> str:
        """What it is called in reports; lower case with hyphens."""

    def matches(self, document: ParsedDocument) -> float:
        """Says how sure it is that the document is one of its own, from 0 (is not) to 1.

        The surest adapter gets the document alone. The built-in ones say 0.9 where the shape can be nothing else, and
        at most 0.3 where it could be anything with a title and a status.
        """

    def extract(self, document: ParsedDocument) -> Iterable[TaskDraft]:
        """Returns the tasks in document order. It is asked only about documents that it matched."""
