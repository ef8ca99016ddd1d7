"""Holidays of the Federal Reserve Banks, by the rule of the calendar.

A holiday on a Sunday is kept on the Monday after it; one on a Saturday is not moved: the banks are open on the Friday
before it.

References
----------
Federal Reserve Board, Holiday Schedule (K.8).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_FIXED = (
    (1, 1, "New Year's Day", 0),
    (6, 19, "Juneteenth National Independence Day", 2022),
    (7, 4, "Independence Day", 0),
    (11, 11, "Veterans Day", 0),
    (12, 25, "Christmas Day", 0),
)
"""Month, day, name, first year."""
_MONDAY, _THURSDAY = 0, 3
_BY_WEEKDAY = (
    (1, _MONDAY, 3, "Birthday of Martin Luther King, Jr."),
    (2, _MONDAY, 3, "Washington's Birthday"),
    (5, _MONDAY, -1, "Memorial Day"),
    (9, _MONDAY, 1, "Labor Day"),
    (10, _MONDAY, 2, "Columbus Day"),
    (11, _THURSDAY, 4, "Thanksgiving Day"),
)
"""Month, weekday, which one (-1: the last), name."""


@lru_cache(maxsize=64)
def fed_holidays(year: int) -> dict[date, str]:
    """Days of a year on which the banks are closed, with their names, in order.

    Examples
    --------
    >>> [str(day) for day in fed_holidays(2026)][:3]
    ['2026-01-01', '2026-01-19', '2026-02-16']
    >>> date(2027, 7, 5) in fed_holidays(2027), date(2026, 7, 3) in fed_holidays(2026)
    (True, False)
    """
    found = {}
    for month, day, name, since in _FIXED:
        if year >= since:
            moment = date(year, month, day)
            found[moment + timedelta(days=moment.weekday() == 6)] = name
    for month, weekday, which, name in _BY_WEEKDAY:
        found[_nth(year, month, weekday, which)] = name
    return dict(sorted(found.items()))


def is_open(day: date) -> bool:
    """Whether banks are open: neither weekend nor holiday."""
    return day.weekday() < 5 and day not in fed_holidays(day.year)


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    if which < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
