"""How sure a number is: intervals by resampling, and the paired comparison of two models.

A test slice with 75 frauds leaves an average precision uncertain by about ±0.06; a number without its interval
would claim more than is known.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudops.evaluation import paired
from fraudops.evaluation.paired import Blocks
from fraudops.evaluation.ranking import Ranking, average_precisions, caught_at, roc_aucs
from fraudops.evaluation.resampling import Interval, batches, percentiles

RESAMPLES = 400
CONFIDENCE = 0.95


@dataclass(frozen=True)
class RankingIntervals:
    """Intervals of the numbers that depend on the ranking; None where there is nothing to resample."""

    average_precision: Interval | None
    roc_auc: Interval | None
    precision_at_k: Interval | None
    recall_at_k: Interval | None


@dataclass(frozen=True)
class PairedDifference:
    """Average precision of one model minus another's on the same transactions.

    Attributes
    ----------
    difference, low, high
        The difference and its interval.
    better
        Share of resamples in which the first model was better; equal ones count half.
    unit
        What was drawn: ``day``, ``entity`` or ``row``.
    units
        How many of them there were.
    """

    difference: float
    low: float
    high: float
    better: float
    unit: str
    units: int
    n: int
    positives: int
    resamples: int
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def ranking_intervals(
    label: np.ndarray, score: np.ndarray, *, k: int, seed: int, resamples: int = RESAMPLES
) -> RankingIntervals:
    """Percentile intervals of average precision, ROC AUC, precision@k and recall@k by drawing rows anew.

    Rows between two frauds of the ranking are interchangeable, so that only their number is drawn: exactly
    the same distribution as drawing rows, at a cost that depends on the frauds alone.
    """
    ranking = Ranking.of(label, score).compressed()
    if not ranking.n_positives:
        return RankingIntervals(None, None, None, None)
    places = len(ranking.positives)
    chances = np.concatenate([ranking.positives, ranking.negatives]) / ranking.n
    random = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    for size in batches(resamples, 2 * places):
        drawn = random.multinomial(ranking.n, chances, size=size)
        positives, negatives = drawn[:, :places], drawn[:, places:]
        caught = caught_at(positives, negatives, k)
        total = positives.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = np.where(total > 0, caught / total, np.nan)
        found.append(
            np.stack(
                [
                    average_precisions(positives, negatives),
                    roc_aucs(positives, negatives),
                    caught / min(k, ranking.n),
                    recall,
                ]
            )
        )
    return RankingIntervals(*(percentiles(values, CONFIDENCE) for values in np.concatenate(found, axis=1)))


def paired_bootstrap(
    label: np.ndarray,
    score_a: np.ndarray,
    score_b: np.ndarray,
    *,
    days: np.ndarray | None = None,
    entities: np.ndarray | None = None,
    seed: int = 42,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> PairedDifference | None:
    """Average precision of ``a`` minus that of ``b``, with the interval of the difference.

    See :func:`fraudops.evaluation.paired.compare` for more than that.

    Parameters
    ----------
    label
        True for fraud, one per transaction.
    score_a, score_b
        The two models' scores of these transactions.
    days
        Day of each transaction; with at least 20 distinct ones whole days are drawn.
    entities
        Customer (or the like) of each transaction, drawn whole where there are too few days; a missing one
        stands for itself. Absent: rows are drawn.
    seed
        Of the draws: the same seed gives the same interval.

    Returns
    -------
    PairedDifference or None
        None where there is no fraud or nothing else.
    """
    blocks = Blocks(days, entities)
    found = paired.compare(label, score_a, score_b, k=1, blocks=blocks, seed=seed, resamples=resamples)
    if found is None:
        return None
    difference = found.average_precision
    interval = difference.interval(confidence)
    return PairedDifference(
        difference=difference.value,
        low=interval.low,
        high=interval.high,
        better=difference.better,
        unit=found.unit,
        units=found.units,
        n=found.n,
        positives=found.positives,
        resamples=resamples,
        confidence=confidence,
    )
