"""What moves on accounts day by day: purchases, cash, salaries, rents, bills, payments to friends and abroad.

A day needs no other day: what happens once a month happens on a day of the month that belongs to the customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from fraudops.intake.accounts_simulator.fed_holidays import is_open
from fraudops.intake.accounts_simulator.moves import (
    ATM,
    BRANCH,
    CARD,
    IN,
    ONLINE,
    OUT,
    TRANSFER,
    WIRE,
    Moves,
    joined,
    moves,
)
from fraudops.intake.accounts_simulator.people import COUNTRIES, People
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.simulator.randomness import stream

ZONE = ZoneInfo("America/New_York")
_HOUR = 3_600
_MACHINES = 1000
"""Machines are numbered after the branches."""
_CARD_WEEKDAYS = (0.9, 0.9, 0.95, 1.0, 1.2, 1.25, 0.8)


def utc_offset(day: date) -> int:
    """Seconds by which UTC is ahead of the bank's local time at noon of a day."""
    found = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).utcoffset() or timedelta(0)
    return -int(found.total_seconds())


def everyday(seed: int, people: People, day: date) -> Moves:
    """What happens on a day (UTC) without any story."""
    life = _Life(seed, people, day)
    return joined(part for kind in _KINDS for part in kind(life))


class _Life:
    """A day, and who is there on it."""

    def __init__(self, seed: int, people: People, day: date) -> None:
        self.people, self.day = people, day
        self.rng = stream(seed, Purpose.EVERYDAY, day)
        self.offset = utc_offset(day)
        self.alive = (people.opened <= day.toordinal()) & ~people.quiet
        self.open = is_open(day)
        self.saturday = day.weekday() == 5

    def who(self, rate: np.ndarray | float, among: np.ndarray) -> np.ndarray:
        """Customers, each as often as it happens to them today."""
        counts = self.rng.poisson(np.where(among & self.alive, rate, 0.0))
        return np.repeat(np.arange(len(counts)), counts)

    def due(self, among: np.ndarray, days: np.ndarray | int) -> np.ndarray:
        """Customers whose day of the month it is."""
        return np.flatnonzero(among & self.alive & (np.asarray(days) == self.day.day))

    def hours(self, size: int, middle: float, spread: float) -> np.ndarray:
        """Seconds of the day (UTC) around a local hour, in the middle of the day never past midnight."""
        local = np.clip(self.rng.normal(middle, spread, size), 0, 23.99)
        return (local * _HOUR).astype(np.int64) + self.offset

    def counter(self, size: int) -> np.ndarray:
        """Seconds of the day at which a branch is open."""
        until = 13 if self.saturday else 17
        return self.rng.integers(9 * _HOUR, until * _HOUR, size) + self.offset

    def cents(self, median: float, spread: float, size: int) -> np.ndarray:
        return np.rint(100 * median * self.rng.lognormal(0.0, spread, size))


def _purchases(life: _Life) -> Iterator[Moves]:
    people = life.people
    rate = np.where(people.business, 0.25, 0.5) * _CARD_WEEKDAYS[life.day.weekday()]
    who = life.who(rate, np.ones(len(people.ids), bool))
    merchant = people.external("US", who * 7 + life.rng.integers(0, 9, len(who)))
    amount = life.cents(28, 0.9, len(who)) * people.level[who]
    yield moves(people.account[who], life.hours(len(who), 14.5, 3.5), amount, direction=OUT, channel=CARD,
                counterparty=merchant)  # fmt: skip


def _cash_machines(life: _Life) -> Iterator[Moves]:
    people = life.people
    who = life.who(0.06, ~people.business & ~people.no_cash)
    amount = 2000 * life.rng.integers(1, 16, len(who))
    place = _MACHINES + people.branch[who] * 3 + life.rng.integers(0, 3, len(who))
    yield moves(people.account[who], life.hours(len(who), 15, 4), amount, direction=OUT, channel=ATM, place=place,
                cash=True)  # fmt: skip


