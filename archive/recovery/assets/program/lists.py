"""The lists of the package, and the members of its history."""

from __future__ import annotations

import json
import re
from typing import Iterator

from archive.recovery.assets.program.ground import FORMAT, FORMAT_VERSION, Row, sha256


def parse_manifest(data: bytes) -> Row:
    """Reads a manifest, which ends with the hash of all that stands before it."""
    head, _, tail = data.rpartition(b'"checksum": "')
    if tail != (sha256(head) + '"\n}\n').encode():
        raise ValueError("it does not match its checksum")
    manifest: Row = json.loads(data.decode("ascii"))
    if (manifest["format"], manifest["format_version"]) != (FORMAT, FORMAT_VERSION):
        raise ValueError("it was written by another version; use the restore.py that came with it")
    for name, is_sound in (("snapshots", _is_snapshot), ("documents", _is_version), ("versions", _is_version)):
        if not isinstance(manifest.get(name), list) or not all(map(is_sound, manifest[name])):
            raise ValueError(f"its {name} make no sense")
    if manifest.get("snapshot") not in [row["id"] for row in manifest["snapshots"]]:
        raise ValueError("it is of a snapshot that it does not have")
    return manifest


def _is_snapshot(row: object) -> bool:
    is_named = isinstance(row, dict) and isinstance(row.get("label"), str) and isinstance(row.get("created_at"), str)
    return isinstance(row, dict) and is_named and _is_int(row.get("id"))


def _is_version(row: object) -> bool:
    """Whether a row can be worked with: it may come from anybody, for whoever wrote it could make the checksum too."""
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in ("path", "sha256", "mode")):
        return False
    if not all(_is_int(row.get(name)) for name in ("version", "from", "size_bytes", "mtime_ns")):
        return False
    if not (row.get("until") is None or _is_int(row["until"])) or not isinstance(row.get("stored", ""), str):
        return False
    try:
        (row["path"] + row.get("stored", "")).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return bool(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) and re.fullmatch(r"[0-7]{1,4}", row["mode"]))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def parse_sums(data: bytes) -> dict[str, str]:
    """Reads the lines of SHA256SUMS; what is none is left out."""
    sums = {}
    escapes = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        match = re.fullmatch(r"(\\?)([0-9a-f]{64})  (.+)", line, re.DOTALL)
        if match:
            name = match.group(3)
            if match.group(1):
                name = re.sub(r"\\[\\nr]", lambda found: escapes[found.group()], name)
            sums[name] = match.group(2)
    return sums


def render_sums(sums: dict[str, str]) -> bytes:
    """Writes SHA256SUMS as `sha256sum` does, sorted by name."""
    lines = []
    for name in sorted(sums, key=lambda name: name.encode("utf-8", "surrogateescape")):
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append("{}{}  {}\n".format("\\" if escaped != name else "", sums[name], escaped))
    return "".join(lines).encode("utf-8", "surrogateescape")


def unpacked(data: bytearray) -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of each whole member at the beginning of a part of a tar file, and takes them out of it."""
    while len(data) >= 512:
        header = data[:512]
        if not any(header):
            del data[:512]
            continue
        if int(header[148:156].strip(b" \0"), 8) != sum(header) - sum(header[148:156]) + 8 * 32:
            raise ValueError("not the header of a member")
        end = 512 + int(header[124:136].strip(b" \0"), 8)
        padded = (end + 511) // 512 * 512
        if len(data) < padded:
            return
        yield header[:100].rstrip(b"\0").decode("ascii"), bytes(data[512:end])
        del data[:padded]
