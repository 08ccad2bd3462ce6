"""What a check proved, and what the archive costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.model.base import Value


class Verdict(StrEnum):
    """Says what is known of an object: proven good, proven bad, or not examined."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class CheckDepth(StrEnum):
    """Says how much a check reads: `structure` everything but contents, `full` every byte."""

    STRUCTURE = "structure"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Value):
    """One object that is not good.

    Attributes:
        object: What it is: `database`, `schema`, `snapshot 12`, `version 3 of agents/tasks.json`, `blob 17` …
        affected: Versions whose content cannot be read for it, as `path@number`.
    """

    object: str
    verdict: Verdict
    message: str
    affected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult(Value):
    """What a check found; it never repairs.

    Attributes:
        good, bad, unknown: Counts of objects (the database, snapshots, documents, versions, blobs, files of the schema).
        findings: Every object that is bad or unknown.
        created_at: When it began.
        snapshot_id: The newest snapshot that it saw; None where there is none, or where that could not be read.
        bytes_hashed: Content re-read and hashed again.
        is_recorded: Whether the archive now says that it was checked.
        not_recorded: Why it does not.
    """

    created_at: datetime
    depth: CheckDepth
    snapshot_id: int | None
    good: int
    bad: int
    unknown: int
    findings: tuple[Finding, ...]
    bytes_hashed: int
    duration_ms: int
    is_recorded: bool = False
    not_recorded: str = ""

    @property
    def verdict(self) -> Verdict:
        """Bad if anything is; else unknown if anything that the depth promises could not be examined; else good."""
        if any(finding.verdict is Verdict.BAD for finding in self.findings):
            return Verdict.BAD
        return Verdict.UNKNOWN if self.findings else Verdict.GOOD

    @property
    def is_good(self) -> bool:
        """Whether nothing bad was found and everything that the depth promises was examined."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord(Value):
    """What the archive says of a check that was made of it.

    Attributes:
        bad, unknown: Counts of objects.
        snapshot_id: The newest snapshot that it saw.
    """

    created_at: datetime
    depth: CheckDepth
    verdict: Verdict
    bad: int
    unknown: int
    snapshot_id: int | None
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(Value):
    """What the archive holds and costs.

    Attributes:
        last_check: The last check that was recorded, however deep; None: never checked.
        last_full_check: The last one that read all content.
        versions_bytes: Size of all versions as if each was stored whole.
        contents_bytes: Current content, as stored.
        deltas_bytes: Superseded content, as stored.
        other_bytes: Everything else in the file: rows, indexes, free pages.
        file_bytes: Size of the archive file with its write-ahead log.
        ratio: versions_bytes / file_bytes.
    """

    schema: int
    snapshots: int
    documents: int
    current_documents: int
    versions: int
    blobs: int
    versions_bytes: int
    current_bytes: int
    contents_bytes: int
    deltas_bytes: int
    other_bytes: int
    file_bytes: int
    ratio: float
    last_check: CheckRecord | None
    last_full_check: CheckRecord | None
