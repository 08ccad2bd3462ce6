"""Names content by its hash, with the algorithm in the name.

A hash is written `sha256:` and 64 hexadecimal digits, so that another algorithm could be added later without two names
for one content being mistaken for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

HASH_TAG = "sha256:"

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def hash_bytes(data: bytes) -> str:
    """Returns the tagged hash of the bytes."""
    return HASH_TAG + hashlib.sha256(data).hexdigest()


def chain_digest(previous: str, header: Sequence[object], changes: Iterable[Sequence[object]]) -> str:
    """Returns the digest of a snapshot: the hash of the digest before it, of its own row, and of its changes in sorted order.

    Header and changes are written as lines of compact ASCII JSON (arrays); the lines of the changes are sorted as bytes.
    All are joined with newlines. An empty `previous` starts a chain. The form is part of the documented format.
    """
    lines = sorted(_encode(change).encode("ascii") for change in changes)
    return hash_bytes(b"\n".join([previous.encode("ascii"), _encode(header).encode("ascii"), *lines]))
