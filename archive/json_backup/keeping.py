"""Backs up the listed files, restores them, searches them, and makes an emergency package of them."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

from archive.api import Archive
from archive.errors import ArchiveExists, ArchiveReadOnly, QueryError, SnapshotNotFound, TargetFailed
from archive.json_backup.project import ListedFiles, make_backup_dir
from archive.model.restore import Action, RestorePlan
from archive.model.snapshots import BackupResult, Problem, ProblemKind
from archive.rules import is_virtual
from archive.sources import is_root

SOURCE = "agents"

_SAFETY = "safety"  # the tag of what is taken in before a restore; never what "the last backup" means
_HITS = 100
_NEAREST = 3
_OF_CONTENT = ("invalid", "suspicious")


def back_up(listed: ListedFiles) -> dict[str, Any]:
    """Adds a snapshot of the listed files, and returns what is in it."""
    with _opened(listed) as archive:
        result = _backed_up(archive, listed)
        assert result.snapshot is not None
        documents = archive.documents(at=str(result.snapshot.id))
    missing = set(listed.paths()) - {document.path for document in documents}
    left_out = [problem for path in listed.paths() if path in missing and (problem := _left_out(listed, path))]
    return {
        "backup_timestamp": result.snapshot.label,
        "files_backed_up": [
            {"source": each.path, "size": each.size_bytes, "type": _type(each.path), "status": _status(each.path, result)}
            for each in documents
        ],
        "backup_location": listed.backup_dir,
        "snapshot": result.snapshot.to_json(),
        "problems": [problem.to_json() for problem in (*result.problems, *left_out)],
        "missing": [path for path in listed.paths() if path in missing - {problem.path for problem in left_out}],
    }


def restore(listed: ListedFiles, timestamp: str | None) -> dict[str, Any]:
    """Brings the files back as they were at a moment, by default in the last backup, and returns what was done.

    Raises:
        SnapshotNotFound: There is no such backup; the message names those nearest to it.
        ArchiveNotFound: There is no backup at all.
        TargetFailed: Something is in the place of a file. Nothing was touched.
    """
    with Archive.open(listed.archive_path, mode="write", source=SOURCE, clock=listed.clock) as archive:
        snapshot = archive.snapshot(_last_backup(archive) if timestamp is None else _named(archive, str(timestamp)))
        (source,) = (each for each in archive.sources() if each.name == SOURCE)
        if not is_root(source, archive.path, listed.root):
            # The project was moved or copied: it is here now, and what is here is as precious.
            archive.backup(listed.root, rules=listed.rules(), message="before restoring", tags=[_SAFETY], moved=True)
        plan = archive.plan_restore(at=str(snapshot.id))
        _require_free(plan)
        result = archive.restore(plan)
    failed = {problem.path for problem in result.problems}
    done = [file for file in plan.files if file.action.value in ("create", "overwrite", "attributes")]
    return {
        "restored_timestamp": snapshot.label,
        "safety_timestamp": result.safety.label if result.safety is not None else None,
        "files_restored": [file.path for file in done if file.path not in failed],
        "files_unchanged": result.unchanged,
        "files_left": [file.path for file in plan.files if file.action.value == "extra"],
        "problems": [problem.to_json() for problem in result.problems],
    }


def search(listed: ListedFiles, query: str) -> list[dict[str, Any]]:
    """Returns what matches in the files as they are now, the most relevant first."""
    with _up_to_date(listed) as archive:
        page = archive.search(query, limit=_HITS)
    return [
        {
            "type": hit.category,
            "location": f"{hit.path}#{hit.pointer}" if hit.pointer else hit.path,
            "content": f"{hit.title}: {hit.snippet}" if hit.title and hit.title != hit.snippet else hit.snippet or hit.title,
            "relevance": hit.score,
        }
        for hit in page.items
    ]


def make_package(listed: ListedFiles) -> str:
    """Makes an emergency package of the files as they are now beside the archive, and returns its path."""
    with _up_to_date(listed) as archive:
        return str(archive.recovery_package(listed.archive_path.parent).path)


def _left_out(listed: ListedFiles, path: str) -> Problem | None:
    """Returns why a listed file that is there was not taken in; None where there is none."""
    here = listed.root / path
    if not os.path.lexists(here):
        return None
    links = [folder for folder in here.parents if folder.is_relative_to(listed.root) and folder.is_symlink()]
    if links:
        name = links[-1].relative_to(listed.root).as_posix()
        return Problem(path, ProblemKind.SYMLINK, f"it lies behind the symbolic link {name}, which is not followed")
    if here.is_symlink():
        return Problem(path, ProblemKind.SYMLINK, "it is a symbolic link, which is not followed")
    return Problem(path, ProblemKind.SPECIAL_FILE, "it is there and was not taken in")


def _require_free(plan: RestorePlan) -> None:
    blocked = [file for file in plan.files if file.action is Action.CONFLICT]
    if blocked:
        raise TargetFailed(
            "nothing was restored: " + "; ".join(f"{file.path}: {file.reason}" for file in blocked),
            hint="Move what is in the way to another place and try again.",
        )


def _opened(listed: ListedFiles) -> Archive:
    """Opens the archive for writing; makes it where there is none."""
    path = listed.archive_path
    make_backup_dir(listed)
    if not path.exists():
        try:
            return Archive.create(path, source=SOURCE, clock=listed.clock)
        except ArchiveExists:
            pass  # another process was quicker
    return Archive.open(path, mode="write", source=SOURCE, clock=listed.clock)


def _up_to_date(listed: ListedFiles) -> Archive:
    """Opens the archive with what is on disk now in it; as it is, where it can only be read."""
    try:
        archive = _opened(listed)
        try:
            _backed_up(archive, listed, only_if_changed=True)
        except BaseException:
            archive.close()
            raise
    except (OSError, ArchiveReadOnly):
        return Archive.open(listed.archive_path, source=SOURCE, clock=listed.clock)
    return archive


def _backed_up(archive: Archive, listed: ListedFiles, *, only_if_changed: bool = False) -> BackupResult:
    rules, memory = listed.rules(), listed.memory_settings()
    # The archive lies in the project, so wherever it is found, that is the project.
    return archive.backup(listed.root, rules=rules, memory=memory, only_if_changed=only_if_changed, moved=True)


def _last_backup(archive: Archive) -> str:
    for snapshot in reversed(archive.snapshots()):
        if _SAFETY not in snapshot.tags:
            return str(snapshot.id)
    return "latest"


def _named(archive: Archive, timestamp: str) -> str:
    try:
        return str(archive.snapshot(timestamp).id)
    except QueryError as error:
        labels = [snapshot.label for snapshot in archive.snapshots()]
        nearest = get_close_matches(timestamp, labels, n=_NEAREST, cutoff=0.3) or labels[-_NEAREST:]
        message = f"there is no backup called {timestamp!r}; nearest: {', '.join(nearest) or 'none'}"
        raise SnapshotNotFound(message, hint=error.hint, nearest=nearest) from error
    except SnapshotNotFound as error:
        found = error.context.get("nearest")
        names = ", ".join(map(str, found)) if isinstance(found, list) and found else "none"
        raise SnapshotNotFound(f"{error.message}; nearest: {names}", hint=error.hint, **error.context) from error


def _type(path: str) -> str:
    return "graph" if is_virtual(path) else "json" if path.endswith((".json", ".jsonl")) else "document"


def _status(path: str, result: BackupResult) -> str:
    for status in ("added", "changed", "touched"):
        if path in getattr(result, status):
            return status
    return "kept" if any(each.path == path and each.kind not in _OF_CONTENT for each in result.problems) else "unchanged"
