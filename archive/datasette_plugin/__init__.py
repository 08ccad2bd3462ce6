"""Is the Datasette plugin: five pages, the SQL functions, and what Datasette is to know of the tables.

It serves every database of the running Datasette that is an archive, and leaves all others alone. It works with the stable
Datasette and with the alphas of 1.0, which have other ways to take in metadata; `compat` holds what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from datasette import hookimpl
from markupsafe import Markup

from archive.clock import SystemClock
from archive.datasette_plugin import cells, compat
from archive.datasette_plugin.databases import archives, is_archive, secret_rules
from archive.datasette_plugin.serving import PAGES, routes
from archive.storage.functions import Driver, register


@hookimpl
def prepare_connection(conn: Driver, database: str, datasette: Any) -> None:
    """Gives the SQL functions to connections to archives."""
    if is_archive(datasette.databases.get(database)):
        register(conn, SystemClock())


@hookimpl
def startup(datasette: Any) -> Callable[[], Any] | None:
    """Tells a Datasette of 1.0 what there is to know of the tables."""
    return compat.startup(datasette)


@hookimpl
def get_metadata(datasette: Any, database: str | None, table: str | None) -> dict[str, Any]:
    """Tells an older Datasette the same, of as much as it asks about."""
    return compat.told(datasette, database, table)


@hookimpl
def register_routes() -> Sequence[tuple[str, Callable[..., Any]]]:
    """Adds the pages."""
    return routes()


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """Adds the first page of each archive to Datasette's menu."""
    return [
        {"href": f"{datasette.urls.database(name)}/-/timeline", "label": f"Timeline of {name}"}
        for name, _ in archives(datasette)
    ]


@hookimpl
def database_actions(datasette: Any, database: str) -> list[dict[str, str]]:
    """Adds the pages to the menu of a database that is an archive."""
    if not is_archive(datasette.databases.get(database)):
        return []
    return [{"href": f"{datasette.urls.database(database)}/-/{name}", "label": title} for name, title in PAGES.items()]


@hookimpl
def render_cell(value: Any, column: str, database: str, datasette: Any) -> Markup | None:
    """Shows JSON indented, cuts long content with a note of its size, and masks what looks like a secret."""
    found = datasette.databases.get(database)
    return cells.rendered(column, value, secret_rules(found)) if is_archive(found) else None
