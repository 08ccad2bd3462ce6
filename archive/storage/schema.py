"""Lists the tables and views of an archive with what there is to say of them."""

from __future__ import annotations

from archive.describing import RawColumn, describe, rank
from archive.model.tables import TableInfo
from archive.storage.connection import Connection
from archive.storage.rows import fetch

_NAMES = (
    "SELECT name, sql FROM main.sqlite_master WHERE type IN ('table', 'view') AND sql <> '' AND name NOT LIKE 'sqlite~_%'"
    " ESCAPE '~' ORDER BY rowid"
)


def tables(connection: Connection) -> list[TableInfo]:
    """Returns the views, then the tables, those for the program itself last."""
    found = []
    for name, sql in fetch(connection, _NAMES):
        references = {row[3]: row[2] for row in fetch(connection, f'PRAGMA main.foreign_key_list("{name}")')}
        # table_info leaves computed columns out; of those that table_xinfo adds, 1 are the hidden ones of virtual tables.
        columns = [
            RawColumn(row[1], row[2], references.get(row[1], ""))
            for row in fetch(connection, f'PRAGMA main.table_xinfo("{name}")')
            if row[6] != 1
        ]
        found.append(describe(name, sql, columns))
    return sorted(found, key=lambda table: rank(table.name))
