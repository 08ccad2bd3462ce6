"""Makes pieces of unknown text fit for messages: one line, nothing a terminal obeys, nothing UTF-8 cannot hold."""

from __future__ import annotations

import json
import re
import shlex

# A name with its colon, or a value: a string, also a cut one, or a word or number that is longer than a sign.
_VALUE = re.compile(r"(?P<name>\"(?:[^\"\\]|\\.)*\"\s*:)|\"(?:[^\"\\]|\\.)*\"?|[^\s\"{}\[\],:]{4,}")


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


def shell_word(text: str) -> str:
    r"""Returns a text as one word to be typed in a shell, all of it printable.

    What cannot be typed as it is, such as bytes of a path that are not UTF-8, goes into `$'...'`, which bash, zsh and ksh know.
    """
    return shlex.quote(text) if text.isprintable() else "$'" + "".join(map(_in_shell, text)) + "'"


def _in_shell(char: str) -> str:
    if char.isprintable():
        return f"\\{char}" if char in "\\'" else char
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", errors))


def without_values(text: str) -> str:
    """Returns the names and signs of a piece of JSON: a value may be a secret, and messages are kept and shown."""
    return _VALUE.sub(_without_value, text)


def _without_value(match: re.Match[str]) -> str:
    text = match[0]
    if match["name"] or text in ("true", "false", "null"):
        return text
    return '"…"' if text.startswith('"') else "…"
