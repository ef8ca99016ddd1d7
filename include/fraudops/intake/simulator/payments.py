"""One day of genuine payments: who pays, when, where and how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from fraudops.intake.simulator.population import Channel, Population
from fraudops.intake.simulator.randomness import Purpose, stream

_DAY = 86_400
_HOUR = 3_600

_MEDIAN = np.array([22.0, 34.0, 75.0, 240.0])
"""Median amount of each channel in euros, for a customer and a terminal of middle level."""
_SPREAD = np.array([0.45, 0.55, 0.45, 0.60])
"""Standard deviation of the logarithm of an amount."""
_BUSINESS_DEPOSIT = 8.0
_NOTE = 10
"""Machines give notes: withdrawals are multiples of this many units of the currency."""

_LARGE_SHARE, _LARGE_FACTOR = 0.002, (4.0, 12.0)
"""Now and then people do buy a sofa: such payments look like fraud and are none."""
_ELSEWHERE = 0.10
"""Share of payments at a terminal that is not a usual one."""
_TRAVELLING = 0.015
"""Share of customers who spend the day in another region."""
_EVENING = 5.0
"""Hours by which online payments come later than those in shops."""


@dataclass(frozen=True, eq=False)
class Payments:
    """Payments of one day in columns of equal length."""

    second: np.ndarray
    """Of the day, UTC."""
    card: np.ndarray
    channel: np.ndarray
    terminal: np.ndarray
    minor: np.ndarray
    """Amount in hundredths of the card's currency."""
    scenario: np.ndarray
    """:class:`~fraudops.intake.simulator.fraud.Scenario`; 0 is genuine."""

    def __len__(self) -> int:
        return len(self.second)

    def take(self, rows: np.ndarray) -> Payments:
        """Some of the payments, in the order of ``rows``."""
        return Payments(**{name: column[rows] for name, column in vars(self).items()})

    def with_scenario(self, scenario: int) -> Payments:
        """The same payments, all belonging to one fraud scenario."""
        return replace(self, scenario=np.full(len(self), scenario, dtype=np.int8))


def joined(batches: list[Payments]) -> Payments:
    """All payments of the batches in the order of time; ties keep the order of the batches."""
    columns = {name: np.concatenate([vars(batch)[name] for batch in batches]) for name in vars(batches[0])}
    return Payments(**columns).take(np.argsort(columns["second"], kind="stable"))


def genuine(seed: int, people: Population, day: date) -> Payments:
    """Payments that customers make themselves on a day."""
    rng = stream(seed, Purpose.PAYMENTS, day)
    customers = people.customers
    counts = rng.poisson(customers.rate * customers.weekdays[:, day.weekday()])
    away = np.where(
        rng.random(len(counts)) < _TRAVELLING,
        rng.integers(people.terminals.regions, size=len(counts)),
        -1,
    )
    customer = np.repeat(np.arange(len(counts)), counts)
    size = len(customer)
    channel = draw_channels(rng, people, customer)
    terminal = usual_terminals(rng, people, customer, channel)
    strange = rng.random(size) < _ELSEWHERE
    region = np.where(away[customer] >= 0, away[customer], customers.region[customer])
    anywhere = people.terminals.anywhere(channel, region, rng.random(size))
    terminal = np.where(strange | (away[customer] >= 0), anywhere, terminal)
    factor = np.where(rng.random(size) < _LARGE_SHARE, rng.uniform(*_LARGE_FACTOR, size), 1.0)
    factor[channel >= Channel.CASH_WITHDRAWAL] = 1.0
    return Payments(
        second=habitual_seconds(rng, people, customer, channel),
        card=draw_cards(rng, people, customer),
        channel=channel,
        terminal=terminal,
        minor=draw_amounts(rng, people, customer, channel, terminal, factor),
        scenario=np.zeros(size, dtype=np.int8),
    )


def draw_channels(rng: np.random.Generator, people: Population, customer: np.ndarray) -> np.ndarray:
    """A channel for each payment, from the customer's own mix."""
    draw = rng.random(len(customer))
    return (draw[:, None] >= people.customers.channels[customer, :3]).sum(axis=1).astype(np.int8)


def draw_cards(rng: np.random.Generator, people: Population, customer: np.ndarray) -> np.ndarray:
    """A card for each payment; of two, the first is used three times as often."""
    second = rng.random(len(customer)) < 0.25
    return people.customers.first_card[customer] + (second & (people.customers.cards[customer] == 2))


def usual_terminals(
    rng: np.random.Generator, people: Population, customer: np.ndarray, channel: np.ndarray
) -> np.ndarray:
    """One of the customer's own terminals for each payment, the favourites more often."""
    draw = rng.random(len(customer)) ** 1.5
    chosen = np.empty(len(customer), dtype=np.int64)
    for kind, usual in people.customers.usual.items():
        rows = np.flatnonzero(channel == kind)
        chosen[rows] = usual[customer[rows], (draw[rows] * usual.shape[1]).astype(np.int64)]
    return chosen


def habitual_seconds(
    rng: np.random.Generator, people: Population, customer: np.ndarray, channel: np.ndarray
) -> np.ndarray:
    """Seconds of the day at which customers are used to paying."""
    hour = people.customers.peak_hour[customer] + rng.normal(0.0, 2.7, len(customer))
    hour += np.where(channel == Channel.ONLINE, _EVENING, 0.0)
    any_hour = rng.random(len(customer)) < 0.03
    hour = np.where(any_hour, rng.uniform(0, 24, len(customer)), hour)
    return (hour * _HOUR).astype(np.int64) % _DAY


def draw_amounts(
    rng: np.random.Generator,
    people: Population,
    customer: np.ndarray,
    channel: np.ndarray,
    terminal: np.ndarray,
    factor: np.ndarray,
) -> np.ndarray:
    """Amounts in hundredths of the customer's currency.

    Parameters
    ----------
    factor
        How many times the customer's habit each payment is.
    """
    customers = people.customers
    amount = _MEDIAN[channel] * np.exp(rng.normal(0.0, 1.0, len(customer)) * _SPREAD[channel])
    amount *= customers.level[customer] * people.terminals.price[terminal] * factor
    takings = customers.business[customer] & (channel == Channel.CASH_DEPOSIT)
    amount = np.where(takings, amount * _BUSINESS_DEPOSIT, amount) * customers.per_euro[customer]
    minor = np.maximum(np.rint(amount * 100), 50)
    notes = np.maximum(np.rint(amount / _NOTE), 1) * _NOTE * 100
    return np.where(channel == Channel.CASH_WITHDRAWAL, notes, minor).astype(np.int64)
