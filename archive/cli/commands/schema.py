"""Explains the tables and views."""

from __future__ import annotations

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import QueryError
from archive.model.tables import TableInfo


@as_command(
    "schema",
    "archive schema",
    "archive schema current_documents snapshot_changes",
    "archive schema --json | jq '.tables[].name'",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "with_internal", is_flag=True, help="Also show what is there for the program only.")
@click.option("--sql", "with_sql", is_flag=True, help="Show the statements that made them instead.")
@options.output()
@options.place()
def command(place: Place, output: Output, names: tuple[str, ...], with_internal: bool, with_sql: bool) -> None:
    """Explain the tables and views, with a query for each.

    Views are questions and work in any SQLite; 'archive sql' runs their queries, 'archive inspect' shows them in a browser.

    With --json: an object with `tables`, a list; each has its columns, a description, a query that is ready to run, and the
    statement that made it.
    """
    with place.open_whole() as archive:
        found = [table for table in archive.schema() if with_internal or names or not table.is_internal]
    if names:
        unknown = sorted(set(names) - {table.name for table in found})
        if unknown:
            raise QueryError(f"there is no table or view {unknown[0]}", hint="Run 'archive schema --all' to see them all.")
        found = [table for table in found if table.name in names]
    if output.as_json:
        output.json({"tables": [table.to_json() for table in found]})
        return
    for number, table in enumerate(found):
        if number:
            output.say("")
        _show(output, table, with_sql=with_sql)


def _show(output: Output, table: TableInfo, *, with_sql: bool) -> None:
    if with_sql:
        for line in f"{table.sql};".splitlines():
            output.say(line)
        return
    output.say(styled(table.name, "bold"), styled("  view" if table.is_view else "  table", "dim"))
    if table.description:
        output.say("  ", table.description)
    width = max((len(column.name) for column in table.columns), default=0)
    for column in table.columns:
        note = column.description + (f" → {column.references}" if column.references else "")
        output.say("    ", styled(f"{column.name:<{width}}", "cyan"), "  ", note)
    if table.query:
        output.say("  ", styled("query: ", "dim"), styled(table.query, "green"))
