"""Is the command line of `scripts/bench`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark import machine, report
from benchmark.process import CommandError, Runner
from benchmark.scenario import SCENARIOS, Bench, Row, Scenario, Settings, chosen
from benchmark.tools import ArchiveTool, Tool, peers

SCENARIO_MODULES = (
    "scenarios_medium",
    "scenarios_history",
    "scenarios_index",
    "scenarios_recovery",
    "scenarios_search",
    "scenarios_pages",
    "scenarios_small",
    "scenarios_tasks",
)
QUICK = Settings(runs=1, states=30, history_files=20, medium_files=500)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chosen scenarios and prints the table; returns the exit code."""
    options = _parser().parse_args(arguments)
    for name in SCENARIO_MODULES:  # importing registers, and the order is that of the table
        importlib.import_module(f"benchmark.{name}")
    if options.list:
        for one in SCENARIOS.values():
            print(f"{one.name:18}{one.about}{'' if one.is_default else ' (only when named)'}")
        return 0
    if options.render:
        saved = json.loads(options.render.read_text(encoding="utf-8"))
        _show(report.from_json(saved), saved["machine"], saved["settings"], options)
        return 0
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {line}", file=sys.stderr, flush=True)

    try:
        scenarios = chosen([*options.only, *(["syncs"] if options.fsync and options.only else [])])
    except KeyError as error:
        print(f"no scenario {error}; scripts/bench --list names them", file=sys.stderr)
        return 2
    if options.fsync and not options.only:
        scenarios.append(SCENARIOS["syncs"])
    lines, failures = _run(scenarios, options, say)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    missed = any(line.verdict == report.MISSED for line in lines)
    return 1 if options.strict and (missed or failures) else 0


def _run(
    scenarios: Sequence[Scenario], options: argparse.Namespace, say: Callable[[str], None]
) -> tuple[list[report.Line], list[str]]:
    settings = _settings(options)
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="archive-bench-", dir=options.work))
    try:
        runner = Runner(work / "home")
        tools = _installed(options, runner, say)
        described = machine.describe(tools, runner)
        if warning := machine.busy():
            say(warning)
            described["note"] = warning
        bench = Bench(tools, settings, options.cache, work, say)
        rows = _measure(scenarios, bench)
        lines = report.judge(rows)
        _show(lines, described, dataclasses.asdict(settings), options)
        return lines, bench.failures
    finally:
        if options.keep:
            say(f"kept {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def _measure(scenarios: Sequence[Scenario], bench: Bench) -> list[Row]:
    """Returns the rows of all scenarios; an interrupt ends the run and keeps the rows there are."""
    rows: list[Row] = []
    for one in scenarios:
        try:
            rows.extend(one.measure(bench))
        except CommandError as error:
            bench.fail(f"{one.name}: {error}")
        except KeyboardInterrupt:
            bench.fail(f"{one.name}: interrupted")
            break
    return rows


def _installed(options: argparse.Namespace, runner: Runner, say: Callable[[str], None]) -> tuple[Tool, ...]:
    archive = ArchiveTool(
        command=shlex.split(options.archive_command), backup_options=shlex.split(options.archive_backup_options)
    )
    wanted = [tool for tool in (archive, *peers()) if tool.name in options.tools]
    missing = [tool.name for tool in wanted if not tool.version(runner)]
    if missing:
        say(f"not there, so not measured: {', '.join(missing)}")
    return tuple(tool for tool in wanted if tool.name not in missing)


def _settings(options: argparse.Namespace) -> Settings:
    settings = QUICK if options.quick else Settings()
    given = {"seed": options.seed, "runs": options.runs, "states": options.states}
    return dataclasses.replace(settings, **{name: value for name, value in given.items() if value is not None})


def _show(
    lines: Sequence[report.Line], described: Mapping[str, str], settings: Mapping[str, Any], options: argparse.Namespace
) -> None:
    saved = json.dumps(report.to_json(lines, described, settings), indent=2, ensure_ascii=False)
    if options.save:
        options.save.write_text(saved + "\n", encoding="utf-8")
    if options.json:
        print(saved)
        return
    print(report.as_markdown(lines) if options.markdown else report.as_text(lines))
    print()
    print(", ".join(f"{name} {value}" for name, value in described.items()))
    print(", ".join(f"{name} {value}" for name, value in settings.items()) + "; medians of whole processes, warm cache")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures the archive beside restic, Borg and git, where installed, on generated projects.",
        epilog="Example: scripts/bench --only medium --runs 5 --save medium.json. Everything takes about 15 minutes; "
        "--quick shrinks it to a smoke test of a minute whose figures mean little.",
    )
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="NAME", help="scenarios, or the start of their names up to a hyphen")
    add("--list", action="store_true", help="list the scenarios and stop")
    add("--quick", action="store_true", help="small corpora and one run each")
    add("--runs", type=_positive, metavar="N", help="times each measurement is made (3)")
    add("--states", type=_positive, metavar="N", help="states of the history (500)")
    add("--seed", metavar="TEXT", help="decides the content of the corpora (1)")
    names = ["archive", *(tool.name for tool in peers())]
    add("--tools", nargs="+", default=names, choices=names, help="measure only these")
    add("--archive-command", default="", metavar="COMMAND", help="how to start the archive")
    add("--archive-backup-options", default="", metavar="OPTIONS", help="further options of `archive backup`")
    add("--fsync", action="store_true", help="also count the calls that wait for the disk (needs strace)")
    cache = Path(tempfile.gettempdir()) / "archive-bench-cache"
    add("--cache", type=Path, default=cache, metavar="DIR", help=f"folder for corpora, used again ({cache})")
    add("--work", type=Path, metavar="DIR", help="folder for stores and copies, on the disk to measure; 8 GB")
    add("--keep", action="store_true", help="leave stores and copies in place")
    add("--markdown", action="store_true", help="print the table as Markdown")
    add("--json", action="store_true", help="print everything as JSON")
    add("--save", type=Path, metavar="FILE", help="also write the JSON to a file")
    add("--render", type=Path, metavar="FILE", help="print the table of a saved run and measure nothing")
    add("--strict", action="store_true", help="exit 1 when a target is missed or a command failed")
    return parser
