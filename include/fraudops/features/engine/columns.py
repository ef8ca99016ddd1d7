"""Whole numbers of an entity's payments, made ready for sums, extremes and deviations over any stretch."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fraudops.features.engine.timelines import Ints

Floats = NDArray[np.float64]

LOW_BITS = 24
EXACT_BELOW = 2.0**61
"""A difference below this is known to the last bit from its remainder modulo 2^64…"""
TRUSTED_BELOW = 2.0**110
"""…if its terms are not so large that their rounding alone exceeds it."""


class Column:
    """Values in the order of the entities' timelines.

    Sums are differences of running sums in 64 bits. These may wrap around: a stretch's own sum is right as long as it
    fits itself.
    """

    def __init__(self, values: Ints) -> None:
        self.values = values
        self._maxima: list[Ints] = []

    @cached_property
    def _running(self) -> Ints:
        return _running_sum(self.values)

    @cached_property
    def _squares(self) -> list[tuple[int, Ints]]:
        """Running sums that make up that of the squares: (binary exponent, sums) of the parts, high and low bits apart.

        Amounts below 2^24 have no high bits; the parts of zeros are then left out.
        """
        high, low = self.values >> LOW_BITS, self.values & ((1 << LOW_BITS) - 1)
        parts = [(0, low * low)]
        if high.any():
            parts += [(LOW_BITS + 1, high * low), (2 * LOW_BITS, high * high)]
        return [(exponent, _running_sum(part)) for exponent, part in parts]

    @cached_property
    def negative(self) -> Column:
        """The same with the other sign: its maximum is the minimum."""
        return Column(-self.values)

    def total(self, start: Ints, stop: Ints) -> Ints:
        """Sums over the stretches [start, stop)."""
        return self._running[stop] - self._running[start]

    def largest(self, start: Ints, stop: Ints) -> Ints:
        """Maxima over stretches that are not empty: two spans of a power of two, overlapping, cover any stretch."""
        level = np.frexp((stop - start).astype(np.float64))[1].astype(np.int64) - 1
        self._double_maxima(int(level.max(initial=0)))
        result = np.empty(len(start), np.int64)
        for step in np.unique(level):
            here = level == step
            table = self._maxima[step]
            result[here] = np.maximum(table[start[here]], table[stop[here] - (1 << int(step))])
        return result

    def _double_maxima(self, levels: int) -> None:
        if not self._maxima:
            self._maxima.append(self.values)
        while len(self._maxima) <= levels:
            last, shift = self._maxima[-1], 1 << (len(self._maxima) - 1)
            doubled = last.copy()
            doubled[:-shift] = np.maximum(last[:-shift], last[shift:])
            self._maxima.append(doubled)

    def deviation(self, start: Ints, stop: Ints) -> Floats:
        """Standard deviation of the sample over the stretches; NaN for fewer than two values.

        From n·Σa² − (Σa)², which is a whole number. In doubles the two terms nearly cancel where values are alike; so
        it is computed modulo 2^64 as well, and that remainder is the exact result wherever the result is small.
        """
        count, total = stop - start, self.total(start, stop)
        squares, remainder = np.zeros(len(start)), np.zeros(len(start), np.int64)
        for exponent, running in self._squares:
            part = running[stop] - running[start]
            squares += np.ldexp(part.astype(np.float64), exponent)
            remainder += part << exponent
        terms = count * squares
        rounded = terms - total.astype(np.float64) ** 2
        exact = (np.abs(rounded) < EXACT_BELOW) & (terms < TRUSTED_BELOW)
        difference = np.where(exact, count * remainder - total * total, np.maximum(rounded, 0.0))
        pairs = (count * (count - 1)).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(count > 1, np.sqrt(difference / pairs), np.nan)


def _running_sum(values: Ints) -> Ints:
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return running
