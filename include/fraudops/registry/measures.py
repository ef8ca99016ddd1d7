"""The numbers that the gates look at, from held-out rows and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fraudops.evaluation.bootstrap import paired_bootstrap, ranking_intervals
from fraudops.evaluation.ranking import Ranking, average_precision, caught_at
from fraudops.portfolio import Portfolio
from fraudops.registry.gates import Estimate

if TYPE_CHECKING:
    import pandas as pd


def labels(frame: pd.DataFrame) -> np.ndarray:
    """True where a row is a fraud."""
    return frame["label"].to_numpy(dtype=bool)


def estimate(frame: pd.DataFrame, score: np.ndarray, *, k: int, seed: int) -> Estimate | None:
    """Average precision with its interval; None where there is no fraud."""
    value = average_precision(labels(frame), score)
    interval = ranking_intervals(labels(frame), score, k=k, seed=seed).average_precision
    if value is None or interval is None:
        return None
    return Estimate(value, interval.low, interval.high)


def difference(portfolio: Portfolio, frame: pd.DataFrame, score: np.ndarray, other: np.ndarray) -> Estimate | None:
    """Average precision less that of other scores of the same rows; None without frauds or without others.

    Whole days are drawn where there are enough of them, else whole entities where the rows name them: the
    payments of a compromised terminal or a stolen card stand or fall together.
    """
    entity = next((column for column in portfolio.entities.values() if column in frame.columns), None)
    found = paired_bootstrap(
        labels(frame),
        score,
        other,
        days=frame["event_time"].dt.floor("D").to_numpy(),
        entities=frame[entity].to_numpy() if entity else None,
        seed=portfolio.training.seed,
    )
    return Estimate(found.difference, found.low, found.high) if found else None


def precision_at(frame: pd.DataFrame, score: np.ndarray, k: int) -> float:
    """Share of frauds among the k highest scores; frauds at a tied last place count in proportion."""
    ranking = Ranking.of(labels(frame), score)
    return float(caught_at(ranking.positives[None, :], ranking.negatives[None, :], k)[0]) / k
