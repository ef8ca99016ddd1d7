"""What simulated worlds of every kind have in common: limits of parameters, days, ids, moments, reports that arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ConfigurationError, ContractError

Contents = Mapping[str, Callable[[], bytes | None]]
"""Feed → what makes the content of its file of a day; None where it has nothing to say."""


def require_within(world: object, limits: Mapping[str, tuple[float, float]]) -> None:
    """Refuse parameters outside of their limits.

    Parameters
    ----------
    limits
        Parameter → smallest and largest value, both allowed.

    Raises
    ------
    ConfigurationError
        A parameter is out of its range.
    """
    for name, (low, high) in limits.items():
        value = getattr(world, name)
        if not low <= value <= high:
            raise ConfigurationError(f"{name} is {value!r}", where="simulated world", remedy=f"use {low} … {high}")


def days_from(start: date, first: date, last: date, what: str) -> Iterator[date]:
    """Days from ``first`` to ``last``, both included, of a world that begins on ``start``.

    Parameters
    ----------
    what
        What happens on its days, to tell that there is none.

    Raises
    ------
    ContractError
        The days are in the wrong order, or before the world's start.
    """
    if first < start:
        raise ContractError(
            f"there are no {what} on {first}: the simulated world starts on {start}",
            where="simulated world",
            remedy=f"ask for {start} or later, or make a world that starts earlier",
        )
    if last < first:
        raise ContractError(f"the last day {last} is before the first day {first}", where="simulated world")
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))


def transaction_ids(letter: str, day: date, numbers: np.ndarray) -> pa.Array:
    """A letter, the day, and the number within it: ``C20260825-000017``."""
    texts = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(f"{letter}{day:%Y%m%d}", texts, "-")


def timestamps(day: date, seconds: np.ndarray) -> pa.Array:
    """Moments so many seconds after the begin of a day."""
    moments = np.datetime64(day, "s") + seconds.astype("timedelta64[s]")
    return pa.array(moments.astype("datetime64[us]")).cast(pa.timestamp("us", "UTC"))


def arriving(all_reports: list[pd.DataFrame], first: date, last: date) -> pd.DataFrame:
    """Those of the reports that arrive from ``first`` to ``last``, in the order of arrival."""
    frame = pd.concat(all_reports, ignore_index=True)
    begin, end = pd.Timestamp(first, tz="UTC"), pd.Timestamp(last + timedelta(days=1), tz="UTC")
    frame = frame[(frame["reported_at"] >= begin) & (frame["reported_at"] < end)]
    return frame.sort_values(["reported_at", "transaction_id"], ignore_index=True)