def _counters(life: _Life) -> Iterator[Moves]:
    """Cash at a branch: takings of shops, and now and then some of persons."""
    if not (life.open or life.saturday):
        return
    people = life.people
    shops = life.who(0.0, people.business)
    if life.open:
        shops = np.flatnonzero((people.takings > 0) & life.alive & (life.rng.random(len(people.ids)) < 0.7))
    amount = np.minimum(people.takings[shops] * life.rng.lognormal(0.0, 0.25, len(shops)), 650_000)
    yield moves(people.account[shops], life.counter(len(shops)), amount, direction=IN, channel=BRANCH,
                place=people.branch[shops], cash=True)  # fmt: skip
    for direction, rate, median in ((IN, 0.006, 250), (OUT, 0.003, 400)):
        who = life.who(rate, ~people.business & ~people.no_cash)
        amount = np.minimum(life.cents(median, 0.7, len(who)), 300_000) // 1000 * 1000 + 1000
        yield moves(people.account[who], life.counter(len(who)), amount, direction=direction, channel=BRANCH,
                    place=people.branch[who], cash=True)  # fmt: skip


def _decoy_shops(life: _Life) -> Iterator[Moves]:
    """Shops whose normal takings lie just below the reporting threshold, or just above it, every open day."""
    if not life.open:
        return
    people = life.people
    for part, middle in (("shop_below", 930_000), ("shop_above", 1_120_000)):
        shops = people.cast[part][:3]
        amount = middle + 1_000 * life.rng.integers(-45, 46, len(shops)) + life.rng.integers(0, 1000, len(shops))
        seconds = 15 * _HOUR + life.rng.integers(0, 1800, len(shops)) + life.offset
        yield moves(people.account[shops], seconds, amount, direction=IN, channel=BRANCH, place=people.branch[shops],
                    cash=True)  # fmt: skip


def _salaries(life: _Life) -> Iterator[Moves]:
    people, day = life.people, life.day
    month_end = (day + timedelta(days=1)).day == 1
    friday, week = day.weekday() == 4, day.toordinal() // 7 % 2
    # One half is paid every second Friday, one part of it this week and the other next; the others twice a month.
    turn = np.arange(len(people.ids)) % 4
    twice_a_month = np.where(turn == 2, day.day == 15 or month_end, day.day in (10, 25))
    paid = np.where(turn < 2, friday & (turn == week), twice_a_month)
    who = np.flatnonzero(paid & (people.employer > -2) & life.alive)
    amount = np.rint(190_000 * people.level[who]) + life.rng.integers(-2000, 2000, len(who))
    ours = people.employer[who] >= 0
    payer = np.where(ours, people.account[people.employer[who]], people.external("US", who * 13 + 5))
    second = 6 * _HOUR + life.rng.integers(0, 2 * _HOUR, len(who)) + life.offset
    yield moves(people.account[who], second, amount, direction=IN, channel=TRANSFER, counterparty=payer)
    yield moves(payer[ours], second[ours] - 2, amount[ours], direction=OUT, channel=TRANSFER,
                counterparty=people.account[who][ours])  # fmt: skip


def _rents(life: _Life) -> Iterator[Moves]:
    people = life.people
    who = life.due(people.rent > 0, 1 + np.arange(len(people.ids)) % 5)
    ours = people.landlord[who] >= 0
    landlord = np.where(ours, people.account[people.landlord[who]], people.external("US", who * 17 + 3))
    second = life.hours(len(who), 10, 1.5)
    yield moves(people.account[who], second, people.rent[who], direction=OUT, channel=TRANSFER, counterparty=landlord)
    yield moves(landlord[ours], second[ours] + 2, people.rent[who][ours], direction=IN, channel=TRANSFER,
                counterparty=people.account[who][ours])  # fmt: skip


def _bills(life: _Life) -> Iterator[Moves]:
    people = life.people
    numbers = np.arange(len(people.ids))
    for bill in (1, 2):
        who = life.due(np.ones(len(numbers), bool), 5 + (numbers * 3 + 11 * bill) % 22)
        amount = 100 * (35 + (who * 37 * bill) % 160) + life.rng.integers(0, 100, len(who))
        yield moves(people.account[who], life.hours(len(who), 9, 1), amount, direction=OUT, channel=TRANSFER,
                    counterparty=people.external("US", bill * 11 + who % 5))  # fmt: skip


