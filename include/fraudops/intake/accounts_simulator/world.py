"""The simulated bank, one day after the other: movements with their reports, and what was planted.

A day's rows need no other day, and are the same whoever asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.accounts_simulator.everyday import everyday, takeovers
from fraudops.intake.accounts_simulator.kyc import File, customer_file
from fraudops.intake.accounts_simulator.moves import CHANNELS, NOBODY, ONLINE, OUT, Moves, joined, moves
from fraudops.intake.accounts_simulator.people import People, people
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.accounts_simulator.scenes import Event, Story
from fraudops.intake.accounts_simulator.stories import as_moves, signs_of_life, stories_on
from fraudops.intake.simulator.days import arriving, days_from, require_within, timestamps, transaction_ids
from fraudops.intake.simulator.lines import iso
from fraudops.intake.simulator.randomness import stream

TRANSACTION_COLUMNS = (
    "transaction_id", "event_time", "amount", "currency", "account_id", "customer_id", "counterparty_account",
    "counterparty_country", "branch", "direction", "cash", "on_behalf_of", "channel",
)  # fmt: skip
REPORT_COLUMNS = ("transaction_id", "reported_at", "label")
LONGEST_REPORT = timedelta(days=11)
"""No fraud is reported later than this after its day."""
_HOUR = 3_600
_TAKEOVERS = 0.0015
"""Accounts taken over a day, per payment of a day."""


@dataclass(frozen=True, kw_only=True)
class AccountsWorld:
    """A made-up retail bank; equal parameters make equal days, in any order and however many.

    Parameters
    ----------
    seed
        Not negative.
    start
        First day, UTC.
    payments_per_day
        Movements a day, about; 200 … 1,000,000. Customers grow with it.
    stories
        Whether stories and decoys are planted.
    dirty_share
        Rows that break the feed's contract, per movement, in addition to them.

    Raises
    ------
    ConfigurationError
        A parameter is out of its range.
    """

    start: date
    seed: int = 42
    payments_per_day: int = 2000
    stories: bool = True
    dirty_share: float = 0.0005

    def __post_init__(self) -> None:
        limits = {"seed": (0, 2**63), "payments_per_day": (200, 1_000_000), "dirty_share": (0.0, 0.1)}
        require_within(self, limits)

    @property
    def people(self) -> People:
        """Customers and accounts."""
        return people(self.seed, self.payments_per_day, self.start)

    @property
    def customers(self) -> File:
        """What is known of the customers."""
        return customer_file(self.seed, self.people, self.start)

    def days(self, first: date, last: date) -> Iterator[date]:
        """Days from ``first`` to ``last``, both included.

        Raises
        ------
        ContractError
            The days are in the wrong order, or before the world's start.
        """
        return days_from(self.start, first, last, "movements")

    def reports(self, first: date, last: date) -> pd.DataFrame:
        """Reports of fraud that arrive on some days, in the order of arrival."""
        days = self.days(max(self.start, first - LONGEST_REPORT), last)
        return arriving([reports_of(self, day) for day in days], first, last)

    def planted(self, first: date, last: date) -> list[dict[str, Any]]:
        """The truth: every story and decoy of which something happens on some days, with its transactions in them."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for day in self.days(first, last):
            simulated = simulate(self, day)
            for place, (story, _) in enumerate(simulated.stories):
                ids = simulated.ids(np.flatnonzero(simulated.moves.story == place)).to_pylist()
                entry = found.setdefault((story.kind, story.number), _told(story, first, last))
                entry["transactions"] += ids
                entry["days"].append(day.isoformat())
        return [*found.values(), *self._files(last), *self._usual()] if self.stories else []

    def _files(self, last: date) -> Iterator[dict[str, Any]]:
        """What is planted in the customers' files, as far as it can be known on a day."""
        for item in self.customers.findings:
            if item.since <= last:
                yield {
                    "kind": item.kind, "variation": item.variation, "decoy": item.decoy, "rules": list(item.rules),
                    "customers": [str(self.people.ids[item.customer])], "transactions": [],
                    "days": [item.since.isoformat()], "entry": item.entry, "complete": True,
                }  # fmt: skip

    def _usual(self) -> Iterator[dict[str, Any]]:
        """Businesses whose normal life looks like a story."""
        for kind, (many, rules) in _USUAL.items():
            for one in self.people.cast[kind][:many]:
                yield {
                    "kind": kind, "variation": "every day", "decoy": True, "rules": list(rules),
                    "customers": [str(self.people.ids[one])], "transactions": [], "days": [], "complete": True,
                }  # fmt: skip


_USUAL = {
    "shop_below": (3, ("cash_over_threshold", "structuring")),
    "shop_above": (3, ("structuring",)),
    "payroll": (2, ("fan_out",)),
    "landlord": (2, ("fan_in",)),
}
"""Decoy → how many there are, and the rules that should not say anything. (Cash of ``shop_above`` is over the
threshold: that rule must speak of it.)"""


