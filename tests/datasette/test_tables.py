"""What Datasette users expect of a well-made file: search, facets, labels, descriptions, hidden internals, counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from archive import Archive
from archive.datasette_plugin.databases import is_archive
from tests.datasette.conftest import Site
from tests.sql.sample import STATES

SEARCHED = ("items", "current_items", "item_history")


@pytest.mark.parametrize("table", SEARCHED)
def test_items_have_a_search_box_that_finds(site: Site, table: str) -> None:
    assert 'name="_search"' in site.get(f"./{table}").text
    rows = site.json(f"./{table}.json", _search="lighthouse", _shape="objects", _size=100)["rows"]
    assert len(rows) >= 4
    assert all("lighthouse" in (row["title"] + row["text"] + row["key"]).lower() for row in rows)
    assert site.json(f"./{table}.json", _search="TASK-12 'quote\" (", _shape="objects")["rows"] == []


@pytest.mark.parametrize(
    ("table", "facets"),
    [
        ("current_items", {"category", "document_kind", "kind"}),
        ("current_tasks", {"status", "priority", "kind", "assignees"}),
        ("snapshot_changes", {"change"}),
        ("current_documents", {"category", "kind", "parse_state"}),
        ("current_problems", {"kind", "severity"}),
    ],
)
def test_tables_and_views_have_facets(site: Site, table: str, facets: set[str]) -> None:
    found = site.facets(table)
    assert facets <= set(found)
    assert sum(value["count"] for value in found[next(iter(facets - {"assignees"}))]["results"]) > 0


def test_a_facet_narrows_the_rows(site: Site) -> None:
    rows = site.json("./snapshot_changes.json", change="removed", _shape="objects")["rows"]
    assert [row["path"] for row in rows] == ["docs/old.md"]


def test_rows_that_refer_to_others_show_their_labels(site: Site) -> None:
    page = site.get("./versions").text
    assert re.search(r'<a href="/archive/snapshots/1">20200101_120000</a>', page)
    assert re.search(r'<a href="/archive/documents/\d+">docs/old\.md</a>', page)
    assert '<a href="/archive/sources/1">boat</a>' in site.get("./documents").text


def test_internals_are_hidden_and_questions_are_not(site: Site) -> None:
    found = site.json(".json")
    shown = {table["name"] for table in found["tables"] if not table["hidden"]}
    assert shown == {
        "sources",
        "snapshots",
        "documents",
        "versions",
        "problems",
        "restores",
        "checks",
        "items",
        "tasks",
        "task_dependencies",
    }
    hidden = {table["name"] for table in found["tables"] if table["hidden"]}
    assert {
        "blobs",
        "contents",
        "deltas",
        "_stat_cache",
        "_indexing",
        "_alembic_version",
        "items_fts",
    } <= hidden
    assert {view["name"] for view in found["views"]} >= {"current_documents", "available_tasks", "storage_by_document"}


def test_counts_are_those_of_the_archive(site: Site, sample: Path) -> None:
    counts = {table["name"]: table["count"] for table in site.json(".json")["tables"]}
    with Archive.open(sample) as archive:
        stats = archive.stats()
    assert (counts["snapshots"], counts["documents"], counts["versions"]) == (len(STATES), stats.documents, stats.versions)


def test_every_table_and_column_that_is_shown_is_described(site: Site) -> None:
    for name in ("snapshots", "current_documents", "tasks", "storage_by_document"):
        response = site.get(f"./{name}")
        assert response.status_code == 200
        page = response.text
        columns = site.columns(name)
        described = page.partition('class="column-descriptions"')[2].partition("</dl>")[0]
        assert described.count("<dt>") == len(columns), name


def test_ready_queries_are_listed_and_run(site: Site) -> None:
    queries = site.queries()
    assert len(queries) >= 11
    for query in queries:
        assert site.get(f"./{query}.json").status_code == 200


def test_dates_can_be_sorted_in_views_too(site: Site) -> None:
    for table, column in (("document_history", "first_at"), ("snapshots", "created_at"), ("current_documents", "changed_at")):
        for order in ("_sort", "_sort_desc"):
            rows = site.json(f"./{table}.json", _shape="objects", **{order: column})["rows"]
            values = [row[column] for row in rows]
            assert values == sorted(values, reverse=order == "_sort_desc")


def test_json_is_shown_indented_and_everything_escaped(site: Site) -> None:
    page = site.get("./current_documents").text
    assert "<pre style=" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_functions_can_be_called(site: Site) -> None:
    response = site.query(sql="SELECT archive_at('latest') AS n, length(archive_content(1)) > 0 AS c", _shape="array")
    assert response.json() == [{"n": len(STATES), "c": 1}]


def test_a_statement_that_runs_away_is_stopped_also_inside_our_functions(sample: Path, sites: Callable[[Any], Site]) -> None:
    site = sites(Datasette([str(sample)], settings={"sql_time_limit_ms": 60}))
    many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"
    for expression in ("count(*)", "count(archive_content(x % 9 + 1))", "count(archive_diff(1, x % 9 + 1))"):
        response = site.query(sql=many.format(expression))
        assert response.status_code == 400
        assert "interrupted" in response.text.lower() or "time limit" in response.text.lower()


def test_other_databases_are_left_alone(tmp_path: Path, sample: Path, sites: Callable[[Any], Site]) -> None:
    import sqlite3
    from contextlib import closing

    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE snapshots (tags TEXT)")
    site = sites(Datasette([str(other), str(sample)]))
    assert not is_archive(site.datasette.databases["other"])
    assert site.get("/other/-/timeline").status_code == 404
    assert site.get("/nowhere/-/timeline").status_code == 404
    assert site.get("/-/archive").headers["location"] == "/archive/-/timeline"
    assert site.query("other", sql="SELECT archive_at('latest')").status_code == 400
    assert "The immutable record" not in site.get("/other/snapshots").text
    assert "The immutable record" in site.get("/archive/snapshots").text
    assert site.get("/archive/-/timeline").status_code == 200


def test_a_datasette_without_the_plugin_opens_it_too(sample: Path, sites: Callable[[Any], Site], bare: None) -> None:
    for arguments in ({"files": [str(sample)]}, {"immutables": [str(sample)]}):
        site = sites(Datasette(**arguments))
        assert 'name="_search"' in site.get("./items").text
        for name in ("current_documents", "available_tasks", "snapshot_changes", "storage_by_document", "current_problems"):
            assert site.json(f"./{name}.json", _shape="objects")["rows"], name
        assert site.get("./-/timeline").status_code >= 400


@pytest.fixture
def bare() -> Any:
    """Datasette as it is where the plugin is not installed."""
    from datasette.plugins import pm

    import archive.datasette_plugin as plugin

    was = pm.get_name(plugin)
    if was:
        pm.unregister(plugin)
    yield
    if was:
        pm.register(plugin, name=was)
