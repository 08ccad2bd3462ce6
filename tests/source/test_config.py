from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.config import Config, load_config, parse_size, render_config, render_size
from archive.errors import EXIT_USAGE, ConfigError, UsageError
from archive.model.memory import MemoryServer, MemorySettings
from archive.rules import Rules

EVERYTHING = """\
db = "store/my.db"
source = "notes"
include = ["*.json", "agents/"]
exclude = ["build/", "!.cache/"]
default_excludes = false
gitignore = true
sniff_extensionless = false
max_file_size = "1.5 MiB"

[categories]
notes = ["notes/*.md", "*.note"]
todo = "todo.txt"

[mcp]
command = ["npx", "server"]
"""
RULES = Rules(
    include=("*.json", "agents/"),
    exclude=("build/", "!.cache/"),
    default_excludes=False,
    gitignore=True,
    sniff_extensionless=False,
    max_file_bytes=1_572_864,
    categories=(("notes/*.md", "notes"), ("*.note", "notes"), ("todo.txt", "todo")),
)


def test_without_files_everything_is_at_its_default(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()
    assert load_config(tmp_path).rules == Rules()


def test_every_setting_is_read_from_archive_toml(tmp_path: Path) -> None:
    (tmp_path / "archive.toml").write_text(EVERYTHING)
    assert load_config(tmp_path) == Config(
        file=tmp_path / "archive.toml",
        db="store/my.db",
        source="notes",
        rules=replace(RULES, origin="archive.toml"),
        memory=MemorySettings(server=MemoryServer(command=("npx", "server"))),
    )


def test_every_setting_is_read_from_pyproject_toml(tmp_path: Path) -> None:
    text = EVERYTHING.replace("[categories]", "[tool.archive.categories]").replace("[mcp]", "[tool.archive.mcp]")
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "x"\n\n[tool.archive]\n{text}')
    found = load_config(tmp_path)
    assert (found.file, found.db, found.source) == (tmp_path / "pyproject.toml", "store/my.db", "notes")
    assert found.rules == replace(RULES, origin="pyproject.toml")
    assert found.memory == MemorySettings(server=MemoryServer(command=("npx", "server")))


def test_archive_toml_comes_before_pyproject_toml_and_the_two_are_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.archive]\nsource = "other"\ngitignore = true\n')
    (tmp_path / "archive.toml").write_text('db = "x.db"\n')
    found = load_config(tmp_path)
    assert (found.db, found.source, found.rules.gitignore) == ("x.db", None, False)


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "[tool]\n", "[project\n<<<<<<< HEAD\n"])
def test_a_pyproject_without_a_word_about_archives_does_not_matter(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert load_config(tmp_path) == Config()


def test_a_pyproject_that_is_not_text_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert load_config(tmp_path) == Config()


@pytest.mark.parametrize("text", ["tool.archive.db = 'x.db'", "[tool]\narchive = {db = 'x.db'}", "[tool . archive]\ndb='x.db'"])
def test_any_spelling_of_the_table_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert load_config(tmp_path).db == "x.db"


BAD = [
    # text, what the message says, what the hint says, line
    ("gitignor = true", "archive.toml line 1: 'gitignor' is not a setting", "Did you mean 'gitignore'?", 1),
    ("\n# zzz\nzzz = 1", "'zzz' is not a setting", "The names are categories, db", 3),
    ("[searhc]\n", "line 1: 'searhc' is not a setting", "secret_names", 1),
    ("include = '*.json'", "include has to be a list of patterns", "", 1),
    ("db = 'x'\nexclude = [1]", "line 2: exclude has to be a list of patterns", "", 2),
    ("gitignore = 1", "gitignore has to be true or false", "", 1),
    ("source = 1", "source has to be a text", "", 1),
    ("db = ' '", "db has to be a text that is not empty", "", 1),
    ("max_file_size = true", "max_file_size has to be a number of bytes", "", 1),
    ("max_file_size = -1", "max_file_size has to be a number of bytes", "", 1),
    ("max_file_size = 1.5", "max_file_size has to be a number of bytes", "", 1),
    ("max_file_size = '12 parsecs'", 'or a text as "256 MiB"', "", 1),
    ("categories = 1", "categories has to be a table", "", 1),
    ("[categories]\nnotes = 1", "line 2: notes has to be a list of patterns", "", 2),
    ("mcp = 1", "mcp has to be a table", "", 1),
    ("source = 'include'\ninclude = [\n  '*.json',\n  '/',\n]", "'/' is not a pattern", ".gitignore", 4),
    ("source = 'exclude'\nexclude = 1", "line 2: exclude has to be", "", 2),
    ("db = 'x'\nsource = \n", "not valid TOML: invalid value (at line 2", "https://toml.io", 2),
    ("db = 'x'\ndb = 'y'\n", "not valid TOML: cannot overwrite", "", 2),
    ("include = " + "[" * 5000, "not valid TOML: nested too deeply", "", None),
]


@pytest.mark.parametrize(("text", "message", "hint", "line"), BAD)
def test_what_cannot_be_used_is_an_error_that_says_where(
    tmp_path: Path, text: str, message: str, hint: str, line: int | None
) -> None:
    (tmp_path / "archive.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.context["line"] == line
    assert caught.value.context["file"] == str(tmp_path / "archive.toml")
    assert caught.value.exit_code == EXIT_USAGE


def test_errors_in_pyproject_toml_point_into_its_own_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black]\ninclude = 'x'\n\n[tool.archive]\n# include\ninclude = 'x'\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml line 6: include has to be") as caught:
        load_config(tmp_path)
    assert caught.value.context["line"] == 6


@pytest.mark.parametrize("text", ["[tool.archive]\ndb = \n", "[tool.archive.mcp]\ndb = \n", "[tool]\narchive = 1\n"])
def test_a_pyproject_about_archives_has_to_be_right(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_config(tmp_path)


def test_a_file_that_is_not_text_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "archive.toml").write_bytes(b"# one\n# two \xff\n")
    with pytest.raises(ConfigError, match="not UTF-8 at line 2"):
        load_config(tmp_path)


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "archive.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load_config(tmp_path)


SIZES = {
    "0": 0,
    "4096": 4096,
    "1 byte": 1,
    "10 B": 10,
    "256 MiB": 256 * 1024**2,
    "256mib": 256 * 1024**2,
    "1.5 GB": 1_500_000_000,
    "2K": 2048,
    "3 KB": 3000,
    " 1 TiB ": 1024**4,
    "0.5 KiB": 512,
    "9007199254740993 B": 9_007_199_254_740_993,
    "": None,
    "MiB": None,
    "-1": None,
    "1 XB": None,
    "1,5 MB": None,
    "1e3": None,
    "1\n2": None,
}


@pytest.mark.parametrize("text", SIZES)
def test_sizes_are_read_as_people_write_them(text: str) -> None:
    assert parse_size(text) == SIZES[text]


@given(st.integers(0, 2**60))
def test_sizes_that_are_written_are_read_back_exactly(size: int) -> None:
    assert parse_size(render_size(size)) == size


pieces = st.sampled_from(["*.json", "build/", "!a", 'quo"te', "back\\\\slash", "tab\t.md", "é", "[ab]", "x\x7f", "a\nb"])
patterns = st.lists(pieces, max_size=4).map(tuple)
categories = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip), st.lists(pieces, min_size=1), max_size=3
).map(lambda table: tuple((pattern, name) for name, listed in table.items() for pattern in listed))
all_rules = st.builds(
    Rules,
    include=patterns,
    exclude=patterns,
    default_excludes=st.booleans(),
    gitignore=st.booleans(),
    sniff_extensionless=st.booleans(),
    max_file_bytes=st.integers(0, 2**40),
    categories=categories,
    origin=st.just("archive.toml"),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=all_rules, db=st.none() | st.just("a/b.db"), source=st.none() | st.just('na"me'))
