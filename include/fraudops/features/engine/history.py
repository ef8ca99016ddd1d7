"""A history as one kind of entity sees it, and the views through which aggregates look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fraudops.aggregates import Aggregate
from fraudops.features.engine.calendar import is_night, is_weekend
from fraudops.features.engine.columns import Column, Floats
from fraudops.features.engine.distinct import distinct_until
from fraudops.features.engine.reports import EntityReports, Reported
from fraudops.features.engine.timelines import Ints, Scale, Side, Timelines, stable_order

_AT_ONCE = 1 << 16
"""Places that are computed together."""


@dataclass(frozen=True)
class History:
    """What is the same for every entity.

    Attributes
    ----------
    times
        ``event_time`` in microseconds, ascending. Shape (n,).
    amounts
        Amount in minor units. Shape (n,).
    reported
        Reported frauds of the same rows.
    delay
        Label delay in microseconds.
    margin
        How far before a row anything is looked up, in microseconds.
    """

    times: Ints
    amounts: Ints
    reported: Reported
    delay: int
    margin: int


@dataclass(frozen=True)
class Request:
    """One column that is wanted.

    Attributes
    ----------
    aggregate
        What is computed.
    window
        Length in microseconds; a row sees what is less than this long ago.
    of
        The other entity that the aggregate counts.
    """

    aggregate: Aggregate
    window: int
    of: str | None = None


class EntityHistory:
    """The history as one kind of entity sees it: answers aggregates for any of its rows.

    Rows of one entity lie beside each other, in the order of time; a *place* is a position in that order. Rows that
    name no entity have none.

    Parameters
    ----------
    codes
        Entity of each row as a small integer, −1 where the row names none. Shape (n,).
    history
        The rows.
    others
        Further entities by name, for aggregates that count one: as ``codes``.
    """

    def __init__(self, codes: Ints, history: History, others: Mapping[str, Ints] | None = None) -> None:
        self.history = history
        self._codes = codes
        # The sort is stable: within an entity it keeps the order of time. Rows without one come first, and are dropped.
        self.order = stable_order(codes + 1)[int((codes < 0).sum()) :]
        self.times = history.times[self.order]
        first, last = (int(history.times[0]), int(history.times[-1])) if len(codes) else (0, 0)
        self.scale = Scale(first, last, history.margin)
        self.timelines = Timelines(self.scale, codes[self.order], self.times)
        self._others = others or {}
        self._marked: dict[tuple[str, int], Column] = {}
        self._distinct: dict[tuple[str | None, int], Ints] = {}

    def measure(self, requests: Sequence[Request], rows: slice) -> list[Floats]:
        """Some aggregates for a run of rows.

        They are computed for some ten thousand places at a time: what is in between then stays in the processor's
        cache, and the memory for it is asked for once.

        Parameters
        ----------
        rows
            A run of positions in the history. Length m.

        Returns
        -------
        list of array of float, shape (m,)
            One per request; NaN where the row names no entity or there is nothing to say. Amounts are in minor units,
            times in seconds.
        """
        start, stop, _ = rows.indices(len(self._codes))
        results = [np.full(stop - start, np.nan) for _ in requests]
        places = self._places(start, stop)
        for begin in range(0, len(places), _AT_ONCE):
            view = EntityView(self, places[begin : begin + _AT_ONCE])
            here = view.rows - start
            for request, result in zip(requests, results, strict=True):
                asked = view if request.of is None else replace(view, of=request.of)
                result[here] = request.aggregate.formula(asked, request.window)
        return results

    def _places(self, start: int, stop: int) -> Ints:
        if stop - start == len(self._codes):
            return np.arange(len(self.order))
        return np.flatnonzero((self.order >= start) & (self.order < stop))

    def marked(self, name: str, window: int, which: Callable[[EntityView, int], NDArray[np.bool_]]) -> Column:
        """1 for each payment for which something held at its own moment; found once."""
        if (name, window) not in self._marked:
            self._marked[name, window] = Column(which(self.whole, window).astype(np.int64))
        return self._marked[name, window]

    def distinct(self, of: str | None, window: int) -> Ints:
        """Different others among the payments of each place's window; found once."""
        if of is None:
            raise ValueError("this aggregate counts another entity, and none was named")
        if (of, window) not in self._distinct:
            others = self._others[of][self.order]
            self._distinct[of, window] = distinct_until(self.whole.start(window), others, self.timelines.codes)
        return self._distinct[of, window]

    @cached_property
    def whole(self) -> EntityView:
        """The view of every row."""
        return EntityView(self, np.arange(len(self.order)))

    @cached_property
    def everyone(self) -> EntityHistory:
        """The same rows as the payments of a single entity: all of them, so that a place is a position."""
        return EntityHistory(np.zeros(len(self._codes), np.int64), self.history)

    @cached_property
    def reports(self) -> EntityReports:
        """Reported frauds of the entities."""
        history = self.history
        return EntityReports(self.scale, self._codes, history.times, history.amounts, history.reported)

    @cached_property
    def place(self) -> Ints:
        """Place of each row; −1 where it names no entity."""
        place = np.full(len(self._codes), -1, np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    @cached_property
    def last_unreported(self) -> Ints:
        """For each place, and for the end, the last place before it whose payment has no report; −1 for none."""
        unreported = np.ones(len(self._codes), dtype=bool)
        unreported[self.history.reported.row] = False
        places = np.where(unreported[self.order], np.arange(len(self.order)), -1)
        return np.concatenate([[-1], np.maximum.accumulate(places)])

    @cached_property
    def amounts(self) -> Column:
        """Amounts in minor units, by place."""
        return Column(self.history.amounts[self.order])

    @cached_property
    def nights(self) -> Column:
        """1 for a payment at night, by place."""
        return Column(is_night(self.times))

    @cached_property
    def weekends(self) -> Column:
        """1 for a payment at a weekend, by place."""
        return Column(is_weekend(self.times))


@dataclass(frozen=True)
class PaymentSpan:
    """Stretches [start, stop) of places, one for each row of a view: a :class:`fraudops.aggregates.Span`."""

    view: EntityView
    start: Ints
    stop: Ints

    @property
    def count(self) -> Ints:
        """How many payments."""
        return self.stop - self.start

    def total(self, column: Column) -> Ints:
        """Sum of a column."""
        return column.total(self.start, self.stop)

    def largest(self, column: Column) -> Ints:
        """Maximum of a column."""
        return column.largest(self.start, self.stop)

    def smallest(self, column: Column) -> Ints:
        """Minimum of a column."""
        return -column.negative.largest(self.start, self.stop)

    def deviation(self, column: Column) -> Floats:
        """Standard deviation of the sample."""
        return column.deviation(self.start, self.stop)

    @property
    def since_last(self) -> Floats:
        """Seconds from the last payment to the row."""
        return self._since(self.stop - 1)

    @property
    def since_first(self) -> Floats:
        """Seconds from the first payment to the row."""
        return self._since(self.start)

    def _since(self, place: Ints) -> Floats:
        times = self.view.history.times
        seconds = (self.view.times - times.take(place, mode="clip")) / 1e6
        return np.where(self.stop > self.start, seconds, np.nan)


@dataclass(frozen=True)
class ReportSpan:
    """Frauds that became known in a window before each row of a view: a :class:`fraudops.aggregates.Frauds`."""

    view: EntityView
    window: int

    @property
    def count(self) -> Ints:
        """How many."""
        return self.view.history.reports.count(self.view.known(self.window), self.view.known(0))

    @property
    def amount(self) -> Ints:
        """Their amounts, in minor units."""
        return self.view.history.reports.amount(self.view.known(self.window), self.view.known(0))

    @property
    def since_latest(self) -> Floats:
        """Seconds since the latest payment among them."""
        view = self.view
        return view.history.reports.latest(view.timelines, view.times, self.window, view.side)

    @property
    def since_report(self) -> Floats:
        """Seconds since the newest of the reports began to count."""
        view = self.view
        return view.history.reports.newest(view.timelines, view.times, self.window, view.side)


@dataclass(frozen=True)
class EntityView:
    """Some rows of an entity's history: a :class:`fraudops.aggregates.View`.

    Attributes
    ----------
    history
        What they look back on.
    places
        Their places, ascending.
    edges
        What was looked up already: where windows begin, by what lies in them and the distance in microseconds.
    of
        The other entity, for an aggregate that counts one.
    """

    history: EntityHistory
    places: Ints
    edges: dict[tuple[str, int], Ints] = field(default_factory=dict)
    of: str | None = None

    @cached_property
    def timelines(self) -> Timelines:
        """The moments of the rows."""
        return Timelines(self.history.scale, self.history.timelines.codes[self.places], self.times)

    @cached_property
    def rows(self) -> Ints:
        """Positions of the rows in the history."""
        return self.history.order[self.places]

    @cached_property
    def times(self) -> Ints:
        """Moments of the rows, in microseconds."""
        return self.history.times[self.places]

    @property
    def amount(self) -> Ints:
        """Amounts of the rows, in minor units."""
        return self.amounts.values[self.places]

    @property
    def amounts(self) -> Column:
        """Amounts in minor units."""
        return self.history.amounts

    @property
    def nights(self) -> Column:
        """1 for a payment at night."""
        return self.history.nights

    @property
    def weekends(self) -> Column:
        """1 for a payment at a weekend."""
        return self.history.weekends

    def start(self, before: int) -> Ints:
        """Place of the first payment of the same entity that is less than ``before`` µs older."""
        edge = ("payments", before)
        if edge not in self.edges:
            self.edges[edge] = self.history.timelines.places(self.timelines, before)
        return self.edges[edge]

    def known(self, before: int) -> Ints:
        """Place of the first report that did not count ``before`` µs before each row."""
        edge = ("reports", before)
        if edge not in self.edges:
            self.edges[edge] = self.history.reports.places(self.timelines, before, self.side)
        return self.edges[edge]

    @property
    def side(self) -> Side:
        """Which side of its moment a report begins to count on."""
        # With no delay a transaction's own label would count at its own moment: look strictly before.
        return "right" if self.history.history.delay else "left"

    def payments(self, window: int) -> PaymentSpan:
        """Payments less than a window old, the row itself the last of them."""
        return PaymentSpan(self, self.start(window), self.places + 1)

    def earlier(self, window: int) -> PaymentSpan:
        """Payments less than a window old, without the row itself."""
        return PaymentSpan(self, self.start(window), self.places)

    def matured(self, window: int) -> PaymentSpan:
        """Payments of the window that ended one label delay ago."""
        delay = self.history.history.delay
        return PaymentSpan(self, self.start(delay + window), self.start(delay) if delay else self.places)

    def frauds(self, window: int) -> ReportSpan:
        """Frauds that became known within a window."""
        return ReportSpan(self, window)

    def fraud_streak(self, window: int) -> PaymentSpan:
        """The latest payments of which the label is due, as far back as all of them are known to be fraud."""
        history, delay = self.history, self.history.history.delay
        stop = history.timelines.places(self.timelines, delay, self.side)
        pardoned = history.reports.last_pardoned(self.timelines, history.place, delay, self.side)
        last_genuine = np.maximum(history.last_unreported[stop], pardoned)
        start = np.maximum(self.start(delay + window), last_genuine + 1)
        return PaymentSpan(self, np.minimum(start, stop), stop)

    def distinct(self, window: int) -> Ints:
        """Different others among the payments of the window."""
        return self.history.distinct(self.of, window)[self.places]

    @cached_property
    def everyone(self) -> EntityView:
        """All entities together, as the same rows see them."""
        everyone = self.history.everyone
        return EntityView(everyone, self.rows)

    def marked(self, name: str, window: int, which: Callable[[EntityView, int], NDArray[np.bool_]]) -> Column:
        """1 for each payment for which something held at its own moment."""
        return self.history.marked(name, window, which)

    def over(self, numerator: Ints | Floats, denominator: Ints | Floats) -> Floats:
        """A quotient; NaN where the denominator is not positive."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(denominator > 0, numerator / denominator, np.nan)

    def larger(self, first: Ints | Floats, second: Ints | Floats | float) -> Floats:
        """The larger of two values; NaN where one is."""
        return np.maximum(first, second)
