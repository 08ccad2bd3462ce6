"""Draws a burndown as SVG: open tasks from the ground up, above them the done ones and the cancelled ones."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import cycle

from archive.model.taskviews import BurndownDay

_WIDTH, _HEIGHT = 800, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 40, 32
_LAYERS = (("open", "#2f6f9f"), ("done", "#8cc28c"), ("cancelled", "#c9c9c9"))
_MOST_DATES = 6
_FONT = 'font-family="sans-serif" font-size="12"'


def to_svg(days: Sequence[BurndownDay], title: str = "Tasks by day") -> str:
    """Returns the chart as an SVG document, ending with a newline; a single day is drawn as wide as two."""
    points = list(days) if len(days) != 1 else [days[0], days[0]]
    top = _ceiling(max((sum(_counts(day)) for day in points), default=0))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" fill="#222222">{escape(title)}</text>',
    ]
    for share in range(5):
        value = top * share / 4
        y = _y(value, top)
        lines.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#e3e3e3"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555555">{value:g}</text>')
    lines += [_layer(points, place, top) for place in range(len(_LAYERS))]
    lines += _dates(points)
    lines += _legend()
    return "\n".join([*lines, "</svg>"]) + "\n"


def _counts(day: BurndownDay) -> tuple[int, int, int]:
    return day.open, day.done, day.cancelled


def _ceiling(most: int) -> int:
    """Returns the number at the top of the scale: four steps of a round number."""
    step, factors = 1, cycle((2, 2.5, 2))
    while 4 * step < most:
        step = round(step * next(factors))
    return 4 * step


def _x(place: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * place / max(count - 1, 1)


def _y(value: float, top: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top


def _layer(points: Sequence[BurndownDay], place: int, top: int) -> str:
    name, fill = _LAYERS[place]
    count = len(points)
    upper = [(_x(each, count), _y(sum(_counts(day)[: place + 1]), top)) for each, day in enumerate(points)]
    lower = [(_x(each, count), _y(sum(_counts(day)[:place]), top)) for each, day in enumerate(points)]
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)])
    return f'<polygon points="{outline}" fill="{fill}"><title>{name}</title></polygon>'


def _dates(points: Sequence[BurndownDay]) -> list[str]:
    count = len(points)
    if not count:
        return []
    shown = sorted({round(step * (count - 1) / (_MOST_DATES - 1)) for step in range(_MOST_DATES)})
    labels = {points[place].day.isoformat(): place for place in reversed(shown)}
    return [
        f'<text x="{_x(place, count):.1f}" y="{_HEIGHT - 10}" text-anchor="{_anchor(place, count)}" fill="#555555">{day}</text>'
        for day, place in sorted(labels.items())
    ]


def _anchor(place: int, count: int) -> str:
    return "start" if place == 0 else "end" if place == count - 1 else "middle"


def _legend() -> list[str]:
    lines = []
    for place, (name, fill) in enumerate(_LAYERS):
        x = _WIDTH - _RIGHT - 90 * (len(_LAYERS) - place)
        lines.append(f'<rect x="{x}" y="10" width="12" height="12" fill="{fill}"/>')
        lines.append(f'<text x="{x + 18}" y="20" fill="#222222">{name}</text>')
    return lines
