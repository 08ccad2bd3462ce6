"""Writes the list of a package, manifest.json, which says everything that is in it.

It is JSON with one row on each line, so that `grep` finds a document's versions, and ends with the hash of all that stands
before. Names are ASCII there: bytes that are not UTF-8 are escapes of U+DC80 to U+DCFF.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from archive.hashing import HASH_TAG
from archive.model.base import Json
from archive.model.snapshots import Snapshot
from archive.storage.export import ExportedVersion

# The lists of a manifest; they come last, one row a line.
LISTS = ("problems", "snapshots", "documents", "versions")


def digits(hash_: str) -> str:
    """Returns the hexadecimal digits of a tagged hash."""
    return hash_.removeprefix(HASH_TAG)


def snapshot_row(snapshot: Snapshot) -> dict[str, Json]:
    """Returns what a manifest says of a snapshot."""
    row = snapshot.to_json()
    names = ("id", "label", "created_at", "message", "tags", "is_complete", "documents", "size_bytes", "digest")
    return {name: row[name] for name in names}


def version_row(version: ExportedVersion, *, stored: str = "", is_lost: bool = False) -> dict[str, Json]:
    """Returns what a manifest says of a version.

    Args:
        stored: Where in the package a document is that does not lie below `files` under its own name.
        is_lost: Whether the archive could not give its content back any more.
    """
    row: dict[str, Json] = {
        "path": version.path,
        "version": version.number,
        "from": version.first,
        "until": version.until,
        "sha256": digits(version.hash),
        "size_bytes": version.size_bytes,
        "mode": f"{version.mode:04o}",
        "mtime_ns": version.mtime_ns,
    }
    if stored:
        row["stored"] = stored
    if is_lost:
        row["lost"] = True
    return row


def render_manifest(head: Mapping[str, Json], lists: Mapping[str, Iterable[Mapping[str, Json]]]) -> bytes:
    """Returns the bytes of a manifest."""
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for name in LISTS:
        rows = ",\n".join(json.dumps(row) for row in lists[name])
        members.append(f"{json.dumps(name)}: [\n{rows}\n]" if rows else f"{json.dumps(name)}: []")
    body = ("{\n" + ",\n".join(members) + ",\n").encode("ascii")
    return body + f'"checksum": "{hashlib.sha256(body).hexdigest()}"\n}}\n'.encode("ascii")
