"""What looks secret is stored, and is in no column of the derived tier."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from archive import Archive, Rules
from archive.config import load_config, render_config
from tests.conftest import write_tree
from tests.indexing.conftest import Query, found

SECRET = "hunter2hunter2"
DERIVED = (
    *("items", "items_fts_data", "items_fts_content", "index_notes", "tasks", "task_dependencies", "task_problems"),
    *("versions", "problems"),
)


def is_in_derived_tables(path: Path, text: str) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return any(
            text.lower() in str(value if not isinstance(value, bytes) else value.decode("latin-1")).lower()
            for table in DERIVED
            if table in tables
            for row in connection.execute(f"SELECT * FROM {table}")
            for value in row
        )


def test_a_secret_is_stored_and_masked_in_items_tasks_and_index(archive: Archive, root: Path, db_path: Path) -> None:
    tree = {
        "a.json": b'{"db": {"password": "%s", "user": "joe"}, "access_tokens": ["%s"]}' % ((SECRET.encode(),) * 2),
        "tasks.json": b'{"tasks": [{"id": 1, "title": "use password:%s now", "status": "pending"}]}' % SECRET.encode(),
        "notes.md": b"# Access\n\nexport API_KEY=%s\n" % SECRET.encode(),
        "log.jsonl": b'{"id": 1, "token": "%s"}\n{"token": "%s", \n' % ((SECRET.encode(),) * 2),
        "broken.json": b'{"password": "%s", ' % SECRET.encode(),
        "torn.json": b'{"a": 1}\n{"password":\n "%s"}' % SECRET.encode(),
        "env.json": b'{"env": [{"name": "API_KEY", "value": "%s"}, {"name": "size", "value": "large"}]}' % SECRET.encode(),
    }
    write_tree(root, tree)
    archive.backup(root)

    assert not is_in_derived_tables(db_path, SECRET)
    assert found(db_path, SECRET) == []
    assert found(db_path, "joe") == ["/db"]
    assert {path: archive.read(path) for path in tree} == tree


def test_further_names_are_masked_from_the_first_backup_that_has_them_on(
    archive: Archive, root: Path, db_path: Path, rows: Query
) -> None:
    write_tree(root, {"a.json": b'{"door_code": "%s", "design_token": "blue"}' % SECRET.encode()})
    archive.backup(root)
    assert is_in_derived_tables(db_path, SECRET)
    assert not is_in_derived_tables(db_path, "blue")

    result = archive.backup(root, rules=Rules(secret_names=("door_code",), not_secret=("design_token",))).index

    assert result is not None
    assert result.versions == 1
    assert not is_in_derived_tables(db_path, SECRET)
    assert rows("SELECT text FROM items") == [("door_code: [masked]\ndesign_token: blue",)]
    # It is the archive that knows: whoever indexes next masks the same.
    write_tree(root, {"a.json": b'{"door_code": "%s2"}' % SECRET.encode()})
    archive.reindex()
    assert not is_in_derived_tables(db_path, SECRET)
    assert archive.reindex(verify=True).is_good


def test_names_of_one_source_do_not_count_for_another(archive: Archive, tmp_path: Path, db_path: Path, rows: Query) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.json").write_text(f'{{"pin": "{name}"}}')
    archive.backup(tmp_path / "one", rules=Rules(secret_names=("pin",)))
    archive.backup(tmp_path / "two")
    assert rows("SELECT text FROM items ORDER BY document_id") == [("pin: [masked]",), ("pin: two",)]


def test_the_names_are_settings(tmp_path: Path) -> None:
    rules = Rules(secret_names=("pin", "door_code"), not_secret=("design_token",))
    (tmp_path / "archive.toml").write_text(render_config(rules))
    read = load_config(tmp_path).rules
    assert (read.secret_names, read.not_secret) == (rules.secret_names, rules.not_secret)
