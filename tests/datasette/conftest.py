"""A Datasette over the sample archive, asked through its own client; what differs between its versions is hidden here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.cli.commands.inspect import make
from archive.datasette_plugin.compat import is_one
from tests.sql.conftest import copied, sample

__all__ = ["copied", "sample"]


class Site:
    """Asks a Datasette; the archive's database is the one that is named after its file.

    Attributes:
        is_one: Whether it is a Datasette of 1.0, which answers some questions at other addresses.
    """

    def __init__(self, datasette: Any, name: str = "archive") -> None:
        self.datasette = datasette
        self.is_one = is_one(datasette)
        self.base = f"/{name}"
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(datasette.invoke_startup())

    def get(self, path: str, **parameters: Any) -> Any:
        """Returns the response to a request; a path that begins with `./` is in the database."""
        if path.startswith("."):
            path = self.base + (path[1:] if path.startswith("./") else path)
        return self._loop.run_until_complete(self.datasette.client.get(path, params=parameters or None))

    def get_all(self, *paths: str) -> list[Any]:
        """Returns the responses to requests that are made at once, to pages in the database."""
        client = self.datasette.client

        async def gathered() -> list[Any]:
            return list(await asyncio.gather(*[client.get(self.base + path.removeprefix(".")) for path in paths]))

        return self._loop.run_until_complete(gathered())

    def request(self, method: str, path: str) -> Any:
        return self._loop.run_until_complete(self.datasette.client.request(method, self.base + path))

    def json(self, path: str, **parameters: Any) -> Any:
        """Returns the JSON of a table or statement."""
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text[:500]
        return response.json()

    def query(self, database: str = "archive", **parameters: Any) -> Any:
        """Returns the response, as JSON, to a statement."""
        return self.get(f"/{database}/-/query.json" if self.is_one else f"/{database}.json", **parameters)

    def facets(self, table: str) -> dict[str, Any]:
        """Returns the facets of a table, by name."""
        found = self.json(f"./{table}.json", _shape="objects", _extra="facet_results")["facet_results"]
        return dict(found["results"] if self.is_one else found)

    def columns(self, table: str) -> list[str]:
        """Returns the names of a table's columns."""
        return list(self.json(f"./{table}.json", _shape="objects", _extra="columns")["columns"])

    def queries(self) -> list[str]:
        """Returns the names of all ready queries."""
        return [query["name"] for query in self.json("./-/queries.json" if self.is_one else ".json")["queries"]]

    def close(self) -> None:
        for database in self.datasette.databases.values():
            database.close()
        self.datasette.executor.shutdown(wait=True)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture(scope="module")
def site(sample: Path) -> Iterator[Site]:
    """What `archive inspect` shows of the sample."""
    found = Site(make(sample))
    yield found
    found.close()


@pytest.fixture
def sites() -> Iterator[Callable[[Any], Site]]:
    """Opens further ones, which are closed when the test ends."""
    opened: list[Site] = []

    def open_(datasette: Any, name: str = "archive") -> Site:
        opened.append(Site(datasette, name))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()
