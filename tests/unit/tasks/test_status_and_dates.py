"""Words of states and priorities, and dates: what each means is a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.tasks import normalise_status, priority_rank
from archive.extract.tasks.dates import normal_time
from archive.extract.tasks.status import is_known_status
from archive.model.tasks import is_normal_time, natural_key

STATUSES = {
    "pending": "pending todo to_do open ready assigned planned planning backlog waiting concept queued new not_started",
    "in_progress": "in_progress active started doing hooked working",
    "blocked": "blocked blocked_by_other_errors on_hold",
    "review": "review in_review testing qa",
    "done": "done complete completed closed resolved fixed released finished merged",
    "cancelled": "cancelled canceled won't_do wontfix deleted tombstone rejected abandoned duplicate",
    "deferred": "deferred postponed paused someday icebox",
}


@pytest.mark.parametrize(("status", "raw"), [(status, raw) for status, words in STATUSES.items() for raw in words.split()])
def test_every_known_word_has_its_status_however_it_is_written(status: str, raw: str) -> None:
    for written in (raw, raw.upper(), raw.replace("_", "-"), raw.replace("_", " ").title(), f"  {raw} ", raw.replace("'", "’")):
        assert normalise_status(written) == status
    assert is_known_status(status)


@pytest.mark.parametrize(("raw", "status"), [("On Ice", "on_ice"), ("", "unknown"), ("  ", "unknown"), ("50 %", "50_%")])
def test_a_word_that_is_not_known_is_kept(raw: str, status: str) -> None:
    assert normalise_status(raw) == status
    assert not is_known_status(status)


@pytest.mark.parametrize(
    ("rank", "words"),
    [
        (0, ["critical_path", "critical", "Critical Path", "P0", "p0", "(A)", "0"]),
        (1, ["high", "High", "P1", "(B)", "H", "1"]),
        (2, ["medium", "none", "", "P2", "(C)", "M", "2"]),
        (3, ["low", "P3", "L", "3"]),
        (4, ["P4", "4", "informational", "(D)", "(Z)", "whatever", "-1"]),
    ],
)
def test_priorities_have_their_rank(rank: int, words: list[str]) -> None:
    assert {word: priority_rank(word) for word in words} == dict.fromkeys(words, rank)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-03-15", "2026-03-15T00:00:00.000Z"),
        ("2026-03-15T10:20:30Z", "2026-03-15T10:20:30.000Z"),
        ("2026-03-15T10:20:30.123456789-07:00", "2026-03-15T17:20:30.123Z"),
        ("2026-03-15 10:20", "2026-03-15T10:20:00.000Z"),
        ("20260315T102030Z", "2026-03-15T10:20:30.000Z"),
        ("20260315", "2026-03-15T00:00:00.000Z"),
        ("2026-3-5", "2026-03-05T00:00:00.000Z"),
        ("2026/03/15 9:05", "2026-03-15T09:05:00.000Z"),
        ("1773570030", "2026-03-15T10:20:30.000Z"),
        ("1773570030123", "2026-03-15T10:20:30.123Z"),
        ("0001-01-01T00:00:00Z", ""),
        ("  ", ""),
        ("next week", None),
        ("2026-13-45", None),
        ("2026-02-30 10:00", None),
        ("12/05/2026", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("12345678901234567890", None),
    ],
)
def test_a_date_is_written_in_one_form(raw: str, expected: str | None) -> None:
    assert normal_time(raw) == expected
    assert not expected or is_normal_time(expected)


@given(st.text(max_size=30) | st.datetimes().map(str) | st.from_regex(r"\d{4}-\d\d-\d\d.{0,9}"))
def test_no_text_makes_reading_a_date_fail(text: str) -> None:
    found = normal_time(text)
    assert not found or is_normal_time(found)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2))
def test_numbers_in_ids_are_ordered_by_value(numbers: list[int]) -> None:
    low, high = sorted(numbers)
    assert natural_key(f"TASK-{low}.x") <= natural_key(f"TASK-{high}.x")
