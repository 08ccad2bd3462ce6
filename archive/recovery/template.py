"""Reads the texts that packages are made from."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "assets"
_PLACE = re.compile(r"@([A-Z_]+)@")


@functools.cache
def asset(name: str) -> str:
    """Returns one of the texts."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def fill(text: str, parts: Mapping[str, str]) -> str:
    """Returns the text with each `@NAME@` replaced, in one pass: what is put in is never looked at again."""
    return _PLACE.sub(lambda match: parts[match[1]], text)
