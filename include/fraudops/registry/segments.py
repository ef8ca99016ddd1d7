"""Groups of payments that no model may neglect: values of a column, bands of the amount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 40
_BANDS = 3
"""Of the amount, where the portfolio names no bounds."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Which transactions belong together.

    Attributes
    ----------
    members
        Name → transactions (boolean), of segments with enough frauds; they may overlap.
    too_small
        How many segments had fewer.
    """

    members: dict[str, np.ndarray]
    too_small: int


def segments_of(portfolio: Portfolio, frame: pd.DataFrame) -> Segments:
    """The segments that a portfolio names, in some labelled rows.

    One that holds all of the rows is none. Columns that the rows do not have are passed over.
    """
    label = frame["label"].to_numpy(dtype=bool)
    enough, members, too_small = portfolio.promotion.gates.segments.minimum_positives, {}, 0
    for name, held in _candidates(portfolio, frame, label):
        if not held.any() or held.all():
            continue
        if int((held & label).sum()) < enough:
            too_small += 1
        else:
            members[name] = held
    return Segments(members, too_small)


def _candidates(portfolio: Portfolio, frame: pd.DataFrame, label: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for column in portfolio.promotion.gates.segments.columns:
        if column in frame.columns:
            values = frame[column].astype("string").fillna("missing").to_numpy()
            for value in sorted(set(values)):
                yield f"{column} {_short(value)}", values == value
    if portfolio.has_amount and "amount_minor" in frame.columns:
        yield from _bands(portfolio, frame["amount_minor"].to_numpy(dtype=np.float64), label)


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _bands(portfolio: Portfolio, amount: np.ndarray, label: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """From each bound, included, to the next; outermost bands are open."""
    minor = 10**portfolio.minor_digits
    stated = portfolio.promotion.gates.segments.amount_bands
    if stated is not None:
        bounds = [bound * minor for bound in stated]
    elif label.any():
        shares = np.arange(1, _BANDS) / _BANDS
        bounds = sorted({float(b) for b in np.quantile(amount[label], shares, method="inverted_cdf")})
    else:
        bounds = []
    edges = [-np.inf, *bounds, np.inf]
    for low, high in pairwise(edges) if bounds else ():
        yield _band_name(low / minor, high / minor, portfolio.minor_digits), (amount >= low) & (amount < high)


def _band_name(low: float, high: float, digits: int) -> str:
    if low == -np.inf:
        return f"amount below {high:,.{digits}f}"
    return f"amount from {low:,.{digits}f}" + ("" if high == np.inf else f" to below {high:,.{digits}f}")
