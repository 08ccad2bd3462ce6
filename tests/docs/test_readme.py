"""README shows only what was run: its tour is run here, and its output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"<!-- run -->\n\n```python\n(.*?)```", re.DOTALL)


def commands() -> Iterator[tuple[str, str]]:
    """Yields each command of the tour with the output that README shows."""
    for block in CONSOLE.findall(README):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


PROGRESS = re.compile(r"^(?:scanning|reading|storing|indexing|verifying|writing): .*\n", re.MULTILINE)


def fits(shown: str, output: str) -> bool:
    """Whether output is what is shown; a line `…` stands for any lines, `…` in a line for anything in it.

    Lines about progress, which a slow machine adds, do not count.
    """
    output = PROGRESS.sub("", output)
    pattern = ""
    for line in shown.splitlines():
        pattern += r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
    return re.fullmatch(pattern, output) is not None


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "archive"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m archive "$@"\n')
    program.chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
    }


def test_the_tour_shows_what_happens(tmp_path: Path, environment: dict[str, str]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    count = 0
    for command, shown in commands():
        if command.startswith("sqlite3") and shutil.which("sqlite3") is None:
            continue
        done = subprocess.run(
            ["sh", "-c", command], cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert fits(shown, done.stdout + done.stderr), f"$ {command}\n{done.stdout}{done.stderr}\n--- README shows:\n{shown}"
        count += 1
    assert count >= 15
    for code in PYTHON.findall(README):
        subprocess.run([sys.executable, "-c", code], cwd=project, env=environment, check=True, timeout=60)


def test_a_line_of_three_dots_stands_for_lines_and_nothing_else_does() -> None:
    assert fits("a\n…\nc\n", "a\nb\nb\nc\n")
    assert fits("took … s\n", "took 3 s\n")
    assert not fits("took … s\n", "took 3 s\nmore\n")
    assert not fits("a\n", "b\n")


def test_set_up_is_two_commands_that_exist() -> None:
    for name in ("scripts/archive", "scripts/test"):
        assert f"    {name}" in README
        assert os.access(REPOSITORY / name, os.X_OK)
