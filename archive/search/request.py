"""What is asked of a search, and where a page ended."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from archive.errors import QueryError
from archive.model.documents import Kind
from archive.moment import Moment

MAX_LIMIT = 1_000

_TOKEN_BYTES = 6  # of what is remembered of each hit; two of a million are alike once in 500 searches


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What to find, and where.

    Attributes:
        at: The moment as it was given; None for the current state.
        is_history: Whether all that ever was is looked at.
        since, until: When what is found came to be as it is.
        is_substring, is_regex: Whether the text is to be found letter by letter, or is a regular expression.
    """

    text: str
    at: str | None = None
    is_history: bool = False
    kind: Kind | None = None
    category: str | None = None
    path: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: int = 20
    cursor: str | None = None
    is_substring: bool = False
    is_regex: bool = False

    @property
    def digest(self) -> str:
        """Tells requests apart whose pages do not belong together."""
        parts = (
            *(self.text, self.at, self.is_history, self.kind, self.category, self.path, self.since, self.until),
            *(self.is_substring, self.is_regex),
        )
        return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


class Position(NamedTuple):
    """Where a page ended.

    Attributes:
        snapshot_id: The moment that all pages are of.
        attempt: Which of the ways to understand the query found something.
        seen: What was on the pages so far, as `token_of` names it.
    """

    snapshot_id: int
    attempt: int
    seen: frozenset[bytes]


def token_of(document_id: int, key: str) -> bytes:
    """Returns a short name of an item, the same after a reindex."""
    return hashlib.blake2b(f"{document_id}:{key}".encode("utf-8", "surrogatepass"), digest_size=_TOKEN_BYTES).digest()


def write_cursor(request: SearchRequest, position: Position) -> str:
    """Returns a position as a text that may stand anywhere."""
    head = json.dumps([request.digest, position.snapshot_id, position.attempt]).encode()
    return base64.urlsafe_b64encode(zlib.compress(head + b"\n" + b"".join(sorted(position.seen)))).decode().rstrip("=")


def read_cursor(request: SearchRequest) -> Position | None:
    """Returns the position in a request's cursor; None if there is none.

    Raises:
        QueryError: It is none, or one of another query.
    """
    if request.cursor is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(request.cursor + "=" * (-len(request.cursor) % 4))
        head, _, seen = zlib.decompressobj().decompress(packed, 64 * 1024 * 1024).partition(b"\n")
        digest, snapshot_id, attempt = json.loads(head)
        tokens = [seen[at : at + _TOKEN_BYTES] for at in range(0, len(seen), _TOKEN_BYTES)]
        position = Position(int(snapshot_id), int(attempt), frozenset(tokens))
    except (binascii.Error, zlib.error, ValueError, TypeError):
        raise _wrong("the cursor is damaged", request) from None
    if digest != request.digest:
        raise _wrong("the cursor belongs to another query", request)
    return position


def _wrong(message: str, request: SearchRequest) -> QueryError:
    return QueryError(message, hint="Repeat the query with the same options, or leave the cursor out.", cursor=request.cursor)
