"""Behaviour of entities over trailing windows, without look-ahead, in NumPy.

Every aggregate is a difference of two cumulative sums, found by binary search, so a million rows take a
second. Two properties are deliberate:

- **Order.** Rows come sorted by (event_time, transaction_id); a row sees itself and the rows before it in
  that order, and none after it, whatever their timestamps say. Ties are thereby defined.
- **Exactness.** Sums are sums of integers (minor units). They do not depend on where the history that was
  loaded begins, so a bulk load and ninety single days give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reported:
    """Reported frauds, and corrections that take one back.

    Attributes
    ----------
    row
        Position of the transaction in the history.
    effective
        Moment from which the report counts, in microseconds; never before ``event_time + delay``.
    weight
        +1 for a fraud, −1 for the correction of one.
    """

    row: Ints
    effective: Ints
    weight: Ints


def microseconds(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return duration // timedelta(microseconds=1)


class EntityHistory:
    """The history as one kind of entity sees it: answers aggregates for any of its rows.

    Parameters
    ----------
    codes
        Entity of each row as a small integer, −1 where the row names none. Shape (n,).
    times
        ``event_time`` in microseconds, ascending. Shape (n,).
    amounts
        Amount in minor units. Shape (n,).
    reported
        Reported frauds of the same history.
    delay
        Label delay in microseconds: the windows of label aggregates end this long before the row.
    """

    def __init__(self, codes: Ints, times: Ints, amounts: Ints, reported: Reported, delay: int) -> None:
        self._codes, self._times, self._amounts, self._delay = codes, times, amounts, delay
        n = len(codes)
        self._base = n + 1
        # Sorting by entity keeps the order of time within each: `argsort` is stable.
        self._order = np.argsort(codes, kind="stable").astype(np.int64)
        self._keys = codes[self._order] * self._base + self._order
        self._place = np.empty(n, np.int64)
        self._place[self._order] = np.arange(n)
        self._sum = np.concatenate([[0], np.cumsum(amounts[self._order])])
        self._maxima: list[Ints] = []

        event_codes = codes[reported.row]
        known = event_codes >= 0
        by_time = np.argsort(reported.effective[known], kind="stable")
        self._effective = reported.effective[known][by_time]
        event_codes, weight = event_codes[known][by_time], reported.weight[known][by_time]
        by_entity = np.argsort(event_codes, kind="stable").astype(np.int64)
        self._event_base = len(event_codes) + 1
        self._event_keys = event_codes[by_entity] * self._event_base + by_entity
        self._event_sum = np.concatenate([[0], np.cumsum(weight[by_entity])])

    def aggregate(self, name: str, rows: Ints, window: int) -> Floats:
        """One aggregate for some rows; NaN where the row names no entity or there is nothing to say.

        Parameters
        ----------
        name
            As in the portfolio's YAML.
        rows
            Positions in the history. Shape (m,).
        window
            Length in microseconds; a row sees what is less than this long ago.

        Returns
        -------
        Array of float, shape (m,)
            Amounts are in minor units, times in seconds.
        """
        result: Floats = getattr(self, f"_{name}")(rows, window).astype(np.float64)
        result[self._codes[rows] < 0] = np.nan
        return result

    # -- windows --------------------------------------------------------------------------------------

    def _start(self, rows: Ints, before: int) -> Ints:
        """Place of the first row of the same entity that is less than ``before`` µs older."""
        seen = np.searchsorted(self._times, self._times[rows] - before, side="right")
        return np.searchsorted(self._keys, self._codes[rows] * self._base + seen)

    def _window(self, rows: Ints, window: int) -> tuple[Ints, Ints]:
        """Places [start, stop) of the rows' windows; the row itself is the last one."""
        return self._start(rows, window), self._place[rows] + 1

    # -- aggregates -----------------------------------------------------------------------------------

    def _count(self, rows: Ints, window: int) -> Ints:
        start, stop = self._window(rows, window)
        return stop - start

    def _amount_sum(self, rows: Ints, window: int) -> Ints:
        start, stop = self._window(rows, window)
        return self._sum[stop] - self._sum[start]

    def _amount_mean(self, rows: Ints, window: int) -> Floats:
        start, stop = self._window(rows, window)
        return (self._sum[stop] - self._sum[start]) / (stop - start)

    def _amount_ratio(self, rows: Ints, window: int) -> Floats:
        """The amount over the mean of the *earlier* payments in the window."""
        start, stop = self._window(rows, window)
        earlier = self._sum[stop - 1] - self._sum[start]
        count = stop - 1 - start
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self._amounts[rows] * count / earlier
        return np.where((count > 0) & (earlier > 0), ratio, np.nan)

    def _amount_max(self, rows: Ints, window: int) -> Ints:
        """Range maximum by doubling: two overlapping spans of a power of two cover any window."""
        start, stop = self._window(rows, window)
        level = np.floor(np.log2(np.maximum(stop - start, 1))).astype(np.int64)
        self._double_maxima(int(level.max(initial=0)))
        result = np.empty(len(rows), np.int64)
        for step in np.unique(level):
            here = level == step
            table = self._maxima[step]
            result[here] = np.maximum(table[start[here]], table[stop[here] - (1 << step)])
        return result

    def _double_maxima(self, levels: int) -> None:
        if not self._maxima:
            self._maxima.append(self._amounts[self._order])
        while len(self._maxima) <= levels:
            last, shift = self._maxima[-1], 1 << (len(self._maxima) - 1)
            doubled = last.copy()
            doubled[:-shift] = np.maximum(last[:-shift], last[shift:])
            self._maxima.append(doubled)

    def _seconds_since_last(self, rows: Ints, window: int) -> Floats:
        start, stop = self._window(rows, window)
        previous = self._order[np.maximum(stop - 2, 0)]
        seconds = (self._times[rows] - self._times[previous]) / 1e6
        return np.where(stop - start > 1, seconds, np.nan)

    def _seconds_since_first(self, rows: Ints, window: int) -> Floats:
        start, _ = self._window(rows, window)
        return (self._times[rows] - self._times[self._order[start]]) / 1e6

    def _fraud_count(self, rows: Ints, window: int) -> Ints:
        # With no delay a transaction's own label would count at its own moment: look strictly before.
        side = "right" if self._delay else "left"
        return self._events_until(rows, 0, side) - self._events_until(rows, window, side)

    def _fraud_rate(self, rows: Ints, window: int) -> Floats:
        """Reported frauds over payments, both in the window that ends one label delay ago."""
        frauds = self._fraud_count(rows, window)
        payments = self._start(rows, self._delay) - self._start(rows, self._delay + window)
        if not self._delay:
            payments = self._place[rows] - self._start(rows, window)
        return frauds / np.maximum(payments, 1)

    def _events_until(self, rows: Ints, before: int, side: str) -> Ints:
        seen = np.searchsorted(self._effective, self._times[rows] - before, side=side)  # type: ignore[call-overload]
        place = np.searchsorted(self._event_keys, self._codes[rows] * self._event_base + seen)
        first = np.searchsorted(self._event_keys, self._codes[rows] * self._event_base)
        total: Ints = self._event_sum[place] - self._event_sum[first]
        return total
