"""The four kinds of fraud in the simulated world.

High amounts, payments at compromised terminals, and stolen cards happen all the time; card testing begins late.
Which terminal is compromised and which card is stolen is drawn on the day it begins: a day looks back over the
longest campaign, so it needs no day before it to be simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import IntEnum

import numpy as np

from fraudops.intake.simulator.payments import (
    Payments,
    draw_amounts,
    draw_cards,
    draw_channels,
    habitual_seconds,
    usual_terminals,
)
from fraudops.intake.simulator.population import PER_REGION, Channel, Population
from fraudops.intake.simulator.randomness import Purpose, starting, stream

_HOUR = 3_600
_DAY = 24 * _HOUR


class Scenario(IntEnum):
    """Why a payment is fraud; 0 stands for a genuine one."""

    HIGH_AMOUNT = 1
    COMPROMISED_TERMINAL = 2
    STOLEN_CARD = 3
    CARD_TESTING = 4

    @property
    def text(self) -> str:
        """As :meth:`fraudops.intake.simulator.world.World.frauds` names it."""
        return self.name.lower()


# How often each kind happens, per payment of an average day.
_HIGH_AMOUNTS = 0.0024
_COMPROMISES = 0.00007
_THEFTS = 0.00011
_TESTS = 0.00030

_SKIMMED = (Channel.CARD_PRESENT, Channel.CASH_WITHDRAWAL)
"""Kinds of terminals that are compromised."""
_COMPROMISE_DAYS = (28, 42)
_THEFT_DAYS = (8, 14)
_THEFT_PAYMENTS = 2.5
"""Payments a day that a thief makes with a stolen card."""
_INCONSPICUOUS = 0.15
"""Share of a thief's payments that copy the customer: usual terminal, hour and amount."""


@dataclass(frozen=True, eq=False)
class _Campaigns:
    """What is going on on one day; columns of equal length."""

    what: np.ndarray
    """Terminals, or cards."""
    intensity: np.ndarray
    """Uniform in [0, 1): how bad it is."""


def high_amounts(seed: int, people: Population, day: date) -> Payments:
    """Single payments far above what the customer is used to, in shops and online, half of them at odd hours."""
    rng = stream(seed, Purpose.HIGH_AMOUNTS, day)
    size = int(rng.poisson(_HIGH_AMOUNTS * people.customers.rate.sum()))
    customer = rng.integers(len(people.customers.rate), size=size)
    channel = (rng.random(size) < 0.6).astype(np.int8)
    payments = _fraudster(rng, people, draw_cards(rng, people, customer), channel, rng.uniform(15.0, 50.0, size), 0.2)
    return payments.with_scenario(Scenario.HIGH_AMOUNT)


def compromise(seed: int, people: Population, payments: Payments, day: date) -> Payments:
    """Turn a share of the payments at compromised terminals into fraud, many of them with a raised amount."""
    campaigns = _campaigns(seed, Purpose.COMPROMISED_TERMINALS, _COMPROMISES, _COMPROMISE_DAYS, people, day, _terminal)
    rng = stream(seed, Purpose.COMPROMISED_PAYMENTS, day)
    share = np.zeros(len(people.terminals.kind))
    share[campaigns.what] = 0.75 + 0.25 * campaigns.intensity
    hit = (rng.random(len(payments)) < share[payments.terminal]) & (payments.scenario == 0)
    raised = np.where(hit, rng.uniform(1.5, 4.0, len(payments)), 1.0)
    minor = np.where(hit & (payments.channel == Channel.CARD_PRESENT), payments.minor * raised, payments.minor)
    return replace(
        payments,
        minor=np.rint(minor).astype(np.int64),
        scenario=np.where(hit, Scenario.COMPROMISED_TERMINAL, payments.scenario).astype(np.int8),
    )


def stolen_cards(seed: int, people: Population, day: date) -> Payments:
    """What thieves pay with stolen cards: several times the amounts of the customer, who goes on paying too."""
    campaigns = _campaigns(seed, Purpose.STOLEN_CARDS, _THEFTS, _THEFT_DAYS, people, day, _card)
    rng = stream(seed, Purpose.STOLEN_PAYMENTS, day)
    cards = np.repeat(campaigns.what, rng.poisson(_THEFT_PAYMENTS * (0.5 + campaigns.intensity)))
    channel = draw_channels(rng, people, people.card_owner[cards])
    channel[channel == Channel.CASH_DEPOSIT] = Channel.ONLINE
    payments = _fraudster(rng, people, cards, channel, rng.uniform(5.0, 15.0, len(cards)), _INCONSPICUOUS)
    return payments.with_scenario(Scenario.STOLEN_CARD)


