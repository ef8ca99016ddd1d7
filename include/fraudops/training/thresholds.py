"""Where scores become decisions: thresholds that the policy implies on the selection slice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudops.evaluation.metrics import alert_budget
from fraudops.evaluation.ranking import Ranking
from fraudops.portfolio import Policy

ALLOW, REVIEW, BLOCK = "allow", "review", "block"


@dataclass(frozen=True)
class Thresholds:
    """Scores from which on a transaction is reviewed, and blocked.

    Attributes
    ----------
    review
        A score at or above it is reviewed at least.
    block
        A score at or above it is blocked; None: nothing is. Never below ``review``.
    alerts_per_day
        How many the review threshold raised per day on the selection slice.
    block_precision, block_rows
        Share of fraud at or above the block threshold on the selection slice, and how many rows lie there.
    """

    review: float
    block: float | None
    alerts_per_day: float
    block_precision: float | None
    block_rows: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def choose(label: np.ndarray, score: np.ndarray, *, days: float, policy: Policy) -> Thresholds:
    """Thresholds by a portfolio's policy.

    Parameters
    ----------
    label, score
        Of the selection slice: true for fraud, calibrated probability.
    days
        Time that the slice covers.
    policy
        Alert budget, and the precision from which on blocking is right.
    """
    ranking = Ranking.of(label, score)
    budget = alert_budget(policy.alerts_per_day, days, ranking.n)
    # The budget is a limit: equal scores at its edge are left out together, unless nothing would remain.
    place = max(int(np.searchsorted(ranking.flagged, budget, side="right")) - 1, 0)
    review = float(ranking.scores[place])
    block = _block(ranking, policy, review)
    at_block = ranking.scores >= block if block is not None else np.zeros(len(ranking.scores), dtype=bool)
    rows = int((ranking.positives + ranking.negatives)[at_block].sum())
    return Thresholds(
        review=review,
        block=block,
        alerts_per_day=float(ranking.flagged[place] / days) if days > 0 else float(ranking.flagged[place]),
        block_precision=float(ranking.positives[at_block].sum() / rows) if rows else None,
        block_rows=rows,
    )


def decide(score: np.ndarray, review: float, block: float | None) -> np.ndarray:
    """``allow``, ``review`` or ``block`` for each score."""
    decision = np.where(score >= review, REVIEW, ALLOW).astype(object)
    if block is not None:
        decision[score >= block] = BLOCK
    return decision


def _block(ranking: Ranking, policy: Policy, review: float) -> float | None:
    precision, _ = ranking.precision_recall()
    good = (precision >= policy.block_precision) & (ranking.flagged >= policy.block_minimum)
    if not good.any():
        return None
    return max(float(ranking.scores[np.flatnonzero(good)[-1]]), review)
