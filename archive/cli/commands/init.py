"""Writes the settings of a project and explains them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from archive.cli import options, trouble, units
from archive.cli.group import command as as_command
from archive.cli.locate import FOLDER, Place
from archive.cli.output import Cell, Column, Output, styled
from archive.cli.survey import CategorySurvey, LeftOut, Survey, survey
from archive.config import CONFIG_NAME, render_config

_CATEGORIES = (
    Column("category"),
    Column("files", is_right=True),
    Column("size", is_right=True),
    Column("why"),
    Column("largest", is_wide=True, is_optional=True),
)
_LEFT_OUT = (Column("left out", is_right=True), Column("why"), Column("such as", is_wide=True))
_SHOWN_REASONS = 12
_SHOWN_PATTERNS = 4


@as_command("init", "archive init", "archive init ~/project --dry-run", "archive init --json")
@click.option("--dry-run", is_flag=True, help="Only show; archive.toml is not written.")
@options.output(quiet=True)
@options.place(root_argument=True, is_new=True)
def command(place: Place, output: Output, dry_run: bool) -> None:
    """Write archive.toml and show what a backup would take in.

    ROOT is the project's folder, by default the current one. A file that is there already is never overwritten: then its
    settings are what is shown. Each group of files is shown with the reason why it is taken in or left out. Nothing is
    backed up yet.

    With --json: `root`, `config` (the settings' file), `written`, `archive` (where it will be), and `survey`: `files`,
    `size_bytes`, `categories`, `largest`, `left_out`, `skipped` and `problems`.
    """
    place.require_root()
    config, written = _write(place, dry_run=dry_run)
    found = survey(place.root, place.config.rules, exclude_paths=_own_files(place.db))
    if output.as_json:
        result: dict[str, Any] = {
            "root": str(place.root),
            "config": str(config),
            "written": written,
            "archive": str(place.db),
            "survey": found.to_json(),
        }
        output.json(result)
        return
    if written:
        output.say("wrote ", styled(str(config), "bold"))
    elif place.config.file is not None:
        output.say(f"the settings are in {config}, which was left as it is")
    else:
        output.say("dry run: ", styled(str(config), "bold"), " would be written")
    _show(output, found)
    if not dry_run:
        _show_next_step(output, place)


def _write(place: Place, *, dry_run: bool) -> tuple[Path, bool]:
    if place.config.file is not None:
        return place.config.file, False
    path = place.root / CONFIG_NAME
    if dry_run:
        return path, False
    text = render_config(place.config.rules)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return path, False
    return path, True


def _show(output: Output, found: Survey) -> None:
    output.say()
    output.say(
        styled("a backup takes in ", "bold"),
        styled(f"{units.count(found.files, 'file')}, {units.size(found.size_bytes)}", "bold"),
    )
    if found.categories:
        output.table(_CATEGORIES, map(_category_row, found.categories))
    if found.left_out:
        output.say()
        output.table(_LEFT_OUT, map(_left_out_row, found.left_out[:_SHOWN_REASONS]))
        if len(found.left_out) > _SHOWN_REASONS:
            output.say(f"… and {units.count(len(found.left_out) - _SHOWN_REASONS, 'more reason')}; --json lists all")
    if found.skipped or found.problems:
        output.say()
        trouble.show_problems(output, [*found.problems, *found.skipped], see_all="archive init --json")


def _category_row(category: CategorySurvey) -> list[Cell]:
    largest = category.largest
    reasons = [(reason.removeprefix("matches "), number) for reason, number in category.reasons]
    why = [reason if len(reasons) == 1 else f"{reason} ({number:,})" for reason, number in reasons[:_SHOWN_PATTERNS]]
    return [
        styled(category.category, "cyan"),
        f"{category.files:,}",
        units.size(category.size_bytes),
        ", ".join(why) + (" …" if len(reasons) > _SHOWN_PATTERNS else ""),
        f"{largest.path} ({units.size(largest.size_bytes)})",
    ]


def _left_out_row(left_out: LeftOut) -> list[Cell]:
    counts = [units.count(left_out.files, "file")] if left_out.files else []
    counts += [units.count(left_out.folders, "folder")] if left_out.folders else []
    more = left_out.files + left_out.folders - len(left_out.examples)
    return [" + ".join(counts), left_out.reason, ", ".join(left_out.examples) + (" …" if more else "")]


def _show_next_step(output: Output, place: Place) -> None:
    output.say()
    if (place.root / ".git").exists() and place.db.is_relative_to(place.root / FOLDER):
        output.say(f"Git need not keep the archive: echo {FOLDER}/ >> .gitignore")
    output.say("Next: ", styled("archive backup", "bold"))


def _own_files(db: Path) -> list[Path]:
    return [db.with_name(db.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
