"""What a detector may look at, and how it says what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraudops.portfolio.iso import money_text
from fraudops.rules.history import History
from fraudops.rules.numbers import Numbers
from fraudops.rules.persons import PersonDays, by_person
from fraudops.rules.rows import Ints, Rows

Span = int | str | tuple[str, int]
"""A number of days; or the name of the rule's number that says it (unit days, hours or minutes), or how often that."""


@dataclass(frozen=True)
class Needs:
    """What a detector looks at; nothing else is read for it.

    Attributes
    ----------
    transactions
        Whether it looks at the partition's transactions at all.
    rows
        How far before the partition it needs transactions, of accounts that are active in it. Whole days are read for
        that: keep it to some weeks. With a function ``suspects(inputs, numbers)`` the detector names the accounts (a
        mask by their code) that are worth it; that function sees the partition alone, and the history, of which it
        should ask the days just before alone. ``unusual(inputs, numbers, suspects)`` then says which of these do more
        than usual: it sees the history of suspects, which is read once for all rules. Of past rows
        customer, branch, country, channel and on whose behalf are left out.
    cash
        How far back it needs cash transactions of the persons who have some in the partition.
    history
        How far back it needs sums by partition, of its suspects and of persons with cash; much cheaper than ``rows``.
    customers, identities, watchlist, frauds
        The customers' data; their names (protected); the list in force; what is known to be fraud.
    """

    transactions: bool = True
    rows: Span = 0
    cash: Span = 0
    history: Span = 0
    customers: bool = False
    identities: bool = False
    watchlist: bool = False
    frauds: bool = False

    def days(self, of: str, numbers: Numbers) -> int:
        """A span in days, by the numbers in force, rounded up."""
        span = getattr(self, of)
        if isinstance(span, int):
            return span
        name, times = (span, 1) if isinstance(span, str) else span
        per_day = {"days": 1, "hours": 24, "minutes": 1440}[numbers.rule.numbers[name].unit]
        return -(-numbers.whole(name) * times // per_day)


class BusinessDays(Protocol):
    """The business days of a jurisdiction, as far as its holidays are known (:mod:`fraudops.rules.calendar`)."""

    def business_days(self, moments: Ints) -> NDArray[np.datetime64]:
        """Business day (``datetime64[D]``) that each moment (µs since 1970, UTC) counts for."""
        ...


@dataclass(frozen=True)
class Before:
    """What was known at the end of the partition before: what has become so since is a finding, the rest was one.

    Attributes
    ----------
    day
        The date of that partition, whose numbers were in force.
    as_of
        Its end.
    customers, identities, watchlist
        As :class:`Inputs` has them now.
    """

    day: date
    as_of: datetime
    customers: pa.Table | None = None
    identities: pa.Table | None = None
    watchlist: pa.Table | None = None


@dataclass(frozen=True)
class Record:
    """A stretch of the past, µs since 1970; ``known`` µs of it are on record, 0 where that is less than a window."""

    since: int
    until: int
    known: int


@dataclass(frozen=True)
class Inputs:
    """All that a detector may look at: what was known at the end of a partition.

    Attributes
    ----------
    key, start, as_of
        The partition, its first moment, and its end: what became known later is not here.
    currency, digits
        In which amounts are compared (``Rows.base``), and how many digits its minor unit has.
    calendar
        Business days.
    transactions
        Of the partition (``current``), and of the days before it those of accounts that the rule needs.
    cash
        Cash transactions of the partition, and of the days before it those of persons who have some in it.
    history
        What accounts did before.
    customers, identities, watchlist, holidays
        As :mod:`fraudops.reference` gives them as of ``as_of``; None where the rule did not ask for it.
    frauds
        ``transaction_id`` of transactions that were known to be fraud; None where the rule did not ask.
    before
        What was known at the end of the partition before this one; None where this is the first.
    """

    key: str
    start: datetime
    as_of: datetime
    currency: str
    digits: int
    calendar: BusinessDays
    transactions: Rows
    cash: Rows
    history: History
    customers: pa.Table | None = None
    identities: pa.Table | None = None
    watchlist: pa.Table | None = None
    holidays: pa.Table | None = None
    frauds: pa.Array | None = None
    before: Before | None = None

    @cached_property
    def businesses(self) -> frozenset[str]:
        """Ids of the customers that are businesses; empty where the rule did not ask for customers."""
        if self.customers is None:
            return frozenset()
        known = self.customers.filter(pc.equal(self.customers["kind"], "business"))
        return frozenset(known["customer_id"].to_pylist())

    @cached_property
    def cash_by_person(self) -> PersonDays:
        """:attr:`cash` by the persons it counts for and the business day."""
        return by_person(self.cash, self.calendar.business_days(self.cash.times))

    @property
    def day(self) -> date:
        """The partition's date, whose numbers are in force."""
        return self.start.date()

    @property
    def start_us(self) -> int:
        """First moment of the partition, µs since 1970."""
        return round(self.start.timestamp()) * 1_000_000

    def record_before(self, window: int, long: int) -> Record:
        """The record by which it is told what is usual in a window (both in µs): so long, without the window itself."""
        until, since = self.start_us - window, self.start_us - long
        known = until - max(since, self.history.begins)
        return Record(since, until, known if known >= window else 0)

    def customer(self, of: str | None, column: str) -> Any:
        """What is on file about a customer; None where nothing is, or where the rule did not ask for customers."""
        if self.customers is None or of is None:
            return None
        place = pc.index(self.customers["customer_id"], of).as_py()
        return self.customers[column][place].as_py() if place >= 0 else None

    def money(self, minor: int) -> str:
        """An amount to read: ``12,345.00 USD``."""
        return money_text(int(minor), self.digits, self.currency)
