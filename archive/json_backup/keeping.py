"""Backs up the listed files, restores them, searches them, and makes an emergency package of them."""

from __future__ import annotations

from typing import Any

from archive.api import Archive
from archive.errors import ArchiveExists, ArchiveReadOnly, SnapshotNotFound
from archive.json_backup.project import ListedFiles
from archive.model.snapshots import BackupResult
from archive.rules import is_virtual
from archive.sources import is_root

SOURCE = "agents"

_SAFETY = "safety"  # the tag of what is taken in before a restore; never what "the last backup" means
_HITS = 100
_OF_CONTENT = ("invalid", "suspicious")


def back_up(listed: ListedFiles) -> dict[str, Any]:
    """Adds a snapshot of the listed files, and returns what is in it."""
    with _opened(listed) as archive:
        result = _backed_up(archive, listed)
        assert result.snapshot is not None
        documents = archive.documents(at=str(result.snapshot.id))
    present = {document.path for document in documents}
    return {
        "backup_timestamp": result.snapshot.label,
        "files_backed_up": [
            {"source": each.path, "size": each.size_bytes, "type": _type(each.path), "status": _status(each.path, result)}
            for each in documents
        ],
        "backup_location": listed.backup_dir,
        "snapshot": result.snapshot.to_json(),
        "problems": [problem.to_json() for problem in result.problems],
        "missing": [path for path in listed.paths() if path not in present],
    }


def restore(listed: ListedFiles, timestamp: str | None) -> dict[str, Any]:
    """Brings the files back as they were at a moment, by default in the last backup, and returns what was done.

    Raises:
        SnapshotNotFound: There is no such backup; the message names those nearest to it.
        ArchiveNotFound: There is no backup at all.
    """
    with Archive.open(listed.archive_path, mode="write", source=SOURCE, clock=listed.clock) as archive:
        snapshot = archive.snapshot(_last_backup(archive) if timestamp is None else _named(archive, timestamp))
        (source,) = (each for each in archive.sources() if each.name == SOURCE)
        if not is_root(source, archive.path, listed.root):
            # The project was moved or copied: it is here now, and what is here is as precious.
            archive.backup(listed.root, rules=listed.rules(), message="before restoring", tags=[_SAFETY], moved=True)
        plan = archive.plan_restore(at=str(snapshot.id))
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


def _opened(listed: ListedFiles) -> Archive:
    """Opens the archive for writing; makes it where there is none."""
    path = listed.archive_path
    path.parent.mkdir(parents=True, exist_ok=True)
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
    except (OSError, ArchiveReadOnly):
        return Archive.open(listed.archive_path, source=SOURCE, clock=listed.clock)
    try:
        _backed_up(archive, listed, only_if_changed=True)
    except BaseException:
        archive.close()
        raise
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
    except SnapshotNotFound as error:
        nearest = error.context.get("nearest")
        names = ", ".join(map(str, nearest)) if isinstance(nearest, list) and nearest else "none"
        raise SnapshotNotFound(f"{error.message}; nearest: {names}", hint=error.hint, **error.context) from error


def _type(path: str) -> str:
    return "graph" if is_virtual(path) else "json" if path.endswith((".json", ".jsonl")) else "document"


def _status(path: str, result: BackupResult) -> str:
    for status in ("added", "changed", "touched"):
        if path in getattr(result, status):
            return status
    return "kept" if any(each.path == path and each.kind not in _OF_CONTENT for each in result.problems) else "unchanged"
