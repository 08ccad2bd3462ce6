"""Blobs: stored once, checked on every read, superseded content in short chains of deltas that never form a cycle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import CorruptArchive
from archive.hashing import hash_bytes
from archive.storage import audit, blobs, chains, migrate
from archive.storage.connection import Connection, Database


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("blobs") / "archive.db"
    migrate.create(path)
    opened = Database(path, writable=True)
    yield opened
    opened.close()


class Undo(Exception):
    pass


@contextmanager
def undone(database: Database) -> Iterator[Connection]:
    with suppress(Undo), database.writing() as opened:
        yield opened
        raise Undo


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction that is rolled back when the test ends."""
    with undone(database) as opened:
        yield opened


def put(connection: Connection, *contents: bytes) -> list[int]:
    first = blobs.next_id(connection)
    rows = [(first + n, hash_bytes(data), data) for n, data in enumerate(contents)]
    blobs.name(connection, rows)
    blobs.put(connection, rows)
    return list(range(first, first + len(contents)))


def retire(connection: Connection, older: int, newer: int) -> None:
    chains.retire(connection, older, (newer, blobs.read(connection, newer)))


def steps_of(connection: Connection, blob_id: int) -> int:
    """How many frames have to be decoded for a blob."""
    steps, next_ = 0, blob_id
    while (row := connection.execute("SELECT base_id FROM deltas WHERE blob_id = ?", (next_,)).fetchone()) is not None:
        steps += 1
        if row[0] is None:
            break
        next_ = row[0]
    return steps


@pytest.mark.parametrize(
    "data", [b"", b"text", "übung\r\n".encode(), b"\xff\xfe\x00", b"a\0b", b"\xef\xbb\xbf{}", b"x" * 3_000_000]
)
def test_content_comes_back_byte_for_byte(connection: Connection, data: bytes) -> None:
    (blob_id,) = put(connection, data)
    assert blobs.read(connection, blob_id) == data


def test_text_is_stored_as_text_so_that_plain_sql_can_look_into_it(connection: Connection) -> None:
    put(connection, b'{"tasks": [{"title": "first"}]}')
    rows = connection.execute("SELECT typeof(data), data ->> '$.tasks[0].title' FROM contents").fetchall()
    assert rows == [("text", "first")]


@pytest.mark.parametrize("data", [b"\xff", b"a\0b"])
def test_what_is_no_text_is_stored_as_a_blob(connection: Connection, data: bytes) -> None:
    put(connection, data)
    assert connection.execute("SELECT typeof(data) FROM contents").fetchall() == [("blob",)]


def test_damage_to_an_old_version_does_not_keep_new_ones_from_being_stored(connection: Connection) -> None:
    noise = Random(1).randbytes(2_000).hex().encode()
    versions = put(connection, *(noise + str(number).encode() for number in range(100)))
    for number, (older, newer) in enumerate(pairwise(versions)):
        retire(connection, older, newer)
        if number == 20:
            connection.execute("UPDATE deltas SET data = x'00' WHERE blob_id = ?", (versions[5],))
    for number, blob_id in enumerate(versions):
        if number <= 5:
            with pytest.raises(CorruptArchive):
                blobs.read(connection, blob_id)
        else:
            assert blobs.read(connection, blob_id) == noise + str(number).encode()


def test_damaged_content_that_is_replaced_stays_as_it_is_and_the_new_is_stored(connection: Connection) -> None:
    older, newer = put(connection, b"one", b"two")
    connection.execute("UPDATE contents SET data = 'onex' WHERE blob_id = ?", (older,))
    retire(connection, older, newer)
    assert blobs.read(connection, newer) == b"two"
    with pytest.raises(CorruptArchive):
        blobs.read(connection, older)


def test_no_version_takes_more_than_32_steps_and_long_histories_need_no_keyframe(connection: Connection) -> None:
    contents = [b"".join(b"%d %d\n" % (line, max(0, line - n)) for line in range(400)) for n in range(200)]
    ids = put(connection, *contents)
    for older, newer in pairwise(ids):
        retire(connection, older, newer)

    steps = [steps_of(connection, blob_id) for blob_id in ids]
    assert 16 < max(steps) <= 32
    assert [blobs.read(connection, blob_id) for blob_id in ids] == contents
    assert not audit.broken(connection, "chains of deltas grow by one and end")
    assert connection.execute("SELECT count(*) FROM deltas WHERE base_id IS NULL").fetchall() == [(0,)]


@settings(max_examples=30)
@given(seed=st.randoms(use_true_random=False), limit=st.integers(3, 6))
def test_chains_stay_short_however_content_comes_back(database: Database, seed: Random, limit: int) -> None:
    """A long history of edits and reverts, under a limit that it meets again and again."""
    contents = [b"common part " * 40 + bytes([n]) * n for n in range(12)]
    with undone(database) as connection, pytest.MonkeyPatch.context() as patched:
        patched.setattr(chains, "MAX_HEIGHT", limit)
        ids = put(connection, *contents)
        for blob_id in ids[1:]:
            retire(connection, blob_id, ids[0])
        now = 0
        for _ in range(60):
            new = seed.choice([n for n in range(12) if n != now])
            blobs.revive(connection, [ids[new]])
            chains.retire(connection, ids[now], (ids[new], contents[new]))
            blobs.put(connection, [(ids[new], hash_bytes(contents[new]), contents[new])])
            now = new
            assert max(steps_of(connection, blob_id) for blob_id in ids) <= limit + 1
            assert not audit.broken(connection, "chains of deltas grow by one and end")
        assert [blobs.read(connection, blob_id) for blob_id in ids] == contents


@settings(max_examples=30)
@given(order=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=60))
def test_content_that_comes_and_goes_in_any_order_always_reads_back(database: Database, order: list[tuple[int, int]]) -> None:
    """Each step makes one of eight contents current in place of another, as edits and reverts do."""
    contents = [b"common part " * 40 + bytes([n]) * n for n in range(8)]
    with undone(database) as connection:
        ids = put(connection, *contents)
        plain = set(ids)
        for old, new in order:
            if ids[old] not in plain or old == new:
                continue
            if ids[new] not in plain:
                blobs.revive(connection, [ids[new]])
                blobs.put(connection, [(ids[new], hash_bytes(contents[new]), contents[new])])
                plain.add(ids[new])
            retire(connection, ids[old], ids[new])
            plain.discard(ids[old])
            assert [blobs.read(connection, blob_id) for blob_id in ids] == contents


def test_damaged_content_is_an_error_and_never_returned(connection: Connection) -> None:
    plain, retired = put(connection, b"current content " * 50, b"older content " + b"current content " * 49)
    retire(connection, retired, plain)
    connection.execute("UPDATE contents SET data = 'Current content' WHERE blob_id = ?", (plain,))

    for blob_id in (plain, retired):
        with pytest.raises(CorruptArchive):
            blobs.read(connection, blob_id)


def test_a_chain_that_bites_its_tail_is_an_error_and_not_an_endless_loop(connection: Connection) -> None:
    one, two, three = put(connection, b"one " * 99, b"two " * 99, b"three " * 99)
    retire(connection, one, two)
    retire(connection, two, three)
    connection.execute("UPDATE deltas SET base_id = ? WHERE blob_id = ?", (one, two))

    with pytest.raises(CorruptArchive):
        blobs.read(connection, one)
