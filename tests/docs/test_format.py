"""archive/FORMAT.md shows exactly the schema that a new archive has."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.storage import migrate

FORMAT = Path(__file__).parents[2] / "archive" / "FORMAT.md"
BLOCK = re.compile(r"<!-- schema: (\w+) -->\n(?:\n?```sql\n.*?\n```\n)?", re.DOTALL)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("format") / "archive.db"
    migrate.create(path)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view') AND sql != ''")
        return {name: sql for name, sql in rows if not name.startswith("_alembic")}


def test_every_statement_in_the_page_is_the_one_in_the_file(schema: dict[str, str], update_golden: bool) -> None:
    page = FORMAT.read_text(encoding="utf-8")
    shown = BLOCK.sub(lambda match: f"<!-- schema: {match[1]} -->\n\n```sql\n{schema[match[1]]}\n```\n", page)
    if update_golden:
        FORMAT.write_text(shown, encoding="utf-8")
    assert page == shown or update_golden, "run: scripts/test tests/docs/test_format.py --update-golden"


def test_every_table_and_view_is_in_the_page(schema: dict[str, str]) -> None:
    shown = set(re.findall(r"<!-- schema: (\w+) -->", FORMAT.read_text(encoding="utf-8")))
    assert {name for name in schema if not name.startswith(("items_fts_",))} == shown
