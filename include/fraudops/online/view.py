"""One payment's look at what its entity did before: what the formulas of :mod:`fraudops.aggregates` are asked with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable

from fraudops.online.columns import EXACT_AS_DOUBLE, MISSING, Column
from fraudops.online.timeline import Timeline


class TimelineSpan:
    """A stretch [start, stop) of a timeline, as one payment sees it: a :class:`fraudops.aggregates.Span`."""

    __slots__ = ("_start", "_stop", "_time", "_timeline", "count")

    def __init__(self, timeline: Timeline, time: int, start: int, stop: int) -> None:
        self._timeline, self._time, self._start, self._stop = timeline, time, start, stop
        self.count = stop - start

    def total(self, column: Column) -> int | float:
        """Sum of a column. Divided by whole numbers it rounds as one of NumPy does."""
        running, stop = column.running, self._stop
        if len(running) <= stop:
            column.grow()
        total = running[stop] - running[self._start]
        # Python divides whole numbers of any length exactly, NumPy what they are as doubles.
        return total if -EXACT_AS_DOUBLE < total < EXACT_AS_DOUBLE else float(total)

    def largest(self, column: Column) -> int:
        """Maximum of a column."""
        return column.largest(self._start, self._stop)

    def smallest(self, column: Column) -> int:
        """Minimum of a column."""
        return column.smallest(self._start, self._stop)

    def deviation(self, column: Column) -> float:
        """Standard deviation of the sample."""
        return column.deviation(self._start, self._stop)

    @property
    def since_last(self) -> float:
        """Seconds from the last payment to the row."""
        return (self._time - self._timeline.times[self._stop - 1]) / 1e6 if self.count > 0 else MISSING

    @property
    def since_first(self) -> float:
        """Seconds from the first payment to the row."""
        return (self._time - self._timeline.times[self._start]) / 1e6 if self.count > 0 else MISSING


class TimelineFrauds:
    """Frauds that became known in a window before a payment: a :class:`fraudops.aggregates.Frauds`."""

    __slots__ = ("_reports", "_time", "_window")

    def __init__(self, timeline: Timeline, time: int, window: int) -> None:
        self._reports, self._time, self._window = timeline.reports, time, window

    @property
    def count(self) -> int:
        """How many."""
        return self._reports.count(self._time, self._window)

    @property
    def amount(self) -> int | float:
        """Their amounts, in minor units."""
        return self._reports.amount(self._time, self._window)

    @property
    def since_latest(self) -> float:
        """Seconds since the latest payment among them."""
        return self._reports.since_latest(self._time, self._window)

    @property
    def since_report(self) -> float:
        """Seconds since the newest of the reports began to count."""
        return self._reports.since_report(self._time, self._window)


class _Starts(dict[int, int]):
    """How far back → place of the first payment that is less old; found when it is asked for."""

    __slots__ = ("_time", "_times")

    def __init__(self, times: list[int], time: int) -> None:
        self._times, self._time = times, time

    def __missing__(self, before: int) -> int:
        start = self[before] = bisect_right(self._times, self._time - before)
        return start


class _Spans(dict[int, TimelineSpan]):
    """Window → the stretch of it that ends at some place; made when it is asked for."""

    __slots__ = ("_starts", "_stop", "_time", "_timeline")

    def __init__(self, timeline: Timeline, time: int, starts: _Starts, stop: int) -> None:
        self._timeline, self._time, self._starts, self._stop = timeline, time, starts, stop

    def __missing__(self, window: int) -> TimelineSpan:
        span = self[window] = TimelineSpan(self._timeline, self._time, self._starts[window], self._stop)
        return span


class TimelineView:
    """One payment of a timeline: a :class:`fraudops.aggregates.View`.

    Parameters
    ----------
    timeline
        It has the payment already.
    place
        Where it is.

    Attributes
    ----------
    payments
        Payments less than a window old, the row itself the last of them: to be called with the window.
    earlier
        The same without the row itself.
    of
        The other entity, for an aggregate that counts one.
    """

    __slots__ = ("_place", "_starts", "_time", "_timeline", "amount", "amounts", "earlier", "of", "payments")

    def __init__(self, timeline: Timeline, place: int) -> None:
        time = timeline.times[place]
        self._timeline, self._place, self._time = timeline, place, time
        self.amounts = timeline.amounts
        self.amount = timeline.amounts.values[place]
        self.of: str | None = None
        self._starts = _Starts(timeline.times, time)
        # Looked up some twenty times for a payment: methods would take twice as long.
        self.payments: Callable[[int], TimelineSpan] = _Spans(timeline, time, self._starts, place + 1).__getitem__
        self.earlier: Callable[[int], TimelineSpan] = _Spans(timeline, time, self._starts, place).__getitem__

    @property
    def nights(self) -> Column:
        """1 for a payment at night."""
        return self._timeline.nights

    @property
    def weekends(self) -> Column:
        """1 for a payment at a weekend."""
        return self._timeline.weekends

    def matured(self, window: int) -> TimelineSpan:
        """Payments of the window that ended one label delay ago."""
        delay = self._timeline.reports.delay
        return self._span(self._starts[delay + window], self._starts[delay] if delay else self._place)

    def frauds(self, window: int) -> TimelineFrauds:
        """Frauds that became known within a window."""
        return TimelineFrauds(self._timeline, self._time, window)

    def fraud_streak(self, window: int) -> TimelineSpan:
        """The latest payments of which the label is due, as far back as all of them are known to be fraud."""
        timeline, time = self._timeline, self._time
        delay, ids = timeline.reports.delay, timeline.ids
        stop = self._starts[delay] if delay else bisect_left(timeline.times, time)
        first, start = self._starts[delay + window], stop
        while start > first and timeline.reports.is_fraud(ids[start - 1], time):
            start -= 1
        return self._span(start, stop)

    def distinct(self, window: int) -> int:
        """How many different others among the payments of the window."""
        if self.of is None:
            raise ValueError("this aggregate counts another entity, and none was named")
        return self._timeline.others[self.of].distinct(self._starts[window], self._place + 1)

    @property
    def everyone(self) -> TimelineView:
        """All entities together, as the same row sees them."""
        everyone = self._timeline.everyone
        if everyone is None:
            raise ValueError("the timeline of all entities was not kept")
        return TimelineView(everyone, everyone.place(self._time, self._timeline.ids[self._place]))

    def marked(self, name: str, window: int, which: Callable[[TimelineView, int], bool]) -> Column:
        """1 for each payment for which something held at its own moment."""
        timeline = self._timeline
        marks = timeline.marks.get((name, window))
        if marks is None:
            marks = timeline.marks[name, window] = Column([])
        values = marks.values
        for place in range(len(values), len(timeline)):
            view = self if place == self._place else TimelineView(timeline, place)
            values.append(int(which(view, window)))
        return marks

    def over(self, numerator: float, denominator: float) -> float:
        """A quotient; missing where the denominator is not positive."""
        return float(numerator) / float(denominator) if denominator > 0 else MISSING

    def larger(self, first: float, second: float) -> float:
        """The larger of two values; missing where one is."""
        if first != first or second != second:
            return MISSING
        return first if first >= second else second

    def _span(self, start: int, stop: int) -> TimelineSpan:
        return TimelineSpan(self._timeline, self._time, start, stop)
