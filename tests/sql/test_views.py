"""The views that are questions give the right answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive import Archive
from tests.conftest import FixedClock, write_tree
from tests.sql.sample import FIRST


def test_a_change_leads_to_both_of_its_versions(opened: Archive) -> None:
    rows = opened.sql(
        "SELECT c.path, o.number, v.number FROM snapshot_changes c JOIN versions v ON v.id = c.version_id"
        " LEFT JOIN versions o ON o.id = c.old_version_id WHERE c.snapshot_id = 3 ORDER BY c.path"
    ).rows
    assert rows == (("agents/memory.json", 1, 2), ("docs/old.md", 1, 1))


def test_current_documents_have_the_id_of_their_version(opened: Archive) -> None:
    rows = opened.sql("SELECT count(*), sum(coalesce(content, text) = archive_content(version_id)) FROM current_documents").rows
    total, same = rows[0]
    assert isinstance(total, int)
    assert same == total - 1  # one is not UTF-8


@pytest.mark.parametrize(("view", "at"), [("current_documents", None), ("documents", "latest"), ("current_documents", "3")])
def test_one_value_of_all_documents_can_be_asked_for_whatever_else_lies_between_them(
    opened: Archive, view: str, at: str | None
) -> None:
    rows = opened.sql(f"SELECT path, content ->> '$.metadata.version' FROM {view} ORDER BY path", at=at).rows
    assert ("agents/tasks.json", "1.3") in rows
    assert {path for path, value in rows if value is None} >= {"agents/memory.json", "agents/memory.jsonl", "docs/roadmap.md"}


def test_what_is_no_json_is_text_and_never_both(opened: Archive) -> None:
    rows = opened.sql("SELECT path, content IS NOT NULL, text IS NOT NULL FROM current_documents").rows
    has_content = {path for path, has, _ in rows if has}
    has_text = {path for path, _, has in rows if has}
    assert has_content == {"agents/tasks.json"}  # the other JSON document is torn
    assert has_text == {path for path, _, _ in rows} - has_content - {"odd/caf\\xe9.txt"}


def test_a_problem_that_ended_is_history(archive: Archive, root: Path, clock: FixedClock) -> None:
    for tree in ({"a.json": b"{"}, {"a.json": b"{}"}):
        write_tree(root, tree)
        archive.backup(root)
        clock.tick(days=1)
    assert archive.sql("SELECT 1 FROM current_problems WHERE kind = 'invalid'").rows == ()
    rows = archive.sql("SELECT path, kind, first_label, until_label, is_current, document_id FROM problem_history").rows
    assert ("a.json", "invalid", "20260102_030405", "20260103_030405", 0, 1) in rows


def test_storage_counts_shared_content_once(opened: Archive) -> None:
    found = opened.sql("SELECT path, stored_bytes FROM storage_by_document WHERE path LIKE 'docs/%'").rows
    rows = {str(path): int(str(stored)) for path, stored in found}
    size = len(FIRST["docs/copy.md"])
    assert sorted([rows["docs/copy.md"], rows["docs/again.md"], 0])[:2] == [0, 0]
    assert sum(value for path, value in rows.items() if path in ("docs/copy.md", "docs/again.md", "docs/roadmap.md")) >= size
    total = opened.sql("SELECT sum(stored_bytes) FROM storage_by_document").rows[0][0]
    stats = opened.stats()
    assert total == stats.contents_bytes + stats.deltas_bytes


def test_removed_documents_have_a_cost_and_no_size(opened: Archive) -> None:
    rows = opened.sql("SELECT is_current, versions, current_bytes FROM storage_by_document WHERE path = 'docs/old.md'").rows
    assert rows == ((0, 1, None),)
