"""Makes RECOVERY_INSTRUCTIONS.md, for a person in a hurry; every command in it is run by a test."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archive.model.snapshots import Snapshot
from archive.recovery.template import asset, fill
from archive.storage.export import ExportedVersion

_HISTORY = re.compile(r"@HISTORY_BEGIN@\n(.*?)@HISTORY_END@\n", re.DOTALL)
# Names that mean themselves between the quotes of a shell, of SQL and of JSON. The example is one of these, if possible one
# that needs no quotes.
_QUOTABLE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_ .,;:/()@&+=~%#^-]*")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


def render_instructions(
    source: str,
    snapshot: Snapshot,
    documents: Sequence[ExportedVersion],
    *,
    when: str,
    summary: str,
    notes: Sequence[str],
    snapshots: Sequence[Snapshot],
    other_sources: Sequence[str],
    has_other_names: bool,
    has_graph: bool,
) -> bytes:
    """Returns the instructions; without `snapshots` they say nothing of history."""
    others = ", ".join(map(_text, other_sources))
    rows_of_history = "\n| `history.tar.xz` | every version that is not in `files` |\n| `archive.db` | the archive, for SQL |"
    row_of_graph = (
        "\n| `files/.archive/mcp` | the knowledge graph of the memory server (MCP), as its own file of JSON lines;"
        " the reference server reads it where `MEMORY_FILE_PATH` says |"
    )
    row_of_names = "\n| `other-names` | files whose names could not be written here; `restore.py` knows them |"
    parts = {
        "SOURCE": _text(source),
        "WHEN": when,
        "LABEL": snapshot.label,
        "SUMMARY": _text(summary),
        "NOTES": "".join(f"\n**Note:** {_text(note)}\n" for note in notes),
        "EXAMPLE": _example(documents),
        "SNAPSHOTS": f"{len(snapshots):,}",
        "OLDEST": snapshots[0].label if snapshots else "",
        "OTHER_SOURCES": f" It also holds what else was backed up there: {others}." if others else "",
        "TABLE_OTHER_NAMES": row_of_names if has_other_names else "",
        "TABLE_GRAPH": row_of_graph if has_graph else "",
        "TABLE_HISTORY": rows_of_history if snapshots else "",
    }
    text = _HISTORY.sub(lambda match: match[1] if snapshots else "", asset("RECOVERY_INSTRUCTIONS.md"))
    return fill(text, parts).encode("utf-8")


def _example(documents: Sequence[ExportedVersion]) -> str:
    """The path of a document that can be typed as it is; one of JSON that is still there, if possible."""
    quotable = [document for document in documents if _QUOTABLE.fullmatch(document.path)]

    def rank(one: ExportedVersion) -> tuple[bool, bool, bool, str]:
        return one.until is not None, not _PLAIN.fullmatch(one.path), not one.path.endswith(".json"), one.path

    return min(quotable, key=rank).path if quotable else "path/of/a/file"


def _text(text: str) -> str:
    """A name or message as Markdown that shows it as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
