"""`archive tasks`: the list and every question, as a person and as a program meet them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from archive import Archive
from archive.cli import main
from tests.cli.conftest import Invoke, Ran, run_on_terminal
from tests.conftest import FixedClock
from tests.tasks.conftest import Project
from tests.unit.tasks import samples


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a project that was saved on three days; what most tests ask about."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "project").mkdir()
    with Archive.create(folder / "archive.db", clock=(clock := FixedClock())) as archive:
        save_three_days(Project(archive, folder / "project", clock))
    return folder / "archive.db"


def save_three_days(project: Project) -> None:
    first = samples.rengine(Garden=samples.GARDEN, Shed=samples.SHED)
    project.save({"agents/tasks.json": first, "todo.txt": "(A) Call\n"})
    later = json.loads(json.dumps(first))
    later["active_projects"]["Garden"]["phases"]["phase_1"]["status"] = "complete"
    project.save({"agents/tasks.json": later}, days=1)
    project.save({"agents/tasks.json": b'{"active_projects"', "todo.txt": None}, days=1)


def run_on(path: Path, *args: str) -> Ran:
    result = CliRunner().invoke(main, ["tasks", *args, "--db", str(path)], catch_exceptions=False)
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def invoke(saved: Path) -> Invoke:
    """Runs a command on the project that was saved on three days."""
    return partial(run_on, saved)


def test_the_list_has_what_is_unfinished_and_what_holds_it_back(invoke: Invoke) -> None:
    ran = invoke()
    assert ran.code == 0
    assert "Sow" in ran.out
    assert "Dig" not in ran.out
    assert re.search(r"^phase_4 .* dep:unfinished ", ran.out, re.MULTILINE)
    assert re.search(r"^phase_2 +pending \(last valid\) .* nothing ", ran.out, re.MULTILINE)
    assert "9 tasks of 10, 4 available" in ran.out
    assert "  agents/tasks.json\n    ends inside an object" in ran.out
    assert "Dig" in invoke("--all").out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--status", "done"], ["Dig"]),
        (["--status", "Complete", "--project", "garden"], ["Dig"]),
        (["--project", "SHED", "--at", "1"], ["Buy wood", "Measure", "Nail", "Saw"]),
        (["--path", "todo.txt", "--at", "1"], ["Call"]),
        (["--path", "*.txt"], []),
        (["--assignee", "@Otter", "--project", "Shed"], ["Buy wood", "Measure", "Nail", "Saw"]),
        (["--assignee", "nobody"], []),
    ],
)
def test_filters_narrow_the_list(invoke: Invoke, options: list[str], expected: list[str]) -> None:
    found = invoke(*options, "--json").json
    assert sorted(task["title"] for task in found["tasks"]) == expected


def test_json_has_the_tasks_with_their_reasons(invoke: Invoke) -> None:
    found = invoke("--json").json
    assert set(found) == {"snapshot", "tasks", "total", "problems", "waiting"}
    assert found["total"] == 10
    assert found["waiting"] == 0
    assert found["problems"][0]["kind"] == "last_valid"
    by_title = {task["title"]: task for task in found["tasks"]}
    assert by_title["Sow"]["available"] is True
    assert by_title["Sow"]["from_last_valid"] is True
    assert [reason["code"] for reason in by_title["Harvest"]["reasons"]] == ["dep:unfinished"] * 4


def test_what_is_available_comes_in_its_order_at_any_moment(invoke: Invoke) -> None:
    assert [task["title"] for task in invoke("--available", "--json").json["tasks"]] == ["Measure", "Sow", "Water", "Fence"]
    then = [task["title"] for task in invoke("--available", "--json", "--at", "1").json["tasks"]]
    assert then == ["Dig", "Measure", "Call", "Fence"]
    assert "held back by" not in invoke("--available").out
    assert "available tasks of 11" in invoke("--available", "--at", "1").out


def test_the_next_task_comes_with_the_reason(invoke: Invoke) -> None:
    ran = invoke("--next", "--project", "Garden")
    assert ran.out.startswith("phase_2  Sow\n")
    assert "chosen because of 3 available it is the most urgent, with priority high" in ran.out
    assert invoke("--next", "--json", "--assignee", "someone").json["task"] is None
    assert "assigned to others than someone" in invoke("--next", "--assignee", "someone").out


def test_why_follows_the_reasons_to_their_root(invoke: Invoke) -> None:
    ran = invoke("--why", "Shed/phase_4")
    assert ran.code == 0
    assert "dep:unfinished  phase_3 is pending" in ran.out
    assert "at the root of it\n  phase_1  Measure  it can be worked on\n" in ran.out
    assert len(invoke("--why", "phase_4", "--json").json["explanations"]) == 2
    assert "it can be worked on" in invoke("--why", "Garden/phase_5").out


def test_a_name_that_means_nothing_gets_names_like_it(invoke: Invoke) -> None:
    ran = invoke("--why", "phase_44")
    assert ran.code == 10
    assert "there is no task phase_44" in ran.err
    assert "phase_4" in ran.err
    assert invoke("--history", "x", "--json").code == 10


def test_the_history_of_a_task_says_when_and_in_which_snapshot(invoke: Invoke) -> None:
    ran = invoke("--history", "Garden/phase_1")
    assert re.search(r"pending .*\n.* done +complete +now", ran.out)
    (history,) = invoke("--history", "Garden/phase_1", "--json").json["histories"]
    assert [period["since_snapshot"] for period in history["periods"]] == [1, 2]
    assert " gone" in invoke("--history", "todo.txt#L1").out


def test_changes_since_a_moment(invoke: Invoke) -> None:
    ran = invoke("--changed-since", "1")
    assert re.search(r"^finished +phase_1 +Dig +pending → done", ran.out, re.MULTILINE)
    assert re.search(r"^removed +L1 +Call +pending → gone", ran.out, re.MULTILINE)
    assert "1 finished, 1 removed" in ran.out
    assert [change["kind"] for change in invoke("--changed-since", "2", "--at", "2", "--json").json["changes"]] == []
    assert "no task changed" in invoke("--changed-since", "2", "--at", "2").out


def test_the_graph_is_mermaid_or_dot(invoke: Invoke) -> None:
    assert invoke("--graph").out.startswith("flowchart LR\n")
    dot = invoke("--graph", "dot", "--all").out
    assert dot.startswith("digraph tasks {\n")
    assert "Dig" in dot
    assert "Dig" not in invoke("--graph", "dot").out
    assert set(invoke("--graph", "--json").json) == {"nodes", "edges", "mermaid", "dot"}
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, check=True, timeout=60).stdout
        assert b"Harvest" in drawn


def test_the_burndown_is_lines_in_a_pipe_and_an_svg_that_is_one(invoke: Invoke) -> None:
    assert [line.split() for line in invoke("--burndown").out.splitlines()] == [
        ["day", "open", "done", "cancelled"],
        ["2026-01-02", "11", "0", "0"],
        ["2026-01-03", "10", "1", "0"],
        ["2026-01-04", "9", "1", "0"],
    ]
    svg = ET.fromstring(invoke("--burndown", "svg").out)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(svg.findall("{http://www.w3.org/2000/svg}polygon")) == 3
    assert [day["open"] for day in invoke("--burndown", "--json").json["days"]] == [11, 10, 9]


def test_on_a_terminal_the_burndown_is_a_chart_and_no_line_is_too_long(saved: Path, tmp_path: Path) -> None:
    for width in (60, 120):
        ran = run_on_terminal("tasks", "--burndown", "--db", str(saved), cwd=tmp_path, columns=width)
        assert ran.code == 0
        assert "█ open 9" in re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
        assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= width for line in ran.out.splitlines())
    ran = run_on_terminal("tasks", "--db", str(saved), cwd=tmp_path, columns=72)
    table = ran.out.partition("broken now")[0]
    assert "Harvest" in table
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 72 for line in table.splitlines())


@pytest.mark.parametrize(
    "options",
    [
        ["--available", "--next"],
        ["--containers"],
        ["--graph", "--include-started"],
        ["--status", "done", "--available"],
        ["--burndown", "pie"],
        ["--why", "", "--next"],
    ],
)
def test_options_that_make_no_sense_together_are_usage_errors(invoke: Invoke, options: list[str]) -> None:
    assert invoke(*options).code == 2


@pytest.mark.parametrize("option", ["--why", "--history"])
def test_an_empty_id_names_no_task(invoke: Invoke, option: str) -> None:
    assert invoke(option, "").code == 10


def test_text_of_tasks_cannot_act_on_the_terminal(project: Project) -> None:
    project.save({"readme.md": "# Nothing yet\n"})
    title = "evil\x1b[31m\u202e\ttitle\nforged line"
    project.save({"evil.json": {"tasks": [{"id": "1\x1b[2J", "title": title, "status": "pending", "dependencies": [title]}]}})
    options = (["--all"], ["--why", "1\x1b[2J"], ["--history", "1\x1b[2J"], ["--changed-since", "1"], ["--available"])
    for option in options:
        ran = run_on(project.archive.path, *option)
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
        assert "\nforged" not in ran.out


def test_an_archive_without_tasks_says_so(project: Project) -> None:
    project.save({"readme.md": "# Nothing to do\n"})
    for options, said in ([], "0 tasks"), (["--next"], "there are no tasks"), (["--burndown"], "never were any tasks"):
        ran = run_on(project.archive.path, *options)
        assert said in ran.out
        assert ran.code == 0


def test_the_program_is_found_from_the_folder(project: Project, tmp_path: Path) -> None:
    project.save({"todo.txt": "Call\n"})
    ran = run_on_terminal("tasks", "--available", "--db", str(project.archive.path), cwd=tmp_path)
    assert "Call" in ran.out
