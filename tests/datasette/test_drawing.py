"""Charts, comparisons and links as pure functions: right, bounded and escaped, whatever they are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.datasette_plugin.cells import rendered
from archive.datasette_plugin.charts import WIDTH, Bar, Part, Point, Series, bars, lines, share, thinned
from archive.datasette_plugin.comparison import compare, side_by_side
from archive.datasette_plugin.drawing import ago, file_time, size
from archive.datasette_plugin.pages.search import marked
from archive.datasette_plugin.view import Download, Links
from archive.extract.secrets import SecretRules
from archive.model.search import Span

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = SecretRules()
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup)


@given(st.lists(st.tuples(TEXT, TEXT, st.lists(st.integers(0, 10**9), max_size=3)), max_size=12))
def test_bars_are_sound_and_within_the_picture(given_: list[tuple[str, str, list[int]]]) -> None:
    drawn = [Bar(label, title, tuple(Part("added", value) for value in values), title) for label, title, values in given_]
    picture = parsed(bars(drawn, "name <b>"))
    assert picture.attrib["aria-label"] == "name <b>"
    for rect in picture.iter("rect"):
        assert float(rect.attrib["x"]) >= 0
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= WIDTH + 1
        assert float(rect.attrib["height"]) >= 0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**12), TEXT), min_size=1, max_size=40), st.booleans())
def test_lines_are_sound_and_as_long_as_there_are_moments(values: list[tuple[int, int, str]], is_stepped: bool) -> None:
    points = [Point(START + timedelta(seconds=at), value, "valid", title, title) for at, value, title in sorted(values)]
    picture = parsed(lines([Series("plain", "one", points)], "name", is_stepped=is_stepped, with_points=True, filled=True))
    assert len(list(picture.iter("circle"))) == len(points)


@given(st.integers(0, 5000), st.integers(2, 400))
def test_long_histories_are_thinned_to_what_can_be_seen_and_keep_their_ends(count: int, most: int) -> None:
    points = [Point(START, place) for place in range(count)]
    kept = thinned(points, most)
    assert len(kept) == min(count, most)
    if count:
        assert (kept[0], kept[-1]) == (points[0], points[-1])
        assert [point.value for point in kept] == sorted({point.value for point in kept})


def test_a_share_is_never_wider_than_its_place() -> None:
    assert parsed(share(5, 5, "stored", "all"))[1].attrib["width"] == "100.00"
    assert parsed(share(0, 0, "stored", "none"))[1].attrib["width"] == "0.00"


@given(
    st.lists(st.sampled_from(["a", "b", "c", "", "-", "+", "@@ x"])), st.lists(st.sampled_from(["a", "b", "c", "", "-", "+"]))
)
def test_a_comparison_by_line_has_both_sides_whole_and_in_order(old: list[str], new: list[str]) -> None:
    sides = ["\n".join(lines_) + "\n" for lines_ in (old, new)]
    found = compare("text", sides[0].encode(), sides[1].encode(), "x", RULES)
    rows = [row for row in found["lines"] if row.kind != "hunk"]
    for number, text, whole in (("old_number", "old", sides[0]), ("new_number", "new", sides[1])):
        expected = whole.split("\n")
        for row in rows:
            at = getattr(row, number)
            if at is not None:
                assert getattr(row, text) == expected[at - 1]
    assert [row.old_number for row in rows if row.old_number] == sorted(row.old_number for row in rows if row.old_number)


def test_what_was_replaced_stands_beside_what_replaced_it() -> None:
    lines_ = ["--- a", "+++ b", "@@ -1,3 +1,2 @@", " same", "-one", "-two", "+uno", "\\ No newline at end of file"]
    assert [tuple(row) for row in side_by_side(lines_)] == [
        ("hunk", None, "@@ -1,3 +1,2 @@", None, ""),
        ("same", 1, "same", 1, "same"),
        ("changed", 2, "one", 2, "uno"),
        ("removed", 3, "two", None, ""),
    ]


def test_what_is_too_large_to_compare_says_where_it_can_be() -> None:
    found = compare("json", b" " * 5_000_000, b"{}" + b" " * 5_000_000, "x", RULES)
    assert found["changed"] == []
    assert "archive diff" in found["note"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (999_600, "1.0 MB"), (5 * 10**13, "50.0 TB")]
)
def test_sizes_are_short(value: int | None, text: str) -> None:
    assert size(value) == text.replace(" ", "\N{NO-BREAK SPACE}")


@given(st.text(), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=5))
def test_marks_never_lose_or_add_text(text: str, spans: list[tuple[int, int]]) -> None:
    markup = marked(text, [Span(start, end) for start, end in spans if start <= end <= len(text)])
    assert markup.replace("<mark>", "").replace("</mark>", "") == marked(text, [])


@given(st.text(max_size=60))
def test_a_name_of_a_download_is_one_header_and_nothing_else(name: str) -> None:
    header = Download(name, b"").disposition()
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@given(st.text(max_size=40))
def test_links_hold_nothing_but_what_is_quoted(text: str) -> None:
    links = Links("/archive", "/-/archive", "/")
    for link in (links.page("search", q=text), links.sql("SELECT :a", a=text), links.table("items", path=text)):
        assert link.isascii()
        assert not set(link) & set("\"'<> \n#")


@pytest.mark.parametrize("value", ["[]", "{", "[" * 100_000, '{"a": 1}', "x" * 5000, '["<script>"]', "[1]" + " " * 300_000])
def test_a_cell_of_json_is_shown_whatever_it_holds(value: str) -> None:
    shown = rendered("tags", value, RULES)
    assert shown is None or ("<pre" in shown and "<script>" not in shown)
    assert shown is None or len(shown) < 4_000
    assert rendered("path", value, RULES) is None


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=1234), "1,234 days ago"),
    ],
)
def test_spans_are_said_in_the_largest_unit_that_fits(span: timedelta, text: str) -> None:
    assert ago(span) == text


def test_times_of_files_that_no_calendar_has_are_shown_all_the_same() -> None:
    assert file_time(1_500_000_000_123_456_789) == "2017-07-14 02:40:00.123"
    assert file_time(-1) == "1969-12-31 23:59:59.999"
    assert file_time(2**62) == "2116-02-20 23:53:38.427"
    assert file_time(10**30) == f"{10**30} ns"


def test_a_line_within_one_day_says_the_time_of_day() -> None:
    start = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert ">2026-01-02 03:04<" in lines([Series("plain", "x", [Point(start, 1), Point(start + timedelta(hours=2), 2)])], "x")
    assert ">2026-01-02<" in lines([Series("plain", "x", [Point(start, 1), Point(start + timedelta(days=2), 2)])], "x")
