"""The repository's top level, sizes of its files, and its scripts are as the design has them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pathspec
import pytest

from tests.architecture.source_rules import ROOT

TOP_LEVEL = frozenset({
    "pyproject.toml", "README.md", "archive", "migrations", "tests", "scripts",
    ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "requirements.lock",
})  # fmt: skip
FILE_BYTES_MAX = 1_000_000
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


def kept_files(root: Path) -> Iterator[str]:
    """Yields the path of every file that git keeps or would keep, git itself not being needed."""
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".gitignore").read_text(encoding="utf-8").splitlines())

    def walk(folder: str) -> Iterator[str]:
        for entry in sorted(os.scandir(root / folder), key=lambda entry: entry.name):
            path = f"{folder}{entry.name}"
            if path == ".git" or ignored.match_file(path + "/" * entry.is_dir(follow_symlinks=False)):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from walk(path + "/")
            else:
                yield path

    return walk("")


def strangers(root: Path) -> set[str]:
    return {path.split("/")[0] for path in kept_files(root)} - TOP_LEVEL


def heavy(root: Path) -> list[str]:
    return [path for path in kept_files(root) if (root / path).lstat().st_size > FILE_BYTES_MAX]


def test_the_top_level_holds_only_what_the_design_names() -> None:
    assert strangers(ROOT) == set()


def test_no_file_is_larger_than_a_megabyte() -> None:
    assert heavy(ROOT) == []


def test_a_stranger_and_a_heavy_file_are_found_and_ignored_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    for path in ("build/big", "archive/big", "notes/x", "x.log", ".git/big"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(bytes(FILE_BYTES_MAX + path.endswith("big")))
    assert strangers(tmp_path) == {"notes"}
    assert heavy(tmp_path) == ["archive/big"]


def test_ci_runs_what_everybody_runs() -> None:
    last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().splitlines()[-1]
    assert last.split()[:2] == ["exec", "scripts/test"]


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda script: script.name)
def test_a_script_can_be_run_and_its_shell_understands_it(script: Path) -> None:
    shebang = script.read_text(encoding="utf-8").splitlines()[0]
    assert os.access(script, os.X_OK)
    assert shebang in {"#!/bin/sh", "#!/usr/bin/env bash"}
    shell = shebang.rsplit("/", 1)[-1].removeprefix("env ")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
