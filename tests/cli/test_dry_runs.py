"""A dry run changes nothing at all, and says what the real run then does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import TREE, Invoke, fingerprint
from tests.conftest import read_tree, write_tree


@pytest.mark.parametrize(
    "args",
    [
        ["init", "--dry-run"],
        ["backup", "--dry-run"],
        ["backup", "--dry-run", "-m", "x", "--tag", "y", "--only-if-changed"],
        ["restore", "--at", "1", "--dry-run", "--delete-extra", "--overwrite", "always"],
        ["restore", "--at", "1", "--to", "elsewhere", "--dry-run"],
        ["undo", "--dry-run"],
        ["upgrade", "--dry-run"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_dry_run_changes_neither_the_project_nor_the_archive(
    backed_up: Path, invoke: Invoke, args: list[str], form: list[str]
) -> None:
    assert invoke("restore", "docs", "--at", "1", "-y").code == 0
    (backed_up / "docs/newer.md").write_text("# Newer\n")
    before = fingerprint(backed_up)
    assert invoke(*args, *form).code == 0
    after = fingerprint(backed_up)
    beside = {path for path in before.keys() | after.keys() if path.endswith(("-wal", "-shm", ".archive"))}
    assert {path: after.get(path) for path in before.keys() - beside} == {path: before[path] for path in before.keys() - beside}
    assert after.keys() - before.keys() <= beside


def test_a_dry_run_of_a_first_backup_creates_no_archive(project: Path, invoke: Invoke) -> None:
    before = fingerprint(project)
    result = invoke("backup", "--dry-run", "--json").json
    assert result["added"] == sorted(TREE)
    assert (result["snapshot"], result["created"]) == (None, False)
    assert "nothing was written" in invoke("backup", "--dry-run").out
    assert fingerprint(project) == before


def test_a_dry_run_of_a_backup_says_what_the_backup_then_does(backed_up: Path, invoke: Invoke) -> None:
    write_tree(backed_up, TREE)
    would = invoke("backup", "--dry-run", "--json").json
    done = invoke("backup", "--json").json
    for name in ("added", "changed", "removed", "unchanged", "problems", "skipped"):
        assert would[name] == done[name]


def test_a_plan_says_what_the_restore_then_does(backed_up: Path, invoke: Invoke) -> None:
    counts = invoke("restore", "--at", "1", "--delete-extra", "--dry-run", "--json").json["counts"]
    result = invoke("restore", "--at", "1", "--delete-extra", "-y", "--json").json
    assert (counts["create"], counts["overwrite"], counts["delete"]) == (
        result["created"],
        result["overwritten"],
        result["deleted"],
    )
    assert read_tree(backed_up) == TREE


def test_init_never_overwrites_settings(project: Path, invoke: Invoke) -> None:
    (project / "archive.toml").write_text("gitignore = true\n")
    ran = invoke("init")
    assert ran.code == 0
    assert "left as it is" in ran.out
    assert (project / "archive.toml").read_text() == "gitignore = true\n"


def test_init_leaves_a_project_alone_whose_settings_are_in_pyproject(project: Path, invoke: Invoke) -> None:
    (project / "pyproject.toml").write_text("[tool.archive]\ngitignore = true\n")
    result = invoke("init", "--json").json
    assert (result["written"], result["config"]) == (False, str(project / "pyproject.toml"))
    assert not (project / "archive.toml").exists()


def test_init_is_about_the_current_folder_also_inside_another_project(
    project: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("init").code == 0
    monkeypatch.chdir(project / "agents")
    assert invoke("init", "--json").json["root"] == str(project / "agents")
    assert (project / "agents/archive.toml").exists()


def test_what_init_writes_are_the_defaults(project: Path, invoke: Invoke) -> None:
    before = invoke("backup", "--dry-run", "--json").json["added"]
    assert invoke("init").code == 0
    assert invoke("backup", "--dry-run", "--json").json["added"] == sorted([*before, "archive.toml"])
