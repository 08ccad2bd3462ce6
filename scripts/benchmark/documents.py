"""Models a project's files as records inside a frame, so that one record can change without reading the file again.

A shape says what the records of a kind of file look like and what stands around them; a `Document` is one file of a
shape. Encoding is by record: the text of a file is its head, its encoded records with a separator between, its tail.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmark.vocabulary import Vocabulary, iso

Record = dict[str, Any]

STATUSES = ("pending", "in_progress", "waiting", "assigned", "review", "blocked", "done", "cancelled")
PRIORITIES = ("critical", "high", "medium", "medium", "low")
AGENTS = ("gpt_4", "claude_sonnet", "gemini_pro", "scout", "reviewer", "human")
EPOCH = datetime(2025, 8, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Shape:
    """What one kind of file looks like.

    Attributes:
        name: Also the stem of files of this shape.
        suffix: Ending of the file name, with its dot.
        make: Makes a new record: generator, vocabulary, its number, its time.
        encode: Writes one record.
        frame: Returns what stands before, between and after the records, from the title and the time of the last edit.
    """

    name: str
    suffix: str
    make: Callable[[random.Random, Vocabulary, int, datetime], Record]
    encode: Callable[[Record], str]
    frame: Callable[[str, datetime], tuple[str, str, str]]


@dataclass
class Document:
    """One file that can be edited record by record.

    Attributes:
        path: Relative to the corpus, POSIX.
        updated: Time of the last change, which most frames show.
        made: Number of records ever made; the next record's number.
        texts: The encoded records, in step with `records`.
    """

    path: str
    shape: Shape
    title: str
    updated: datetime
    made: int = 0
    records: list[Record] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def insert(self, position: int, record: Record) -> None:
        """Puts a record before that position."""
        self.records.insert(position, record)
        self.texts.insert(position, self.shape.encode(record))
        self.made += 1

    def remove(self, position: int) -> None:
        """Takes a record out."""
        del self.records[position]
        del self.texts[position]

    def rewrite(self, position: int) -> None:
        """Encodes a record again after it was changed."""
        self.texts[position] = self.shape.encode(self.records[position])

    def size(self) -> int:
        """Returns the number of characters in all records."""
        return sum(map(len, self.texts))

    def render(self) -> bytes:
        """Returns the whole file."""
        head, separator, tail = self.shape.frame(self.title, self.updated)
        return (head + separator.join(self.texts) + tail).encode()


def make_document(rng: random.Random, vocabulary: Vocabulary, shape: Shape, path: str, size_bytes: int) -> Document:
    """Returns a document of about that size: below it where 1,000 characters can be had below it."""
    started = EPOCH + timedelta(minutes=rng.getrandbits(20) % 300_000)
    document = Document(path, shape, vocabulary.phrase(rng, 4), started)
    head, separator, tail = shape.frame(document.title, started)
    size = len(head) + len(tail)
    while True:
        when = started + timedelta(minutes=31 * document.made)
        record = shape.make(rng, vocabulary, document.made, when)
        text = shape.encode(record)
        before, size = size, size + len(text) + len(separator)
        if size > size_bytes and before >= 1000 and document.records:
            document.updated = when
            return document
        document.records.append(record)
        document.texts.append(text)
        document.made += 1


def _task(rng: random.Random, vocabulary: Vocabulary, number: int, when: datetime) -> Record:
    dependencies = [f"TASK-{rng.randrange(1, number + 1)}" for _ in range(rng.getrandbits(8) % 3)] if number else []
    return {
        "id": f"TASK-{number + 1}",
        "title": vocabulary.phrase(rng, 4 + rng.getrandbits(8) % 5),
        "status": rng.choice(STATUSES),
        "priority": rng.choice(PRIORITIES),
        "assigned_to": rng.choice(AGENTS),
        "created_at": iso(when),
        "updated_at": iso(when + timedelta(minutes=rng.getrandbits(12))),
        "estimated_hours": (1 + rng.getrandbits(8) % 40) / 4,
        "description": vocabulary.prose(rng, 25 + rng.getrandbits(8) % 50),
        "dependencies": dependencies,
        "files_affected": [vocabulary.identifier(rng) for _ in range(rng.getrandbits(8) % 3)],
        "notes": [vocabulary.sentence(rng, 6 + rng.getrandbits(8) % 12) for _ in range(1 + rng.getrandbits(8) % 3)],
    }


def _entity(rng: random.Random, vocabulary: Vocabulary, number: int, when: datetime) -> Record:
    count = 2 + rng.getrandbits(8) % 6
    return {
        "name": f"{vocabulary.identifier(rng)} {number + 1}",
        "entityType": rng.choice(("project", "component", "session", "bug", "person", "preference")),
        "created": f"{when:%Y-%m-%d}",
        "confidence": rng.getrandbits(8) % 100 / 100,
        "observations": [vocabulary.sentence(rng, 8 + rng.getrandbits(8) % 16) for _ in range(count)],
    }


def _decision(rng: random.Random, vocabulary: Vocabulary, number: int, when: datetime) -> Record:
    return {
        "decision_id": f"DEC-{when:%Y%m%d}-{number + 1:03d}",
        "date": f"{when:%Y-%m-%d}",
        "title": vocabulary.phrase(rng, 5 + rng.getrandbits(8) % 5),
        "status": rng.choice(("proposed", "accepted", "superseded", "rejected")),
        "context": vocabulary.prose(rng, 20 + rng.getrandbits(8) % 40),
        "decision": vocabulary.prose(rng, 12 + rng.getrandbits(8) % 25),
        "alternatives": [
            {"option": vocabulary.phrase(rng, 4), "rejected_because": vocabulary.sentence(rng, 10)}
            for _ in range(rng.getrandbits(8) % 3)
        ],
        "consequences": {"positive": vocabulary.sentence(rng, 9), "negative": vocabulary.sentence(rng, 9)},
    }


def _event(rng: random.Random, vocabulary: Vocabulary, number: int, when: datetime) -> Record:
    return {
        "timestamp": iso(when),
        "seq": number,
        "session_id": f"session-{when:%Y%m%d}-{number // 25:03d}",
        "agent": rng.choice(AGENTS),
        "type": rng.choice(("observation", "tool_call", "decision", "error", "handoff")),
        "target": vocabulary.identifier(rng),
        "content": vocabulary.prose(rng, 10 + rng.getrandbits(8) % 40),
    }


def _section(rng: random.Random, vocabulary: Vocabulary, number: int, when: datetime) -> Record:
    return {
        "heading": vocabulary.phrase(rng, 3 + rng.getrandbits(8) % 4).capitalize(),
        "level": 2 + (number % 4 != 0),
        "notes": [vocabulary.prose(rng, 25 + rng.getrandbits(8) % 60) for _ in range(1 + rng.getrandbits(8) % 2)],
        "points": [vocabulary.sentence(rng, 5 + rng.getrandbits(8) % 9) for _ in range(rng.getrandbits(8) % 4)],
        "code": f'{vocabulary.identifier(rng)}("{vocabulary.slug(rng, 2)}")' if number % 5 == 3 else "",
        "date": f"{when:%Y-%m-%d}",
    }


def _json_member(record: Record) -> str:
    return "    " + json.dumps(record, indent=2, ensure_ascii=False).replace("\n", "\n    ")


def _json_entity(record: Record) -> str:
    name = json.dumps(record["name"], ensure_ascii=False)
    body = {key: value for key, value in record.items() if key != "name"}
    return f"    {name}: " + json.dumps(body, indent=2, ensure_ascii=False).replace("\n", "\n    ")


def _json_line(record: Record) -> str:
    return json.dumps(record) + "\n"


def _json_compact(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _markdown(record: Record) -> str:
    lines = ["#" * record["level"] + " " + record["heading"], ""]
    for paragraph in record["notes"]:
        lines += [paragraph, ""]
    lines += [f"- {point}" for point in record["points"]]
    if record["points"]:
        lines.append("")
    if record["code"]:
        lines += ["```js", record["code"] + ";", "```", ""]
    return "\n".join(lines) + "\n"


def _json_frame(member: str, brackets: str) -> Callable[[str, datetime], tuple[str, str, str]]:
    def frame(title: str, updated: datetime) -> tuple[str, str, str]:
        metadata = {"version": "1.2.0", "purpose": title, "last_updated": iso(updated), "maintained_by": "agents"}
        head = json.dumps({"metadata": metadata}, indent=2, ensure_ascii=False)[:-2]
        return f'{head},\n  "{member}": {brackets[0]}\n', ",\n", f"\n  {brackets[1]}\n}}\n"

    return frame


def _compact_frame(title: str, updated: datetime) -> tuple[str, str, str]:
    metadata = json.dumps({"title": title, "updated": iso(updated)}, ensure_ascii=False, separators=(",", ":"))
    return f'{{"metadata":{metadata},"events":[', ",", "]}"


def _no_frame(title: str, updated: datetime) -> tuple[str, str, str]:
    return "", "", ""


def _markdown_frame(title: str, updated: datetime) -> tuple[str, str, str]:
    return f"# {title.capitalize()}\n\nLast updated: {updated:%Y-%m-%d %H:%M}\n\n", "", ""


TASKS = Shape("tasks", ".json", _task, _json_member, _json_frame("tasks", "[]"))
MEMORY = Shape("memory", ".json", _entity, _json_entity, _json_frame("entities", "{}"))
DECISIONS = Shape("decisions", ".json", _decision, _json_member, _json_frame("decisions", "[]"))
SESSION = Shape("session", ".json", _event, _json_compact, _compact_frame)
LOG = Shape("log", ".jsonl", _event, _json_line, _no_frame)
NOTES = Shape("notes", ".md", _section, _markdown, _markdown_frame)
