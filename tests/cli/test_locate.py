"""The project, its archive and its documents are found from where the user stands, in the documented order."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive import Archive
from archive.cli.locate import Place, find_place, find_root
from archive.errors import ConfigError, UsageError


def place(db: str | None = None, root: str | None = None, **environment: str) -> Place:
    return find_place(root=root, db=db, source=None, wait_s=1, environment=environment)


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("archive.toml", ""),
        (".archive/", ""),
        ("pyproject.toml", "[tool.archive]\n"),
        ("pyproject.toml", "[tool.archive.categories]\n"),
        ("pyproject.toml", "[tool.archive]\ndb = = 1\n"),
        ("archive.toml", "not = toml = at all"),
    ],
)
def test_the_root_is_the_nearest_marked_folder_at_or_above(tmp_path: Path, marker: str, text: str) -> None:
    below = tmp_path / "a/b/c"
    below.mkdir(parents=True)
    path = tmp_path / "a" / marker
    if marker.endswith("/"):
        path.mkdir()
    else:
        path.write_text(text)
    assert find_root(below) == tmp_path / "a"
    assert find_root(tmp_path / "a") == tmp_path / "a"


@pytest.mark.parametrize("text", ["", "[project]\nname = 'archive'\n", "[tool.ruff]\n", "archive = ["])
def test_a_pyproject_without_our_table_marks_nothing(tmp_path: Path, text: str) -> None:
    below = tmp_path / "a"
    below.mkdir()
    (tmp_path / "pyproject.toml").write_text(text)
    assert find_root(below) == below


def test_the_archive_is_where_the_first_of_option_environment_settings_and_default_says(project: Path, tmp_path: Path) -> None:
    assert place().db == project / ".archive/archive.db"
    (project / "archive.toml").write_text('db = "../store/a.db"\n')
    assert place().db == tmp_path / "store/a.db"
    assert place(ARCHIVE_DB="e.db").db == project / "e.db"
    assert place(db="o.db", ARCHIVE_DB="e.db").db == project / "o.db"
    assert place(ARCHIVE_DB="").db == tmp_path / "store/a.db"


def test_settings_that_are_broken_do_not_matter_where_the_archive_is_named(project: Path) -> None:
    (project / "archive.toml").write_text("db = 1\n")
    assert place(db="o.db").db == project / "o.db"
    with pytest.raises(ConfigError):
        _ = place().db


@pytest.mark.parametrize(
    ("here", "typed", "path"),
    [
        ("", "agents/tasks.json", "agents/tasks.json"),
        ("agents", "agents/tasks.json", "agents/tasks.json"),
        ("agents", "./tasks.json", "agents/tasks.json"),
        ("agents", "tasks.json", "agents/tasks.json"),
        ("agents", "gone.json", "gone.json"),
        ("agents", "../docs/roadmap.md", "docs/roadmap.md"),
        ("agents", "settings.yaml", "settings.yaml"),
        ("agents", ".", "agents"),
        ("agents", "..", "."),
        ("", "*.md", "*.md"),
        ("agents", "./*.json", "agents/*.json"),
        ("", "-q", "-q"),
    ],
)
def test_paths_are_taken_from_the_root_or_visibly_from_here(
    project: Path, monkeypatch: pytest.MonkeyPatch, here: str, typed: str, path: str
) -> None:
    monkeypatch.chdir(project / here)
    assert place(root=str(project)).document_path(typed) == path


def test_an_absolute_path_below_the_root_means_its_document(project: Path) -> None:
    assert place().document_path(str(project / "docs/roadmap.md")) == "docs/roadmap.md"


@pytest.mark.parametrize("typed", ["../elsewhere.json", "/etc/passwd", "./../../x"])
def test_a_path_out_of_the_root_is_refused(project: Path, typed: str) -> None:
    with pytest.raises(UsageError, match="is not below"):
        place().document_path(typed)


def test_of_several_sources_the_one_around_the_current_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "docs").mkdir(parents=True)
        (tmp_path / name / "docs/a.md").write_text(name)
    db = tmp_path / "both.db"
    with Archive.create(db) as archive:
        archive.backup(tmp_path / "one")
        archive.backup(tmp_path / "two")
    for name in ("one", "two"):
        monkeypatch.chdir(tmp_path / name / "docs")
        with place(ARCHIVE_DB=str(db)).open() as archive:
            assert archive.read("docs/a.md") == name.encode()
