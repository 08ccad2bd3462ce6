"""What a page works with: the archive, what was asked for, and how to link to everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from archive.api import Archive
from archive.errors import SourceNotFound, UsageError
from archive.extract.printable import shell_word
from archive.model.snapshots import Source

MAX_ARGUMENT = 2_000
MAX_CURSOR = 16_000


@dataclass(frozen=True)
class Links:
    """Makes links; everything in them is quoted.

    Attributes:
        database: Path of the database.
        static: Path below which our own files are served.
        home: Path of Datasette's first page.
    """

    database: str
    static: str
    home: str

    def page(self, page: str, **arguments: object) -> str:
        """Returns the address of one of our pages; what is None or empty is left out."""
        return f"{self.database}/-/{page}{_query(arguments)}"

    def sql(self, statement: str, **parameters: object) -> str:
        """Returns the address at which Datasette shows a statement and its rows."""
        return f"{self.database}{_query({'sql': ' '.join(statement.split()), **parameters})}"

    def table(self, table: str, **filters: object) -> str:
        """Returns the address of a table or view."""
        return f"{self.database}/{quote(table)}{_query(filters)}"


class Asked(NamedTuple):
    """Rows, and where Datasette shows the statement that gave them."""

    rows: list[dict[str, Any]]
    link: str


class Redirect(NamedTuple):
    """Sends the browser elsewhere."""

    url: str


class Download(NamedTuple):
    """Gives bytes to be kept as a file."""

    name: str
    data: bytes

    def disposition(self) -> str:
        """Returns the header that names the file; a name can hold anything."""
        plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in self.name)
        return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.name, safe='', errors='replace')}"


@dataclass
class View:
    """One request to a page."""

    archive: Archive
    links: Links
    page: str
    arguments: Mapping[str, str]
    now: datetime
    sources: tuple[Source, ...] = field(init=False)
    source: Source | None = field(init=False)

    def __post_init__(self) -> None:
        # A cursor names all that was shown so far, and there are never more hits than are ranked.
        if any(len(value) > (MAX_CURSOR if name == "cursor" else MAX_ARGUMENT) for name, value in self.arguments.items()):
            raise UsageError("a parameter of the address is too long", hint="Shorten it.")
        self.sources = self.archive.sources()
        name = self.arguments.get("source")
        self.source = next((source for source in self.sources if name in (None, "", source.name)), None)
        if self.source is None and name:
            raise SourceNotFound(f"the archive holds no source called {name!r}", hint="Choose one on this page.")
        self.archive.source_name = self.source.name if self.source else None

    @property
    def source_id(self) -> int:
        """Id of the source that is shown; 0 where the archive is empty."""
        return self.source.id if self.source else 0

    def get(self, name: str, default: str = "") -> str:
        """Returns an argument without the space around it."""
        return self.arguments.get(name, "").strip() or default

    def number(self, name: str, default: int = 0, *, most: int = 2**62) -> int:
        """Returns an argument that is a whole number of at least 0.

        Raises:
            UsageError: It is something else.
        """
        text = self.get(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise UsageError(f"{name} is a number, and not {text[:40]!r}", hint="Go back and follow a link of the page.")
        return min(int(text), most)

    def ask(self, statement: str, **parameters: Any) -> Asked:
        """Runs a statement; what the page shows and what it links to is the same one."""
        found = self.archive.sql(statement, parameters)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        return Asked(rows, self.links.sql(statement, **parameters))

    def link(self, page: str = "", **changes: object) -> str:
        """Returns the address of this page with other arguments, or of another page for the same source."""
        if page and page != self.page:
            source = self.get("source") if len(self.sources) > 1 else ""
            return self.links.page(page, source=source, **changes)
        return self.links.page(self.page, **{**self.arguments, **changes})

    def around(self) -> dict[str, Any]:
        """Returns what every template uses."""
        return {
            "link": self.link,
            "sources": self.sources,
            "source": self.source,
            "get": self.get,
            "file": self.archive.path.name,
        }


def command(*words: str) -> str:
    """Returns a command line that can be copied into a shell."""
    return " ".join(["archive", *map(shell_word, words)])


def _query(arguments: Mapping[str, object]) -> str:
    said: Sequence[tuple[str, str]] = [
        (name, str(value)) for name, value in arguments.items() if value is not None and value != ""
    ]
    return f"?{urlencode(said, errors='replace')}" if said else ""
