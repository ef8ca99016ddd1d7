"""A history as one kind of entity sees it, and the views through which aggregates look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fraudops.aggregates import Aggregate
from fraudops.features.engine.calendar import is_night, is_weekend
from fraudops.features.engine.columns import Column, Floats
from fraudops.features.engine.distinct import distinct_until
from fraudops.features.engine.reports import EntityReports, Reported
from fraudops.features.engine.timelines import Ints, Scale, Side, Timelines, stable_order


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
    """

    def __init__(self, codes: Ints, history: History) -> None:
        self.history = history
        self._codes = codes
        # The sort is stable: within an entity it keeps the order of time. Rows without one come first, and are dropped.
        self.order = stable_order(codes + 1)[int((codes < 0).sum()) :]
        self.times = history.times[self.order]
        first, last = (int(history.times[0]), int(history.times[-1])) if len(codes) else (0, 0)
        self.scale = Scale(first, last, history.margin)
        self.timelines = Timelines(self.scale, codes[self.order], self.times)

    def aggregate(self, aggregate: Aggregate, rows: slice, window: int, others: Ints | None = None) -> Floats:
        """One aggregate for a run of rows; NaN where the row names no entity or there is nothing to say.

        Parameters
        ----------
        rows
            A run of positions in the history. Length m.
        window
            Length in microseconds; a row sees what is less than this long ago.
        others
            The entity named by ``of`` for each row, as ``codes``; for aggregates that count another one. Shape (n,).

        Returns
        -------
        Array of float, shape (m,)
            Amounts are in minor units, times in seconds.
        """
        start, stop, _ = rows.indices(len(self._codes))
        view = self._view(start, stop)
        if others is not None:
            view = EntityView(self, view.places, view.edges, others[self.order])
        result = np.full(stop - start, np.nan)
        result[self.order[view.places] - start] = aggregate.formula(view, window)
        return result

    def _view(self, start: int, stop: int) -> EntityView:
        """The view of a run of rows; the same one for all aggregates, which thereby share the edges of windows."""
        if stop - start == len(self._codes):
            return self.whole
        if (start, stop) not in self._views:
            places = np.flatnonzero((self.order >= start) & (self.order < stop))
            self._views[start, stop] = EntityView(self, places)
        return self._views[start, stop]

    @cached_property
    def _views(self) -> dict[tuple[int, int], EntityView]:
        return {}

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
    def _side(self) -> Side:
        # With no delay a transaction's own label would count at its own moment: look strictly before.
        return "right" if self.view.history.history.delay else "left"

    @property
    def count(self) -> Ints:
        """How many."""
        return self.view.history.reports.count(self.view.timelines, self.window, self._side)

    @property
    def amount(self) -> Ints:
        """Their amounts, in minor units."""
        return self.view.history.reports.amount(self.view.timelines, self.window, self._side)

    @property
    def since_latest(self) -> Floats:
        """Seconds since the latest payment among them."""
        return self.view.history.reports.latest(self.view.timelines, self.view.times, self.window, self._side)

    @property
    def since_report(self) -> Floats:
        """Seconds since the newest of the reports began to count."""
        return self.view.history.reports.newest(self.view.timelines, self.view.times, self.window, self._side)


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
        Starts of windows that were looked up already, by the distance in microseconds.
    others
        The other entity by place, for aggregates that count one.
    """

    history: EntityHistory
    places: Ints
    edges: dict[int, Ints] = field(default_factory=dict)
    others: Ints | None = None

    @cached_property
    def timelines(self) -> Timelines:
        """The moments of the rows."""
        return Timelines(self.history.scale, self.history.timelines.codes[self.places], self.times)

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
        if before not in self.edges:
            self.edges[before] = self.history.timelines.places(self.timelines, before)
        return self.edges[before]

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

    def distinct(self, window: int) -> Ints:
        """Different others among the payments of the window."""
        if self.others is None:
            raise ValueError("this aggregate counts another entity, and none was given")
        whole = self.history.whole
        return distinct_until(whole.start(window), self.others, self.history.timelines.codes)[self.places]

    @cached_property
    def everyone(self) -> EntityView:
        """All entities together, as the same rows see them."""
        everyone = self.history.everyone
        return EntityView(everyone, self.history.order[self.places])

    def marked(self, which: Callable[[EntityView], NDArray[np.bool_]]) -> Column:
        """1 for each payment for which something held at its own moment."""
        return Column(which(self.history.whole).astype(np.int64))

    def over(self, numerator: Ints | Floats, denominator: Ints | Floats) -> Floats:
        """A quotient; NaN where the denominator is not positive."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(denominator > 0, numerator / denominator, np.nan)

    def larger(self, first: Ints | Floats, second: Ints | Floats | float) -> Floats:
        """The larger of two values; NaN where one is."""
        return np.maximum(first, second)
