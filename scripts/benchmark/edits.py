"""Changes documents the way their owners do: mostly a little, sometimes badly."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from benchmark.documents import STATUSES, Document
from benchmark.vocabulary import Vocabulary, iso

Edit = Callable[[random.Random, Vocabulary, Document, datetime], None]


def edit(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    """Makes one small change of a kind that suits the document, and marks it as updated."""
    names, weights = _CHOICES[document.shape.name]
    rng.choices(names, weights)[0](rng, vocabulary, document, when)
    document.updated = when


def trim(rng: random.Random, document: Document, size: int) -> None:
    """Drops records until the others hold no more than that many characters: the oldest of a log, any of a list."""
    in_order = document.shape.name in ("log", "session")
    while document.size() > size and len(document.records) > 1:
        document.remove(0 if in_order else rng.randrange(len(document.records)))


def damage(rng: random.Random, whole: bytes) -> bytes:
    """Returns the file as a crash, a bad merge or two writers at once leave it; never equal to the whole."""
    cut = rng.randrange(len(whole) // 10, len(whole))
    form = rng.getrandbits(8) % 4
    if form == 0:
        return whole[:cut]
    if form == 1:
        return b""
    if form == 2:
        return whole[:cut] + whole[len(whole) // 3 :]
    line = whole.rfind(b"\n", 0, cut) + 1
    ours, theirs = whole[line : line + 200], whole[line : line + 150]
    conflict = b"<<<<<<< HEAD\n" + ours + b"\n=======\n" + theirs + b"\n>>>>>>> agent\n"
    return whole[:line] + conflict + whole[line:]


def _append(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    document.insert(len(document.records), document.shape.make(rng, vocabulary, document.made, when))


def _insert_first(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    document.insert(0, document.shape.make(rng, vocabulary, document.made, when))


def _append_several(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    for _ in range(1 + rng.getrandbits(8) % 4):
        _append(rng, vocabulary, document, when)


def _change_status(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    position = rng.randrange(len(document.records))
    record = document.records[position]
    if record["status"] in STATUSES:
        record["status"] = STATUSES[(STATUSES.index(record["status"]) + 1) % len(STATUSES)]
        record["updated_at"] = iso(when)
    else:
        record["status"] = "accepted"
        record["reviewed_at"] = iso(when)
    document.rewrite(position)


def _edit_prose(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    """Words a part of one text of a record anew: a few words, or most of a sentence."""
    position = rng.randrange(len(document.records))
    record = document.records[position]
    member: dict[str, str] | list[str] = record
    key: str | int = max((name for name in record if isinstance(record[name], str)), key=lambda name: len(record[name]))
    for name in ("notes", "observations"):
        if record.get(name):
            member, key = record[name], rng.randrange(len(record[name]))
            break
    words = member[key].split(" ")  # type: ignore[index]
    start = rng.randrange(len(words))
    words[start : start + 2 + rng.getrandbits(8) % 12] = vocabulary.draw(rng, 3 + rng.getrandbits(8) % 14)
    member[key] = " ".join(words)  # type: ignore[index]
    document.rewrite(position)


def _add_note(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    """Appends one sentence to the list of texts of a record."""
    position = rng.randrange(len(document.records))
    record = document.records[position]
    notes = record.get("notes", record.get("observations"))
    assert notes is not None, "only offered to shapes whose records have a list of texts"
    notes.append(vocabulary.sentence(rng, 8 + rng.getrandbits(8) % 12))
    document.rewrite(position)


def _remove(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    if len(document.records) > 1:
        document.remove(rng.randrange(len(document.records)))


def _move(rng: random.Random, vocabulary: Vocabulary, document: Document, when: datetime) -> None:
    """Moves a record to the front, as sorting by priority does."""
    position = rng.randrange(len(document.records))
    document.records.insert(0, document.records.pop(position))
    document.texts.insert(0, document.texts.pop(position))


_CHOICES: dict[str, tuple[list[Edit], list[int]]] = {
    "tasks": (
        [_change_status, _append, _insert_first, _edit_prose, _add_note, _remove, _move],
        [40, 15, 10, 15, 12, 5, 3],
    ),
    "memory": ([_add_note, _append, _insert_first, _edit_prose, _remove], [45, 25, 5, 20, 5]),
    "decisions": ([_change_status, _append, _insert_first, _edit_prose], [25, 35, 15, 25]),
    "session": ([_append_several], [1]),
    "log": ([_append_several, _edit_prose], [97, 3]),
    "notes": ([_edit_prose, _append, _insert_first, _add_note, _remove], [45, 25, 5, 20, 5]),
}
