"""`check` and `reindex --verify` notice what is wrong with the derived tier, and `reindex` puts it right."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive import Archive
from archive.cli import main
from archive.errors import UsageError
from archive.model.check import CheckDepth
from archive.storage.taskrows import STATE
from tests.conftest import write_tree

TREE = {
    "a.json": b'{"tasks": [{"id": 1, "text": "lighthouse"}, {"id": 2, "text": "harbour"}]}',
    "b.md": b"# Title\n\nferry\n",
    "broken.json": b'{"a": [1, "thr',
}

# Name of the damage, the statements that do it, and what a check says.
DAMAGES = {
    "a text changed behind the index's back": (["UPDATE items SET text = 'other' WHERE key = '/tasks[id=1]'"], "full-text"),
    "an entry that is missing": (
        [
            (
                "INSERT INTO items_fts (items_fts, rowid, title, key, text, words) SELECT 'delete', id, title, key, text, words"
                " FROM items WHERE key = '/tasks[id=1]'"
            )
        ],
        "full-text",
    ),
    "an item that is gone with its entry": (
        [
            (
                "INSERT INTO items_fts (items_fts, rowid, title, key, text, words) SELECT 'delete', id, title, key, text, words"
                " FROM items WHERE key = '' AND document_id = (SELECT id FROM documents WHERE path = 'b.md')"
            ),
            "DELETE FROM items WHERE key = '' AND document_id = (SELECT id FROM documents WHERE path = 'b.md')",
        ],
        "nothing of it is indexed",
    ),
    "an item that is there twice": (
        [
            (
                "INSERT INTO items SELECT max(id) OVER () + 100, document_id, key, pointer, kind, title, text, words,"
                " is_boilerplate, first_snapshot_id, NULL FROM items WHERE key = '/tasks[id=1]'"
            ),
            "INSERT INTO items_fts (items_fts) VALUES ('rebuild')",
        ],
        "another one with its key",
    ),
    "an item that ends before it begins": (
        [
            "UPDATE items SET until_snapshot_id = 1, id = -id WHERE key = '/tasks[id=1]'",
            "INSERT INTO items_fts (items_fts) VALUES ('rebuild')",
        ],
        "interval",
    ),
    "an index that is further than the versions": (["UPDATE _indexing SET version_id = 99"], "further"),
}


@pytest.mark.parametrize(("statements", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_check_finds_it_and_a_reindexing_puts_it_right(
    archive: Archive, root: Path, db_path: Path, statements: list[str], said: str
) -> None:
    write_tree(root, TREE)
    archive.backup(root)
    assert archive.check(depth=CheckDepth.FULL).is_good
    archive.close()
    with closing(sqlite3.connect(db_path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()

    with Archive.open(db_path, mode="write") as opened:
        findings = opened.check(depth=CheckDepth.FULL).findings
        assert said in " ".join(f"{finding.object}: {finding.message}" for finding in findings)
        assert all("archive reindex" in finding.message for finding in findings)
        assert opened.reindex().items == 6
        assert opened.check(depth=CheckDepth.FULL).is_good
        assert opened.reindex(verify=True).is_good


def test_an_index_that_somebody_dropped_is_found_to_be_gone_and_made_again(
    archive: Archive, root: Path, db_path: Path, damaged_on_purpose: None
) -> None:
    write_tree(root, TREE)
    archive.backup(root)
    archive.close()
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("DROP TABLE items_fts")
    with Archive.open(db_path, mode="write") as opened:
        findings = opened.check(depth=CheckDepth.FULL).findings
        assert {finding.object for finding in findings} == {"schema", "full-text index"}
        assert "'archive reindex' makes it anew" in findings[-1].message
        assert not opened.reindex(verify=True).is_good
        opened.reindex()
        assert opened.check(depth=CheckDepth.FULL).is_good
        assert opened.reindex(verify=True).is_good
        assert opened.search("lighthouse").total == 1


TASKS = {
    "tasks.json": json.dumps(
        {"tasks": [{"id": n, "title": "mend", "status": "pending", "dependencies": [1] if n > 1 else []} for n in (1, 2)]}
    ).encode()
}
_ROW = "source_id, document_id, adapter, ref, pointer, position, digest, natural_key, " + STATE


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE tasks SET status = 'done' WHERE task_id = '1'", "not what its digest says"),
        ("DELETE FROM task_dependencies", "not what its digest says"),
        (
            f"INSERT INTO tasks (id, {_ROW}, first_snapshot_id, until_snapshot_id) SELECT 100, {_ROW}, 1, 2 FROM tasks LIMIT 1",
            "another one with its ref",
        ),
        (
            (
                f"INSERT INTO tasks (id, {_ROW}, first_snapshot_id, until_snapshot_id)"
                f" SELECT 100, {_ROW.replace(' ref,', ' 1,')}, 2, 3 FROM tasks LIMIT 1"
            ),
            "interval makes no sense",
        ),
    ],
)
def test_a_check_finds_tasks_that_cannot_be_and_a_reindexing_puts_them_right(
    archive: Archive, root: Path, db_path: Path, statement: str, said: str, damaged_on_purpose: None
) -> None:
    for message in ("one", "two"):
        write_tree(root, TASKS)
        archive.backup(root, message=message)
    archive.close()
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute(statement)
        connection.commit()
    with Archive.open(db_path, mode="write") as opened:
        findings = opened.check(depth=CheckDepth.FULL).findings
        assert said in " ".join(f"{finding.object}: {finding.message}" for finding in findings)
        assert not opened.reindex(verify=True).is_good
        opened.reindex()
        assert opened.check(depth=CheckDepth.FULL).is_good


def test_a_verification_names_what_differs_and_changes_nothing(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, TREE)
    archive.backup(root)
    assert archive.reindex(verify=True).is_good
    archive.close()
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("UPDATE items SET title = 'planted' WHERE key = '/tasks[id=2]'")
        connection.execute("UPDATE index_notes SET note = 'planted'")
        connection.execute("INSERT INTO items_fts (items_fts) VALUES ('rebuild')")
        connection.commit()
    before = db_path.read_bytes()

    with Archive.open(db_path) as opened:
        result = opened.reindex(verify=True)

    assert not result.is_good
    said = {(each.path, each.what) for each in result.differences}
    assert ("a.json", "item /tasks[id=2] (at /tasks/1) should not be there as it is") in said
    assert ("a.json", "item /tasks[id=2] (at /tasks/1) is missing") in said
    assert {path for path, _ in said} == {"a.json", "broken.json"}
    assert db_path.read_bytes() == before
    with Archive.open(db_path, mode="write") as opened:
        opened.reindex()
        assert opened.reindex(verify=True).is_good


def test_a_verification_finds_an_index_that_does_not_fit_its_items(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, TREE)
    archive.backup(root)
    archive.close()
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("DELETE FROM items_fts_data WHERE id > 10")
        connection.commit()

    with Archive.open(db_path, mode="write") as opened:
        assert any("full-text" in each.what for each in opened.reindex(verify=True).differences)
        opened.reindex()


def test_verifying_and_only_looking_exclude_each_other(archive: Archive) -> None:
    with pytest.raises(UsageError):
        archive.reindex(verify=True, dry_run=True)


def test_the_command_says_what_it_did_and_what_differs(archive: Archive, root: Path, db_path: Path) -> None:
    write_tree(root, TREE)
    archive.backup(root)
    archive.close()

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["reindex", "--db", str(db_path), *arguments])
        return result.exit_code, result.output

    assert run("--dry-run")[1].startswith("dry run, nothing was written; a reindexing would go through 3 versions")
    assert run() == (0, run()[1])
    assert "made 6 items from 3 versions" in run()[1]
    assert "good" in run("--verify")[1]
    assert run("--verify", "--dry-run")[0] == 2
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute("UPDATE items SET pointer = '/elsewhere' WHERE key = '/tasks[id=2]'")
        connection.commit()
    code, output = run("--verify", "--json")
    assert code == 13
    assert json.loads(output)["differences"][0]["path"] == "a.json"
    code, output = run("--verify")
    assert code == 13
    assert "a.json: item /tasks[id=2]" in output
    assert run()[0] == 0
    assert run("--verify")[0] == 0
