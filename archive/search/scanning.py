"""Finds any part of a text, or what a regular expression matches, by looking at every item.

A regular expression may take for ever. So it runs in a process of its own, which is ended when its time is up.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from archive.elsewhere import Elsewhere
from archive.errors import QueryError
from archive.extract.keynames import names_of
from archive.model.search import Span
from archive.query.folding import fold
from archive.storage import fts
from archive.storage.connection import Connection, Database
from archive.storage.fts import Scope

TIME_LIMIT_S = 20
"""How long a regular expression may look."""

_WIDTH = 160
_MAX_SPANS = 50
# What one counts for the pipe, so that a page's worth is handed over at a time.
_SIGHT_BYTES = 50_000
_LOOKED_AT_ONCE = 2_000


class Sight(NamedTuple):
    """An item in which something was found; the spans are those in its place, its title and its text."""

    id: int
    place_spans: tuple[Span, ...]
    title_spans: tuple[Span, ...]
    text_spans: tuple[Span, ...]


class Seen(NamedTuple):
    """An item as it was found first, which is its newest state, with the snapshot of its oldest and their number."""

    sight: Sight
    first: int
    states: int = 1

    def with_state(self, first: int) -> Seen:
        """Returns it with one more state."""
        return self._replace(first=min(self.first, first), states=self.states + 1)


Find = Callable[[str], list[Span]]
OnLooked = Callable[[int], None]


def find_substring(wanted: str) -> Find:
    """Returns what finds a text in others, whatever the case of letters and their accents."""
    folded = fold(wanted)

    def find(text: str) -> list[Span]:
        low, at = fold(text), -len(folded)
        spans: list[Span] = []
        while len(spans) < _MAX_SPANS and (at := low.find(folded, at + len(folded))) >= 0:
            spans.append(Span(at, at + len(folded)))
        return spans

    return find


def compile_regex(pattern: str) -> re.Pattern[str]:
    """Returns a regular expression, compiled.

    Raises:
        QueryError: It is none.
    """
    try:
        return re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError, MemoryError) as error:
        hint = "Put a backslash before signs that are meant as they are, or look for them with --substring."
        raise QueryError(f"this is no regular expression: {error}", hint=hint, pattern=pattern) from None


def sights(connection: Connection, scope: Scope, find: Find) -> Iterator[Sight | int]:
    """Yields the items in which something is found, the newest first, and now and then how many were looked at."""
    for number, (item_id, key, title, text) in enumerate(fts.scan(connection, scope), start=1):
        if not number % _LOOKED_AT_ONCE:
            yield number
        in_place, in_title, in_text = find(place_of(key)), find(title), find(text)
        if in_place or in_title or in_text:
            yield Sight(item_id, tuple(in_place), tuple(in_title), tuple(in_text))


def place_of(key: str) -> str:
    """Returns the way of names, ids and headings to an item for people."""
    return " > ".join(filter(None, names_of(key)))


def reported(found: Iterator[Sight | int], on_looked: OnLooked) -> Iterator[Sight]:
    """Yields the sights, and tells how many items were looked at."""
    for one in found:
        if isinstance(one, int):
            on_looked(one)
        else:
            yield one


@contextmanager
def regex_sights(path: Path, scope: Scope, pattern: str) -> Iterator[Iterator[Sight | int]]:
    """Gives an iterator over the items in which a regular expression matches, found by another process.

    Raises:
        QueryError: It is none; in the course of the iteration, that its time is up.
    """
    compile_regex(pattern)
    with Elsewhere(_look, path, tuple(scope), pattern, TIME_LIMIT_S, size_of=0) as found:
        yield _until_time_is_up((Sight(*one[1:]) if len(one) > 2 else one[1] for one in found), pattern)


def _until_time_is_up(found: Iterator[Sight | int], pattern: str) -> Iterator[Sight | int]:
    try:
        yield from found
    except TimeoutError:
        raise QueryError(
            f"the regular expression took longer than {TIME_LIMIT_S} seconds",
            hint="Repeats inside of repeats, as in (a+)+, take very long; write it without, or use --substring.",
            pattern=pattern,
        ) from None


def _look(path: Path, scope: tuple[object, ...], pattern: str, seconds: int) -> Iterator[tuple[Any, ...]]:
    """Is the other process: yields sights, and gives up by an alarm, which Python hears also while it matches."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(seconds)
    expression = compile_regex(pattern)

    def find(text: str) -> list[Span]:
        return [Span(*match.span()) for _, match in zip(range(_MAX_SPANS), expression.finditer(text), strict=False)]

    database = Database(path, writable=False)
    try:
        with database.reading() as connection:
            for one in sights(connection, Scope(*scope), find):  # type: ignore[arg-type]
                yield (_SIGHT_BYTES, one) if isinstance(one, int) else (_SIGHT_BYTES, *one)
    finally:
        database.close()


def _give_up(*_: object) -> None:
    raise TimeoutError


def cut(text: str, spans: tuple[Span, ...]) -> tuple[str, tuple[Span, ...]]:
    """Returns the part of a text around the first of the spans, on one line, and the spans in it."""
    flat = re.sub(r"\s", " ", text)
    start = max(0, (spans[0].start if spans else 0) - _WIDTH // 3)
    end = min(len(flat), start + _WIDTH)
    start = max(0, end - _WIDTH) if start and end == len(flat) else start
    before, after = "…" if start else "", "…" if end < len(flat) else ""
    shift = len(before) - start
    inside = tuple(
        Span(max(one.start, start) + shift, min(one.end, end) + shift) for one in spans if one.start < end and one.end > start
    )
    return f"{before}{flat[start:end]}{after}", inside
