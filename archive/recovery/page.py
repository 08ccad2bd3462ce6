"""Makes index.html: one file with all names, and as much of the texts as fits, to browse and search without anything else.

Everything from documents stands in one block of JSON, in which `<` is escaped, and is put on the page as text only. The
page's policy allows its own script and style by their hashes and nothing from outside.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from archive.clock import to_iso
from archive.model.base import Json
from archive.model.documents import DocumentState, Kind, ParseState
from archive.model.snapshots import Snapshot
from archive.recovery.template import asset, fill
from archive.storage.paths import to_text

# More would make the page slow to open; 8 MB take about a third of a second.
TEXT_BYTES = 8_000_000

_TITLE_BYTES = 4096
_TITLE_LENGTH = 120
_FLAGS = {Kind.JSON: "invalid JSON", Kind.JSONL: "invalid JSONL", Kind.MARKDOWN: "invalid text", Kind.TEXT: "invalid text"}
_MARKDOWN_TITLE = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_JSON_TITLE = re.compile(r'"(?:title|name|project|description|purpose)"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.)+")')


class PageEntry(NamedTuple):
    """A document on the page: its state, where in the package it is, and the beginning of its text."""

    document: DocumentState
    stored: str
    title: str
    text: str
    note: str


def text_limit(sizes: Iterable[int], total: int = TEXT_BYTES) -> int | None:
    """Returns how many bytes of each document fit if all get the same, or None where everything fits.

    Small documents leave what they do not need to the others.
    """
    ordered = sorted(sizes)
    if sum(ordered) <= total:
        return None
    left = total
    for index, size in enumerate(ordered):
        share = left // (len(ordered) - index)
        if size > share:
            return share
        left -= size
    return None


def page_entry(document: DocumentState, data: bytes, stored: str, limit: int | None) -> PageEntry:
    """Returns what the page says of a document; `limit` is the result of `text_limit`."""
    title = _title(document.kind, data[:_TITLE_BYTES].decode("utf-8", "replace"))
    if b"\0" in data:
        return PageEntry(document, stored, title, "", "This document is not text. Open the file to see it.")
    if limit is None or len(data) <= limit:
        return PageEntry(document, stored, title, data.decode("utf-8", "replace"), "")
    # A character that the cut went through is left out and not shown as damaged.
    text = re.sub("\ufffd{1,3}\\Z", "", data[:limit].decode("utf-8", "replace"))
    note = f"Only the first {describe_size(limit)} are here and can be searched. Open the file to see all of it."
    return PageEntry(document, stored, title, text, note)


def render_page(
    source: str, snapshot: Snapshot, entries: Sequence[PageEntry], *, limit: int | None, notes: Sequence[str]
) -> bytes:
    """Returns the page; `notes` are shown above everything else."""
    style, script = asset("index.css"), asset("index.js")
    notes = list(notes)
    if limit is not None:
        notes.append(
            f"All names and titles are here, but of larger documents only the first {describe_size(limit)}. To find words"
            " further in, search the folder files with a tool such as grep."
        )
    data: Json = {"documents": [_row(entry) for entry in entries]}
    count = f"{len(entries):,} document{'' if len(entries) == 1 else 's'}"
    size = describe_size(sum(entry.document.size_bytes for entry in entries))
    local = snapshot.created_at
    parts = {
        "TITLE": html.escape(f"{source}, {snapshot.label}"),
        "SOURCE": html.escape(source),
        "CREATED_AT": to_iso(local),
        "WHEN": html.escape(wall_clock(snapshot)),
        "SUMMARY": html.escape(f"{count}, {size}" + (f" · {snapshot.message}" if snapshot.message else "")),
        "NOTES": "\n".join(f'<p class="note">{html.escape(note)}</p>' for note in notes),
        "STYLE_HASH": _policy_hash(style),
        "SCRIPT_HASH": _policy_hash(script),
        "STYLE": style,
        "SCRIPT": script,
        "DATA": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    }
    return fill(asset("index.html"), parts).encode("utf-8")


def _row(entry: PageEntry) -> list[Json]:
    document = entry.document
    shown = to_text(document.path)
    is_plain = entry.stored == "files/" + document.path and shown == document.path
    flag = _FLAGS[document.kind] if document.state is ParseState.INVALID else ""
    return [
        shown,
        document.kind.value,
        document.size_bytes,
        document.mtime_ns // 1_000_000,
        entry.title,
        entry.text,
        entry.note,
        flag,
        "" if is_plain else quote(os.fsencode(entry.stored)),
    ]


def _title(kind: Kind, head: str) -> str:
    if kind is Kind.MARKDOWN:
        match = _MARKDOWN_TITLE.search(head)
        return match[1][:_TITLE_LENGTH] if match else ""
    if kind is Kind.JSON:
        match = _JSON_TITLE.search(head)
        if match:
            try:
                found = str(json.loads(match[1]))
            except ValueError:
                return ""
            return found.encode("utf-8", "replace").decode("utf-8")[:_TITLE_LENGTH]
    return ""


def wall_clock(snapshot: Snapshot) -> str:
    """Returns a label as people read it; it is the wall clock of the machine that made the backup."""
    match = re.match(r"(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)", snapshot.label)
    return "{}-{}-{} {}:{}:{}".format(*match.groups()) if match else snapshot.label


def _policy_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def describe_size(number: int) -> str:
    """Returns a size in bytes with a decimal unit."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if number >= factor:
            value = number / factor
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
    return f"{number} B"
