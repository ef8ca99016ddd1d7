"""Hours and weekdays (UTC) of moments, from whole microseconds since 1970."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from fraudops.features.engine.timelines import Ints

Times = TypeVar("Times", int, Ints)
"""One moment, or an array of them."""

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_THURSDAY = 3
"""Weekday of 1970-01-01, where Monday is 0."""
NIGHT_ENDS = 6
"""Last hour that counts as night, as in the Fraud Detection Handbook."""
SATURDAY = 5


def hour(times: Times) -> Times:
    """Hour of the day, 0 to 23."""
    return times // _HOUR % 24


def weekday(times: Times) -> Times:
    """Day of the week, Monday is 0."""
    return (times // _DAY + _THURSDAY) % 7


def is_night(times: Ints) -> Ints:
    """1 from midnight to the end of the seventh hour, else 0."""
    return (hour(times) <= NIGHT_ENDS).astype(np.int64)


def is_weekend(times: Ints) -> Ints:
    """1 on Saturdays and Sundays, else 0."""
    return (weekday(times) >= SATURDAY).astype(np.int64)
