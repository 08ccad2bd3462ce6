"""Finds the words inside words, so that a search index which splits at spaces and signs finds them too.

The index is FTS5 with `unicode61`: a token is a run of letters and digits, without case and accents. Four things hide
in such a run, and each gets further tokens, in a column of their own beside the text:

- the parts of a name from code: `loadJsonMemory` gives `load json memory`, `phase1` gives `phase 1` (`load_json` and
  `js/utils.js` need nothing, their signs part them already);
- writing without spaces (Chinese, Japanese, Korean, Thai …): each character of such a run is a token, so that any part
  of the run is found as a phrase; Latin words inside the run become tokens too;
- pictures (`✅`, `🚨`), which the tokenizer takes for a gap or glues to the word beside them, become tokens as `u2705`;
- letters that are no accented ones and yet are often typed as others: `Søren` gives `Soren`, `Straße` gives `Strasse`.

The same functions cut up what people search for, so both sides always agree. Most texts have nothing of the kind and
cost a few passes over their bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

MIN_KEYLIKE = 16
"""Runs from this length on may be keys of some service."""

MAX_IDENTIFIER = 64
"""Longer runs of letters and digits are keys or encoded data, not names, and are not taken apart."""

# Scripts that are written without spaces between words, the letters and signs of each that FTS5 takes for letters.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u303b\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_PICTURES = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
# Assigned after Unicode 6.1, where FTS5 stopped: it takes these signs for letters and glues them to their neighbours.
_GLUE = "\u20ba-\u20cf\u2e32-\u2e7f"
# Letters and digits by Unicode's word and not by FTS5's, whose table lists them as signs.
_NOT_IN_FTS5 = "\u19b0-\u19c0\u19c8\u19c9\u1cf2\u1cf3"

TOKEN = re.compile(rf"[^\W_{_NOT_IN_FTS5}]+")
"""Matches a run of characters of which FTS5 makes at least one token."""

_TELLING = re.compile(rf"[{_UNSPACED}{_PICTURES}{_GLUE}]|[\uff01-\uff9f]")
_HUMP = re.compile(r"[^\W\d_a-zß-öø-ÿ]+(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{2})|[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+|[A-ZÀ-ÖØ-Þ]+|[0-9]+")


def _shape_table() -> bytes:
    """Returns a table for Latin-1 that maps small letters to `a`, capitals and digits to `A`, all else to a space."""
    shapes = bytearray(b" " * 256)
    for code in range(256):
        letter = chr(code)
        if letter.isalpha() and not letter.isupper():
            shapes[code] = ord("a")
        elif letter.isalpha() or (code < 128 and letter.isdigit()):
            shapes[code] = ord("A")
    return bytes(shapes)


_SHAPE = _shape_table()
# Where parts of names meet: loadJson and phase1, HTTPServer; and what no prose has, but keys do.
_MARKS = (b"aA", b"AAa", b"A" * 20, b"a" * 20)
# Bytes of UTF-8 that occur only where a character of a script without spaces or a picture may stand; all others.
_LEADS = bytes([0xE0, 0xE1, *range(0xE3, 0xEE), 0xEF, *range(0xF0, 0xF5)])
_NO_LEADS = bytes(code for code in range(256) if code not in _LEADS)
_ASCII = bytes(range(128))
# Letters with strokes and ligatures, which have no accent that could be left out, as people type them.
_STROKED = {
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T",
    "\u0131": "i", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH",
    "ё": "\u0435", "Ё": "\u0415",
}  # fmt: skip
# Letters with accents and ligatures beyond Latin, of which FTS5 knows nothing: Greek, and the like of `ﬁ`.
_COMPOSED = (*range(0x370, 0x400), *range(0x1F00, 0x2000), *range(0xFB00, 0xFB07))


def _plain_letters() -> dict[str, str]:
    """Returns, for letters that FTS5 leaves as they are, how they are typed without accents, strokes and ligatures."""
    letters = dict(_STROKED)
    for code in _COMPOSED:
        plain = "".join(one for one in unicodedata.normalize("NFKD", chr(code)) if one.isalpha())
        if chr(code).isalpha() and plain and plain.lower() != chr(code).lower():
            letters[chr(code)] = plain
    return letters


def _beginnings(letters: Iterable[str]) -> re.Pattern[bytes]:
    """Returns what finds one of the letters in bytes of UTF-8 quickly: their first bytes once, and the last ones of each."""
    ends: dict[bytes, bytes] = {}
    for letter in letters:
        data = letter.encode()
        ends[data[:-1]] = ends.get(data[:-1], b"") + data[-1:]
    return re.compile(b"|".join(re.escape(first) + b"[" + re.escape(last) + b"]" for first, last in ends.items()))


PLAIN_LETTERS = _plain_letters()
_PLAIN = str.maketrans(PLAIN_LETTERS)
_NOT_PLAIN = _beginnings(PLAIN_LETTERS)
_NEAR_LEAD_E2 = re.compile(rf"[{_PICTURES}{_GLUE}\u2e80-\u2fdf]")


class Part(NamedTuple):
    """Some of the texts that were looked at, together.

    Attributes:
        text: They, with a line break between them.
        keylike: Where in it runs of letters and digits begin and end that are long and mix their kinds.
    """

    text: str
    keylike: list[tuple[int, int]]


class Scan(NamedTuple):
    """What a look at several texts found.

    Attributes:
        words: The further tokens of each text, separated by spaces; mostly empty. Parts of names come first, each name
            once; then the runs without spaces in the order of the text.
        parts: All the texts: those in ASCII, and the others.
    """

    words: list[str]
    parts: tuple[Part, Part]


def scan(texts: list[str]) -> Scan:
    """Looks for hidden words in many texts at once, which is much faster than in one after another."""
    words = [""] * len(texts)
    # Apart, for one letter beyond Latin-1 makes a text twice as large and looking through it several times as slow.
    plain = [number for number, text in enumerate(texts) if text.isascii()]
    foreign = [number for number, text in enumerate(texts) if not text.isascii()]
    parts = _scan_part(texts, plain, words), _scan_part(texts, foreign, words)
    for number in foreign:
        if runs := _runs(texts[number]):
            words[number] = f"{words[number]} {runs}" if words[number] else runs
    return Scan(words, parts)


def _scan_part(texts: list[str], numbers: Sequence[int], words: list[str]) -> Part:
    """Looks through the texts of these numbers, and puts the parts of the names in each where its further tokens go."""
    if not numbers:
        return Part("", [])
    joined = "\n".join([texts[number] for number in numbers])
    keylike = []
    at, end = 0, len(texts[numbers[0]])  # the text that a run is in, and where it ends
    names: dict[str, None] = {}
    for start, stop in _mixed_runs(joined):
        while start > end:
            if names:
                words[numbers[at]] = " ".join(names)
                names = {}
            at += 1
            end += 1 + len(texts[numbers[at]])
        if stop - start >= MIN_KEYLIKE:
            keylike.append((start, stop))
        if stop - start <= MAX_IDENTIFIER and (parts := identifier_parts(joined[start:stop])):
            names[parts] = None
    if names:
        words[numbers[at]] = " ".join(names)
    return Part(joined, keylike)


def keylike_runs(text: str) -> list[tuple[int, int]]:
    """Returns the `keylike` of a scan of one text."""
    return [(start, end) for start, end in _mixed_runs(text) if end - start >= MIN_KEYLIKE]


def index_words(text: str) -> str:
    """Returns the further tokens of one text."""
    if not text.isascii():
        return scan([text]).words[0]
    if text.isupper() or text.isdecimal():
        return ""  # as many ids are
    parts = [identifier_parts(text[start:end]) for start, end in _mixed_runs(text) if end - start <= MAX_IDENTIFIER]
    return " ".join(dict.fromkeys(filter(None, parts)))


def _mixed_runs(text: str) -> list[tuple[int, int]]:
    """Returns where runs of letters and digits begin and end that may be several words, or a key, in order."""
    shape = text.encode("latin-1", "replace").translate(_SHAPE)
    runs: dict[int, int] = {}
    for mark in _MARKS:
        at = shape.find(mark)
        while at >= 0:
            start = shape.rfind(b" ", 0, at) + 1
            end = shape.find(b" ", at)
            runs[start] = end = len(shape) if end < 0 else end
            at = shape.find(mark, end)
    return sorted(runs.items())


@lru_cache(maxsize=20_000)
def identifier_parts(word: str) -> str:
    """Returns the parts of a name from code in lower case, separated by spaces; empty if it has one part or is no name.

    A name with very short parts on average is taken for encoded data.
    """
    if len(word) > MAX_IDENTIFIER:
        return ""
    parts = _HUMP.findall(word)
    if len(parts) < 2 or (len(parts) > 3 and len(word) < 2.5 * len(parts)):
        return ""
    if parts[0].isdigit() or (len(parts[0]) < 2 and parts[1].isdigit()):
        return ""  # v3, p99, 10th
    return " ".join(parts).lower()


def _runs(text: str) -> str:
    text = "\n".join([line for line in text.split("\n") if not line.isascii()])
    rest = text.encode("utf-8", "replace").translate(None, _ASCII)
    plain = _in_plain_letters(text) if _NOT_PLAIN.search(rest) else ""
    if not rest.translate(None, _NO_LEADS) and (b"\xe2" not in rest or not _NEAR_LEAD_E2.search(text)):
        return plain
    telling = _TELLING.search
    chunks = [chunk for chunk in text.split() if not chunk.isascii() and telling(chunk)]
    return " ".join([*([plain] if plain else []), *[" ".join(split_unspaced(chunk)) for chunk in chunks]])


def _in_plain_letters(text: str) -> str:
    words = dict.fromkeys(word for word in TOKEN.findall(text) if not word.isascii())
    return " ".join(plain for word in words if (plain := word.translate(_PLAIN)) != word)


def has_token(text: str) -> bool:
    """Whether there is anything in a text that the index knows."""
    if text.isascii() or not _TELLING.search(text):
        return TOKEN.search(text) is not None
    return any(split_unspaced(chunk) if is_unspaced(chunk) else TOKEN.search(chunk) for chunk in text.split())


def is_unspaced(chunk: str) -> bool:
    """Whether the tokens of this text must be looked for one by one among the further tokens."""
    return not chunk.isascii() and _TELLING.search(chunk) is not None


# Made when they are first asked for: the sets of characters are so large that each takes as long as ten documents.
@cache
def unspaced_parts() -> re.Pattern[str]:
    """Returns what matches a run of characters without spaces, a word, or a picture, in a text of which `is_unspaced` holds."""
    return re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}{_NOT_IN_FTS5}]+|[{_PICTURES}]")


@cache
def _unspaced_part() -> re.Pattern[str]:
    return re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}{_NOT_IN_FTS5}]+|[{_PICTURES}]")


def split_unspaced(chunk: str) -> list[str]:
    """Returns the tokens of a text with characters that `unicode61` does not part: characters, words, pictures.

    Wide and narrow forms of letters become the usual ones, and letters written in parts are put together.
    """
    parts = _unspaced_part().findall(unicodedata.normalize("NFKC", chunk))
    return [part if TOKEN.match(part) else f"u{ord(part):x}" for part in parts]
