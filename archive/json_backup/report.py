"""Says how the listed files, their backups and their memory stand."""

from __future__ import annotations

from archive.api import Archive
from archive.errors import ArchiveError
from archive.json_backup.answering import AgentsMemory
from archive.json_backup.keeping import SOURCE
from archive.json_backup.project import ListedFiles


def describe(listed: ListedFiles) -> tuple[list[str], bool]:
    """Returns the lines of a report, and whether nothing is lost or damaged; an error is a line of it too."""
    try:
        return _described(listed)
    except ArchiveError as error:
        return [f"error: {error.message}", f"hint:  {error.hint}"], False


def _described(listed: ListedFiles) -> tuple[list[str], bool]:
    memory = AgentsMemory(listed)
    paths = listed.paths()
    lines = [
        f"files: {sum((listed.root / path).is_file() for path in paths)} of {len(paths)} exist",
        f"backups: {_describe_backups(listed)}",
    ]
    for path, document in sorted(memory.documents.items()):
        instead = f"; the version of {document.label} stands in" if document.valid else ""
        lines += [f"  {path}: {trouble.kind.value}: {trouble.message}{instead}" for trouble in document.troubles]
    whole = sum(document.valid for document in memory.documents.values())
    tasks = memory.tasks()
    lines += [
        f"memory: {whole} of {len(memory.documents)} documents whole",
        f"tasks: {len(tasks['available_tasks'])} available, {tasks['summary']['pending_phases']} pending",
    ]
    return lines, whole == len(memory.documents)


def _describe_backups(listed: ListedFiles) -> str:
    try:
        with Archive.open(listed.archive_path, source=SOURCE, clock=listed.clock) as archive:
            snapshots = archive.snapshots()
    except ArchiveError as error:
        return error.message
    shown = listed.shown_archive_path
    return f"{len(snapshots)} in {shown}, the last one {snapshots[-1].label}" if snapshots else f"none in {shown}"
