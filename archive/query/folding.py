"""Writes text without case and accents, letter for letter, as the index compares words."""

from __future__ import annotations

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


def fold(text: str) -> str:
    """Returns the text in small letters without accents; as long as the text itself."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)
