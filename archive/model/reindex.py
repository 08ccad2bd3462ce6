"""What making the derived tier anew did, or showed."""

from __future__ import annotations

from dataclasses import dataclass

from archive.model.base import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Value):
    """Something in the archive that is not as it would be if it were made anew.

    Attributes:
        path: The document; empty where it cannot be told.
        what: The item or task, and what is wrong with it; for people, lower case, no period.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexResult(Value):
    """What a reindexing did, what it would do (`dry_run`), or what a verification found.

    Attributes:
        versions: How many versions were gone through, or would be.
        size_bytes: Their size.
        items: How many items there are afterwards, past ones included; with `dry_run` how many there are now.
        verified: Whether this was a verification, which changes nothing.
        differences: What the verification found, at most 1,000.
        waiting: How many versions were not indexed yet when a verification began; they are not compared.
    """

    versions: int
    size_bytes: int
    items: int
    verified: bool
    differences: tuple[Difference, ...]
    waiting: int

    @property
    def is_good(self) -> bool:
        """Whether nothing differs."""
        return not self.differences
