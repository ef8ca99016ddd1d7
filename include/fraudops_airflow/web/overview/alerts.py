"""How many alerts the last partitions raised, against the budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fraudops.database import Alert
from fraudops.portfolio import Portfolio
from sqlalchemy import func, select
from sqlalchemy.orm import Session

SHOWN_PARTITIONS = 30
"""Bars in the chart of alerts."""


@dataclass(frozen=True)
class DayAlerts:
    """Alerts of one scored partition, by decision."""

    key: str
    review: int
    block: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.review + self.block


@dataclass(frozen=True)
class Volume:
    """Alerts of the last scored partitions.

    Attributes
    ----------
    days
        In the order of time, those without an alert included: a zero is a finding too.
    budget
        Alerts that a partition may bring by the policy.
    """

    days: tuple[DayAlerts, ...]
    budget: float

    @property
    def total(self) -> int:
        """Alerts of all these partitions."""
        return sum(day.total for day in self.days)

    @property
    def over(self) -> int:
        """Partitions that brought more than the budget."""
        return sum(day.total > self.budget for day in self.days)

    @property
    def highest(self) -> float:
        """Where the chart ends: the most alerts of a partition, or the budget."""
        return max([self.budget, 1.0, *(day.total for day in self.days)])


def volume(session: Session, portfolio: Portfolio, scored: Sequence[str]) -> Volume:
    """Alerts of the newest scored partitions."""
    shown = list(scored[-SHOWN_PARTITIONS:])
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for key, decision, count in session.execute(
        select(Alert.partition_key, Alert.decision, func.count())
        .where(Alert.portfolio == portfolio.name, Alert.partition_key.in_(shown))
        .group_by(Alert.partition_key, Alert.decision)
    ):
        counts[key][decision] = count
    days = (DayAlerts(key, counts[key].get("review", 0), counts[key].get("block", 0)) for key in shown)
    return Volume(tuple(days), portfolio.policy.alerts_per_day * portfolio.partition_hours / 24)
