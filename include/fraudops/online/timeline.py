"""What one entity did, in order, kept ready for questions about any of its payments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from fraudops.features.engine.calendar import NIGHT_ENDS, SATURDAY, hour, weekday
from fraudops.online.columns import Column, Others
from fraudops.online.reports import Report, Reports

Names = Mapping[str, str | None]
Payment = tuple[int, str, int, Names | None]
"""Moment in microseconds, transaction, amount in minor units, others by name (none where nothing counts them)."""
_NOBODY: Names = {}


class Timeline:
    """Payments of one entity, ascending by (event_time, transaction_id); a *place* is a position among them.

    Parameters
    ----------
    delay
        Label delay in microseconds.
    others
        Further entities that aggregates of this one count.
    everyone
        The timeline that has all payments, where an aggregate compares with it.
    entity
        What names the entity in the database.

    Attributes
    ----------
    times, ids
        Moments in microseconds, and transactions, by place.
    amounts
        In minor units.
    others
        Name → whom the payments name.
    marks
        What was asked of payments at their own moments: name, window → 1 where it held.
    reports
        What became known of the payments.
    """

    __slots__ = ("_nights", "_weekends", "amounts", "entity", "everyone", "ids", "marks", "others", "reports", "times")

    def __init__(
        self, delay: int, others: Iterable[str] = (), everyone: Timeline | None = None, entity: bytes = b""
    ) -> None:
        self.everyone, self.entity = everyone, entity
        self.times: list[int] = []
        self.ids: list[str] = []
        self.amounts = Column([])
        self.others = {name: Others() for name in others}
        self.reports = Reports((), delay)
        self.marks: dict[tuple[str, int], Column] = {}
        self._nights: Column | None = None
        self._weekends: Column | None = None

    def __len__(self) -> int:
        return len(self.times)

    def say(self, said: Iterable[Report]) -> None:
        """Replace what is known of the payments."""
        self.reports = Reports(said, self.reports.delay)

    def load(self, payments: Sequence[Payment]) -> None:
        """Take payments into an empty timeline."""
        ordered = sorted(payments, key=itemgetter(0, 1))
        self.times += [payment[0] for payment in ordered]
        self.ids += [payment[1] for payment in ordered]
        self.amounts.values += [payment[2] for payment in ordered]
        for name, other in self.others.items():
            other.values += [(payment[3] or _NOBODY).get(name) for payment in ordered]

    def put(self, time: int, transaction_id: str, amount: int, others: Names | None = None) -> bool:
        """Put a payment where it belongs; whether it was not there yet."""
        times = self.times
        if times and time <= times[-1]:
            place = self._place(time, transaction_id)
            if place < len(times):
                return self._insert(place, time, transaction_id, amount, others)
        times.append(time)
        self.ids.append(transaction_id)
        self.amounts.values.append(amount)
        for name, other in self.others.items():
            other.values.append((others or _NOBODY).get(name))
        return True

    def remove(self, time: int, transaction_id: str) -> None:
        """Take a payment out again."""
        place = self.place(time, transaction_id)
        self._cut(place)
        self._delete(slice(place, place + 1))

    def drop_before(self, time: int) -> int:
        """Forget payments that are older than a moment; how many there were."""
        place = bisect_left(self.times, time)
        if place:
            self.amounts.cut(0)
            for column in self._derived():
                column.cut(0)
                # What held at the moment of a payment is not asked again: it could no longer see all that it saw.
                del column.values[:place]
            for other in self.others.values():
                other.cut(0)
            self._delete(slice(0, place))
        return place

    def place(self, time: int, transaction_id: str) -> int:
        """Where a payment of the timeline is."""
        times = self.times
        if times[-1] == time and self.ids[-1] == transaction_id:
            return len(times) - 1
        return self._place(time, transaction_id)

    @property
    def nights(self) -> Column:
        """1 for a payment at night, by place."""
        if self._nights is None:
            self._nights = Column([])
        values = self._nights.values
        if len(values) < len(self.times):
            values += [int(hour(time) <= NIGHT_ENDS) for time in self.times[len(values) :]]
        return self._nights

    @property
    def weekends(self) -> Column:
        """1 for a payment at a weekend, by place."""
        if self._weekends is None:
            self._weekends = Column([])
        values = self._weekends.values
        if len(values) < len(self.times):
            values += [int(weekday(time) >= SATURDAY) for time in self.times[len(values) :]]
        return self._weekends

    def _place(self, time: int, transaction_id: str) -> int:
        """Of a payment, or of the first one after it."""
        times, ids = self.times, self.ids
        place = bisect_left(times, time)
        while place < len(times) and times[place] == time and ids[place] < transaction_id:
            place += 1
        return place

    def _insert(self, place: int, time: int, transaction_id: str, amount: int, others: Names | None) -> bool:
        if self.times[place] == time and self.ids[place] == transaction_id:
            return False
        self._cut(place)
        self.times.insert(place, time)
        self.ids.insert(place, transaction_id)
        self.amounts.values.insert(place, amount)
        for name, other in self.others.items():
            other.values.insert(place, (others or _NOBODY).get(name))
        return True

    def _cut(self, place: int) -> None:
        """Forget what was derived of the payments from a place on: they move."""
        self.amounts.cut(place)
        for other in self.others.values():
            other.cut(place)
        for column in self._derived():
            column.cut(place)
            del column.values[place:]

    def _delete(self, places: slice) -> None:
        del self.times[places], self.ids[places], self.amounts.values[places]
        for other in self.others.values():
            del other.values[places]

    def _derived(self) -> list[Column]:
        """Columns whose values follow from the payments."""
        calendar = [column for column in (self._nights, self._weekends) if column is not None]
        return [*calendar, *self.marks.values()]
