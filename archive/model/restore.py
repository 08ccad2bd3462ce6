"""Plans and results of bringing files back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from archive.model.base import Json, Value, jsonable
from archive.model.documents import DocumentState
from archive.model.files import FileStat
from archive.model.snapshots import Problem, Snapshot


class Overwrite(StrEnum):
    """Says which existing files a restore may replace.

    `if-changed` replaces a file whose content, mode or time of modification differs; `if-newer` only one that is older
    than the archived version; `always` writes all of them again; `never` only creates what is missing.
    """

    ALWAYS = "always"
    IF_CHANGED = "if-changed"
    IF_NEWER = "if-newer"
    NEVER = "never"


class Action(StrEnum):
    """Says what a restore would do with one file."""

    CREATE = "create"
    OVERWRITE = "overwrite"
    ATTRIBUTES = "attributes"  # content is right; mode or time of modification is not
    UNCHANGED = "unchanged"
    KEEP = "keep"  # differs, and the policy says to leave it
    EXTRA = "extra"  # did not exist then; left alone
    DELETE = "delete"  # did not exist then; removed on request
    CONFLICT = "conflict"  # something that is not a regular file is in the way; left alone


WRITING = frozenset({Action.CREATE, Action.OVERWRITE, Action.ATTRIBUTES})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile(Value):
    """What a restore would do with one file.

    Attributes:
        size_bytes: Size it will have; for extra and deleted files the size on disk.
        old_size_bytes: Size on disk now, None where there is no file.
        reason: Why, in a few words, where the action alone does not say it.
    """

    path: str
    action: Action
    size_bytes: int
    old_size_bytes: int | None
    reason: str = ""
    _document: DocumentState | None = None
    _stat: FileStat | None = None
    _is_protected: bool = False  # kept because its content is in no snapshot, not by the policy


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan(Value):
    """Everything a restore would do; changes nothing.

    Attributes:
        snapshot: The moment to be restored.
        target: Folder to be written to; absolute.
        in_place: Whether that is the source's own folder, so that a safety snapshot comes first.
        files: All files concerned, sorted by path.
    """

    snapshot: Snapshot
    target: Path
    in_place: bool
    overwrite: Overwrite
    delete_extra: bool
    files: tuple[PlannedFile, ...]
    _newest_snapshot: int

    def count(self, *actions: Action) -> int:
        """Returns how many files have one of the actions."""
        return sum(file.action in actions for file in self.files)

    def size(self, *actions: Action) -> int:
        """Returns the size in bytes of the files that have one of the actions."""
        return sum(file.size_bytes for file in self.files if file.action in actions)

    @property
    def is_empty(self) -> bool:
        """Whether carrying the plan out would change nothing."""
        return self.count(*WRITING, Action.DELETE) == 0

    def to_json(self) -> dict[str, Json]:
        """Returns the plan with its counts and sizes by action."""
        return {
            "snapshot": self.snapshot.to_json(),
            "target": str(self.target),
            "in_place": self.in_place,
            "overwrite": self.overwrite.value,
            "delete_extra": self.delete_extra,
            "counts": {action.value: self.count(action) for action in Action},
            "size_bytes": {action.value: self.size(action) for action in Action},
            "files": jsonable(self.files),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult(Value):
    """What a restore did.

    Attributes:
        restored: The moment that was restored.
        safety: The snapshot that holds the state before; None where nothing had to be done, or not in place.
        created, overwritten, attributes, deleted, unchanged: Counts of files.
        size_bytes: Content written; every byte of it was read back and hashed.
        problems: One for each file that could not be restored or was left because something else is in the way.
    """

    restored: Snapshot
    target: Path
    safety: Snapshot | None
    created: int
    overwritten: int
    attributes: int
    deleted: int
    unchanged: int
    size_bytes: int
    duration_ms: int
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Json]:
        """Returns the result; the target as text."""
        names = ("created", "overwritten", "attributes", "deleted", "unchanged", "size_bytes", "duration_ms")
        return {
            "restored": self.restored.to_json(),
            "target": str(self.target),
            "safety": jsonable(self.safety),
            **{name: getattr(self, name) for name in names},
            "problems": jsonable(self.problems),
        }
