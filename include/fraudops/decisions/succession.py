"""Which model scores a partition, told from the promotions alone.

- A partition is scored by the champion that was in force at its end.
- One that ended before the first promotion is scored by the first champion, once there is one: until then it is
  *pending*.
- One that starts before the first champion's ``trained_until`` is *history*: the champion may have been trained on
  its rows, so a score would be look-ahead. It is never scored.

The answer for a partition never changes once it has been scored (a promotion dates itself after the last scored
partition), so a re-run uses the same model and gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from fraudops.database.models import ModelVersion
from fraudops.portfolio import Partitioning, Portfolio
from fraudops.registry.versions import history

Unscored = Literal["pending", "history"]


@dataclass(frozen=True)
class Reign:
    """A version, and the moment from which it is in force."""

    effective_from: datetime
    model: ModelVersion


@dataclass(frozen=True)
class Succession:
    """Every promotion and rollback of a portfolio, read at once: answers for any number of partitions.

    Attributes
    ----------
    reigns
        One per promotion or rollback, the newest first.
    """

    partitioning: Partitioning
    reigns: tuple[Reign, ...]

    @classmethod
    def read(cls, session: Session, portfolio: Portfolio) -> Succession:
        """As the database has it now."""
        records = history(session, portfolio.name)
        return cls(portfolio.partitioning, tuple(Reign(r.effective_from, r.model) for r in records))

    def model_for(self, key: str) -> ModelVersion | Unscored:
        """The version that scores a partition, or why none may."""
        if not self.reigns:
            return "pending"
        first = self.reigns[-1].model
        if self.partitioning.start(key) < first.trained_until:
            return "history"
        end = self.partitioning.end(key)
        return next((r.model for r in self.reigns if r.effective_from <= end), first)
