"""Draws the charts: SVG that is part of the page, coloured by its style sheet, readable by a screen reader.

Every function takes plain values and returns markup; what comes from files is escaped. No chart has more marks than fit
beside each other, however long the history is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from archive.datasette_plugin.drawing import size

# As wide as a card is on a usual screen, so that letters come out in their own size.
WIDTH = 540
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 12, 24


class Part(NamedTuple):
    """One colour of a bar: a class of the style sheet and a value."""

    colour: str
    value: float


class Bar(NamedTuple):
    """One bar of stacked parts.

    Attributes:
        label: Below the bar; empty for none.
        title: What is said when one points at it.
        href: Where it leads; empty for nowhere.
    """

    label: str
    title: str
    parts: tuple[Part, ...]
    href: str = ""


class Point(NamedTuple):
    """A moment and a value at it, with a class, a title and a link of its own."""

    at: datetime
    value: float
    colour: str = ""
    title: str = ""
    href: str = ""


class Series(NamedTuple):
    """A line of a chart."""

    colour: str
    name: str
    points: Sequence[Point]


def tag(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Returns an element; an underscore in a name of an attribute stands for a hyphen, and one at its end for nothing."""
    said = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
        if value is not None and value != ""
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), said, Markup("").join(children))


def bars(bars_: Sequence[Bar], name: str, *, height: int = 150, unit: Callable[[float], str] | None = None) -> Markup:
    """Draws bars beside each other, from a common ground."""
    shown = unit or _count
    top = max((sum(part.value for part in bar.parts) for bar in bars_), default=0) or 1
    step = (WIDTH - _LEFT - _RIGHT) / max(len(bars_), 1)
    width = max(min(step - 2, 34), 1)
    scale = (height - _TOP - _BOTTOM) / top
    marks = [_grid(top, height, shown)]
    for place, bar in enumerate(bars_):
        x = _LEFT + place * step + (step - width) / 2
        y = float(height - _BOTTOM)
        pieces = [tag("title", bar.title)]
        for part in bar.parts:
            tall = part.value * scale
            if part.value > 0:
                tall = max(tall, 1.5)
                y -= tall
                pieces.append(tag("rect", class_=part.colour, x=x, y=y, width=width, height=tall, rx=1.5))
        # What is pointed at is the whole column, also where the bar is low.
        pieces.append(tag("rect", class_="hit", x=_LEFT + place * step, y=_TOP, width=step, height=height - _TOP - _BOTTOM))
        marks.append(tag("a", *pieces, href=bar.href, aria_label=bar.title) if bar.href else tag("g", *pieces))
        if bar.label:
            marks.append(tag("text", bar.label, class_="axis", x=x + width / 2, y=height - 6, text_anchor="middle"))
    return _svg(name, height, marks)


def lines(
    series: Sequence[Series],
    name: str,
    *,
    height: int = 170,
    unit: Callable[[float], str] | None = None,
    is_stepped: bool = False,
    with_points: bool = False,
    filled: bool = False,
) -> Markup:
    """Draws values over time; stepped lines hold a value until the next one."""
    shown = unit or _bytes
    every = [point for one in series for point in one.points]
    if not every:
        return Markup("")
    first, last = min(point.at for point in every), max(point.at for point in every)
    top = max(point.value for point in every) or 1
    span = (last - first).total_seconds() or 1.0
    ground = height - _BOTTOM

    def x_of(point: Point) -> float:
        return _LEFT + 6 + (point.at - first).total_seconds() / span * (WIDTH - _LEFT - _RIGHT - 12)

    def y_of(point: Point) -> float:
        return ground - point.value / top * (ground - _TOP)

    marks = [_grid(top, height, shown)]
    for one in series:
        places = [(x_of(point), y_of(point)) for point in thinned(one.points, WIDTH // 2)]
        if is_stepped:
            places = [place for here, there in zip(places, [*places[1:], places[-1]], strict=True)
                      for place in (here, (there[0], here[1]))]  # fmt: skip
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        if filled:
            marks.append(
                tag("path", class_=f"area {one.colour}", d=f"{path}L{places[-1][0]:.1f} {ground}L{places[0][0]:.1f} {ground}Z")
            )
        marks.append(tag("path", tag("title", one.name), class_=f"line {one.colour}", d=path))
        if with_points:
            for point in thinned(one.points, 150):
                dot = tag(
                    "circle", tag("title", point.title), class_=f"dot {point.colour}", cx=x_of(point), cy=y_of(point), r=4.5
                )
                marks.append(tag("a", dot, href=point.href, aria_label=point.title) if point.href else dot)
    form = "%Y-%m-%d" if first.date() != last.date() else "%Y-%m-%d %H:%M"
    marks.append(tag("text", f"{first:{form}}", class_="axis", x=_LEFT, y=height - 6))
    marks.append(tag("text", f"{last:{form}}", class_="axis", x=WIDTH - _RIGHT, y=height - 6, text_anchor="end"))
    return _svg(name, height, marks)


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """Returns at most so many of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return points
    return [points[round(place * (len(points) - 1) / (most - 1))] for place in range(most)]


def share(value: float, top: float, colour: str, title: str, inner: float | None = None) -> Markup:
    """Draws one horizontal bar for a row of a table; `inner` is a part of it that is shown stronger."""
    wide = 0 if top <= 0 else max(value / top * 100, 0.6 if value else 0)
    pieces = [tag("title", title), tag("rect", class_=colour, x=0, y=2, width=f"{wide:.2f}", height=6, rx=1)]
    if inner is not None and top > 0:
        pieces.append(
            tag("rect", class_=f"{colour} strong", x=0, y=2, width=f"{min(inner / top * 100, wide):.2f}", height=6, rx=1)
        )
    return tag("svg", *pieces, class_="share", viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label=title)


def _grid(top: float, height: int, shown: Callable[[float], str]) -> Markup:
    ground = height - _BOTTOM
    marks = []
    for part in (0.0, 0.5, 1.0):
        y = ground - part * (ground - _TOP)
        marks.append(tag("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y))
        if part and not (part == 0.5 and top < 2 and shown is _count):
            marks.append(tag("text", shown(top * part), class_="axis", x=_LEFT - 8, y=y + 4, text_anchor="end"))
    return tag("g", *marks)


def _svg(name: str, height: int, marks: Sequence[Markup]) -> Markup:
    return tag("svg", tag("title", name), *marks, class_="chart", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=name)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _bytes(value: float) -> str:
    return size(round(value))


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
