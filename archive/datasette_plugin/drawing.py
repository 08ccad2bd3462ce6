"""Fills in the templates; everything is escaped unless a chart of ours made it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from archive.clock import from_iso

_NONE = "\N{EN DASH}"
_UNITS = ("B", "KB", "MB", "GB", "TB")


def render(template: str, values: dict[str, Any]) -> str:
    """Returns a page.

    The folder is not called `templates`: Datasette would take what lies there in place of its own.
    """
    return _environment().get_template(template).render(values).encode("utf-8", "replace").decode("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("archive.datasette_plugin", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": size, "time": time, "day": day, "number": number, "plural": plural}
    return environment


def size(value: int | None) -> str:
    """Returns a size in bytes for people; a dash where there is none."""
    if value is None:
        return _NONE
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    digits = 0 if unit == 0 or amount >= 99.95 else 1
    return f"{amount:.{digits}f}\N{NO-BREAK SPACE}{_UNITS[unit]}"  # on one line


def time(value: str | datetime | None) -> str:
    """Returns a stored time to the second, in UTC."""
    if not value:
        return _NONE
    return f"{value if isinstance(value, datetime) else from_iso(value):%Y-%m-%d %H:%M:%S}"


def file_time(nanoseconds: int) -> str:
    """Returns a time of modification to the millisecond, in UTC; the number where no calendar has it."""
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{nanoseconds} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03d}"


def day(value: str | None) -> str:
    """Returns the day of a stored time."""
    return (value or _NONE)[:10]


def ago(span: timedelta) -> str:
    """Returns how long ago something was, in the largest unit that fits; what is to come is of now."""
    for seconds, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if (count := int(span.total_seconds()) // seconds) > 0:
            return f"{plural(count, unit)} ago"
    return "just now"


def number(value: int | None) -> str:
    """Returns a whole number with its thousands apart."""
    return _NONE if value is None else f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """Returns a number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
