"""Moments: every form people type means what the table says, everything else is an error that names the forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import QueryError
from archive.moment import ById, ByLabel, Latest, NotAfter, parse_moment

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 3, 15, 10, 30, tzinfo=ZONE)
END_OF_DAY = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999999}


def local(*parts: int) -> NotAfter:
    return NotAfter(datetime(*parts, tzinfo=ZONE))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", ById(12)),
        ("#12", ById(12)),
        ("20230401_120000", ByLabel("20230401_120000")),
        ("20230401_120000_2", ByLabel("20230401_120000_2")),
        ("20230401_12", ByLabel("20230401_12")),
        ("latest", Latest()),
        ("LATEST~3", Latest(3)),
        ("HEAD", Latest()),
        ("HEAD^^", Latest(2)),
        ("now", NotAfter(NOW)),
        ("2 hours ago", NotAfter(NOW - timedelta(hours=2))),
        ("an hour ago", NotAfter(NOW - timedelta(hours=1))),
        ("1.5 h ago", NotAfter(NOW - timedelta(minutes=90))),
        ("3d", NotAfter(NOW - timedelta(days=3))),
        ("-10m", NotAfter(NOW - timedelta(minutes=10))),
        ("2 weeks ago", NotAfter(NOW - timedelta(weeks=2))),
        ("1 month ago", NotAfter(NOW - timedelta(days=30))),
        ("yesterday", NotAfter(NOW.replace(day=14, **END_OF_DAY))),
        ("2026-02-03", NotAfter(datetime(2026, 2, 3, tzinfo=ZONE).replace(**END_OF_DAY))),
        ("2026-02-03 04:05", local(2026, 2, 3, 4, 5)),
        ("2026-02-03T04:05:06", local(2026, 2, 3, 4, 5, 6)),
        ("2026-02-03T04:05:06Z", NotAfter(datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))),
        ("2026-02-03T04:05:06.123+01:00", NotAfter(datetime(2026, 2, 3, 3, 5, 6, 123000, tzinfo=UTC))),
    ],
)
def test_a_moment_is_understood(text: str, expected: object) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow?", "2026-13-01", "12 parsecs ago", "latest~", "999999999 years ago", "-", "1/2/2026"]
)
def test_what_is_no_moment_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_moment(text, NOW)
    assert "latest" in caught.value.hint


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_query_error(text: str) -> None:
    try:
        parse_moment(text, NOW)
    except QueryError:
        return


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1980, 1, 1), max_value=datetime(2999, 1, 1)))
def test_an_iso_time_means_itself(time: datetime) -> None:
    assert parse_moment(time.isoformat(), NOW) == NotAfter(time)
