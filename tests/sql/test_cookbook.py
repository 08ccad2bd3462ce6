"""Every question of the cookbook has an answer."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive import Archive

FORMAT = (Path(__file__).parents[2] / "archive" / "FORMAT.md").read_text(encoding="utf-8")
QUESTION = re.compile(r"^### (.*?)\n\n```sql\n(.*?);\n```", re.MULTILINE | re.DOTALL)


def questions(heading: str) -> list[tuple[str, str]]:
    section = FORMAT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return QUESTION.findall(section)


PLAIN = questions("Cookbook")
WITH_FUNCTIONS = questions("Cookbook: with the functions")


def test_there_are_more_than_twenty_questions() -> None:
    assert len(PLAIN) + len(WITH_FUNCTIONS) >= 24
    assert FORMAT.count("\n### ") >= len(PLAIN) + len(WITH_FUNCTIONS)


@pytest.mark.parametrize(("question", "statement"), PLAIN, ids=[question for question, _ in PLAIN])
def test_a_question_is_answered_by_any_sqlite(question: str, statement: str, sample: Path) -> None:
    with closing(sqlite3.connect(f"file:{sample}?mode=ro", uri=True)) as connection:
        rows = connection.execute(statement).fetchall()
    assert rows, question
    assert any(value is not None for row in rows for value in row)


@pytest.mark.parametrize(
    ("question", "statement"), [*PLAIN, *WITH_FUNCTIONS], ids=[question for question, _ in [*PLAIN, *WITH_FUNCTIONS]]
)
def test_a_question_is_answered_by_the_library(question: str, statement: str, opened: Archive) -> None:
    assert opened.sql(statement).rows, question


def answer(archive: Archive, question: str) -> list[tuple[object, ...]]:
    return list(archive.sql(dict([*PLAIN, *WITH_FUNCTIONS])[question]).rows)


def test_the_answers_are_right(opened: Archive) -> None:
    assert answer(opened, "What was removed, and when?") == [("docs/old.md", "2020-01-03T12:00:00.000Z")]
    assert answer(opened, "What can be worked on right now?") == [("2", "chart the tides", "high")]
    assert answer(opened, "Which tasks wait for which?") == [("chart the tides", "1")]
    assert answer(opened, "When did a document cease to be valid, and which version was the last good one?") == [
        ("agents/memory.json", 1, "2020-01-03T12:00:00.000Z"),
        ("odd/caf\\xe9.txt", None, "2020-01-01T12:00:00.000Z"),
    ]
    assert answer(opened, "Which documents lost more than half of their size at once?")[0][:2] == (
        "20200103_120000",
        "agents/memory.json",
    )
    assert answer(opened, "How did one value change over time?") == [
        ("20200101_120000", "pending"),
        ("20200102_120000", "done"),
        ("20200104_120000", "done"),
    ]
    assert ("agents/tasks.json", "changed", "/tasks/0/status", "pending", "done") in answer(
        opened, "What changed inside the documents in a snapshot?"
    )
