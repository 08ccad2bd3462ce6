"""A check finds every damage that changes what the archive would give back, and says what is affected."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive, ArchiveError, CheckDepth
from archive.model.check import Verdict
from tests.conftest import FixedClock, write_tree

pytestmark = pytest.mark.usefixtures("damaged_on_purpose")


@pytest.fixture
def filled(db_path: Path, root: Path, clock: FixedClock) -> Path:
    """A closed archive with a history of twelve snapshots: edits, a removal, a return, a broken file."""
    with Archive.create(db_path, clock=clock) as archive:
        for n in range(12):
            noise = {k: random.Random(k * 100 + n // (k + 1)).randbytes(3000).hex().encode() for k in range(5)}
            tree = {f"{k}.json": b'{"k": %d, "words": "%s"}' % (k, noise[k]) for k in range(5)}
            if n % 4:
                tree["sometimes.md"] = b"# %d\n" % n
            tree["broken.json"] = b"{" * (n % 3)
            write_tree(root, tree)
            archive.backup(root)
            clock.tick()
    return db_path


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def findings(path: Path, depth: CheckDepth = CheckDepth.FULL) -> list[str]:
    with Archive.open(path) as archive:
        result = archive.check(depth=depth)
    assert result.is_good == (not result.findings)
    return [f"{finding.object}: {finding.message} {' '.join(finding.affected)}" for finding in result.findings]


def test_a_sound_archive_is_good_and_everything_was_examined(filled: Path) -> None:
    with Archive.open(filled) as archive:
        result = archive.check()
        stats = archive.stats()
        hashed = {
            version.hash: version.size_bytes for each in archive.documents() for version in archive.history(each.path).versions
        }

    assert result.is_good
    assert (result.bad, result.unknown, result.findings) == (0, 0, ())
    assert result.good == 2 + stats.snapshots + stats.documents + stats.versions + stats.blobs
    assert result.bytes_hashed >= sum(hashed.values())


def test_a_quick_check_says_that_it_did_not_look_at_contents(filled: Path) -> None:
    with Archive.open(filled) as archive:
        result = archive.check(depth=CheckDepth.STRUCTURE)
        assert result.unknown == archive.stats().blobs
    assert result.bad == 0
    assert result.bytes_hashed == 0


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE contents SET data = replace(data, 'words', 'wards') WHERE data LIKE '%words%'",
            "does not match its hash",
        ),
        ("UPDATE deltas SET data = zeroblob(length(data))", "does not decode"),
        ("DELETE FROM contents WHERE blob_id = (SELECT max(blob_id) FROM contents)", "nowhere"),
        ("DELETE FROM deltas WHERE blob_id = (SELECT min(blob_id) FROM deltas)", "nowhere"),
        ("INSERT INTO deltas SELECT blob_id, NULL, 0, x'00' FROM contents LIMIT 1", "two places"),
        ("UPDATE blobs SET size_bytes = size_bytes + 1 WHERE id = 2", "bytes"),
        ("UPDATE blobs SET hash = 'sha256:' || hex(randomblob(32)) WHERE id = 2", "does not match"),
        (
            "UPDATE versions SET until_snapshot_id = NULL WHERE id = (SELECT id FROM versions WHERE until_snapshot_id = 12)",
            "overlap",
        ),
        ("UPDATE versions SET number = number + 1 WHERE number = (SELECT max(number) FROM versions)", "number"),
        (
            "UPDATE versions SET until_snapshot_id = until_snapshot_id + 1 WHERE number = 1 AND until_snapshot_id = 2",
            "overlap",
        ),
        ("UPDATE versions SET mode = 511 WHERE id = 3", "digest"),
        ("UPDATE versions SET mtime_ns = mtime_ns + 1 WHERE id = 3", "digest"),
        ("UPDATE documents SET path = 'renamed.json' WHERE id = 1", "digest"),
        ("UPDATE snapshots SET digest = 'sha256:0' WHERE id = 5", "snapshot 5: its digest"),
        ("UPDATE snapshots SET documents_count = 99 WHERE id = 5", "snapshot 5: it says 99"),
        ("UPDATE snapshots SET is_complete = 0 WHERE id = 5", "snapshot 5: it says it is incomplete"),
        ("DELETE FROM snapshots WHERE id = 12", "refers to a row of snapshots"),
        ("DELETE FROM documents WHERE id = 1", "refers to a row of documents"),
        ("INSERT INTO blobs VALUES (999, 'sha256:1', 1)", "blob 999: no version has it"),
        ("INSERT INTO documents VALUES (999, 1, 'ghost', NULL, 'json', 'x')", "document ghost: it has no version"),
        ("UPDATE snapshots SET added_count = 7 WHERE id = 3", "snapshot 3: its counts"),
        ("UPDATE snapshots SET tags = '3' WHERE id = 3", "snapshot 3: its tags"),
        ("UPDATE sources SET rules = '3'", "its rules are no object"),
        ("UPDATE problems SET severity = 'skipped' WHERE id = 1", "problem 1: its interval, its kind"),
        ("UPDATE problems SET until_snapshot_id = first_snapshot_id WHERE id = 1", "problem 1: its interval"),
        (
            (
                "INSERT INTO problems VALUES (98, 1, 'x', 'invalid', 'warning', 'm', 1, NULL),"
                " (99, 1, 'x', 'invalid', 'warning', 'm', 2, NULL)"
            ),
            "problem 99: it stands twice",
        ),
        ("UPDATE deltas SET height = 40 WHERE blob_id = (SELECT min(blob_id) FROM deltas)", "chain of deltas"),
        ("INSERT INTO restores VALUES (1, 1, '', 1, 2, '{}')", "restore 1: its snapshots"),
        (
            "INSERT INTO checks VALUES (7, '', 'full', 'bad', NULL, 9, 0, 0, '[]', 1, 1)",
            "check 7: its verdict is not what it counted",
        ),
        ("INSERT INTO problems VALUES (97, 1, 'x', 'unreadable', 'incomplete', 'm', 12, NULL)", "it says it is complete"),
        ("INSERT INTO contents SELECT blob_id, 'x' FROM deltas LIMIT 1", "plain and not current"),
        (
            "INSERT INTO sources VALUES (2, 'other', '/', '{}') ; UPDATE snapshots SET source_id = 2 WHERE id = 12",
            "another source",
        ),
        ("DROP VIEW current_documents", "view current_documents is missing"),
        ("DROP INDEX ux_versions_current", "index ux_versions_current is missing"),
        ("CREATE TRIGGER sly AFTER INSERT ON versions BEGIN DELETE FROM blobs; END", "trigger sly does not belong"),
    ],
)
def test_every_rule_of_the_format_is_watched(filled: Path, statement: str, expected: str) -> None:
    unique = ("ux_versions_current",) if "until_snapshot_id = NULL" in statement else ()
    edit(filled, *(f"DROP INDEX {name}" for name in unique), *statement.split(" ; "))

    assert any(expected in finding for finding in findings(filled)), findings(filled)


# What an edit of can go unnoticed; archive/FORMAT.md names each of them, with the reason.
NOT_COVERED = {
    ("sources", "name"),
    ("sources", "root"),
    ("sources", "rules"),
    ("documents", "category"),
    ("versions", "id"),
    ("problems", "id"),
    ("deltas", "base_id"),
    ("deltas", "height"),
    ("restores", "*"),
    ("checks", "*"),
    ("_stat_cache", "*"),
}
ENDURING = (
    "sources",
    "snapshots",
    "documents",
    "versions",
    "blobs",
    "contents",
    "deltas",
    "problems",
    "restores",
    "checks",
    "_stat_cache",
)


# Columns in which another value must not be one that is taken.
UNIQUE = ("id", "number", "blob_id", "document_id", "first_snapshot_id")


def other_value(column: str, kind: str, value: object) -> str:
    """An expression that is a believable other value of a column."""
    if column == "parse_state":
        return "'lenient'" if value != "lenient" else "'valid'"
    if column == "kind":
        return "'markdown'" if value == "json" else "'unreadable'" if value == "invalid" else "'json'"
    if column == "severity":
        return "'skipped'"
    if column == "tags":
        return "'[1]'"
    if column == "rules":
        return "'{\"a\": 1}'"
    if column == "changes":
        return "'[]'"
    if value is None:
        return "x'61'" if kind == "BLOB" else "12"
    if kind == "INTEGER":
        return f"1 - {column}" if column.startswith("is_") else f"{column} + {100 if column in UNIQUE else 1}"
    return f"CAST({column} || '1' AS {'BLOB' if isinstance(value, bytes) else 'TEXT'})"


def test_every_altered_column_is_found_or_named_in_the_format(filled: Path, tmp_path: Path) -> None:
    """One row after the other of every table of the enduring tier, one column at a time."""
    page = (Path(__file__).parents[2] / "archive" / "FORMAT.md").read_text(encoding="utf-8")
    with Archive.open(filled, mode="write") as archive:  # so that there is a restore to alter
        archive.restore(archive.plan_restore(at="3"))
    missed = set()
    with closing(sqlite3.connect(filled)) as connection:
        for table in ENDURING:
            rows = connection.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid LIMIT 2 OFFSET 1").fetchall()
            for number, (_, column, kind, *_) in enumerate(connection.execute(f"PRAGMA table_info({table})"), start=1):
                if {(table, column), (table, "*")} & NOT_COVERED:
                    assert f"`{table}.{column}`" in page or f"`{table}`" in page.partition("does not cover")[2], (table, column)
                    continue
                for row in rows or connection.execute(f"SELECT rowid, * FROM {table}").fetchall():
                    path = tmp_path / "altered.db"
                    path.write_bytes(filled.read_bytes())
                    edit(
                        path,
                        "PRAGMA foreign_keys = OFF",
                        f"UPDATE {table} SET {column} = {other_value(column, kind, row[number])} WHERE rowid = {row[0]}",
                    )
                    if not findings(path):
                        missed.add((table, column))
    assert not missed


def test_content_that_a_version_lies_about_is_found(filled: Path) -> None:
    """Even where somebody who altered the state made a digest that fits."""
    edit(filled, "UPDATE versions SET parse_state = 'valid' WHERE parse_state = 'invalid'")
    assert sum("it says that its content is valid, and it is invalid" in finding for finding in findings(filled)) == 12


def test_a_view_of_ones_own_is_no_damage(filled: Path) -> None:
    edit(filled, "CREATE VIEW mine AS SELECT 1", "CREATE INDEX mine_too ON versions (size_bytes)")
    assert findings(filled) == []


def test_damage_names_the_versions_that_cannot_be_read_and_all_others_still_can(filled: Path) -> None:
    edit(filled, "UPDATE contents SET data = 'x' WHERE blob_id = (SELECT blob_id FROM versions v JOIN documents d"
         " ON d.id = v.document_id WHERE d.path = '0.json' AND v.until_snapshot_id IS NULL)")  # fmt: skip

    with Archive.open(filled) as archive:
        result = archive.check()
        affected = {name for finding in result.findings for name in finding.affected}
        readable = set()
        for each in archive.documents():
            for version in archive.history(each.path).versions:
                try:
                    archive.read(each.path, at=str(version.snapshot))
                    readable.add(f"{each.path}@{version.number}")
                except ArchiveError:
                    assert f"{each.path}@{version.number}" in affected
    assert affected
    assert not affected & readable
    assert all(name.startswith("0.json@") for name in affected)


@pytest.mark.slow
def test_of_random_bit_flips_none_that_changes_what_is_given_back_goes_unnoticed(filled: Path, tmp_path: Path) -> None:
    """Each flip either leaves every version readable and right, or the check says bad."""

    def everything(path: Path) -> dict[tuple[str, int], object]:
        with Archive.open(path) as archive:
            return {
                (document.path, snapshot.id): (
                    archive.read(document.path, at=str(snapshot.id)),
                    document.mode,
                    document.mtime_ns,
                )
                for snapshot in archive.snapshots()
                for document in archive.documents(at=str(snapshot.id))
            }

    good, original = everything(filled), filled.read_bytes()
    random_ = random.Random(5)
    path = tmp_path / "flipped.db"
    noticed = 0
    for _ in range(300):
        data = bytearray(original)
        position = random_.randrange(len(data))
        data[position] ^= 1 << random_.randrange(8)
        path.write_bytes(data)
        try:
            with Archive.open(path) as archive:
                is_good = archive.check().is_good
            same = everything(path) == good
        except ArchiveError:
            noticed += 1
            continue
        noticed += not is_good
        assert same or not is_good, f"bit flipped in byte {position}"
    assert noticed > 60


def test_a_file_cut_short_is_bad_and_not_a_crash(filled: Path, tmp_path: Path) -> None:
    data = filled.read_bytes()
    codes: set[int] = set()
    for share in (0.3, 0.6, 0.95):
        path = tmp_path / f"{share}.db"
        path.write_bytes(data[: int(len(data) * share)])
        try:
            with Archive.open(path) as archive:
                result = archive.check()
        except ArchiveError as error:
            codes.add(error.exit_code)
            continue
        assert result.bad > 0
        assert any(finding.verdict is not Verdict.GOOD for finding in result.findings)
    assert codes <= {13}
