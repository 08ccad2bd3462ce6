"""What an emergency package holds, and where it was put."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from archive.model.base import Json, Value, jsonable
from archive.model.snapshots import Problem, Snapshot


class PackageFormat(StrEnum):
    """Says what is made beside the folder: one file that holds all of it, or nothing."""

    ZIP = "zip"
    TAR_ZST = "tar.zst"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPackage(Value):
    """An emergency package that was written, read back, and restored from on trial; or would be.

    Attributes:
        is_made: False after a dry run, which writes nothing.
        path: The package: the folder, or where only the encrypted file was left, that file.
        folder: The package as a folder, or None where only the encrypted file was left.
        packed: The one file that holds the same, or None.
        is_encrypted: Whether `packed` can only be read by its recipients or with its passphrase.
        snapshot: The moment that lies in `files`.
        has_history: Whether every other version of the source is in it too, and a copy of the archive.
        snapshots: How many snapshots can be restored from it.
        documents: How many documents lie in `files`.
        versions: How many versions it holds, those in `files` included.
        other_sources: Sources whose documents are in the copy of the archive and nowhere else in the package.
        size_bytes: Size of the folder's files; after a dry run, of those in `files` alone.
        packed_bytes: Size of the packed file, or None; unknown after a dry run.
        problems: Versions whose content the archive could not give back any more; all others are in the package.
    """

    is_made: bool
    path: Path
    folder: Path | None
    packed: Path | None
    is_encrypted: bool
    snapshot: Snapshot
    has_history: bool
    snapshots: int
    documents: int
    versions: int
    other_sources: tuple[str, ...]
    size_bytes: int
    packed_bytes: int | None
    duration_ms: int
    problems: tuple[Problem, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything that the archive should hold is in the package."""
        return not self.problems

    def to_json(self) -> dict[str, Json]:
        """Returns the result; paths as text."""
        names = ("is_encrypted", "has_history", "snapshots", "documents", "versions", "size_bytes", "packed_bytes")
        return {
            "is_made": self.is_made,
            "path": str(self.path),
            "folder": None if self.folder is None else str(self.folder),
            "packed": None if self.packed is None else str(self.packed),
            "snapshot": self.snapshot.to_json(),
            **{name: getattr(self, name) for name in names},
            "other_sources": list(self.other_sources),
            "duration_ms": self.duration_ms,
            "problems": jsonable(self.problems),
        }
