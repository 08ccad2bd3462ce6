"""Shows single values in Datasette's own tables: JSON indented, long content cut, what looks like a secret masked."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from markupsafe import Markup, escape

from archive.errors import UsageError
from archive.extract.masking import mask_at, mask_value
from archive.extract.secrets import SecretRules

_JSON_COLUMNS = frozenset(
    {"tags", "rules", "changes", "findings", "assignees", "labels", "anomalies", "dependencies", "content", "text"}
)
_SHOWN = 2_000
_PARSED = 200_000


def rendered(column: str, value: Any, rules: SecretRules) -> Markup | None:
    """Returns a cell as HTML, or None where Datasette's own way is right."""
    if not isinstance(value, str):
        return None
    text, is_masked = _read(value, rules)
    if (column not in _JSON_COLUMNS and not is_masked) or (text == value and len(text) <= _SHOWN):
        return None
    more = f"\n… {len(text):,} characters in all" if len(text) > _SHOWN else ""
    style = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;max-height:20em;overflow:auto"
    return Markup("<pre style='{}'>{}{}</pre>").format(style, escape(text[:_SHOWN]), more)


def _read(value: str, rules: SecretRules) -> tuple[str, bool]:
    """Returns a value as it is shown, JSON indented, and whether something in it was masked."""
    if value.lstrip().startswith(("{", "[")) and len(value) <= _PARSED:
        # It may be no JSON, or resemble what archive_diff returns.
        with suppress(ValueError, RecursionError, UsageError, AttributeError, TypeError):
            found = json.loads(value)
            masked = _masked(found, rules)
            return json.dumps(masked, indent=2, ensure_ascii=False) if found else value, masked != found
    text = rules.mask(value)
    return text, text != value


def _masked(value: Any, rules: SecretRules) -> Any:
    if isinstance(value, dict) and value.keys() == {"values", "text", "note"}:  # what archive_diff returns
        changes = [_masked_change(change, rules) for change in value["values"]]
        return {"values": changes, "text": _masked_lines(value["text"], rules), "note": value["note"]}
    return mask_value(value, rules)


def _masked_change(change: dict[str, Any], rules: SecretRules) -> dict[str, Any]:
    pointer = str(change.get("pointer", ""))
    return {name: mask_at(pointer, side, rules) if name in ("old", "new") else side for name, side in change.items()}


def _masked_lines(lines: list[str], rules: SecretRules) -> list[str]:
    """Returns the lines of a unified diff with each side masked as the text that it is."""
    shown = list(lines)
    for sign in "-+":
        numbers = [number for number, line in enumerate(lines) if line.startswith((sign, " "))]
        masked = rules.mask("\n".join(lines[number][1:] for number in numbers)).split("\n")
        for number, line in zip(numbers, masked, strict=False):  # joined, no lines are one
            shown[number] = lines[number][0] + line
    return shown
