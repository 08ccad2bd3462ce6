"""What backup, restore and undo say and do through the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archive import Archive
from tests.cli.conftest import LATER, TREE, Invoke, run_program
from tests.conftest import read_tree, write_tree


def test_the_first_backup_creates_the_archive_and_says_so(project: Path, invoke: Invoke) -> None:
    lines = invoke("backup", "-m", "hello", "--tag", "a", "--tag", "b").out.splitlines()
    assert lines[0] == f"created {project}/.archive/archive.db"
    assert lines[1].startswith("snapshot 1  ")
    assert lines[1].endswith("  hello  [a]  [b]")
    assert lines[3:] == ["  4 added, 0 unchanged", *(f"  + {path}" for path in sorted(TREE))]
    assert (project / ".archive/archive.db").stat().st_mode & 0o777 == 0o600
    assert (project / ".archive").stat().st_mode & 0o777 == 0o700
    assert "created" not in invoke("backup").out


def test_many_changes_are_counted_and_not_listed(project: Path, invoke: Invoke) -> None:
    write_tree(project, {f"{number}.json": b"{}" for number in range(11)})
    out = invoke("backup").out
    assert "11 added" in out
    assert "+ 1.json" not in out


def test_no_snapshot_is_added_where_nothing_changed_and_that_was_asked(backed_up: Path, invoke: Invoke) -> None:
    assert "no snapshot was added" in invoke("backup", "--only-if-changed").out
    assert len(invoke("snapshots", "--json").json["snapshots"]) == 2


def test_quiet_is_silent_unless_there_is_new_trouble(backed_up: Path, invoke: Invoke) -> None:
    ran = invoke("backup", "-q")
    assert (ran.out, ran.err) == ("", "")
    write_tree(backed_up, {**LATER, "torn.json": b"{"})
    ran = invoke("backup", "-q")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("cannot be parsed (stored as they are): 1\n  torn.json  ")


def test_warnings_that_stood_before_are_only_counted(backed_up: Path, invoke: Invoke) -> None:
    out = invoke("backup").out
    assert "2 older warnings still standing; 'archive problems' lists all" in out
    assert "agents/memory" not in out


def test_of_many_problems_the_first_are_listed(project: Path, invoke: Invoke) -> None:
    write_tree(project, {f"{number:02}.json": b"{" for number in range(30)})
    out = invoke("backup").out
    assert "cannot be parsed (stored as they are): 30" in out
    assert "19.json" in out
    assert "20.json" not in out
    assert "… and 10 more problems; 'archive problems' lists all" in out
    assert "29.json" in invoke("problems").out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--include", "*.csv"], {*TREE, "a.csv"}),
        (["--exclude", "docs/"], set(TREE) - {"docs/roadmap.md"}),
        (["--exclude", "*.md", "--exclude", "*.yaml"], {"agents/tasks.json", "agents/memory"}),
        (["--max-file-size", "30"], {"docs/roadmap.md", "settings.yaml"}),
        (["--gitignore"], set(TREE) - {"settings.yaml"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_add_to_the_rules(project: Path, invoke: Invoke, options: list[str], expected: set[str]) -> None:
    (project / "a.csv").write_text("1,2\n")
    (project / ".gitignore").write_text("settings.yaml\n")
    assert set(invoke("backup", *options, "--json").json["added"]) == expected


def test_settings_of_the_project_are_used(project: Path, invoke: Invoke, tmp_path: Path) -> None:
    (project / "archive.toml").write_text('db = "../elsewhere.db"\nsource = "harbour"\nexclude = ["docs/"]\n')
    result = invoke("backup", "--json").json
    assert "docs/roadmap.md" not in result["added"]
    assert result["snapshot"]["source"] == "harbour"
    assert (tmp_path / "elsewhere.db").exists()
    assert not (project / ".archive").exists()
    assert invoke("ls", "agents").code == 0


def test_a_backup_from_a_folder_below_is_one_of_the_whole_project(
    backed_up: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backed_up / "docs")
    assert invoke("backup", "--json").json["unchanged"] == len(LATER)


def test_an_archive_named_by_the_environment_is_used(project: Path, tmp_path: Path) -> None:
    db = str(tmp_path / "named.db")
    assert run_program("backup", cwd=project, ARCHIVE_DB=db).code == 0
    assert not (project / ".archive").exists()
    assert run_program("ls", cwd=project, ARCHIVE_DB=db).out.splitlines() == sorted(TREE)


def test_restore_and_undo_are_the_identity(backed_up: Path, invoke: Invoke) -> None:
    out = invoke("restore", "--at", "1", "--delete-extra").out
    assert "restored snapshot 1 (20200101_120000): 1 created, 3 overwritten, 1 deleted, 0 unchanged" in out
    assert out.endswith("the state before is snapshot 2; 'archive undo' takes this back\n")
    assert read_tree(backed_up) == TREE
    assert invoke("undo").code == 0
    assert read_tree(backed_up) == LATER
    assert invoke("undo").code == 0
    assert read_tree(backed_up) == TREE


def test_a_plan_names_each_file_and_what_would_become_of_it(backed_up: Path, invoke: Invoke) -> None:
    lines = invoke("restore", "--at", "1", "--dry-run").out.splitlines()
    assert lines[:2] == ["dry run, nothing was written", f"to {backed_up} as of snapshot 1 (20200101_120000)"]
    assert "    + settings.yaml" in lines
    assert "    ~ agents/tasks.json" in lines
    assert "    ? docs/new.md" in lines


def test_a_restore_of_what_is_there_does_nothing(backed_up: Path, invoke: Invoke) -> None:
    assert invoke("restore").out.endswith("nothing to do: the files are as they were then\n")


def test_a_restore_elsewhere_works_on_a_read_only_archive(backed_up: Path, invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "media"
    store.mkdir()
    shutil.copy(backed_up / ".archive/archive.db", store)
    store.chmod(0o500)
    (store / "archive.db").chmod(0o400)
    target = tmp_path / "then"
    try:
        assert invoke("restore", "--db", str(store / "archive.db"), "--at", "1", "--to", str(target)).code == 0
    finally:
        store.chmod(0o700)
    assert read_tree(target) == TREE


def test_paths_choose_what_is_restored(backed_up: Path, invoke: Invoke) -> None:
    assert invoke("restore", "docs", "settings.yaml", "--at", "1", "-y").code == 0
    expected = {**LATER, "docs/roadmap.md": TREE["docs/roadmap.md"], "settings.yaml": TREE["settings.yaml"]}
    assert read_tree(backed_up) == expected


def test_something_in_the_way_is_left_alone_and_makes_the_exit_code_three(backed_up: Path, invoke: Invoke) -> None:
    (backed_up / "settings.yaml").mkdir()
    ran = invoke("restore", "settings.yaml", "--at", "1", "-y")
    assert ran.code == 3
    assert "left alone: something else is in the way: 1\n  settings.yaml" in ran.out
    assert invoke("restore", "settings.yaml", "--at", "1", "-y", "--json").json["problems"][0]["kind"] == "in_the_way"


def test_a_restore_never_surprises_a_folder_elsewhere(
    project: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "central.db"
    with Archive.create(db) as archive:
        archive.backup(project)
    (project / "settings.yaml").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for command in ("restore", "undo"):
        ran = invoke(command, "--db", str(db))
        assert ran.code == 2
        assert f"the archive belongs to {project}" in ran.err
    assert list(elsewhere.iterdir()) == []
    assert invoke("restore", "--db", str(db), "--root", str(project)).code == 0
    assert read_tree(project) == TREE
    monkeypatch.chdir(project / "docs")
    assert invoke("restore", "--db", str(db)).code == 0


def test_check_and_upgrade_say_that_all_is_well(backed_up: Path, invoke: Invoke) -> None:
    assert ": good  (" in invoke("check").out
    assert "not examined" in invoke("check", "--quick").out
    assert "is up to date (schema " in invoke("upgrade").out
    assert invoke("check", "-q").out == invoke("upgrade", "-q").out == ""
