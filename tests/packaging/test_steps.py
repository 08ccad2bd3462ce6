"""scripts/test counts what pytest reports, runs every step, and closes with the counts."""

from __future__ import annotations

import sys
from pathlib import Path

import _steps
import pytest

REPORT = (
    '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">'
    '<testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="0.1"></testsuite></testsuites>'
)


@pytest.mark.parametrize(
    ("text", "counts"),
    [(REPORT, (4, 3, 3)), (REPORT[:-20], (0, 0, 0)), ("", (0, 0, 0)), (None, (0, 0, 0))],
    ids=["whole", "torn", "empty", "missing"],
)
def test_a_report_is_counted_and_a_broken_one_counts_nothing(
    tmp_path: Path, text: str | None, counts: tuple[int, int, int]
) -> None:
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text)
    assert _steps.count(report) == counts


@pytest.mark.parametrize(
    ("arguments", "everything", "expected"),
    [
        ([], False, ["-m", "not slow", "-q", "-n", "2", "--dist", "worksteal"]),
        ([], True, ["-q", "-n", "2", "--dist", "worksteal"]),
        (["-k", "x"], False, ["-m", "not slow", "-k", "x"]),
        (["-m", "slow"], False, ["-m", "not slow", "-m", "slow"]),
    ],
)
def test_pytest_gets_the_lane_and_then_what_was_typed(arguments: list[str], everything: bool, expected: list[str]) -> None:
    assert _steps.test_arguments(arguments, everything=everything) == expected


def test_every_step_runs_and_one_failure_fails_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(*codes: int) -> list[_steps.Step]:
        return [_steps.Step(f"s{code}", [sys.executable, "-c", f"raise SystemExit({code})"]) for code in codes]

    tests = _steps.Outcome("tests", True, 1.0), _steps.Counts(7, 0, 2)
    monkeypatch.setattr(_steps, "run_tests", lambda arguments: tests)
    monkeypatch.setattr(_steps, "CHECKS", steps(0, 3, 0))
    assert _steps.test([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("s")] == ["ok", "FAILED", "ok"]
    assert lines[-1] == "7 passed, 0 failed, 2 skipped"

    monkeypatch.setattr(_steps, "CHECKS", steps(0))
    assert _steps.test([]) == 0


def test_a_run_that_ends_before_any_test_counts_as_a_failure() -> None:
    outcome, counts = _steps.run_tests(["--no-such-option"])
    assert not outcome.passed
    assert counts == (0, 1, 0)