def _told(story: Story, first: date, last: date) -> dict[str, Any]:
    return {
        "kind": story.kind, "variation": story.variation, "decoy": story.decoy, "rules": list(story.rules),
        "customers": list(story.customers), "transactions": [], "days": [],
        "complete": first <= story.events[0].moment.date() and story.events[-1].moment.date() <= last,
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Day:
    """One simulated day."""

    day: date
    people: People
    moves: Moves
    stories: list[tuple[Story, list[Event]]]

    def ids(self, numbers: np.ndarray) -> pa.Array:
        """Transaction ids: ``A``, the day, and the number of the movement within it."""
        return transaction_ids("A", self.day, numbers)

    def texts(self) -> dict[str, pa.Array]:
        """The movements under the feed's column names, as a file has them."""
        found, who = self.moves, self.people
        owner = who.owner[found.account]
        numbers = account_numbers(who)
        ids = pa.array(who.ids.tolist(), pa.string())
        columns = (
            self.ids(np.arange(len(found))),
            iso(timestamps(self.day, found.second)),
            _amounts(found.minor),
            pa.array(who.currency.tolist(), pa.string()).take(pa.array(found.account)),
            numbers.take(pa.array(found.account)),
            ids.take(pa.array(owner)),
            _named(numbers, found.counterparty),
            _named(account_countries(who), found.counterparty),
            _places(found.place),
            pa.array(["in", "out"]).take(pa.array(found.direction)),
            pa.array(["false", "true"]).take(pa.array(found.cash.astype(np.int64))),
            _named(ids, found.behalf),
            pa.array(CHANNELS).take(pa.array(found.channel)),
        )
        return dict(zip(TRANSACTION_COLUMNS, columns, strict=True))


@lru_cache(maxsize=4)
def account_numbers(who: People) -> pa.Array:
    """Numbers of all accounts, our own and others."""
    return who.numbers()


@lru_cache(maxsize=4)
def account_countries(who: People) -> pa.Array:
    """Countries of all accounts."""
    return pa.array(who.countries().tolist(), pa.string())


def simulate(world: AccountsWorld, day: date) -> Day:
    """What happens on one day; needs no other day."""
    who = world.people
    parts = [everyday(world.seed, who, day), takeovers(world.seed, who, day, _TAKEOVERS * world.payments_per_day)]
    told: list[tuple[Story, list[Event]]] = []
    if world.stories:
        told = stories_on(world.seed, who, world.start, day)
        parts += [as_moves(events, place) for place, (_, events) in enumerate(told)]
        parts += _signs_of_life(world, day)
    found = joined(parts)
    order = np.lexsort((found.minor, found.account, found.second))
    return Day(day, who, found.take(order), told)


def _signs_of_life(world: AccountsWorld, day: date) -> list[Moves]:
    accounts = signs_of_life(world.people, world.start, day)
    if not len(accounts):
        return []
    payee = world.people.external("US", accounts)
    return [moves(accounts, np.full(len(accounts), 61_000), np.full(len(accounts), 4_200), direction=OUT,
                  channel=ONLINE, counterparty=payee)]  # fmt: skip


@lru_cache(maxsize=4096)
def reports_of(world: AccountsWorld, day: date) -> pd.DataFrame:
    """The reports, whenever they arrive, of the frauds of one day."""
    return reports(world, simulate(world, day))


def reports(world: AccountsWorld, simulated: Day) -> pd.DataFrame:
    """The reports, whenever they arrive, of the frauds of a simulated day."""
    rng = stream(world.seed, Purpose.REPORTS, simulated.day)
    numbers = np.flatnonzero(simulated.moves.fraud)
    days = rng.integers(1, LONGEST_REPORT.days, len(numbers))
    seconds = days * 24 * _HOUR + rng.integers(13 * _HOUR, 22 * _HOUR, len(numbers))
    columns = (simulated.ids(numbers), timestamps(simulated.day, seconds), np.ones(len(numbers), np.int64))
    return pa.table(dict(zip(REPORT_COLUMNS, columns, strict=True))).to_pandas()


def _amounts(minor: np.ndarray) -> pa.Array:
    whole = pa.array(minor // 100).cast(pa.string())
    cents = pc.utf8_lpad(pa.array(minor % 100).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(whole, cents, ".")


def _named(names: pa.Array, places: np.ndarray) -> pa.Array:
    """The names, nothing where there is nobody."""
    found = names.take(pa.array(np.maximum(places, 0)))
    return pc.if_else(pa.array(places == NOBODY), "", found)


def _places(places: np.ndarray) -> pa.Array:
    machine = pa.array(places >= 1000)
    texts = pc.utf8_lpad(
        pa.array(np.where(places >= 1000, places - 1000, np.maximum(places, 0)) + 1).cast(pa.string()), 4, "0"
    )
    named = pc.if_else(
        machine, pc.binary_join_element_wise("ATM", texts, ""), pc.binary_join_element_wise("BR", texts, "")
    )
    return pc.if_else(pa.array(places == NOBODY), "", named)
