"""Shows what the archive holds."""

from __future__ import annotations

from archive.cli import options, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output
from archive.model.check import CheckDepth, Stats


@as_command("stats", "archive stats", "archive stats --json | jq .ratio")
@options.output()
@options.place()
def command(place: Place, output: Output) -> None:
    """Show what the archive holds and what it costs.

    The figures are those of the whole file, all sources together.

    With --json: counts, and sizes in bytes; `ratio` is all versions, each as if stored whole, by the archive's file;
    `last_check` and `last_full_check` are the last ones that were recorded (`created_at`, `depth`, `verdict` …), or null.
    """
    with place.open_whole() as archive:
        stats = archive.stats()
    if output.as_json:
        output.json(stats.to_json())
        return
    output.facts(
        [
            ("archive", f"{place.db} (schema {stats.schema})"),
            ("snapshots", f"{stats.snapshots:,}"),
            ("documents", f"{stats.documents:,}, of which {stats.current_documents:,} exist now"),
            ("versions", f"{stats.versions:,} of {units.count(stats.blobs, 'different content')}"),
            ("now", units.size(stats.current_bytes)),
            ("all versions", f"{units.size(stats.versions_bytes)} if each was stored whole"),
            ("checked", _checked(stats)),
            ("file", f"{units.size(stats.file_bytes)}, {round(100 / stats.ratio) if stats.ratio else 100} % of that"),
            ("of it", f"{units.size(stats.contents_bytes)} current content, plain"),
            ("", f"{units.size(stats.deltas_bytes)} superseded content, as deltas"),
            ("", f"{units.size(stats.other_bytes)} rows, indexes and free pages"),
        ]
    )


def _checked(stats: Stats) -> str:
    last, full = stats.last_check, stats.last_full_check
    if last is None:
        return "never: run 'archive check'"
    said = f"{units.local_time(last.created_at)}: {last.verdict.value}"
    if last.depth is CheckDepth.FULL:
        return said
    return f"{said} (--quick; all content {units.local_time(full.created_at) if full else 'never'})"
