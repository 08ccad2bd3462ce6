"""`archive sql` and `archive schema` as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, program_environment, run_on_terminal
from tests.sql.sample import STATES


def run(sample: Path, *arguments: str) -> Ran:
    from click.testing import CliRunner

    from archive.cli import main

    result = CliRunner().invoke(main, [arguments[0], "--db", str(sample), *arguments[1:]], catch_exceptions=False)
    return Ran(result.exit_code, result.stdout, result.stderr)


STATEMENT = "SELECT version, size_bytes FROM document_history WHERE path = 'docs/roadmap.md' ORDER BY version"


def test_a_table_is_what_is_printed_unless_something_else_is_said(sample: Path) -> None:
    lines = run(sample, "sql", STATEMENT).out.splitlines()
    assert lines[0].split() == ["version", "size_bytes"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]


def test_every_format_says_the_same(sample: Path) -> None:
    as_json = run(sample, "sql", STATEMENT, "--json").json
    assert [row["version"] for row in as_json] == [1, 2]
    assert [json.loads(line) for line in run(sample, "sql", STATEMENT, "--nl").out.splitlines()] == as_json
    for form, delimiter in (("--csv", ","), ("--tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(run(sample, "sql", STATEMENT, form).out), delimiter=delimiter))
        assert [{name: int(value) for name, value in row.items()} for row in rows] == as_json


@pytest.mark.parametrize(("form", "out"), [("--json", "[]\n"), ("--nl", ""), ("--csv", "x\n")])
def test_nothing_found_is_said_in_each_format(sample: Path, form: str, out: str) -> None:
    assert run(sample, "sql", "SELECT 1 AS x WHERE 0", form).out.replace("\r", "") == out


def test_a_moment_and_parameters_can_be_given(sample: Path) -> None:
    statement = "SELECT count(*) AS n FROM documents WHERE path = :path"
    assert run(sample, "sql", statement, "-p", "path", "docs/old.md", "--at", "2", "--json").json == [{"n": 1}]
    assert run(sample, "sql", statement, "-p", "path", "docs/old.md", "--at", "latest", "--json").json == [{"n": 0}]


def test_what_a_terminal_would_act_on_is_escaped(sample: Path) -> None:
    found = run(sample, "sql", "SELECT 'a' || char(27) || '[31m' || char(10) || 'b' AS x, x'ff00' AS y")
    assert "\x1b" not in found.out
    assert "a\\x1b[31m\\nb" in found.out
    assert len(found.out.splitlines()) == 3


def test_bytes_are_json_in_the_way_of_sqlite_utils(sample: Path) -> None:
    assert run(sample, "sql", "SELECT x'00ff' AS y", "--json").json == [{"y": {"$base64": True, "encoded": "AP8="}}]


def test_what_json_cannot_say_plainly_is_said_as_every_command_says_it(sample: Path) -> None:
    statement = "SELECT 9e999 AS most, -9e999 AS least, 1.5 AS x, 'sø😀' AS t, 'a' || char(10) AS n"
    for form in ("--json", "--nl"):
        found = run(sample, "sql", statement, form)
        rows = json.loads(found.out if form == "--json" else f"[{found.out}]", parse_constant=pytest.fail)
        assert rows == [{"most": "inf", "least": "-inf", "x": 1.5, "t": "sø😀", "n": "a\n"}]
    assert run(sample, "sql", statement, "--json").out.isascii()


# Once Datasette is loaded, SQLite reports what a function raises beside handing it on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_function_that_fails_says_why(sample: Path) -> None:
    found = run(sample, "sql", "SELECT archive_at('the day before')", "--json")
    assert (found.code, found.json["error"]) == (2, "query")
    assert "the day before" in found.json["message"]
    assert run(sample, "sql", "SELECT archive_at('1', 'nowhere')", "--json").code == 10


@pytest.mark.parametrize("statement", ["DELETE FROM versions", "SELECT nothing", "ATTACH 'x' AS y"])
def test_an_error_has_a_hint_and_exit_code_2(sample: Path, statement: str) -> None:
    found = run(sample, "sql", statement, "--json")
    assert found.code == 2
    assert found.json["error"] == "query"
    assert "archive schema" in found.json["hint"]


def test_json_and_another_format_do_not_go_together(sample: Path) -> None:
    assert run(sample, "sql", "SELECT 1", "--json", "--csv").code == 2


def test_a_limit_of_time_is_kept(sample: Path) -> None:
    found = run(
        sample, "sql", "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n", "--limit", "0.05"
    )
    assert (found.code, found.out) == (2, "")
    assert "took longer" in found.err


def test_interrupting_ends_a_statement_that_runs_away(sample: Path) -> None:
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    program = (
        "import signal, sys, threading, os\n"
        "from archive.cli import main\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        f"main(['sql', '--db', {str(sample)!r}, {endless!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=program_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr


def test_the_schema_says_what_there_is_to_ask(sample: Path) -> None:
    found = run(sample, "schema")
    assert "current_documents  view" in found.out
    assert "query: SELECT" in found.out
    assert "_stat_cache" not in found.out
    assert "_stat_cache" in run(sample, "schema", "--all").out


def test_the_schema_is_json_too_and_each_query_in_it_runs(sample: Path) -> None:
    tables = run(sample, "schema", "--json").json["tables"]
    assert {"name", "is_view", "is_internal", "description", "columns", "query", "sql"} == tables[0].keys()
    for table in tables:
        assert run(sample, "sql", table["query"], "--json").code == 0


def test_one_table_can_be_asked_for_and_its_statement(sample: Path) -> None:
    assert run(sample, "schema", "snapshots").out.startswith("snapshots  table\n")
    assert run(sample, "schema", "snapshots", "--sql").out.startswith("CREATE TABLE snapshots (\n")
    assert run(sample, "schema", "nowhere").code == 2


def test_on_a_terminal_it_is_a_table_too(sample: Path) -> None:
    found = run_on_terminal("sql", "--db", os.fsencode(sample), "SELECT count(*) AS n FROM snapshots", cwd=sample.parent)
    assert found.code == 0
    assert str(len(STATES)) in found.out
