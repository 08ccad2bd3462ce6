"""Makes text from files and file names safe to show.

A file name may hold a newline, an escape sequence that repaints the terminal, or marks that turn the direction of the text.
Shown as they are, they could forge lines of output or send commands to the terminal; here they become visible escapes.
Two kinds of text are told apart: names and values, which stay on one line, and lines of a document, in which a tab is a tab.
"""

from __future__ import annotations

import json
import re

from archive.model.base import Json

# DEL and C1 controls, separators of lines and paragraphs, marks of direction, invisible characters, surrogates.
_UNSAFE = (
    "\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f"
)
_IN_NAMES = re.compile(f"[\x00-\x1f{_UNSAFE}]")
_IN_LINES = re.compile(f"[\x00-\x08\x0a-\x1f{_UNSAFE}]")
_IN_JSON = re.compile(f"[{_UNSAFE}]")  # JSON has escaped the controls below 32 already; newlines between members are its own
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    r"""Returns a name or value as one line that holds nothing a terminal would act on.

    A byte that is not UTF-8 is shown as `\xNN`, anything else that cannot be shown as `\xNN` or `\uNNNN`.
    """
    return text if text.isascii() and text.isprintable() else _IN_NAMES.sub(_escaped, text)


def escape_line(text: str) -> str:
    """Returns a line of a document in the same way, with its tabs as they are."""
    return text if text.isascii() and text.isprintable() else _IN_LINES.sub(_escaped, text)


def pretty_json(value: Json, *, indent: int | None = 2) -> str:
    r"""Returns a value as JSON for people to read: text in its own script, everything unsafe as `\uNNNN`."""
    return _IN_JSON.sub(_escaped_in_json, json.dumps(value, indent=indent, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_in_json(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000  # JSON knows characters beyond the first plane as pairs only
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
