"""Turns content that is current nowhere any more into deltas, in chains that stay short.

    current content ← delta ← delta ← …

A delta's base is plain when the delta is made, so chains end in plain content or a keyframe and cannot form a cycle.
`height`, the longest chain of deltas that leads to a blob, bounds them. Where a chain has become too long, one of its
middle is made anew against the plain end: two chains half as long take its place, for the price of one larger delta. A
keyframe instead would cost a hundred times that: over 124 versions of a file of 770 KB, 50 KB of deltas became 280 KB.
"""

from __future__ import annotations

from archive import codec
from archive.errors import CorruptArchive
from archive.storage.blobs import CORRUPT_HINT, MAX_HEIGHT, read
from archive.storage.connection import Connection
from archive.storage.rows import fetch, value

# Of so many versions before the newest, one that had to be a keyframe is looked at again: what a damaged state could not be
# the base of is near to the state that mended it.
_MENDED_WITHIN = 8


def retire(connection: Connection, blob_id: int, successor: tuple[int, bytes] | None, *, document_id: int | None = None) -> int:
    """Moves plain content that is current nowhere to the deltas; returns the bytes that it takes there.

    Args:
        successor: The blob that took its place and is plain, or will be when the transaction ends, with its bytes; None where
            the document was removed.
        document_id: The document that had it; older versions of it may find a better base in the successor, too.
    """
    try:
        older = read(connection, blob_id)
    except CorruptArchive:
        return 0  # damaged content stays as it is: `check` names it, and new states have to be stored all the same
    if successor is not None and not successor[1]:
        successor = None  # an empty file is nothing to lean on
    grown = 0
    if successor is not None:
        if _height(connection, blob_id) >= MAX_HEIGHT:
            grown += _halve(connection, blob_id, successor)
        for keyframe_id in _recent_keyframes(connection, document_id):
            if (height := _height(connection, keyframe_id)) < MAX_HEIGHT:
                grown += _rebase(connection, keyframe_id, successor, height) or 0
    height = _height(connection, blob_id)
    data = b""
    if height >= MAX_HEIGHT:
        successor = None
    if successor is not None:
        data = codec.encode_delta(older, successor[1])
    if successor is None or len(data) > len(older) // 4:
        # The two have little in common; on its own it may be smaller, and is quicker to read.
        keyframe = codec.encode_keyframe(older)
        if successor is None or len(keyframe) <= len(data):
            data, successor = keyframe, None
    base_id, base = successor or (None, None)
    _prove(blob_id, data, base, older)
    connection.execute(
        "INSERT INTO deltas (blob_id, base_id, height, data) VALUES (?, ?, ?, ?)",
        (blob_id, base_id, 0 if base_id is None else height, data),
    )
    connection.execute("DELETE FROM contents WHERE blob_id = ?", (blob_id,))
    return grown + len(data)


def _height(connection: Connection, blob_id: int) -> int:
    """Returns how many deltas the longest chain has that leads to a blob."""
    ((height,),) = fetch(connection, "SELECT max(height) FROM deltas WHERE base_id = ?", (blob_id,))
    return 0 if height is None else int(height) + 1


def _halve(connection: Connection, blob_id: int, successor: tuple[int, bytes]) -> int:
    """Takes the longest chain that leads to a blob apart and gives its far part the successor for a base.

    Returns the bytes that this adds; nothing is done where no cut would leave room for more than one delta.
    """
    path, heights, others = [blob_id], [MAX_HEIGHT], []
    while rows := fetch(
        connection, "SELECT blob_id, height FROM deltas WHERE base_id = ? ORDER BY height DESC LIMIT 2", (path[-1],)
    ):
        path.append(rows[0][0])
        heights.append(rows[0][1])
        others.append(rows[1][1] if len(rows) > 1 else -1)  # the longest of the chains that join here
    left: list[int] = []
    best, cut = MAX_HEIGHT - 1, 0
    for end in range(1, len(path)):
        found = _heights_left(others[:end])
        if max(heights[end], found[0]) < best:
            best, cut, left = max(heights[end], found[0]), end, found
    grown = _rebase(connection, path[cut], successor, heights[cut]) if cut else None
    if grown is None:
        return 0
    # The first of them has no row yet, and gets its height with it.
    connection.executemany("UPDATE deltas SET height = ? WHERE blob_id = ?", list(zip(left, path[:cut], strict=True)))
    return grown


def _heights_left(others: list[int]) -> list[int]:
    """Returns the heights along a chain whose last link has lost what followed, given those of what joins at each."""
    heights: list[int] = []
    for other in reversed(others):
        heights.append(max(other, heights[-1] if heights else -1) + 1)
    return heights[::-1]


def _recent_keyframes(connection: Connection, document_id: int | None) -> list[int]:
    rows = fetch(
        connection,
        "SELECT DISTINCT d.blob_id FROM versions v JOIN deltas d ON d.blob_id = v.blob_id WHERE v.document_id = ?"
        " AND v.number > (SELECT max(number) FROM versions WHERE document_id = v.document_id) - ? AND d.base_id IS NULL",
        (document_id, _MENDED_WITHIN),
    )
    return [blob_id for (blob_id,) in rows]


def _rebase(connection: Connection, blob_id: int, base: tuple[int, bytes], height: int) -> int | None:
    """Gives a delta or keyframe another base; returns the bytes that this adds.

    Returns None where nothing was done: a keyframe would be as good, or the content is damaged. That is for `check` to name,
    and must not keep new states from being stored.
    """
    try:
        data = read(connection, blob_id)
    except CorruptArchive:
        return None
    frame = codec.encode_delta(data, base[1])
    if len(frame) >= len(codec.encode_keyframe(data)) // 2:
        return None
    _prove(blob_id, frame, base[1], data)
    before = value(connection, "SELECT length(data) FROM deltas WHERE blob_id = ?", (blob_id,))
    connection.execute(
        "UPDATE deltas SET base_id = ?, height = ?, data = ? WHERE blob_id = ?", (base[0], height, frame, blob_id)
    )
    return len(frame) - int(before)


def _prove(blob_id: int, frame: bytes, base: bytes | None, expected: bytes) -> None:
    if codec.decode(frame, base) != expected:
        raise CorruptArchive(f"blob {blob_id} does not decode to what was encoded", hint=CORRUPT_HINT, blob=blob_id)
