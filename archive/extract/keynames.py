"""Reads the keys of items, as `archive.extract.identity` writes them, for people."""

from __future__ import annotations

import re

_STEP = re.compile(r"/(?P<name>[^/\[\]]*)|\[[^=\]\[/]*=(?P<id>[^\]]*)\]|\[[^\]]*\]")
_ESCAPE = re.compile(r"~(?:u([0-9a-f]{4})|([0-3]))")
_ESCAPED = {"0": "~", "1": "/", "2": "[", "3": "]"}


def names_of(key: str) -> list[str]:
    """Returns the names, headings and ids on the way to an item; what is known by content or position has an empty one."""
    return [_unescaped(match["name"] or match["id"] or "") for match in _STEP.finditer(key)]


def _unescaped(text: str) -> str:
    if "~" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPED[match[2]], text)
