"""Durations as people write them: ``7d``, ``12h``, ``30m``, ``45s``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(value: Any) -> timedelta:
    """Read ``"7d"``, ``"12h"``, ``"30m"`` or ``"45s"``.

    Raises
    ------
    ValueError
        The text has another form; the message quotes it.

    Examples
    --------
    >>> parse_duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+)([dhms])", str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write a number and d, h, m or s, such as 7d or 12h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def format_duration(duration: timedelta) -> str:
    """Write a duration with its largest whole unit: the inverse of :func:`parse_duration`.

    Examples
    --------
    >>> format_duration(timedelta(days=7)), format_duration(timedelta(hours=36))
    ('7d', '36h')
    """
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
