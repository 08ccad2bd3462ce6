"""What SQL gives back, and what an archive says of its own tables and views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archive.model.base import Value

Cell: TypeAlias = "str | int | float | bytes | None"


@dataclass(frozen=True, slots=True)
class Table:
    """The result of a statement.

    Attributes:
        columns: Their names, in order; not always unique.
        rows: All of them.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class ColumnInfo(Value):
    """A column of a table or view.

    Attributes:
        type: As declared; empty for the columns of views.
        description: For people; lower case, no period.
        references: The table whose row the column names; empty if none.
    """

    name: str
    type: str
    description: str
    references: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo(Value):
    """A table or view of the archive.

    Attributes:
        is_view: Views are questions; tables hold what was stored.
        is_internal: Whether it is there for the program and not for people.
        description: A sentence or two.
        query: A statement that shows what it is good for, ready to run; empty for internal ones.
        sql: The statement that made it.
    """

    name: str
    is_view: bool
    is_internal: bool
    description: str
    columns: tuple[ColumnInfo, ...]
    query: str
    sql: str

    @property
    def title(self) -> str:
        """What it is called in a list: `items (table)`."""
        return f"{self.name} ({'view' if self.is_view else 'table'})"
