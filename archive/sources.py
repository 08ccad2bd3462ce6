"""Finds out which source of the archive a folder is, and where a source's folder stands."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from archive.errors import SourceNotFound, UsageError
from archive.model.base import Json
from archive.model.snapshots import Source
from archive.storage import paths, snapshots
from archive.storage.connection import Connection

ARCHIVE_FOLDER = ".archive"


def root_of(source: Source, archive_path: Path) -> Path:
    """Returns the source's folder, absolute.

    An archive that lies in `.archive` inside the folder it backs up records the way from itself to the folder. So a project
    that was moved or copied together with its archive is found where it is now, and a restore never writes to the original.

    Raises:
        SourceNotFound: The archive was copied elsewhere without its project.
    """
    if not os.path.isabs(source.root) and archive_path.parent.name != ARCHIVE_FOLDER:
        # The file alone was copied elsewhere; nobody knows where its project is from here.
        raise SourceNotFound(
            f"{archive_path} was copied away from its project",
            hint="Restore to a folder of your choice with --to DIR.",
            path=str(archive_path),
        )
    return Path(os.path.normpath(archive_path.parent / source.root))


def is_root(source: Source, archive_path: Path, folder: Path) -> bool:
    """Whether a folder is the source's own."""
    return _stands_at(source, archive_path) == paths.to_text(os.path.realpath(folder))


def source_at(connection: Connection, root: Path, name: str | None, archive_path: Path) -> Source | None:
    """Returns the source of that name, or without a name the one that stands at the folder; None if there is none."""
    here = paths.to_text(str(root))
    for source in snapshots.sources(connection):
        if source.name == name if name else _stands_at(source, archive_path) == here:
            return source
    return None


def _stands_at(source: Source, archive_path: Path) -> str | None:
    try:
        return paths.to_text(os.path.realpath(root_of(source, archive_path)))
    except SourceNotFound:
        return None


def require_here(source: Source, root: Path, archive_path: Path) -> None:
    """Raises if a source stands in another folder: a backup of this one would count all its documents as removed.

    Raises:
        UsageError: It does, and that folder is still there; one that is gone was moved.
    """
    before = _stands_at(source, archive_path)
    if before not in (None, paths.to_text(str(root))) and os.path.isdir(str(before)):
        raise UsageError(
            f"source {source.name!r} is the folder {before}, not {root}",
            hint="Give this folder a --source name of its own; if the project moved here, say --moved.",
            source=source.name,
            source_root=str(before),
            root=str(root),
        )


def require_movable(connection: Connection, source: Source | None, root: Path, archive_path: Path) -> None:
    """Raises unless a source was named that is there, and the folder is no other source.

    Raises:
        UsageError: It is not so.
    """
    hint = "Name the source that moved with --source, and give its new folder."
    everything = snapshots.sources(connection)
    if not everything:
        return  # the first backup of all
    if source is None:
        raise UsageError("there is no such source that could have moved", hint=hint, root=str(root))
    here = paths.to_text(str(root))
    for other in everything:
        if other.name != source.name and _stands_at(other, archive_path) == here:
            raise UsageError(f"{root} is source {other.name!r} already", hint=hint, source=other.name, root=str(root))


def source_for(connection: Connection, root: Path, name: str | None, rules: Json, archive_path: Path) -> Source:
    """Returns the source that the folder is, up to date; adds one, called like the folder, if it is new."""
    folder = Path(os.path.realpath(archive_path.parent))
    is_inside = folder.is_relative_to(root) and folder.name == ARCHIVE_FOLDER
    written = os.path.relpath(root, folder) if is_inside else paths.to_text(str(root))
    source = source_at(connection, root, name, archive_path)
    if source is None:
        return snapshots.add_source(connection, paths.to_text(name or root.name) or "root", written, rules)
    current = replace(source, root=written, rules=rules)
    if current != source:
        snapshots.update_source(connection, current)
    return current
