"""The burndown as SVG: a document of its own whatever there is to draw."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.availability import to_svg
from archive.availability.svg import _ceiling
from archive.model.taskviews import BurndownDay

NAMESPACE = "{http://www.w3.org/2000/svg}"
counts = st.tuples(*(st.integers(0, 2000),) * 3)


def days_of(found: list[tuple[int, int, int]]) -> list[BurndownDay]:
    return [BurndownDay(date(2026, 1, 1) + timedelta(days=number), *each) for number, each in enumerate(found)]


@given(st.lists(counts, max_size=30))
def test_every_chart_is_whole_and_stays_in_its_frame(found: list[tuple[int, int, int]]) -> None:
    svg = ET.fromstring(to_svg(days_of(found)))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for polygon in svg.findall(f"{NAMESPACE}polygon"):
        for point in polygon.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_the_layers_lie_on_each_other() -> None:
    svg = ET.fromstring(to_svg(days_of([(4, 0, 0), (2, 1, 1)])))
    layers = [polygon.attrib["points"].split() for polygon in svg.findall(f"{NAMESPACE}polygon")]
    tops = [[float(point.split(",")[1]) for point in layer[:2]] for layer in layers]
    grounds = [[float(point.split(",")[1]) for point in reversed(layer[2:])] for layer in layers]
    assert grounds[1:] == tops[:-1]
    assert tops[-1] == [40.0, 40.0]  # all four tasks, at the top of the scale on both days


@pytest.mark.parametrize(
    ("most", "top"), [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (41, 80), (81, 200), (545, 800), (801, 2000)]
)
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert _ceiling(most) == top


def test_a_title_is_text_and_nothing_else() -> None:
    svg = ET.fromstring(to_svg([], '<script>&"'))
    assert svg.findtext(f"{NAMESPACE}title") == '<script>&"'
    assert svg.find(f".//{NAMESPACE}script") is None
