"""Shows single values in Datasette's own tables."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup, escape

_JSON_COLUMNS = frozenset(
    {"tags", "rules", "changes", "findings", "assignees", "labels", "anomalies", "dependencies", "content"}
)
_SHOWN = 2_000
_PARSED = 200_000


def rendered(column: str, value: Any) -> Markup | None:
    """Returns a cell as HTML, or None where Datasette's own way is right."""
    if column not in _JSON_COLUMNS or not isinstance(value, str):
        return None
    text = _pretty(value)
    if text is None and len(value) <= _SHOWN:
        return None
    text = value if text is None else text
    more = f"\n… {len(text):,} characters in all" if len(text) > _SHOWN else ""
    style = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;max-height:20em;overflow:auto"
    return Markup("<pre style='{}'>{}{}</pre>").format(style, escape(text[:_SHOWN]), more)


def _pretty(value: str) -> str | None:
    if not value.lstrip().startswith(("{", "[")) or len(value) > _PARSED:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return json.dumps(found, indent=2, ensure_ascii=False) if found else value
