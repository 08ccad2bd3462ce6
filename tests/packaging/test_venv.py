"""The environment of a checkout is made once, made again when that is needed, and never half."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import _venv
import pytest

from tests.architecture.source_rules import ROOT

MAKE = ["venv", "--require-hashes", "--editable"]
REINSTALL = ["--editable"]


class Commands:
    """Stands in for the commands that make an environment: notes them, and makes what they would make."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.fail_at: str | None = None

    def __call__(self, command: list[str]) -> None:
        self.seen.append(command)
        if self.fail_at in command:
            raise _venv.SetupFailed("planted")
        if command[1:3] == ["-m", "venv"]:
            python = Path(command[3]) / "bin" / "python"
            python.parent.mkdir()
            python.symlink_to(sys.executable)

    def taken(self) -> list[str]:
        """Returns the telling word of each command since the last call."""
        seen, self.seen = self.seen, []
        return [word for command in seen for word in command if word in MAKE]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands()
    monkeypatch.setattr(_venv, "run", commands)
    return commands


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text("a==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def test_it_is_made_once_and_the_second_time_nothing_is_run(checkout: Path, commands: Commands) -> None:
    _venv.make(checkout, "python3")
    assert commands.taken() == MAKE
    _venv.make(checkout, "python3")
    assert commands.taken() == []


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "lock": (lambda root: (root / "requirements.lock").write_text("a==2\n"), MAKE),
    "project": (lambda root: (root / "pyproject.toml").write_text("[tool]\n"), REINSTALL),
    "python is gone": (lambda root: (root / ".venv/bin/python").unlink(), MAKE),
    "python leads nowhere": (lambda root: _relink(root / ".venv/bin/python"), MAKE),
    "another place": (lambda root: (root / ".venv/.made-from/place").write_text("/elsewhere\npython3\n"), MAKE),
}


def _relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/no/such/python")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_what_it_calls_for(checkout: Path, commands: Commands, change: str) -> None:
    apply, expected = CHANGES[change]
    _venv.make(checkout, "python3")
    commands.taken()
    apply(checkout)
    _venv.make(checkout, "python3")
    assert commands.taken() == expected


def test_asking_for_another_python_makes_it_again(checkout: Path, commands: Commands) -> None:
    _venv.make(checkout, "python3")
    commands.taken()
    _venv.make(checkout, "python3.12")
    assert commands.taken() == MAKE


@pytest.mark.parametrize("step", ["venv", "--require-hashes", "--editable"])
def test_one_that_was_cut_short_is_made_again_from_nothing(checkout: Path, commands: Commands, step: str) -> None:
    commands.fail_at = step
    with pytest.raises(_venv.SetupFailed):
        _venv.make(checkout, "python3")
    commands.taken()
    commands.fail_at = None
    leftover = checkout / ".venv" / "lib" / "half"
    leftover.mkdir(parents=True)
    _venv.make(checkout, "python3")
    assert commands.taken() == MAKE
    assert not leftover.exists()


def test_a_file_edited_while_it_is_made_does_not_count_as_installed(
    checkout: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit_midway(command: list[str]) -> None:
        commands(command)
        (checkout / "requirements.lock").write_text("a==3\n")

    monkeypatch.setattr(_venv, "run", edit_midway)
    _venv.make(checkout, "python3")
    commands.taken()
    _venv.make(checkout, "python3")
    assert commands.taken() == MAKE


def test_two_at_once_wait_for_each_other_and_it_is_made_once(
    checkout: Path, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".venv").mkdir()
    with (checkout / ".venv" / _venv.LOCK_NAME).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        both = [threading.Thread(target=_venv.make, args=(checkout, "python3")) for _ in range(2)]
        for thread in both:
            thread.start()
        assert commands.seen == []
    for thread in both:
        thread.join()
    assert commands.taken() == MAKE
    assert capsys.readouterr().err.count("setting up .venv (") == 1


def test_what_outlives_a_killed_set_up_keeps_the_next_one_waiting(checkout: Path) -> None:
    with _venv.only_one(checkout / ".venv"):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    with child, (checkout / ".venv" / _venv.LOCK_NAME).open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with _venv.only_one(checkout / ".venv"):
        assert child.returncode == 0


def test_a_command_that_fails_is_shown_with_what_it_said() -> None:
    with pytest.raises(_venv.SetupFailed, match=r"(?s)sh -c.*no such package"):
        _venv.run(["sh", "-c", "echo no such package >&2; exit 4"])


def test_settings_that_would_send_packages_elsewhere_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    _venv.run(["sh", "-c", 'test -z "$PIP_TARGET"'])


SHELL = 'script=$1/scripts/x; . "$1/scripts/_venv.sh"; '


def shell(root: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs shell code behind scripts/_venv.sh, for a checkout at `root`."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    command = ["sh", "-eu", "-c", SHELL + code, "sh", str(root)]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout_with_scripts(checkout: Path) -> Path:
    (checkout / "scripts").mkdir()
    (checkout / "scripts" / "_venv.sh").write_bytes((ROOT / "scripts" / "_venv.sh").read_bytes())
    return checkout


def test_the_shell_agrees_on_whether_it_fits(checkout_with_scripts: Path, commands: Commands) -> None:
    root = checkout_with_scripts
    assert shell(root, "venv_fits").returncode != 0
    _venv.make(root, "python3")
    assert shell(root, "venv_fits").returncode == 0
    assert shell(root, "venv_fits", PYTHON="python3").returncode == 0
    assert shell(root, "venv_fits", PYTHON="python3.12").returncode != 0


@pytest.mark.parametrize("change", CHANGES)
def test_the_shell_notices_each_change(checkout_with_scripts: Path, commands: Commands, change: str) -> None:
    root = checkout_with_scripts
    _venv.make(root, "python3")
    CHANGES[change][0](root)
    assert shell(root, "venv_fits").returncode != 0


def test_a_python_that_is_too_old_or_only_a_name_is_passed_over(checkout_with_scripts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in (
        ("python3.13", "exit 127"),
        ("python3.12", "exit 1"),
        ("python3", f'exec {sys.executable} "$@"'),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    found = shell(checkout_with_scripts, f"PATH={folder}; find_python")
    assert found.stdout == "python3\n"


def test_without_a_fitting_python_the_error_says_what_to_do(checkout_with_scripts: Path, tmp_path: Path) -> None:
    done = shell(checkout_with_scripts, f"PATH={tmp_path}; find_python")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "hint: Install it" in done.stderr


def test_a_python_that_was_named_and_does_not_do_is_an_error(checkout_with_scripts: Path) -> None:
    done = shell(checkout_with_scripts, "find_python", PYTHON="/no/such/python")
    assert done.returncode == 1
    assert "PYTHON=/no/such/python" in done.stderr
