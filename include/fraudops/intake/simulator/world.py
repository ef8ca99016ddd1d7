"""The simulated world: its parameters, and what happens in it day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.simulator import fraud
from fraudops.intake.simulator.days import arriving, days_from, require_within, timestamps, transaction_ids
from fraudops.intake.simulator.fraud import Scenario
from fraudops.intake.simulator.payments import Payments, genuine, joined
from fraudops.intake.simulator.population import Channel, Population, population
from fraudops.intake.simulator.randomness import Purpose, stream

_HOUR = 3_600
_MISSING_COUNTRY = 0.02
"""Share of payments whose acquirer does not say the country."""

_REPORT_DAYS = (1, 2, 3, 4, 5, 6)
_REPORT_SHARES = (0.10, 0.20, 0.25, 0.20, 0.15, 0.10)
_LATE_SHARE, _LATE_DAYS = 0.02, (8, 20)
"""This share of the frauds is reported so late that the payment has meanwhile counted as genuine."""
LONGEST_REPORT = timedelta(days=_LATE_DAYS[1])
"""No chargeback comes later than this after its payment."""

PAYMENT_COLUMNS = (
    "tx_id", "tx_time", "amount", "currency", "customer_id", "terminal_id", "card_number", "customer_name",
    "country", "channel",
)  # fmt: skip
CHARGEBACK_COLUMNS = ("transaction_id", "reported_at", "label")
DISPOSITION_COLUMNS = ("transaction_id", "reported_at", "finding", "by")


@dataclass(frozen=True, kw_only=True)
class World:
    """A world of card payments; equal parameters make equal days, in any order and however many.

    Parameters
    ----------
    seed
        Not negative.
    start
        First day, UTC. The world is in full swing on it: cards are stolen, terminals compromised.
    payments_per_day
        On average over a week, 50 … 1,000,000. Customers and terminals grow with it.
    late_fraud_after
        Days after the start at which card testing begins.
    dirty_share
        Rows that break the feed's contract, per payment, in addition to the payments; see
        :mod:`fraudops.intake.simulator.feed`.

    Raises
    ------
    ConfigurationError
        A parameter is out of its range.

    Examples
    --------
    >>> world = World(start=date(2026, 8, 25), payments_per_day=100)
    >>> world.payments(date(2026, 8, 25), date(2026, 8, 25)).tx_id.iloc[0]
    'C20260825-000000'
    """

    start: date
    seed: int = 42
    payments_per_day: int = 2000
    late_fraud_after: int = 70
    dirty_share: float = 0.0005

    def __post_init__(self) -> None:
        require_within(
            self,
            {
                "seed": (0, 2**63),
                "payments_per_day": (50, 1_000_000),
                "late_fraud_after": (0, 100_000),
                "dirty_share": (0.0, 0.1),
            },
        )

    @property
    def population(self) -> Population:
        """Customers, cards and terminals."""
        return population(self.seed, self.payments_per_day)

    @property
    def late_fraud_start(self) -> date:
        """First day of card testing."""
        return self.start + timedelta(days=self.late_fraud_after)

    def days(self, first: date, last: date) -> Iterator[date]:
        """Days from ``first`` to ``last``, both included.

        Raises
        ------
        ContractError
            The days are in the wrong order, or before the world's start.
        """
        return days_from(self.start, first, last, "payments")

    def payments(self, first: date, last: date) -> pd.DataFrame:
        """Payments of some days, in the order of time, without the dirty rows.

        Returns
        -------
        pandas.DataFrame
            With the columns of the feed. ``tx_time`` is a timestamp in UTC, ``amount`` a float in units of
            ``currency``, everything else text; ``country`` may be missing.
        """
        frame = pa.concat_tables([simulate(self, day).table() for day in self.days(first, last)]).to_pandas()
        frame["amount"] = frame["amount"].astype("float64")
        return frame

    def frauds(self, first: date, last: date) -> pd.DataFrame:
        """The truth: ``tx_id`` and ``scenario`` of every fraud among the payments of some days."""
        return pd.concat([_truth(simulate(self, day)) for day in self.days(first, last)], ignore_index=True)

    def chargebacks(self, first: date, last: date) -> pd.DataFrame:
        """Reports that arrive on some days, in the order of arrival.

        A fraud is reported once: 98 of 100 between one and six days after the day of the payment, so that a
        week later it is known; the rest 8 … 20 days after it, when the payment already counts as genuine.

        Returns
        -------
        pandas.DataFrame
            ``transaction_id``, ``reported_at`` (UTC, to the second), ``label`` (always 1).
        """
        self.days(first, last)
        earliest = max(self.start, first - LONGEST_REPORT)
        return arriving([reports_of(self, day) for day in self.days(earliest, last)], first, last)


@dataclass(frozen=True, eq=False)
class Day:
    """One simulated day."""

    day: date
    people: Population
    payments: Payments
    no_country: np.ndarray
    """Payments whose country is missing."""

    def ids(self, numbers: np.ndarray) -> pa.Array:
        """Transaction ids: ``C``, the day, and the payment's number within it."""
        return transaction_ids("C", self.day, numbers)

    def table(self) -> pa.Table:
        """The payments under the feed's column names; amounts are exact decimals."""
        payments, customers, terminals = self.payments, self.people.customers, self.people.terminals
        customer = pa.array(self.people.card_owner[payments.card])
        terminal = pa.array(payments.terminal)
        countries = terminals.countries.take(terminal)
        columns = (
            self.ids(np.arange(len(payments))),
            timestamps(self.day, payments.second),
            _decimals(payments.minor),
            customers.currencies.take(customer),
            customers.ids.take(customer),
            terminals.ids.take(terminal),
            self.people.card_numbers.take(pa.array(payments.card)),
            customers.names.take(customer),
            pc.if_else(pa.array(self.no_country), pa.scalar(None, pa.string()), countries),
            pa.array([kind.text for kind in Channel]).take(pa.array(payments.channel)),
        )
        return pa.table(dict(zip(PAYMENT_COLUMNS, columns, strict=True)))


