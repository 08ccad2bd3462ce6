"""Sources, snapshots, the problems met while making them, and the result of a backup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.model.base import Json, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Value):
    """A folder tree that is backed up.

    Attributes:
        root: Where the tree stood at the last backup: absolute, or relative to the archive's folder where the archive lies
            inside the tree.
        rules: What the last backup took in and left out, as JSON.
    """

    id: int
    name: str
    root: str
    rules: Json


class ProblemKind(StrEnum):
    """Says what was the matter with a file or folder of the source."""

    UNREADABLE = "unreadable"
    FOLDER_UNREADABLE = "folder_unreadable"
    VANISHED = "vanished"
    CHANGED_WHILE_READ = "changed_while_read"
    SUSPICIOUS = "suspicious"
    INVALID = "invalid"
    SYMLINK = "symlink"
    SPECIAL_FILE = "special_file"
    TOO_LARGE = "too_large"
    IN_THE_WAY = "in_the_way"
    KEPT = "kept"
    NOT_WRITTEN = "not_written"

    @property
    def severity(self) -> Severity:
        """How much the problem matters for the snapshot."""
        return _SEVERITIES[self]


class Severity(StrEnum):
    """Says what a problem means: the snapshot lacks something, a file wants a look, or a file was left out by rule."""

    INCOMPLETE = "incomplete"
    WARNING = "warning"
    SKIPPED = "skipped"


_SEVERITIES = {
    ProblemKind.UNREADABLE: Severity.INCOMPLETE,
    ProblemKind.FOLDER_UNREADABLE: Severity.INCOMPLETE,
    ProblemKind.VANISHED: Severity.INCOMPLETE,
    ProblemKind.CHANGED_WHILE_READ: Severity.INCOMPLETE,
    ProblemKind.SUSPICIOUS: Severity.WARNING,
    ProblemKind.INVALID: Severity.WARNING,
    ProblemKind.SYMLINK: Severity.SKIPPED,
    ProblemKind.SPECIAL_FILE: Severity.SKIPPED,
    ProblemKind.TOO_LARGE: Severity.SKIPPED,
    # These three are met by restores only, and say that a file is not as it was asked to be.
    ProblemKind.IN_THE_WAY: Severity.INCOMPLETE,
    ProblemKind.KEPT: Severity.INCOMPLETE,
    ProblemKind.NOT_WRITTEN: Severity.INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class Problem(Value):
    """A file or folder of the source that could not be read, understood or taken in.

    Attributes:
        path: Relative to the root, POSIX; the root itself is `.`.
        message: For people; lower case, no period.
    """

    path: str
    kind: ProblemKind
    message: str

    @property
    def severity(self) -> Severity:
        """How much it matters; follows from the kind."""
        return self.kind.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Value):
    """The immutable record of a source at one moment.

    Attributes:
        id: Gives the order; time does not.
        label: Wall clock of the backup as `YYYYMMDD_HHMMSS`, with `_2`, `_3` … where a second holds several.
        is_complete: False if anything that should be in it could not be read.
        documents: How many documents existed at the moment.
        size_bytes: Their size, uncompressed.
        added: Documents new or returned since the snapshot before.
        changed: Documents whose content changed.
        touched: Documents of which only the mode or the time of modification changed.
        removed: Documents that were gone.
        problems: Problems that stood at the moment, skipped files not counted.
        bytes_read: Read from the source's files.
        bytes_stored: Content added to the archive, after compression.
        digest: Hash over the previous digest and this snapshot's changes.
    """

    id: int
    source: str
    label: str
    created_at: datetime
    message: str
    tags: tuple[str, ...]
    is_complete: bool
    documents: int
    size_bytes: int
    added: int
    changed: int
    touched: int
    removed: int
    problems: int
    bytes_read: int
    bytes_stored: int
    duration_ms: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyIndexed(Value):
    """A sound document of which less than everything is in the index.

    Attributes:
        extent: `raw` if it is indexed as the text it is, `prefix` if that holds for its rest, `path` if it can be found by its
            path only.
        note: Why.
    """

    path: str
    extent: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed(Value):
    """What became of the search index after a backup, whose bytes are safe whatever is said here.

    Attributes:
        versions: How many versions were indexed, those that earlier backups left included.
        items_added, items_ended: How many items came to be and ceased to be.
        problem: Why something is not indexed yet, empty if all is; the next backup or search goes on with it.
        partly: What was indexed as far as it could be. Damaged documents are problems of the backup itself.
    """

    versions: int
    items_added: int
    items_ended: int
    problem: str
    partly: tuple[PartlyIndexed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult(Value):
    """What a backup did, or with `dry_run` what it would do.

    Attributes:
        snapshot: The new snapshot; None after a dry run. With `only_if_changed` and nothing changed, the newest one.
        created: Whether a snapshot was written.
        added, changed, touched, removed: Paths, sorted.
        unchanged: How many documents were as before.
        problems: All problems that stand, those carried on from earlier snapshots included, skipped files not.
        skipped: Files left out by rule: symbolic links, special files, files over the size limit.
        index: What became of the search index; None after a dry run, and where it was not asked for.
    """

    snapshot: Snapshot | None
    created: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    touched: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    problems: tuple[Problem, ...]
    skipped: tuple[Problem, ...]
    is_complete: bool
    index: Indexed | None = None


class Stage(StrEnum):
    """Names the part of an operation that is under way."""

    SCAN = "scan"
    READ = "read"
    STORE = "store"
    VERIFY = "verify"
    WRITE = "write"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Progress(Value):
    """One report of progress, for a callback.

    Attributes:
        done, total: In the unit that fits the stage (files, objects); total is 0 while unknown.
    """

    stage: Stage
    done: int
    total: int
