"""The one tree of errors: each has a code, an exit code and a hint that says what to do next.

    ArchiveError                    1
    ├── UsageError                  2   the request itself makes no sense
    │   └── QueryError              2
    ├── NotFound                   10
    │   ├── ArchiveNotFound        10
    │   ├── SourceNotFound         10
    │   ├── SnapshotNotFound       10
    │   ├── DocumentNotFound       10
    │   ├── PointerNotFound        10
    │   └── TaskNotFound           10
    ├── ArchiveExists               1
    ├── ArchiveReadOnly             1
    ├── ArchiveFull                 1
    ├── ArchiveLocked              11
    ├── SchemaMismatch             12
    │   ├── ArchiveTooNew          12
    │   └── ArchiveTooOld          12
    ├── CorruptArchive             13
    │   └── NotAnArchive           13
    ├── ConfigError                 2
    ├── SourceUnreadable            1
    ├── TargetFailed                1
    ├── PlanStale                   1
    └── UnsafePath                  1

Trouble with input (a file that cannot be read or parsed) is never an exception: it is a counted `Problem` in the
result, and exit code 3 where the snapshot is incomplete for it. Trouble with the archive is always an exception.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3


class ArchiveError(Exception):
    """Is the base of every error that this library raises on purpose.

    Args:
        message: What went wrong; lower case, no period.
        hint: A full sentence that says what to do next, with the command to run where there is one.
        context: Values a program may want (paths, ids, numbers); JSON-compatible.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "", **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def to_json(self) -> dict[str, object]:
        """Returns the error as the object that `--json` prints on failure."""
        return {
            "error": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_code": self.exit_code,
            "context": self.context,
        }


class UsageError(ArchiveError):
    """Says that a request makes no sense, whatever the archive holds."""

    code = "usage"
    exit_code = EXIT_USAGE


class QueryError(UsageError):
    """Says that a query cannot be understood (a bad regular expression, a bad time)."""

    code = "query"


class ConfigError(UsageError):
    """Says that `archive.toml` or `[tool.archive]` holds something that cannot be used."""

    code = "config"


class NotFound(ArchiveError):
    """Says that something named by the caller does not exist."""

    code = "not_found"
    exit_code = 10


class ArchiveNotFound(NotFound):
    """Says that there is no file at the archive's path."""

    code = "archive_not_found"


class SourceNotFound(NotFound):
    """Says that the archive holds no source of that name, or several and none was named."""

    code = "source_not_found"


class SnapshotNotFound(NotFound):
    """Says that no snapshot matches; `context["nearest"]` lists labels near the one asked for."""

    code = "snapshot_not_found"


class DocumentNotFound(NotFound):
    """Says that the document did not exist at that moment; `context` may list near paths."""

    code = "document_not_found"


class PointerNotFound(NotFound):
    """Says that the document exists and the JSON Pointer leads nowhere in it."""

    code = "pointer_not_found"


class TaskNotFound(NotFound):
    """Says that no task has this name at that moment; `context["near"]` lists ids like it."""

    code = "task_not_found"


class ArchiveExists(ArchiveError):
    """Says that a file already stands where a new archive was to be created."""

    code = "archive_exists"


class ArchiveReadOnly(ArchiveError):
    """Says that the archive can be read and not written."""

    code = "archive_read_only"


class ArchiveFull(ArchiveError):
    """Says that the disk (or a quota, or a file-size limit) left no room; nothing was changed."""

    code = "archive_full"


class ArchiveLocked(ArchiveError):
    """Says that another process kept writing for longer than the timeout; nothing was changed."""

    code = "archive_locked"
    exit_code = 11


class SchemaMismatch(ArchiveError):
    """Is the base of errors about an archive written by another version of this program."""

    code = "schema"
    exit_code = 12


class ArchiveTooNew(SchemaMismatch):
    """Says that a newer program wrote the archive."""

    code = "archive_too_new"


class ArchiveTooOld(SchemaMismatch):
    """Says that an older program wrote the archive and `upgrade` has not been run."""

    code = "archive_too_old"


class CorruptArchive(ArchiveError):
    """Says that stored data does not match its hash or breaks an invariant of the format."""

    code = "corrupt"
    exit_code = 13


class NotAnArchive(CorruptArchive):
    """Says that the file is not an archive: no SQLite database, or another program's."""

    code = "not_an_archive"


class SourceUnreadable(ArchiveError):
    """Says that the root folder of a source itself cannot be read."""

    code = "source_unreadable"


class TargetFailed(ArchiveError):
    """Says that writing restored files failed before any was put in place; the target is as it was."""

    code = "target_failed"


class PlanStale(ArchiveError):
    """Says that the archive or the target changed after a plan was made; nothing was written."""

    code = "plan_stale"


class UnsafePath(ArchiveError):
    """Says that a stored path points outside the target folder; nothing was written."""

    code = "unsafe_path"
