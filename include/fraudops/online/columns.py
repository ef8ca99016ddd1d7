"""Whole numbers of one entity's payments, ready for sums, extremes and deviations over any stretch.

They answer one stretch at a time what :class:`fraudops.features.engine.columns.Column` answers for many, with the same
rounding. What is derived of the values grows when it is asked for: a payment that comes last costs nothing more.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

from fraudops.features.engine.columns import EXACT_BELOW, LOW_BITS, TRUSTED_BELOW

MISSING = math.nan

_LOW = (1 << LOW_BITS) - 1
_BLOCK = 64
_FEW = 4 * _BLOCK
"""Values whose largest one is found by looking at all of them."""
EXACT_AS_DOUBLE = 1 << 53
"""Whole numbers below it are doubles too."""


class Column:
    """Values in the order of the entity's payments.

    Parameters
    ----------
    values
        Whoever owns them appends new ones, and calls :meth:`cut` before any others change.
    """

    __slots__ = ("_largest", "_smallest", "_squares", "running", "values")

    def __init__(self, values: list[int]) -> None:
        self.values = values
        self.running: list[int] = [0]
        """Sum of the values before each place, as far as somebody asked."""
        self._squares: _Squares | None = None
        self._largest: _Extremes | None = None
        self._smallest: _Extremes | None = None

    def cut(self, place: int) -> None:
        """Forget what was derived of the values from a place on."""
        del self.running[place + 1 :]
        for derived in (self._squares, self._largest, self._smallest):
            if derived is not None:
                derived.cut(place)

    def grow(self) -> None:
        """Add up the values that came since."""
        running = self.running
        total = running[-1]
        for value in self.values[len(running) - 1 :]:
            total += value
            running.append(total)

    def largest(self, start: int, stop: int) -> int:
        """Maximum over a stretch that is not empty."""
        if self._largest is None:
            self._largest = _Extremes(self.values, max)
        return self._largest.of(start, stop)

    def smallest(self, start: int, stop: int) -> int:
        """Minimum over a stretch that is not empty."""
        if self._smallest is None:
            self._smallest = _Extremes(self.values, min)
        return self._smallest.of(start, stop)

    def deviation(self, start: int, stop: int) -> float:
        """Standard deviation of the sample over a stretch; missing for fewer than two values.

        From the same doubles as the batch's: the whole number n·Σa² − (Σa)² wherever the batch knows that exactly.
        """
        count = stop - start
        if count < 2:
            return MISSING
        running = self.running
        if len(running) <= stop:
            self.grow()
        total = running[stop] - running[start]
        if self._squares is None:
            self._squares = _Squares(self.values)
        exact, rounded = self._squares.total(start, stop)
        terms, total_as_double = count * rounded, float(total)
        difference = terms - total_as_double * total_as_double
        if -EXACT_BELOW < difference < EXACT_BELOW and terms < TRUSTED_BELOW:
            difference = float(count * exact - total * total)
        elif difference < 0.0:
            difference = 0.0
        return math.sqrt(difference / (count * (count - 1)))


class _Squares:
    """Running sums that make up that of the squares: of the low bits, and apart of what has more."""

    __slots__ = ("_cross", "_high", "_low", "_values")

    def __init__(self, values: list[int]) -> None:
        self._values = values
        self._low, self._cross, self._high = [0], [0], [0]

    def total(self, start: int, stop: int) -> tuple[int, float]:
        """Sum of the squares over a stretch: exact, and rounded as the batch's."""
        low = self._low
        if len(low) <= stop:
            self._grow()
        lows = low[stop] - low[start]
        # Without large or negative values the other sums stay what they were: nothing.
        high = self._high[stop] - self._high[start]
        if not high:
            return lows, float(lows)
        cross = self._cross[stop] - self._cross[start]
        exact = lows + (cross << (LOW_BITS + 1)) + (high << (2 * LOW_BITS))
        rounded = lows + math.ldexp(cross, LOW_BITS + 1) + math.ldexp(high, 2 * LOW_BITS)
        return exact, rounded

    def _grow(self) -> None:
        for value in self._values[len(self._low) - 1 :]:
            high, low = value >> LOW_BITS, value & _LOW
            self._low.append(self._low[-1] + low * low)
            self._cross.append(self._cross[-1] + high * low)
            self._high.append(self._high[-1] + high * high)

    def cut(self, place: int) -> None:
        for running in (self._low, self._cross, self._high):
            del running[place + 1 :]


class _Extremes:
    """The largest or smallest of the values in a stretch; long ones by blocks whose own is kept."""

    __slots__ = ("_blocks", "_of", "_values")

    def __init__(self, values: list[int], of: Callable[[list[int]], int]) -> None:
        self._values, self._of = values, of
        self._blocks: list[int] = []

    def of(self, start: int, stop: int) -> int:
        if stop - start <= _FEW:
            return self._of(self._values[start:stop])
        first, last = -(-start // _BLOCK), stop // _BLOCK
        for block in range(len(self._blocks), last):
            self._blocks.append(self._of(self._values[block * _BLOCK : (block + 1) * _BLOCK]))
        edges = self._values[start : first * _BLOCK] + self._values[last * _BLOCK : stop]
        return self._of(self._blocks[first:last] + edges)

    def cut(self, place: int) -> None:
        del self._blocks[place // _BLOCK :]


class Others:
    """Whom else the payments name, to count how many different ones are in a stretch.

    Stretches that end with the last payment are answered from where each other occurred last, however long they are.
    """

    __slots__ = ("_last", "_lasts", "_seen", "values")

    def __init__(self) -> None:
        self.values: list[str | None] = []
        self._forget()

    def _forget(self) -> None:
        self._seen = 0
        self._last: dict[str, int] = {}
        self._lasts: list[int] = []
        """Places where some other occurred last, ascending."""

    def cut(self, place: int) -> None:
        """The values from a place on have moved."""
        if place < self._seen:
            self._forget()

    def distinct(self, start: int, stop: int) -> int:
        """How many different ones in the stretch [start, stop)."""
        if stop - start < _BLOCK or stop != len(self.values):
            different = set(self.values[start:stop])
            return len(different) - (None in different)
        for place in range(self._seen, stop):
            self._see(place)
        self._seen = stop
        return len(self._lasts) - bisect_left(self._lasts, start)

    def _see(self, place: int) -> None:
        other = self.values[place]
        if other is None:
            return
        before = self._last.get(other)
        if before is not None:
            del self._lasts[bisect_left(self._lasts, before)]
        self._last[other] = place
        self._lasts.append(place)
