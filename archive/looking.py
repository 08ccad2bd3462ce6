"""Looks at files: reads them, names their content, and finds out whether it is what it should be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from archive.elsewhere import Elsewhere
from archive.extract.parse import classify, kind_of, sniff
from archive.hashing import hash_bytes
from archive.model.documents import Kind, ParseReport, ParseState
from archive.model.files import FileStat
from archive.model.snapshots import Problem, ProblemKind
from archive.source.read import SourceReader

# From this much to read on, a second process is worth its start of a tenth of a second.
WORTH_A_PROCESS_BYTES = 24 * 1024 * 1024


class Seen(NamedTuple):
    """A file that was looked at; where it could not be read, `data` is empty and only `stat.path` and `problem` count."""

    stat: FileStat
    data: bytes
    hash: str
    kind: Kind
    report: ParseReport
    problem: Problem | None
    is_read: bool


class Ahead:
    """Starts the process that reads ahead as soon as it is known that there is enough to read, and ends it when it is left."""

    def __init__(self) -> None:
        self.helper: Elsewhere[_Plain] | None = None
        self._missing_bytes = WORTH_A_PROCESS_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Ends the process if there is one. Ending twice does nothing."""
        if self.helper is not None:
            self.helper.end()

    def expect(self, size_bytes: int) -> None:
        """Says that a file of that size will have to be read."""
        self._missing_bytes -= size_bytes
        if self._missing_bytes <= 0 and self.helper is None and (os.cpu_count() or 1) > 1:
            self.helper = Elsewhere(look_at, size_of=1)


@contextmanager
def looking_at(
    root: Path, wanted: Sequence[tuple[FileStat, Kind | None]], ahead: Ahead | None = None
) -> Iterator[Iterator[Seen]]:
    """Gives an iterator over what the files are, in their order; a process of its own reads ahead where there is much.

    Args:
        root: The folder that the paths are relative to.
        wanted: The files, each with the kind it was last known to have.
        ahead: What was told of the files while they were searched for.
    """
    with ahead or Ahead() as started:
        if ahead is None:
            started.expect(sum(stat.size_bytes for stat, _ in wanted))
        plain = [(stat[:], kind and kind.value) for stat, kind in wanted]
        if started.helper is None:
            yield map(_seen, look_at(root, plain))
            return
        with started.helper.given(root, plain) as found:
            yield map(_seen, found)


# What goes through the pipe is made of plain tuples: those are several times quicker to pickle than named ones.
_Plain = tuple[tuple[str, int, int, int, int, int], bytes, str, str, str, str, tuple[str, str] | None, bool]


def look_at(root: Path, wanted: Sequence[tuple[tuple[str, int, int, int, int, int], str | None]]) -> Iterator[_Plain]:
    """Reads files one after the other; what it yields is what `Seen` is made of."""
    with SourceReader(root) as reader:
        for plain_stat, known_kind in wanted:
            content = reader.read(FileStat(*plain_stat))
            if isinstance(content, Problem):
                yield plain_stat, b"", "", "text", "unchecked", "", (content.kind.value, content.message), False
                continue
            stat, data, problem = content
            kind = kind_of(stat.path) or sniff(data) or Kind(known_kind or "text")
            report = classify(kind, data)
            met = None if problem is None else (problem.kind.value, problem.message)
            yield stat[:], data, hash_bytes(data), kind.value, report.state.value, report.error, met, True


_VALID = ParseReport(ParseState.VALID)


def _seen(plain: _Plain) -> Seen:
    plain_stat, data, hash_, kind, state, error, met, is_read = plain
    report = _VALID if state == "valid" and not error else ParseReport(ParseState(state), error)
    problem = None if met is None else Problem(plain_stat[0], ProblemKind(met[0]), met[1])
    return Seen(FileStat(*plain_stat), data, hash_, Kind(kind), report, problem, is_read)
