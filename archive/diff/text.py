"""Compares two texts line by line and writes the difference as a unified diff."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from archive.diff.align import Pair, align
from archive.extract.decoding import encoding_of, fault_of_nuls, guessed_encoding
from archive.extract.parse import text_of
from archive.extract.printable import printable

MAX_TEXT_BYTES = 16 << 20
MAX_TEXT_LINES = 10_000
MAX_LINE_CHARACTERS = 2_000

_CONTEXT = 3
_NO_NEWLINE = "\\ No newline at end of file"
_VISIBLE_RETURN = "␍"


class _Block(NamedTuple):
    """A run of lines that differ, as half-open ranges of both sides; one of them may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def diff_text(old: bytes | None, new: bytes | None, path: str) -> tuple[tuple[str, ...], str]:
    """Returns the lines of a unified diff with three lines of context, and a note on what they do not show.

    Lines end at line feeds. Carriage returns are shown as `␍`, unless all lines of both sides end with one. Long lines
    and long diffs are cut, and the note says so. The lines are for people; they are no patch to apply.

    Args:
        old, new: The contents; None for a file that does not exist.
    """
    note = _reason_not_to(old, new)
    if note:
        return (), note
    sides = old or b"", new or b""
    notes = []
    encodings = [_encoding_name(side) for side in sides]
    if set(encodings) != {"UTF-8"}:
        both = encodings[0] == encodings[1] or old is None or new is None
        named = encodings[1 if old is None else 0] if both else " and ".join(encodings)
        notes.append(f"read as {named}")
    texts = [text_of(side) for side in sides]
    if all(side is None or _all_crlf(text) for side, text in zip((old, new), texts, strict=True)):
        texts = [text.replace("\r\n", "\n") for text in texts]
        notes.append("all lines end with CR LF")
    lines = [list(io.StringIO(text, newline="\n")) for text in texts]
    names = "/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}"
    result = list(islice(_unified(lines[0], lines[1], names), MAX_TEXT_LINES + 1))
    if len(result) > MAX_TEXT_LINES:
        result.pop()
        notes.append(f"only the first {MAX_TEXT_LINES:,} lines of the difference are given")
    if any(len(line) > MAX_LINE_CHARACTERS for line in result):
        result = [_cut(line) for line in result]
        notes.append(f"lines are cut at {MAX_LINE_CHARACTERS:,} characters")
    return tuple(result), "; ".join(notes)


def _reason_not_to(old: bytes | None, new: bytes | None) -> str:
    for name, side in (("old", old), ("new", new)):
        if side is not None and len(side) > MAX_TEXT_BYTES:
            return f"the {name} version is too large to compare as text ({len(side):,} bytes)"
        if side and encoding_of(side).codec == "utf-8" and (nuls := fault_of_nuls(side)):
            return f"not compared as text, the {name} version is binary or damaged: {nuls.partition(': ')[2]}"
    return ""


def _encoding_name(data: bytes) -> str:
    encoding = encoding_of(data)
    if encoding.codec != "utf-8":
        return "UTF-16"
    try:
        data.decode()
    except UnicodeDecodeError:
        if not data.decode("utf-8", "ignore").isascii():
            return "damaged UTF-8"
        return {"latin-1": "Latin-1", "cp1252": "Windows-1252"}.get(guessed_encoding(data), "damaged UTF-8")
    return "UTF-8 with byte order mark" if encoding.mark_bytes else "UTF-8"


def _all_crlf(text: str) -> bool:
    ends = text.count("\n")
    return ends > 0 and text.count("\r\n") == ends == text.count("\r")


def _unified(old: list[str], new: list[str], names: tuple[str, str]) -> Iterator[str]:
    blocks = list(_blocks(align(old, new).kept, len(old), len(new)))
    if blocks:
        yield f"--- {printable(names[0])}"
        yield f"+++ {printable(names[1])}"
    for hunk in _hunks(blocks):
        yield from _hunk_lines(hunk, old, new)


def _blocks(kept: Sequence[Pair], old_length: int, new_length: int) -> Iterator[_Block]:
    for (i, j), (i_next, j_next) in pairwise([(-1, -1), *kept, (old_length, new_length)]):
        if i_next - i > 1 or j_next - j > 1:
            yield _Block(i + 1, i_next, j + 1, j_next)


def _hunks(blocks: Sequence[_Block]) -> Iterator[list[_Block]]:
    """Groups blocks whose contexts touch."""
    hunk: list[_Block] = []
    for block in blocks:
        if hunk and block.old_start - hunk[-1].old_end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(block)
    if hunk:
        yield hunk


def _hunk_lines(hunk: list[_Block], old: list[str], new: list[str]) -> Iterator[str]:
    before = min(_CONTEXT, hunk[0].old_start)
    after = min(_CONTEXT, len(old) - hunk[-1].old_end)
    old_start, new_start = hunk[0].old_start - before, hunk[0].new_start - before
    old_range = _range(old_start, hunk[-1].old_end + after)
    new_range = _range(new_start, hunk[-1].new_end + after)
    yield f"@@ -{old_range} +{new_range} @@"
    position = old_start
    for block in hunk:
        yield from _signed(" ", old[position : block.old_start])
        yield from _signed("-", old[block.old_start : block.old_end])
        yield from _signed("+", new[block.new_start : block.new_end])
        position = block.old_end
    yield from _signed(" ", old[position : position + after])


def _range(start: int, end: int) -> str:
    if end - start == 1:
        return f"{start + 1}"
    return f"{start + 1 if end > start else start},{end - start}"


def _signed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line.removesuffix("\n").replace("\r", _VISIBLE_RETURN)
        if not line.endswith("\n"):
            yield _NO_NEWLINE


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE_CHARACTERS else line[:MAX_LINE_CHARACTERS] + "…"
