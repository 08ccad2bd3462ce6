"""Holds what differs between the stable Datasette and the alphas of 1.0."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from archive.datasette_plugin.databases import archives
from archive.datasette_plugin.metadata import metadata_of

# Set on a Datasette that was made with our metadata.
TOLD = "_archive_metadata_is_told"
# Of what metadata says of a table, what 1.0 takes from its configuration instead.
_CONFIGURATION = frozenset({
    "hidden", "label_column", "facets", "sort", "sort_desc", "sortable_columns", "fts_table", "fts_pk", "size", "column_types",
})  # fmt: skip


def is_one(datasette: Any) -> bool:
    """Whether it is a Datasette of 1.0, which has no hook for metadata."""
    return hasattr(datasette, "set_column_metadata")


def configure(config: dict[str, Any], name: str, found: dict[str, Any]) -> None:
    """Adds what 1.0 takes from its configuration; what is there already stays."""
    database = config.setdefault("databases", {}).setdefault(name, {})
    for table, said in found.get("tables", {}).items():
        own = database.setdefault("tables", {}).setdefault(table, {})
        for key in _CONFIGURATION & said.keys():
            own.setdefault(key, said[key])
    for query, said in found.get("queries", {}).items():
        database.setdefault("queries", {}).setdefault(query, said)


def startup(datasette: Any) -> Callable[[], Any] | None:
    """Returns what a Datasette of 1.0 is to await when it starts; None for an older one."""
    if not is_one(datasette):
        return None

    async def tell() -> None:
        for name, database in archives(datasette):
            found = metadata_of(database)
            configure(datasette.config, name, found)
            known = await datasette.get_database_metadata(name)
            for key in ("description", "source"):
                if key in found and key not in known:
                    await datasette.set_database_metadata(name, key, found[key])
            for table, said in found.get("tables", {}).items():
                if said["description"]:
                    await datasette.set_resource_metadata(name, table, "description", said["description"])
                for column, text in said["columns"].items():
                    await datasette.set_column_metadata(name, table, column, "description", text)

    return tell


def told(datasette: Any, database: str | None, table: str | None) -> dict[str, Any]:
    """Returns metadata for a Datasette before 1.0, which merges its own configuration into what it gets.

    So it gets a copy each time. Otherwise what one Datasette is told to deny would be denied by all others of the process.
    """
    if getattr(datasette, TOLD, False):
        return {}
    found: dict[str, Any] = {}
    for name, each in archives(datasette):
        if database is not None and name != database:
            continue
        said = metadata_of(each)
        if table is not None:
            said = {**said, "tables": {key: value for key, value in said.get("tables", {}).items() if key == table}}
        found[name] = copy.deepcopy(said)
    return {"databases": found}


async def require_view(datasette: Any, actor: Any, database: str) -> None:
    """Raises Datasette's Forbidden unless the actor may see everything in the database, as the pages show it."""
    actions = ("view-database", "execute-sql")
    if hasattr(datasette, "allowed"):
        from datasette import Forbidden
        from datasette.resources import DatabaseResource

        for action in actions:
            if not await datasette.allowed(action=action, resource=DatabaseResource(database), actor=actor):
                raise Forbidden(action)
        return
    for action in actions:
        await datasette.ensure_permissions(actor, [(action, database), "view-instance"])
