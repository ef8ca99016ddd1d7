"""The timelines that a process remembers, those used last; whatever is forgotten is loaded again when it is needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from fraudops.features.compute import lookback, microseconds
from fraudops.online.kinds import EVERYBODY, EVERYONE, Key, Kind, digest_of
from fraudops.online.tables import Told
from fraudops.online.timeline import Payment, Timeline
from fraudops.portfolio import Portfolio

_DAY = 86_400_000_000
LATENESS = 7 * _DAY
"""How much later than its own moment a payment may come and still find all that lies before it, in microseconds."""
PAYMENTS = 1_000_000
"""How many payments are remembered, each once for every kind of entity; some 250 bytes each."""


class Memory:
    """Timelines by their entities.

    Parameters
    ----------
    portfolio
        Whose.
    kinds
        Of :func:`fraudops.online.kinds.kinds_of`.
    payments
        How many payments are remembered at most, once nothing is being added. The timeline of everyone is not counted.
    """

    def __init__(self, portfolio: Portfolio, kinds: Iterable[Kind], payments: int = PAYMENTS) -> None:
        self._name, self._delay = portfolio.name, microseconds(portfolio.labels.delay)
        self._keep = microseconds(lookback(portfolio)) + LATENESS
        self._kinds = {kind.number: kind for kind in kinds}
        self._compares = any(kind.name == EVERYONE for kind in self._kinds.values())
        self._most, self.payments = payments, 0
        self._timelines: OrderedDict[Key, Timeline] = OrderedDict()
        self._by_entity: dict[bytes, Timeline] = {}

    def __len__(self) -> int:
        return len(self._timelines)

    def __contains__(self, key: Key) -> bool:
        return key in self._timelines

    def __getitem__(self, key: Key) -> Timeline:
        return self._timelines[key]

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        """Those of some entities that are not remembered; the others will be, for longer."""
        timelines = self._timelines
        missing: dict[Key, None] = {}
        for key in keys:
            if key in timelines:
                timelines.move_to_end(key)
            else:
                missing[key] = None
        return [*missing]

    def entity(self, key: Key) -> bytes:
        """What names an entity in the database."""
        number, *values = key
        return digest_of(self._name, self._kinds[number].name, values)

    def hold(self, key: Key, told: Told | None = None) -> Timeline:
        """Remember an entity, and what is known of it."""
        kind = self._kinds[key[0]]
        entity = self.entity(key)
        timeline = Timeline(self._delay, kind.others, self._everyone(kind), entity)
        if told is not None:
            timeline.load(told.payments)
            timeline.say(told.reports)
        self._timelines[key] = self._by_entity[entity] = timeline
        self.payments += len(timeline)
        return timeline

    def _everyone(self, kind: Kind) -> Timeline | None:
        return self._timelines[EVERYBODY] if self._compares and kind.name != EVERYONE else None

    def take_over(self, paid: Iterable[tuple[bytes, Payment]]) -> None:
        """Put in what others have added, where their entity is remembered."""
        for entity, payment in paid:
            timeline = self._by_entity.get(entity)
            if timeline is not None:
                self.payments += timeline.put(*payment)

    def forget(self) -> None:
        """Remember nothing."""
        self._timelines.clear()
        self._by_entity.clear()
        self.payments = 0

    def shrink(self, used: Iterable[Key]) -> None:
        """Forget what is too old to matter in some timelines, then those that were not used for longest."""
        for key in used:
            timeline = self._timelines.get(key)
            if timeline is not None and timeline.times[-1] - timeline.times[0] > 2 * self._keep:
                self.payments -= timeline.drop_before(timeline.times[-1] - self._keep)
        everyone = self._timelines.get(EVERYBODY) if self._compares else None
        most = self._most + (0 if everyone is None else len(everyone))
        while self.payments > most:
            key, timeline = self._timelines.popitem(last=False)
            if timeline is everyone:
                self._timelines[key] = timeline
            else:
                del self._by_entity[timeline.entity]
                self.payments -= len(timeline)
