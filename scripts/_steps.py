"""Runs what must pass, step by step, and closes with one summary; behind scripts/test and scripts/check.

A step that fails does not keep the next from running: one run shows everything there is to mend.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

TEST_HELP = """\
Runs everything that must pass: formatting, lint, types, floors, and the tests of the fast lane, two at a time.
The slow tests too with --all, or where the environment says CI=true. Every other argument goes to pytest,
and then pytest is all that runs, one test at a time (add -n 2 for two):

    scripts/test tests/unit -k label
    scripts/test -m slow tests/crash
"""
CHECK_HELP = "Runs formatting, lint, types and floors: all that must pass but the tests. --fix mends what it can first."


class Step(NamedTuple):
    """Is one command that must exit with 0."""

    name: str
    command: list[str]


class Outcome(NamedTuple):
    """Says how a step ended."""

    name: str
    passed: bool
    seconds: float


class Counts(NamedTuple):
    """Counts tests by how they ended."""

    passed: int
    failed: int
    skipped: int


CHECKS = [
    Step("format", [str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."]),
    Step("lint", [str(BIN / "ruff"), "check", "--output-format", "concise", "."]),
    Step("types", [str(BIN / "mypy")]),
    Step("floors", [str(BIN / "lint-imports"), "--no-cache"]),
]
FIXES = [
    Step("lint --fix", [str(BIN / "ruff"), "check", "--fix-only", "."]),
    Step("format", [str(BIN / "ruff"), "format", "."]),
]


def run_check(step: Step) -> Outcome:
    """Runs a step silently, and shows what it said where it fails."""
    started = time.monotonic()
    done = subprocess.run(step.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(f"--- {step.name}", flush=True)
        sys.stdout.buffer.write(done.stdout)
        sys.stdout.flush()
    return Outcome(step.name, done.returncode == 0, time.monotonic() - started)


def run_tests(arguments: list[str]) -> tuple[Outcome, Counts]:
    """Runs pytest in sight of the reader, and counts from the report it writes."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", *arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        counts = count(report)
    if code and not counts.failed:
        # It ended before a test could fail: a wrong option, a broken conftest, no test at all, a crash.
        counts = counts._replace(failed=1)
    return Outcome("tests", code == 0, time.monotonic() - started), counts


def count(report: Path) -> Counts:
    """Adds up a JUnit report; one that is missing or torn counts nothing."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except (OSError, ET.ParseError):
        return Counts(0, 0, 0)

    def total(name: str) -> int:
        return sum(int(suite.get(name, 0)) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    return Counts(max(0, total("tests") - failed - skipped), failed, skipped)


def summary(outcomes: list[Outcome]) -> str:
    """Shows each step, how it ended and how long it took."""
    lines = [f"{item.name:<8} {'ok' if item.passed else 'FAILED':<7} {item.seconds:7.1f} s" for item in outcomes]
    return "\n".join(lines)


def test_arguments(arguments: list[str], *, everything: bool) -> list[str]:
    """Returns what pytest is given: ours first, so that a person's own `-m` and `-n` win."""
    lane = [] if everything else ["-m", "not slow"]
    several = [] if arguments else ["-q", "-n", "2", "--dist", "worksteal"]
    return [*lane, *several, *arguments]


def test(arguments: list[str]) -> int:
    """Is scripts/test."""
    parser = argparse.ArgumentParser(
        "scripts/test", "scripts/test [--all] [PYTEST ARGUMENT]...", TEST_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="run the slow tests too")
    options, rest = parser.parse_known_args(arguments)
    everything = options.all or os.environ.get("CI", "") == "true"
    outcomes = [] if rest else [run_check(step) for step in CHECKS]
    outcome, counts = run_tests(test_arguments(rest, everything=everything))
    outcomes.append(outcome)
    print(f"\n{summary(outcomes)}\n\n{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped")
    return 0 if all(item.passed for item in outcomes) else 1


def check(arguments: list[str]) -> int:
    """Is scripts/check."""
    parser = argparse.ArgumentParser("scripts/check", description=CHECK_HELP, allow_abbrev=False)
    parser.add_argument("--fix", action="store_true", help="format, and mend what the linter can mend, before checking")
    options = parser.parse_args(arguments)
    steps = [*FIXES, *CHECKS] if options.fix else CHECKS
    outcomes = [run_check(step) for step in steps]
    print(summary(outcomes))
    return 0 if all(item.passed for item in outcomes) else 1


def main() -> int:
    """Does what the first argument says."""
    faces = {"test": test, "check": check}
    try:
        return faces[sys.argv[1]](sys.argv[2:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