def card_testing(seed: int, people: Population, day: date) -> Payments:
    """At night a run of small payments at unknown merchants shows that a card works; a large one follows."""
    rng = stream(seed, Purpose.CARD_TESTING, day)
    rate = people.customers.rate.sum()
    cards = rng.integers(len(people.card_owner), size=starting(_TESTS * rate, day))
    tries = rng.integers(4, 10, size=len(cards))
    begin = rng.uniform(0.5 * _HOUR, 4.0 * _HOUR, size=len(cards))
    small = _tests(rng, people, np.repeat(cards, tries), np.repeat(begin, tries))
    online = np.full(len(cards), Channel.ONLINE, dtype=np.int8)
    large = _fraudster(rng, people, cards, online, rng.uniform(5.0, 15.0, len(cards)), 0.0)
    large = replace(large, second=(begin + rng.uniform(1.5 * _HOUR, 6 * _HOUR, len(cards))).astype(np.int64))
    columns = {name: np.concatenate([column, vars(large)[name]]) for name, column in vars(small).items()}
    return Payments(**columns).with_scenario(Scenario.CARD_TESTING)


def _tests(rng: np.random.Generator, people: Population, cards: np.ndarray, begin: np.ndarray) -> Payments:
    """Small payments within the hour after ``begin`` (seconds of the day)."""
    size = len(cards)
    per_euro = people.customers.per_euro[people.card_owner[cards]]
    return Payments(
        second=(begin + rng.uniform(0, _HOUR, size)).astype(np.int64),
        card=cards,
        channel=np.full(size, Channel.ONLINE, dtype=np.int8),
        terminal=rng.choice(people.terminals.testing, size=size),
        minor=np.rint(100 * rng.uniform(0.5, 5.0, size) * per_euro).astype(np.int64),
        scenario=np.zeros(size, dtype=np.int8),
    )


def _fraudster(
    rng: np.random.Generator,
    people: Population,
    cards: np.ndarray,
    channel: np.ndarray,
    factor: np.ndarray,
    inconspicuous: float,
) -> Payments:
    """Payments by somebody who does not know the customer's habits, but for an inconspicuous share.

    Parameters
    ----------
    factor
        How many times the customer's own amounts they are, where they are not inconspicuous.
    inconspicuous
        Share of the payments at the customer's usual terminals, hours and amounts.
    """
    customer = people.card_owner[cards]
    size = len(cards)
    usual = rng.random(size) < inconspicuous
    region = rng.integers(people.terminals.regions, size=size)
    terminal = np.where(
        usual,
        usual_terminals(rng, people, customer, channel),
        people.terminals.anywhere(channel, region, rng.random(size)),
    )
    own_hour = usual | (rng.random(size) < 0.4)
    any_second = rng.integers(_DAY, size=size)
    return Payments(
        second=np.where(own_hour, habitual_seconds(rng, people, customer, channel), any_second),
        card=cards,
        channel=channel,
        terminal=terminal,
        minor=draw_amounts(rng, people, customer, channel, terminal, np.where(usual, 1.0, factor)),
        scenario=np.zeros(size, dtype=np.int8),
    )


def _campaigns(
    seed: int,
    purpose: Purpose,
    rate: float,
    lengths: tuple[int, int],
    people: Population,
    day: date,
    victim: Callable[[np.random.Generator, Population, int], np.ndarray],
) -> _Campaigns:
    """Campaigns of one kind that run on a day.

    Parameters
    ----------
    rate
        Campaigns that begin per payment of an average day.
    lengths
        Shortest and longest duration in days.
    victim
        Draws what is hit.
    """
    shortest, longest = lengths
    found, intensities = [], []
    for age in range(longest):
        begun = day - timedelta(days=age)
        rng = stream(seed, purpose, begun)
        count = starting(rate * people.customers.rate.sum(), begun)
        running = rng.integers(shortest, longest + 1, size=count) > age
        found.append(victim(rng, people, count)[running])
        intensities.append(rng.random(count)[running])
    return _Campaigns(np.concatenate(found), np.concatenate(intensities))


def _terminal(rng: np.random.Generator, people: Population, count: int) -> np.ndarray:
    """Any of the shops and cash machines."""
    shops, machines = (people.terminals.regions * PER_REGION[kind] for kind in _SKIMMED)
    index = rng.integers(shops + machines, size=count)
    first = people.terminals.first
    return np.where(index < shops, first[Channel.CARD_PRESENT] + index, first[Channel.CASH_WITHDRAWAL] + index - shops)


def _card(rng: np.random.Generator, people: Population, count: int) -> np.ndarray:
    """Cards of customers, those who pay often no more than others."""
    return rng.integers(len(people.card_owner), size=count)