def simulate(world: World, day: date) -> Day:
    """What happens on one day; needs no other day."""
    seed, people = world.seed, world.population
    batches = [genuine(seed, people, day), fraud.high_amounts(seed, people, day)]
    batches.append(fraud.stolen_cards(seed, people, day))
    if day >= world.late_fraud_start:
        batches.append(fraud.card_testing(seed, people, day))
    payments = fraud.compromise(seed, people, joined(batches), day)
    rng = stream(seed, Purpose.MISSING_COUNTRIES, day)
    return Day(day, people, payments, rng.random(len(payments)) < _MISSING_COUNTRY)


@lru_cache(maxsize=4096)
def reports_of(world: World, day: date) -> pd.DataFrame:
    """The reports, whenever they arrive, of the frauds of one day."""
    return reports(world, simulate(world, day))


def reports(world: World, simulated: Day) -> pd.DataFrame:
    """The reports, whenever they arrive, of the frauds of a simulated day."""
    rng = stream(world.seed, Purpose.CHARGEBACKS, simulated.day)
    numbers = np.flatnonzero(simulated.payments.scenario)
    size = len(numbers)
    # Whole days after the payment's day, so that a report of the sixth day is known when a week has passed.
    days = rng.choice(_REPORT_DAYS, p=_REPORT_SHARES, size=size)
    late = rng.integers(_LATE_DAYS[0], _LATE_DAYS[1] + 1, size=size)
    days = np.where(rng.random(size) < _LATE_SHARE, late, days)
    office_hours = rng.integers(8 * _HOUR, 18 * _HOUR, size=size)
    seconds = days * 24 * _HOUR + office_hours
    columns = (simulated.ids(numbers), timestamps(simulated.day, seconds), np.ones(size, dtype=np.int64))
    return pa.table(dict(zip(CHARGEBACK_COLUMNS, columns, strict=True))).to_pandas()


def _truth(simulated: Day) -> pd.DataFrame:
    numbers = np.flatnonzero(simulated.payments.scenario)
    names = pa.array(["", *(scenario.text for scenario in Scenario)])
    scenario = names.take(pa.array(simulated.payments.scenario[numbers]))
    return pa.table({"tx_id": simulated.ids(numbers), "scenario": scenario}).to_pandas()


def _decimals(minor: np.ndarray) -> pa.Array:
    """Hundredths as exact decimals with two places."""
    words = np.column_stack([minor, minor >> 63]).astype("<i8")
    return pa.Array.from_buffers(pa.decimal128(14, 2), len(minor), [None, pa.py_buffer(words)])