def test_what_is_written_for_a_project_reads_back_the_same(
    tmp_path: Path, rules: Rules, db: str | None, source: str | None
) -> None:
    (tmp_path / "archive.toml").write_text(render_config(rules, db=db, source=source), encoding="utf-8")
    found = load_config(tmp_path)
    assert (found.rules, found.db, found.source) == (rules, db, source)


def test_a_new_file_explains_every_setting_and_sets_none() -> None:
    text = render_config(Rules())
    assert all(line.startswith("#") for line in text.splitlines() if line)
    for name in (
        "db",
        "source",
        "include",
        "exclude",
        "default_excludes",
        "gitignore",
        "max_file_size",
        "[categories]",
    ):
        assert f"# {name}" in text


def test_the_commented_settings_of_a_new_file_can_be_switched_on(tmp_path: Path) -> None:
    lines = [line for line in render_config(Rules()).splitlines() if " = " in line or line.startswith("# [")]
    # A server has a command or a url.
    text = "\n".join(line.removeprefix("# ") for line in lines if not line.startswith(("# url", "# headers")))
    (tmp_path / "archive.toml").write_text(text)
    found = load_config(tmp_path)
    assert found.memory.shrunken_below == 0.5
    assert found.memory.server is not None
    assert found.memory.server.command[0] == "npx"
    assert found.db == ".archive/archive.db"
    assert found.rules.include == Rules().include


@pytest.mark.parametrize("rules", [Rules(exclude=("\udcff.json",)), Rules(categories=(("a", "x"), ("b", "y"), ("c", "x")))])
def test_rules_that_the_file_cannot_say_are_not_written(rules: Rules) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        render_config(rules)
