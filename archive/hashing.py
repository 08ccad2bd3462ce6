"""Names content by its hash, with the algorithm in the name.

A hash is written `sha256:` and 64 hexadecimal digits, so that another algorithm could be added later without two names
for one content being mistaken for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

HASH_TAG = "sha256:"

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def hash_bytes(data: bytes) -> str:
    """Returns the tagged hash of the bytes."""
    return HASH_TAG + hashlib.sha256(data).hexdigest()


def chain_digest(previous: str, changes: Iterable[tuple[object, ...]]) -> str:
    """Returns the digest of a snapshot: the hash of the digest before it and of its changes in sorted order.

    Each change is written as one line of compact ASCII JSON (an array); the lines are sorted as bytes and joined, behind
    the previous digest, with newlines. An empty `previous` starts a chain. The form is part of the documented format.
    """
    lines = sorted(_encode(change).encode("ascii") for change in changes)
    return hash_bytes(b"\n".join([previous.encode("ascii"), *lines]))
