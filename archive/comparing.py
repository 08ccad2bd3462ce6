"""Compares two moments of the archive, file by file and inside the files."""

from __future__ import annotations

from collections.abc import Sequence

from archive.diff import diff_content, diff_items, items_of
from archive.errors import DocumentNotFound
from archive.model.diff import Diff, FileChange, FileDiff
from archive.model.documents import DocumentState
from archive.model.snapshots import Snapshot, Source
from archive.selection import Selection
from archive.storage import blobs
from archive.storage.connection import Connection
from archive.storage.documents import documents_at


def compare(
    connection: Connection,
    source: Source,
    old: Snapshot,
    new: Snapshot,
    *,
    patterns: Sequence[str] = (),
    inside: bool = True,
) -> Diff:
    """Returns the files that differ between two snapshots, sorted by path.

    Args:
        patterns: Paths, folders and globs to look at; none mean all.
        inside: Whether to look into the files; without it only the files are named.

    Raises:
        DocumentNotFound: A pattern fits nothing in either snapshot.
    """
    before = {state.path: state for state in documents_at(connection, source.id, old.id)}
    after = {state.path: state for state in documents_at(connection, source.id, new.id)}
    selection = Selection(patterns, [*before, *after])
    unmatched = selection.unmatched([*before, *after])
    if unmatched:
        raise DocumentNotFound(
            f"{unmatched[0]} fits nothing in snapshots {old.label} and {new.label}",
            hint=f"Run 'archive ls --at {old.label}' to see what there was.",
            patterns=unmatched,
        )
    files = []
    for path in sorted(before.keys() | after.keys()):
        left, right = before.get(path), after.get(path)
        # The same version means the same content, mode and time; most files are settled by this.
        if selection.matches(path) and (left is None or right is None or left._version_id != right._version_id):
            difference = _file_diff(connection, path, left, right, inside=inside)
            if difference is not None:
                files.append(difference)
    return Diff(old=old, new=new, files=tuple(files))


def _file_diff(
    connection: Connection, path: str, old: DocumentState | None, new: DocumentState | None, *, inside: bool
) -> FileDiff | None:
    if old is not None and new is not None and old.hash == new.hash:
        if (old.mode, old.mtime_ns) == (new.mode, new.mtime_ns):
            return None
        return FileDiff(path=path, change=FileChange.TOUCHED, old=old, new=new)
    change = FileChange.ADDED if old is None else FileChange.REMOVED if new is None else FileChange.MODIFIED
    if not inside or change is not FileChange.MODIFIED:
        return FileDiff(path=path, change=change, old=old, new=new)
    assert old is not None
    assert new is not None
    before, after = blobs.read(connection, old._blob_id), blobs.read(connection, new._blob_id)
    values, text, note = diff_content(new.kind, before, after, path)
    items = diff_items(values, items_of(new.kind, before), items_of(new.kind, after)) if values else ()
    return FileDiff(path=path, change=change, old=old, new=new, values=values, items=items, text=text, note=note)
