"""Cost and savings of decisions on one slice, with intervals, and what the best threshold would have saved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from fraudops.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from fraudops.evaluation.costs import BLOCK, REVIEW, CostModel, RowCosts
from fraudops.evaluation.resampling import Interval, batches, percentiles


@dataclass(frozen=True)
class Money:
    """What decisions cost on a slice; amounts in minor units of the currency.

    Attributes
    ----------
    costs
        What it was reckoned with.
    cost, cost_interval
        As decided.
    cost_allowing, cost_blocking
        Had everything been allowed, had everything been blocked.
    savings, savings_interval
        ``1 − cost / min(cost_allowing, cost_blocking)``; None where doing without a model costs nothing.
    best_threshold, best_savings
        The review threshold that would have saved most, known only in hindsight and whatever its alerts: how much
        threshold and budget, rather than the model, leave to be gained.
    """

    costs: CostModel
    cost: int
    cost_interval: Interval | None
    cost_allowing: int
    cost_blocking: int
    savings: float | None
    savings_interval: Interval | None
    best_threshold: float | None
    best_savings: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "costs": asdict(self.costs),
            "cost": self.cost,
            "cost_interval": None if self.cost_interval is None else self.cost_interval.to_list(),
            "cost_allowing": self.cost_allowing,
            "cost_blocking": self.cost_blocking,
            "savings": self.savings,
            "savings_interval": None if self.savings_interval is None else self.savings_interval.to_list(),
            "best_threshold": self.best_threshold,
            "best_savings": self.best_savings,
        }


@dataclass(frozen=True, eq=False)
class CostCurve:
    """Cost when everything from a score on is reviewed, and from the block threshold on blocked.

    Attributes
    ----------
    scores
        Distinct scores, descending: the review threshold.
    flagged
        Transactions at or above each.
    cost
        Minor units, at each.
    """

    scores: np.ndarray
    flagged: np.ndarray
    cost: np.ndarray

    @classmethod
    def of(
        cls,
        label: np.ndarray,
        score: np.ndarray,
        amount_minor: np.ndarray,
        costs: CostModel,
        *,
        block: float | None = None,
    ) -> CostCurve:
        """The curve of some scores; what scores at or above ``block`` is blocked wherever the threshold lies."""
        label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
        flagged = np.full(len(label), REVIEW, dtype=object)
        if block is not None:
            flagged[score >= block] = BLOCK
        row = RowCosts.of(label, flagged, amount_minor, costs)
        distinct, place = np.unique(-score, return_inverse=True)
        change = np.bincount(place, weights=row.decided - row.allowing, minlength=len(distinct))
        n = np.bincount(place, minlength=len(distinct))
        return cls(-distinct, np.cumsum(n), row.allowing.sum() + np.cumsum(change))


def measure(
    label: np.ndarray,
    score: np.ndarray,
    decision: np.ndarray,
    amount_minor: np.ndarray,
    costs: CostModel,
    *,
    block: float | None = None,
    seed: int = 42,
    resamples: int = RESAMPLES,
) -> Money:
    """Measure decisions in money.

    Parameters
    ----------
    label
        True for fraud.
    score, decision
        Probability of fraud, and ``allow``, ``review`` or ``block``.
    amount_minor, costs
        Minor units.
    block
        Block threshold, for the best review threshold beside it.
    seed, resamples
        Of the intervals.
    """
    rows = RowCosts.of(label, decision, amount_minor, costs)
    savings = _number(rows.savings()[0])
    intervals = _intervals(rows, seed, resamples)
    threshold, cheapest = _best(label, score, amount_minor, costs, block)
    without = float(min(rows.allowing.sum(), rows.blocking.sum()))
    return Money(
        costs=costs,
        cost=round(float(rows.cost()[0])),
        cost_interval=intervals[0],
        cost_allowing=round(float(rows.allowing.sum())),
        cost_blocking=round(float(rows.blocking.sum())),
        savings=savings,
        savings_interval=None if savings is None else intervals[1],
        best_threshold=threshold,
        best_savings=None if savings is None or cheapest is None else 1 - cheapest / without,
    )


def _best(
    label: np.ndarray, score: np.ndarray, amount_minor: np.ndarray, costs: CostModel, block: float | None
) -> tuple[float | None, float | None]:
    if not len(label):
        return None, None
    curve = CostCurve.of(label, score, amount_minor, costs, block=block)
    at = int(np.argmin(curve.cost))
    return float(curve.scores[at]), float(curve.cost[at])


def _intervals(rows: RowCosts, seed: int, resamples: int) -> tuple[Interval | None, Interval | None]:
    """Of cost and savings, drawing rows anew.

    Rows of the same cost are interchangeable, so that only their numbers are drawn: genuine transactions, all
    but a few rows, have one cost for each decision.
    """
    if not len(rows.decided):
        return None, None
    alike = pd.DataFrame({"decided": rows.decided, "allowing": rows.allowing, "blocking": rows.blocking})
    counts = alike.groupby(list(alike.columns), sort=True).size()
    distinct = RowCosts(*(counts.index.get_level_values(name).to_numpy(np.float64) for name in alike.columns))
    n, random = len(alike), np.random.default_rng(seed)
    cost, savings = [], []
    for size in batches(resamples, len(counts)):
        drawn = random.multinomial(n, counts.to_numpy() / n, size=size)
        cost.append(distinct.cost(drawn))
        savings.append(distinct.savings(drawn))
    return percentiles(np.concatenate(cost), CONFIDENCE), percentiles(np.concatenate(savings), CONFIDENCE)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
