"""What a planted story is made of: movements at moments of the bank's local time, and who is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from fraudops.intake.accounts_simulator.everyday import ZONE
from fraudops.intake.accounts_simulator.fed_holidays import is_open
from fraudops.intake.accounts_simulator.moves import ATM, BRANCH, IN, NOBODY, OUT
from fraudops.intake.accounts_simulator.people import People


@dataclass(frozen=True)
class Event:
    """One movement of a story."""

    moment: datetime
    """UTC."""
    account: int
    minor: int
    direction: int
    channel: int
    counterparty: int = NOBODY
    place: int = NOBODY
    cash: bool = False
    behalf: int = NOBODY
    fraud: bool = False


@dataclass(frozen=True)
class Story:
    """A planted story, or a decoy that looks like one."""

    kind: str
    variation: str
    number: int
    decoy: bool
    rules: tuple[str, ...]
    """Rules that should say something about it; of a decoy: that should not."""
    customers: tuple[str, ...]
    """Those it is about, the first of them above all."""
    events: tuple[Event, ...]


@dataclass
class Scene:
    """Where a story is put together."""

    people: People
    rng: np.random.Generator
    start: date
    subject: int
    """Customer that it is about."""
    others: list[int]
    """Who may help."""
    events: list[Event] = field(default_factory=list)

    @property
    def account(self) -> int:
        """First account of the subject."""
        return int(self.people.account[self.subject])

    def open_day(self, number: int) -> date:
        """The business day so many after the first one from the start on."""
        day = self.start
        while True:
            if is_open(day):
                if number == 0:
                    return day
                number -= 1
            day += timedelta(days=1)

    def next(self, weekday: int) -> date:
        """The next day of a weekday (Monday is 0), from the start on."""
        return self.start + timedelta(days=(weekday - self.start.weekday()) % 7)

    def at(self, day: date, hour: float) -> datetime:
        """A moment of local time, some minutes before or after the hour given."""
        minutes = round(60 * hour) + int(self.rng.integers(0, 20))
        local = datetime.combine(day, time(minutes // 60, minutes % 60, int(self.rng.integers(60))), ZONE)
        return local.astimezone(UTC)

    def between(self, low: float, high: float, *, whole: int = 1) -> int:
        """An amount in minor units between two of major units, a multiple of ``whole`` minor units."""
        return int(self.rng.integers(round(low * 100) // whole, round(high * 100) // whole + 1)) * whole

    def branch(self, number: int = 0) -> int:
        """The subject's branch, or another one."""
        return int((self.people.branch[self.subject] + number) % self.people.branches)

    def external(self, country: str, number: int | None = None) -> int:
        """Some account at another bank."""
        chosen = int(self.rng.integers(10_000_000)) if number is None else number
        return int(self.people.external(country, chosen))

    def deposit(
        self, moment: datetime, minor: int, *, branch: int = 0, account: int | None = None, behalf: int = NOBODY,
        direction: int = IN,
    ) -> None:  # fmt: skip
        """Cash at a branch."""
        own = self.account if account is None else account
        self.events.append(Event(moment, own, minor, direction, BRANCH, place=self.branch(branch), cash=True,
                                 behalf=behalf))  # fmt: skip

    def machine(self, moment: datetime, minor: int, *, direction: int = IN) -> None:
        """Cash at a machine."""
        place = 1000 + self.branch() * 3
        self.events.append(Event(moment, self.account, minor, direction, ATM, place=place, cash=True))

    def receive(self, moment: datetime, minor: int, payer: int, channel: int, *, fraud: bool = False) -> None:
        """Money from another account."""
        self.events.append(Event(moment, self.account, minor, IN, channel, counterparty=payer, fraud=fraud))

    def pay(self, moment: datetime, minor: int, payee: int, channel: int, *, fraud: bool = False) -> None:
        """Money to another account."""
        self.events.append(Event(moment, self.account, minor, OUT, channel, counterparty=payee, fraud=fraud))


Plot = Callable[[Scene], str]
"""Puts a story's movements into its scene and says which variation it is of."""
