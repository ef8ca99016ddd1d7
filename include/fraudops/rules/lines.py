"""Rows of one subject beside each other, in the order of time: sums over what lies before each of them."""

from __future__ import annotations

import numpy as np

from fraudops.features.engine.distinct import distinct_until
from fraudops.features.engine.timelines import stable_order
from fraudops.rules.rows import Ints, Mask

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""Microseconds."""
_MILLI = 1000


class Lines:
    """The rows that a mask selects, by subject. A *place* is a position in this order.

    Parameters
    ----------
    codes
        Subject of each row, −1 for none. Shape (n,).
    times
        Microseconds, ascending. Shape (n,).
    mask
        Rows that count; those without a subject never do.
    """

    def __init__(self, codes: Ints, times: Ints, mask: Mask) -> None:
        rows = np.flatnonzero(mask & (codes >= 0))
        self.rows: Ints = rows[stable_order(codes[rows])]
        """Row of each place."""
        self.codes, self.times = codes[self.rows], times[self.rows]
        self._first = int(self.times.min(initial=0)) // _MILLI if len(rows) else 0
        self._span = (int(self.times.max(initial=0)) // _MILLI - self._first + 1) * 3 if len(rows) else 1
        # Three spans apart: looking back by up to one never reaches another subject.
        self._keys = self.codes * self._span + self.times // _MILLI - self._first + self._span // 3

    def __len__(self) -> int:
        return len(self.rows)

    def since(self, window: int) -> Ints:
        """First place of the same subject that is less than a window (µs) before each place.

        Times are told apart by milliseconds.
        """
        return np.searchsorted(self._keys, self._keys - min(window // _MILLI, self._span // 3), "right")

    def sums(self, values: Ints) -> Ints:
        """Running sums by place: the sum from place a to before place b is ``sums[b] - sums[a]``. Shape (n + 1,)."""
        found = np.zeros(len(self.rows) + 1, dtype=np.int64)
        np.cumsum(values[self.rows], out=found[1:])
        return found

    def distinct(self, window: int, others: Ints) -> Ints:
        """Different others (−1: none) that each place's subject met in the window that ends there. Shape (n,)."""
        return distinct_until(self.since(window), others[self.rows], self.codes)
