"""Writes text without case and accents, letter for letter, as the index compares words."""

from __future__ import annotations

import re
import unicodedata

from archive.extract.words import PLAIN_LETTERS


class _Folding(dict[int, str]):
    """Maps the code of each character to the one character it is compared as; learns them as they come."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if letter.isalnum() and not "\uac00" <= letter <= "\ud7a3":  # syllables of Hangul are not letters with accents
            lowered = unicodedata.normalize("NFKD", PLAIN_LETTERS.get(letter, letter))[:1].lower()
            letter = lowered[:1] or letter
        self[code] = letter
        return letter


_FOLDING = _Folding()
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def fold(text: str) -> str:
    """Returns the text in small letters without accents; as long as the text itself."""
    if text.isascii():
        return text.lower()
    # Mostly there are a few such letters in much English, which is many times quicker by itself.
    pieces, at = list[str](), 0
    for match in _BEYOND_ASCII.finditer(text):
        pieces += text[at : match.start()].lower(), match[0].translate(_FOLDING)
        at = match.end()
    return "".join([*pieces, text[at:].lower()])
