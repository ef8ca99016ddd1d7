"""What a portfolio declares, sorted by whose behaviour it is: one kind for each entity, or combination of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Any, NamedTuple

from fraudops.aggregates import AGGREGATES, Unit
from fraudops.aggregates.declaration import Formula
from fraudops.features.columns import feature_names
from fraudops.features.compute import microseconds
from fraudops.features.engine.calendar import NIGHT_ENDS, SATURDAY, hour, weekday
from fraudops.online.timeline import Timeline
from fraudops.online.view import TimelineView
from fraudops.portfolio import Portfolio
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features

EVERYONE = "*"
"""Name of the kind that has a single entity: all payments are its own."""
Key = tuple[Any, ...]
"""Number of the kind, and the values that name the entity."""

EVERYBODY: Key = (0,)
"""The single entity of that kind, which is the first one."""

CALENDAR: dict[str, Callable[[int], int]] = {
    "hour": hour,
    "weekday": weekday,
    "night": lambda time: int(hour(time) <= NIGHT_ENDS),
    "weekend": lambda time: int(weekday(time) >= SATURDAY),
}


class Wanted(NamedTuple):
    """A column of behaviour.

    Attributes
    ----------
    slot
        Its position among the portfolio's features.
    formula
        What computes it.
    window
        In microseconds.
    of
        The entity that it counts, if any.
    divisor
        Minor units in one of the currency, where it is money; else 1.
    """

    slot: int
    formula: Formula
    window: int
    of: str | None
    divisor: float


@dataclass(frozen=True)
class Kind:
    """Entities of one kind, and what is measured of them.

    Attributes
    ----------
    number
        Position among the portfolio's kinds.
    name
        Entities by their names in the portfolio, with ``+`` between them.
    columns
        Stored columns that together name the entity.
    others
        Entity that is counted → its stored column.
    labels
        Whether anything needs to know what was fraud.
    wanted
        The columns.
    """

    number: int
    name: str
    columns: tuple[str, ...]
    others: Mapping[str, str]
    labels: bool
    wanted: tuple[Wanted, ...]

    def key(self, row: Mapping[str, Any]) -> Key | None:
        """Which entity of this kind a row names; none where a part is missing."""
        columns = self.columns
        if len(columns) == 1:
            value = row.get(columns[0])
            return None if value is None else (self.number, value)
        values = [row.get(column) for column in columns]
        return None if None in values else (self.number, *values)

    def others_of(self, row: Mapping[str, Any]) -> dict[str, str | None]:
        """Whom a row names of those that are counted."""
        return {name: row.get(column) for name, column in self.others.items()}


def digest_of(portfolio: str, kind: str, values: Iterable[str]) -> bytes:
    """What names an entity in the database: portfolio, kind and values, in sixteen bytes."""
    # The length goes before each: ("ab", "c") is another entity than ("a", "bc").
    parts = (portfolio, kind, *values)
    return blake2b("".join([f"{len(part)}:{part}" for part in parts]).encode(), digest_size=16).digest()


def kinds_of(portfolio: Portfolio) -> tuple[Kind, ...]:
    """The kinds of a portfolio, that of everyone first where something compares with it."""
    slots = {name: slot for slot, name in enumerate(feature_names(portfolio))}
    declared = {f.name: f for group in portfolio.features.behaviour for f in behaviour_features(group)}
    features = sorted(declared.values(), key=lambda feature: feature.entities)
    groups = [(entities, [*group]) for entities, group in groupby(features, key=lambda feature: feature.entities)]
    needs = any(_compares_with_everyone(portfolio, feature) for feature in features)
    kinds = [Kind(0, EVERYONE, (), {}, True, ())] if needs else []
    for entities, group in groups:
        kinds.append(
            Kind(
                number=len(kinds),
                name="+".join(entities),
                columns=tuple(portfolio.entities[name] for name in entities),
                others={f.of: portfolio.entities[f.of] for f in group if f.of is not None},
                labels=any(AGGREGATES[f.aggregate].labels for f in group),
                wanted=tuple(_wanted(portfolio, f, slots[f.name]) for f in group),
            )
        )
    return tuple(kinds)


def _wanted(portfolio: Portfolio, feature: BehaviourFeature, slot: int) -> Wanted:
    aggregate = AGGREGATES[feature.aggregate]
    window = microseconds(feature.window or portfolio.features.longest_window)
    divisor = 10.0**portfolio.minor_digits if aggregate.unit is Unit.MONEY else 1.0
    return Wanted(slot, aggregate.formula, window, feature.of, divisor)


class _Everyone(Exception):
    """A formula asked for everyone."""


class _Probe(TimelineView):
    """The view of an entity's only payment, which tells when everyone is asked for."""

    @property
    def everyone(self) -> TimelineView:
        raise _Everyone


def _compares_with_everyone(portfolio: Portfolio, feature: BehaviourFeature) -> bool:
    timeline = Timeline(microseconds(portfolio.labels.delay), () if feature.of is None else (feature.of,))
    timeline.put(0, "", 0)
    probe = _Probe(timeline, 0)
    probe.of = feature.of
    wanted = _wanted(portfolio, feature, 0)
    try:
        wanted.formula(probe, wanted.window)
    except _Everyone:
        return True
    return False
