"""One way in which numbers, moments and shares are written on every report page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

NOTHING = "–"


def render(template: str, **values: Any) -> str:
    """A page; everything that comes from data is escaped, an unknown name is an error."""
    return _environment().get_template(template).render(**values)


def number(value: Any, digits: int = 3) -> str:
    """A number; a whole one with its thousands apart, a measured one with ``digits`` decimals.

    Examples
    --------
    >>> number(284807), number(0.86132), number(None), number("time")
    ('284,807', '0.861', '–', 'time')
    """
    if value is None or isinstance(value, bool | str):
        return NOTHING if value is None else str(value)
    return f"{value:,d}" if isinstance(value, int) else f"{value:,.{digits}f}"


def interval(value: Any, digits: int = 3) -> str:
    """``[low, high]``, or nothing where there is none."""
    return f"[{number(value[0], digits)}, {number(value[1], digits)}]" if value else ""


def percent(value: float | None, digits: int = 2) -> str:
    """A share as a percentage.

    Examples
    --------
    >>> percent(0.00173), percent(None)
    ('0.17\xa0%', '–')
    """
    return NOTHING if value is None else f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def moment(value: datetime | str | None) -> str:
    """A moment to the minute, in UTC."""
    if value is None:
        return NOTHING
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fraudops.reports"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, interval=interval, percent=percent, moment=moment)
    return environment
