"""Makes pieces of unknown text fit for messages: one line, nothing a terminal obeys, nothing UTF-8 cannot hold."""

from __future__ import annotations

import json


def shown(text: str, limit: int = 30) -> str:
    """Returns the start of a text in quotes, fit for one line of a message: control characters are escaped."""
    quoted = json.dumps(text[:limit], ensure_ascii=False)
    cut = quoted[:-1] + '…"' if len(text) > limit else quoted
    return printable(cut)


def printable(text: str) -> str:
    """Returns the text with escapes for what a terminal or a UTF-8 column cannot take."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