def _savings(life: _Life) -> Iterator[Moves]:
    """Twice a month something is put aside, on each further account."""
    people = life.people
    numbers = np.arange(len(people.ids))
    for more in (1, 2):
        for turn in (0, 14):
            who = life.due(people.savings >= more, 3 + (numbers + turn) % 25)
            amount = 2500 * (2 + who % 9)
            second, saved = life.hours(len(who), 8, 0.5), people.account[who] + more
            yield moves(people.account[who], second, amount, direction=OUT, channel=TRANSFER, counterparty=saved)
            yield moves(saved, second, amount, direction=IN, channel=TRANSFER, counterparty=people.account[who])


def _friends(life: _Life) -> Iterator[Moves]:
    people = life.people
    who = life.who(0.03, ~people.business)
    friend = people.friend[who]
    dollars = people.currency[people.account[who]] == "USD"
    dollars &= (people.currency[people.account[friend]] == "USD") & ~people.quiet[friend] & (friend != who)
    dollars &= people.opened[friend] <= life.day.toordinal()
    who, friend = who[dollars], friend[dollars]
    amount = life.cents(45, 0.8, len(who))
    second = life.hours(len(who), 16, 3)
    yield moves(people.account[who], second, amount, direction=OUT, channel=ONLINE,
                counterparty=people.account[friend])  # fmt: skip
    yield moves(people.account[friend], second + 1, amount, direction=IN, channel=ONLINE,
                counterparty=people.account[who])  # fmt: skip


def _known_payees(life: _Life) -> Iterator[Moves]:
    people = life.people
    who = life.who(0.03, ~people.business)
    payee = people.external("US", who * 19 + life.rng.integers(0, 3, len(who)))
    yield moves(people.account[who], life.hours(len(who), 15, 3.5), life.cents(160, 0.8, len(who)), direction=OUT,
                channel=ONLINE, counterparty=payee)  # fmt: skip


def _trade(life: _Life) -> Iterator[Moves]:
    """Businesses: card sales paid out by the acquirer, and bills of suppliers."""
    people = life.people
    sellers = np.flatnonzero(people.business & life.alive)
    amount = life.cents(900, 0.5, len(sellers)) * people.level[sellers]
    yield moves(people.account[sellers], life.hours(len(sellers), 7, 0.5), amount, direction=IN, channel=TRANSFER,
                counterparty=people.external("US", 40 + sellers % 3))  # fmt: skip
    who = life.who(0.4, people.business)
    supplier = people.external("US", who * 23 + life.rng.integers(0, 6, len(who)))
    yield moves(people.account[who], life.hours(len(who), 13, 2), np.minimum(life.cents(700, 0.9, len(who)), 1_800_000),
                direction=OUT, channel=TRANSFER, counterparty=supplier)  # fmt: skip


def _abroad(life: _Life) -> Iterator[Moves]:
    people = life.people
    who = life.due(people.abroad >= 0, 2 + np.arange(len(people.ids)) % 24)
    payee = np.array([int(people.external(COUNTRIES[people.abroad[one]], int(one) * 7)) for one in who], np.int64)
    amount = 100 * life.rng.integers(150, 600, len(who))
    yield moves(people.account[who], life.hours(len(who), 11, 2), amount, direction=OUT, channel=WIRE,
                counterparty=payee)  # fmt: skip


_KINDS = (
    _purchases, _cash_machines, _counters, _decoy_shops, _salaries, _rents, _bills, _savings,
    _friends, _known_payees, _trade, _abroad,
)  # fmt: skip


def takeovers(seed: int, people: People, day: date, rate: float) -> Moves:
    """Accounts taken over: payments at night to a few accounts that collect them, which their holders report."""
    rng = stream(seed, Purpose.TAKEOVERS, day)
    offset = utc_offset(day)
    victims = np.flatnonzero(~people.business & ~people.is_cast & (people.opened <= day.toordinal()))
    chosen = np.repeat(rng.choice(victims, rng.poisson(rate)), 2)
    size = len(chosen)
    # The same accounts collect for a week.
    drop = people.external("US", 1_000 * (1 + day.toordinal() // 7 % 40) + rng.integers(0, 4, size // 2).repeat(2))
    first = rng.integers(1 * _HOUR, 5 * _HOUR, size // 2).repeat(2)
    second = first + np.tile([0, 400], size // 2) + rng.integers(0, 300, size) + offset
    amount = np.rint(100 * 700 * rng.lognormal(0.0, 0.5, size))
    return moves(people.account[chosen], second, amount, direction=OUT, channel=ONLINE, counterparty=drop, fraud=True)
