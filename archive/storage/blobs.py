"""Stores content once per hash, and reads it back, always checked.

name, put    new content, plain            → contents
revive, put  current again                 deltas → contents
retire       no longer current anywhere    contents → deltas (in `chains`)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archive import codec
from archive.errors import CorruptArchive
from archive.hashing import hash_bytes
from archive.storage.bulk import insert_rows
from archive.storage.connection import Connection
from archive.storage.rows import fetch, stream, value

# The longest chain of deltas; so any version is decoded in at most 32 steps, its end counted.
MAX_HEIGHT = 31

# How many blobs are fetched with one query, and up to which size.
_READ_AT_ONCE = 64
_SMALL_BYTES = 128 * 1024

CORRUPT_HINT = "Run 'archive check' to see which versions are affected; the others can still be restored."


class BlobRow(NamedTuple):
    """Where a blob is: `is_plain` tells contents from deltas."""

    id: int
    is_plain: bool


def find(connection: Connection, hashes: Sequence[str]) -> dict[str, BlobRow]:
    """Returns the blobs that are there already, by hash."""
    rows = fetch(
        connection,
        "SELECT b.hash, b.id, c.blob_id IS NOT NULL FROM json_each(?) h"
        " CROSS JOIN blobs b ON substr(b.hash, 8, 32) = substr(h.value, 8, 32) AND b.hash = h.value"  # as the index has it
        " LEFT JOIN contents c ON c.blob_id = b.id",
        (json.dumps(hashes),),
    )
    return {hash_: BlobRow(blob_id, bool(is_plain)) for hash_, blob_id, is_plain in rows}


def next_id(connection: Connection) -> int:
    """Returns the first free id; it stays free while the caller's transaction holds the lock."""
    return int(value(connection, "SELECT coalesce(max(id), 0) + 1 FROM blobs"))


def name(connection: Connection, blobs: Sequence[tuple[int, str, bytes]]) -> None:
    """Gives new content, as (id, hash, bytes), its row; `put` has to follow in the same transaction."""
    rows = [(blob_id, hash_, len(data)) for blob_id, hash_, data in blobs]
    insert_rows(connection, "INSERT INTO blobs (id, hash, size_bytes)", rows)


def revive(connection: Connection, blob_ids: Sequence[int]) -> None:
    """Drops the deltas of content that became current again; `put` has to follow in the same transaction."""
    if blob_ids:
        connection.executemany("DELETE FROM deltas WHERE blob_id = ?", [(blob_id,) for blob_id in blob_ids])


def put(connection: Connection, blobs: Sequence[tuple[int, str, bytes]]) -> None:
    """Stores content plain, given as (id, hash, bytes), and proves by reading it back that it is there."""
    texts: list[tuple[int, bytes]] = []
    others: list[tuple[int, bytes]] = []
    for blob_id, _, data in blobs:
        (texts if _is_text(data) else others).append((blob_id, data))
    # As bytes, which SQLite is told to take for text: making a text of them, and bytes of that again, takes longer.
    insert_rows(connection, "INSERT INTO contents (blob_id, data)", texts, marks="(?, CAST(? AS TEXT))")
    insert_rows(connection, "INSERT INTO contents (blob_id, data)", others)
    expected = {blob_id: hash_ for blob_id, hash_, _ in blobs}
    marks = ", ".join("?" * len(blobs))
    stored = stream(connection, f"SELECT blob_id, CAST(data AS BLOB) FROM contents WHERE blob_id IN ({marks})", tuple(expected))
    # To the end, since a statement that still runs would outlast the transaction.
    for blob_id in [blob_id for blob_id, data in stored if hash_bytes(data) != expected.pop(blob_id)]:
        raise CorruptArchive(f"blob {blob_id} was not stored as it was read", hint=CORRUPT_HINT, blob=blob_id)
    if expected:
        raise CorruptArchive(f"blob {min(expected)} was not stored", hint=CORRUPT_HINT, blob=min(expected))


def read(connection: Connection, blob_id: int) -> bytes:
    """Returns the content of a blob, checked against its hash.

    Raises:
        CorruptArchive: It is missing, does not decode, or does not match its hash.
    """
    data = _rebuild(connection, blob_id)
    if [(hash_bytes(data),)] != fetch(connection, "SELECT hash FROM blobs WHERE id = ?", (blob_id,)):
        raise CorruptArchive(f"blob {blob_id} does not match its hash", hint=CORRUPT_HINT, blob=blob_id)
    return data


def read_many(connection: Connection, blob_ids: Sequence[int]) -> Iterator[bytes]:
    """Yields the contents of many blobs in the order asked for, each checked against its hash.

    Plain content is fetched a handful at a time, which for small documents is several times quicker than `read`.

    Raises:
        CorruptArchive: As `read`.
    """
    for start in range(0, len(blob_ids), _READ_AT_ONCE):
        part = blob_ids[start : start + _READ_AT_ONCE]
        marks = ", ".join("?" * len(part))
        rows = fetch(
            connection,
            "SELECT b.id, b.hash, CAST(c.data AS BLOB) FROM blobs b JOIN contents c ON c.blob_id = b.id"
            f" WHERE b.id IN ({marks}) AND b.size_bytes < {_SMALL_BYTES}",
            tuple(part),
        )
        plain = {blob_id: data for blob_id, hash_, data in rows if hash_bytes(data) == hash_}
        for blob_id in part:
            # What is missing here is large, a delta, or damaged; `read` knows what to do with each.
            yield plain[blob_id] if blob_id in plain else read(connection, blob_id)


def _rebuild(connection: Connection, blob_id: int) -> bytes:
    frames: list[bytes] = []
    next_: int | None = blob_id
    data: bytes | None = None
    while next_ is not None:
        plain = fetch(connection, "SELECT CAST(data AS BLOB) FROM contents WHERE blob_id = ?", (next_,))
        data = plain[0][0] if plain else None
        if data is not None:
            break
        rows = fetch(connection, "SELECT base_id, data FROM deltas WHERE blob_id = ?", (next_,))
        if not rows or len(frames) > MAX_HEIGHT:
            raise CorruptArchive(f"blob {blob_id} has no content", hint=CORRUPT_HINT, blob=blob_id)
        ((next_, frame),) = rows
        frames.append(frame)
    try:
        for frame in reversed(frames):
            data = codec.decode(frame, data)
    except codec.DecodeError as error:
        raise CorruptArchive(f"blob {blob_id} does not decode: {error}", hint=CORRUPT_HINT, blob=blob_id) from error
    assert data is not None
    return data


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False  # SQLite's own functions end a text at a NUL; as a BLOB it stays whole
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
