"""Moments: every form people type means what the table says, everything else is an error that names the forms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import QueryError
from archive.moment import ById, ByLabel, Latest, NotAfter, parse_moment

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 3, 15, 10, 30, tzinfo=ZONE)
END_OF_DAY = time.max


def in_zone(wall: datetime) -> datetime:
    return wall.replace(tzinfo=ZONE)


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
        ("yesterday", NotAfter(datetime.combine(date(2026, 3, 14), END_OF_DAY, ZONE))),
        ("2026-02-03", NotAfter(datetime.combine(date(2026, 2, 3), END_OF_DAY, ZONE))),
        ("2026-02-03 04:05", local(2026, 2, 3, 4, 5, 59, 999999)),
        ("2026-02-03T04:05:06", local(2026, 2, 3, 4, 5, 6, 999999)),
        ("2026-02-03T04:05:06Z", NotAfter(datetime(2026, 2, 3, 4, 5, 6, 999999, tzinfo=UTC))),
        ("2026-02-03T04:05:06.123+01:00", NotAfter(datetime(2026, 2, 3, 3, 5, 6, 123000, tzinfo=UTC))),
    ],
)
def test_a_moment_is_understood(text: str, expected: object) -> None:
    assert parse_moment(text, NOW, in_zone) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow?",
        "2026-13-01",
        "12 parsecs ago",
        "latest~99999999999999999999",
        "0001-01-01T00:00+05:00",
        "9999-12-31T23:59-05:00",
        "latest~",
        "999999999 years ago",
        "-",
        "1/2/2026",
    ],
)
def test_what_is_no_moment_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_moment(text, NOW, in_zone)
    assert "latest" in caught.value.hint


def test_a_local_time_has_the_offset_that_the_zone_had_then() -> None:
    """In July it is an hour later than it was in January."""
    berlin = ZoneInfo("Europe/Berlin")
    july = datetime(2026, 7, 1, 12, tzinfo=berlin)

    found = parse_moment(
        "2026-01-15 12:00", july.astimezone(timezone(timedelta(hours=2))), lambda wall: wall.replace(tzinfo=berlin)
    )

    assert found == NotAfter(datetime(2026, 1, 15, 11, 0, 59, 999999, tzinfo=UTC))


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_query_error(text: str) -> None:
    try:
        parse_moment(text, NOW, in_zone)
    except QueryError:
        return


@given(st.integers(-(10**9), 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_an_iso_time_to_the_microsecond_means_itself(moment: datetime) -> None:
    assert parse_moment(moment.isoformat(timespec="microseconds"), NOW, in_zone) == NotAfter(moment)
