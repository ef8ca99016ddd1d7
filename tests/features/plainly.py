"""What each aggregate means, written down as plainly as can be: scan all rows for one value."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa

MISSING = math.nan


@dataclass(frozen=True)
class Payment:
    id: str
    time: datetime
    amount: int
    entity: tuple[str, ...] | None
    """None where a part of it is missing."""
    other: str | None = None


@dataclass(frozen=True)
class Change:
    """A payment begins to count as fraud, or no longer does."""

    payment: Payment
    effective: datetime
    fraud: bool


@dataclass(frozen=True)
class Moment:
    """A row, and everything before and after it. The definitions below must take what lies before by themselves."""

    number: int
    all: list[Payment]
    changes: list[Change]
    window: timedelta
    delay: timedelta

    @property
    def this(self) -> Payment:
        return self.all[self.number]

    @property
    def payments(self) -> list[Payment]:
        return [p for p in self.all[: self.number + 1] if self._mine(p) and p.time > self.this.time - self.window]

    @property
    def earlier(self) -> list[Payment]:
        return self.payments[:-1]

    @property
    def matured(self) -> list[Payment]:
        if not self.delay:
            return self.earlier
        end = self.this.time - self.delay
        return [p for p in self.all if self._mine(p) and end - self.window < p.time <= end]

    @property
    def reports(self) -> list[Change]:
        return [c for c in self.changes if self._mine(c.payment) and self._in_window(c)]

    @property
    def frauds(self) -> list[Change]:
        """The change that made each payment a fraud, where none had unmade it by now."""
        last: dict[str, Change] = {}
        for change in self.changes:
            if self._mine(change.payment) and self._by_now(change):
                last[change.payment.id] = change
        return [change for change in last.values() if change.fraud and self._in_window(change)]

    def everyone(self) -> Moment:
        """The same row, with nobody told from anybody else."""
        alike = [replace(p, entity=("all",)) for p in self.all]
        changes = [replace(c, payment=replace(c.payment, entity=("all",))) for c in self.changes]
        return replace(self, all=alike, changes=changes)

    def of_all_time(self) -> Moment:
        """The same row, with a window that has everything in it."""
        return replace(self, window=timedelta(days=100_000))

    def of(self, payment: Payment) -> Moment:
        return replace(self, number=self.all.index(payment))

    def seconds(self, before: datetime) -> float:
        return (self.this.time - before).total_seconds()

    def _mine(self, payment: Payment) -> bool:
        return payment.entity == self.this.entity

    def _by_now(self, change: Change) -> bool:
        # Without a delay a payment's own label would count at its own moment: it counts just after.
        return change.effective <= self.this.time if self.delay else change.effective < self.this.time

    def _in_window(self, change: Change) -> bool:
        begin = self.this.time - self.window
        return self._by_now(change) and (change.effective > begin if self.delay else change.effective >= begin)


def amounts(payments: list[Payment]) -> list[int]:
    return [payment.amount for payment in payments]


def ratio(m: Moment) -> float:
    earlier = amounts(m.earlier)
    return m.this.amount / statistics.mean(earlier) if earlier and sum(earlier) > 0 else MISSING


def z(m: Moment) -> float:
    earlier = amounts(m.earlier)
    if len(earlier) < 2:
        return MISSING
    mean = statistics.mean(earlier)
    deviation = max(statistics.stdev(earlier), abs(mean) / 100)
    return (m.this.amount - mean) / deviation if deviation > 0 else MISSING


def share(payments: list[Payment], which: Callable[[Payment], bool]) -> float:
    return sum(map(which, payments)) / len(payments) if payments else MISSING


def fraud_count(m: Moment) -> int:
    return sum(1 if change.fraud else -1 for change in m.reports)


def fraud_amount(m: Moment) -> int:
    return sum(change.payment.amount * (1 if change.fraud else -1) for change in m.reports)


def fraud_rate(m: Moment) -> float:
    return fraud_count(m) / max(len(m.matured), 1)


def fraud_streak(m: Moment) -> list[Payment]:
    """Those of the payments whose label is due that come after the last one which is not known to be fraud."""
    known = {change.payment.id for change in m.of_all_time().frauds}
    streak: list[Payment] = []
    for payment in m.matured if m.delay else [p for p in m.earlier if p.time < m.this.time]:
        streak = [*streak, payment] if payment.id in known else []
    return streak


PLAINLY: dict[str, Callable[[Moment], float]] = {
    "count": lambda m: len(m.payments),
    "matured_count": lambda m: len(m.matured),
    "distinct": lambda m: len({p.other for p in m.payments if p.other is not None}),
    "night_share": lambda m: share(m.earlier, lambda p: p.time.hour <= 6),
    "weekend_share": lambda m: share(m.earlier, lambda p: p.time.isoweekday() >= 6),
    "amount_sum": lambda m: sum(amounts(m.payments)) / 100,
    "amount_mean": lambda m: statistics.mean(amounts(m.payments)) / 100,
    "amount_std": lambda m: statistics.stdev(amounts(m.payments)) / 100 if len(m.payments) > 1 else MISSING,
    "amount_max": lambda m: max(amounts(m.payments)) / 100,
    "amount_min": lambda m: min(amounts(m.payments)) / 100,
    "amount_ratio": ratio,
    "amount_z": z,
    "large_count": lambda m: sum(ratio(m.of(payment)) > 3 for payment in m.payments),
    "seconds_since_last": lambda m: m.seconds(m.earlier[-1].time) if m.earlier else MISSING,
    "seconds_since_first": lambda m: m.seconds(m.payments[0].time),
    "is_new": lambda m: not m.earlier,
    "fraud_count": fraud_count,
    "fraud_rate": fraud_rate,
    "fraud_rate_smoothed": lambda m: (fraud_count(m) + 20 * fraud_rate(m.everyone())) / (len(m.matured) + 20),
    "fraud_amount_share": lambda m: (
        fraud_amount(m) / sum(amounts(m.matured)) if sum(amounts(m.matured)) > 0 else MISSING
    ),
    "seconds_since_fraud": lambda m: m.seconds(max(c.payment.time for c in m.frauds)) if m.frauds else MISSING,
    "fraud_streak": lambda m: len(fraud_streak(m)),
    "seconds_since_fraud_streak": lambda m: m.seconds(fraud_streak(m)[0].time) if fraud_streak(m) else MISSING,
    "seconds_since_fraud_report": lambda m: m.seconds(max(c.effective for c in m.frauds)) if m.frauds else MISSING,
}
"""Aggregate → its meaning. Money is in units of the currency, a hundred minor ones."""


def payments_of(history: pa.Table, columns: list[str], other: str | None) -> list[Payment]:
    """Rows of a table, as one kind of entity has them."""
    found = []
    for row in history.to_pylist():
        named = tuple(row[column] for column in columns)
        entity = None if None in named else named
        found.append(
            Payment(
                row["transaction_id"], row["event_time"], row["amount_minor"], entity, row[other] if other else None
            )
        )
    return found


def changes_of(known: pd.DataFrame, payments: list[Payment], delay: timedelta) -> list[Change]:
    """What reports change, each from the moment on which it counts; what came two delays late counts no more."""
    by_id = {payment.id: payment for payment in payments}
    state: dict[str, bool] = {}
    found = []
    for said in known.itertuples():
        payment = by_id.get(said.transaction_id)
        # Whoever cannot say what it was does not say that it was fraud.
        fraud = not pd.isna(said.label) and bool(said.label)
        if payment is None or fraud == state.get(payment.id, False):
            continue
        state[payment.id] = fraud
        if said.known_at <= payment.time + 2 * delay:
            found.append(Change(payment, max(payment.time + delay, said.known_at), fraud))
    return found
