"""Search: what `archive search` finds, with its filters for kind, category, path, time and history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from archive.datasette_plugin.view import View
from archive.model.documents import Kind
from archive.model.search import Hit, Span

CATEGORIES = "SELECT DISTINCT category FROM documents WHERE source_id = :source ORDER BY category"
_LIMIT = 20


def page(view: View) -> dict[str, Any]:
    """Returns what the page shows."""
    query = view.get("q")
    if view.source is None:
        return {"query": query, "hits": [], "found": None, "kinds": [], "categories": [], "next": "", "sql_link": ""}
    found = None
    if query:
        found = view.archive.search(
            query,
            at=view.get("at") or None,
            history=view.get("history") == "1",
            kind=view.get("kind") or None,
            category=view.get("category") or None,
            path=view.get("path") or None,
            since=view.get("since") or None,
            until=view.get("until") or None,
            cursor=view.get("cursor") or None,
            limit=_LIMIT,
        )
    return {
        "query": query,
        "found": found,
        "hits": [_shown(view, hit) for hit in found.items] if found else [],
        "kinds": [kind.value for kind in Kind],
        "categories": [row["category"] for row in view.ask(CATEGORIES, source=view.source_id).rows],
        "next": view.link(cursor=found.cursor) if found and found.cursor else "",
        "sql_link": view.links.sql(found.sql.text, **found.sql.parameters) if found and found.sql else "",
    }


def _shown(view: View, hit: Hit) -> dict[str, Any]:
    return {
        "hit": hit,
        "title": marked(hit.title, hit.title_spans) if hit.title else None,
        "place": marked(hit.place, hit.place_spans),
        "snippet": marked(hit.snippet, hit.snippet_spans),
        "link": view.link("document", path=hit.path, at=None if hit.present else hit.last_seen.snapshot),
    }


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """Returns a text, escaped, with the matched words marked."""
    pieces: list[Markup] = []
    end = 0
    for span in sorted(spans):
        if span.start < end:
            continue
        pieces += [escape(text[end : span.start]), Markup("<mark>{}</mark>").format(text[span.start : span.end])]
        end = span.end
    return Markup("").join([*pieces, escape(text[end:])])
