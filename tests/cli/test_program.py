"""The program as a whole: it starts at once, tells about itself, completes what is typed, and shows itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from archive import __version__
from archive.cli import main
from archive.cli.demo import sample
from archive.cli.group import COMMANDS
from tests.cli.conftest import Invoke, program_environment, run_program

HEAVY = ("sqlalchemy", "alembic", "rich", "pathspec", "zstandard", "sqlite3", "orjson", "yaml")
IMPORTED = """
import json, sys
from archive.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print(json.dumps([ended.code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_of(folder: Path, *args: str) -> tuple[int, list[str]]:
    """Returns the exit code of a command, and the modules that are loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *args],
        cwd=folder,
        env=program_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, modules


@pytest.mark.parametrize("args", [["version"], ["--version"], ["--help"], ["backup", "--help"], ["diff", "--help"], ["bakcup"]])
def test_what_needs_no_archive_imports_nothing_heavy(tmp_path: Path, args: list[str]) -> None:
    code, modules = modules_of(tmp_path, *args)
    assert code == (2 if args == ["bakcup"] else 0)
    assert [name for name in HEAVY if name in modules] == []
    if args[-1] != "bakcup" and len(args) == 1:
        assert [name for name in modules if name.startswith("archive.cli.commands.")] in ([], ["archive.cli.commands.version"])


def test_no_command_but_those_that_make_or_upgrade_an_archive_loads_sqlalchemy(backed_up: Path) -> None:
    commands = [
        *(["backup"], ["search", "roadmap"], ["tasks"], ["cat", "docs/new.md"], ["log", "docs/new.md"]),
        *(["restore", "--at", "1", "--dry-run"], ["sql", "SELECT 1"], ["snapshots"], ["diff", "1", "2"], ["upgrade"]),
    ]
    for args in commands:
        code, modules = modules_of(backed_up, *args)
        assert (args, code, [name for name in ("sqlalchemy", "alembic") if name in modules]) == (args, 0, [])


def test_making_an_archive_loads_sqlalchemy(project: Path) -> None:
    code, modules = modules_of(project, "backup")
    assert code == 0
    assert {"sqlalchemy", "alembic"} <= set(modules)


def test_without_a_memory_server_a_backup_loads_nothing_to_talk_to_one(backed_up: Path) -> None:
    code, modules = modules_of(backed_up, "backup")
    assert (code, [name for name in ("asyncio", "ssl", "mcp", "concurrent.futures") if name in modules]) == (0, [])


def test_without_a_command_help_is_printed(invoke: Invoke) -> None:
    ran = invoke()
    assert ran.code == 0
    assert ran.out == invoke("--help").out
    for name, help_ in COMMANDS.items():
        assert name in ran.out
        assert help_ in ran.out


def test_a_mistyped_command_gets_the_names_like_it(invoke: Invoke) -> None:
    assert "did you mean snapshots?" in invoke("snapshot").err
    assert invoke("frobnicate").err.startswith("error: there is no command 'frobnicate'\n")


def test_the_version_is_the_package_s(invoke: Invoke) -> None:
    assert invoke("version").out.startswith(f"archive {__version__} ")
    assert invoke("--version").out == f"archive {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_the_program(invoke: Invoke, shell: str) -> None:
    out = invoke("completion", shell).out
    assert "_ARCHIVE_COMPLETE" in out
    assert "archive" in out


def completions(*words: str) -> list[str]:
    complete = BashComplete(main, {}, "archive", "_ARCHIVE_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


def test_commands_moments_and_documents_are_completed(backed_up: Path) -> None:
    assert completions("") == list(COMMANDS)
    assert completions("s") == [name for name in COMMANDS if name.startswith("s")]
    assert completions("ls", "--at", "") == ["latest", "20200102_120000", "20200101_120000"]
    assert completions("ls", "--at", "20200101") == ["20200101_120000"]
    assert completions("cat", "docs/") == ["docs/new.md", "docs/roadmap.md"]
    assert completions("restore", "--at", "1", "docs/") == ["docs/roadmap.md"]
    assert "--json" in completions("ls", "--")


def test_where_there_is_no_archive_nothing_is_completed(project: Path) -> None:
    assert completions("cat", "") == []
    assert completions("ls", "--at", "") == []


def test_a_shell_gets_its_completions(backed_up: Path) -> None:
    asked = {"_ARCHIVE_COMPLETE": "bash_complete", "COMP_WORDS": "archive cat docs/n", "COMP_CWORD": "2"}
    assert run_program(cwd=backed_up, **asked).out == "plain,docs/new.md\n"


def test_the_demo_restores_exactly_and_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ran = run_program("demo", cwd=tmp_path, TMPDIR=str(scratch), ARCHIVE_DB=str(tmp_path / "mine.db"))
    assert (ran.code, ran.err) == (0, "")
    total = len(sample.morning())
    assert ran.out.count("byte-exact: ") == 2
    assert f"byte-exact: {total} of {total} files have the SHA-256 of the good day" in ran.out
    for line in (
        "$ archive backup",
        "$ archive snapshots",
        "$ archive diff",
        "$ archive log",
        "$ archive cat",
        "$ archive undo",
    ):
        assert line in ran.out
    assert "← last valid" in ran.out
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "mine.db").exists()


def test_the_demo_leaves_its_folder_when_asked_and_its_commands_can_be_typed_again(tmp_path: Path) -> None:
    result = run_program("demo", "--keep", "--json", cwd=tmp_path, TMPDIR=str(tmp_path)).json
    assert result["is_good"]
    folder = Path(result["folder"])
    assert folder.parent == tmp_path.resolve()
    assert run_program("log", "agents/memory.json", cwd=folder).code == 0


def test_the_night_of_the_demo_is_what_the_story_says() -> None:
    before = sample.morning()
    after = sample.night(before)
    assert before.keys() - after.keys() == {sample.ROADMAP}
    assert after.keys() - before.keys() == {sample.HANDOFF}
    assert {path for path in before.keys() & after.keys() if before[path] != after[path]} == {
        *(sample.TASKS, sample.CHANGELOG, sample.FUNCTIONS, sample.STRUCTURE, sample.MEMORY),
    }
    assert before[sample.FUNCTIONS].startswith(after[sample.FUNCTIONS])
    remembered, left = (json.loads(tree[sample.MEMORY])["entities"]["lighthouses"] for tree in (before, after))
    assert len(left) == len(remembered) // 10


def test_run_as_a_module_it_is_the_same_program(tmp_path: Path) -> None:
    assert run_program("version", cwd=tmp_path).out.startswith("archive ")
