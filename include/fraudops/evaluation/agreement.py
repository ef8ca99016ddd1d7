"""Whether probabilities keep their promises: frauds that happened against frauds that were expected.

Intervals allow for transactions of one day or one entity that stand or fall together (cluster-robust variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudops.evaluation.paired import CONFIDENCE, ROWS, Blocks
from fraudops.evaluation.resampling import Interval, standard_errors, units_of

_EXTREME = 1e-5
"""Probabilities are held this far from 0 and 1: beyond it their logarithms say nothing."""
_ROUNDS, _HALVINGS = 50, 20
_SINGULAR = 1e12


@dataclass(frozen=True)
class Agreement:
    """What was promised and what happened.

    Attributes
    ----------
    expected, observed
        Sum of the probabilities, and number of frauds.
    ratio
        Observed over expected, with ``ratio_interval``; 1 where the promise is kept, None without frauds.
    slope
        Of the log-odds of fraud on the log-odds that were promised: below 1 where scores are too extreme, above 1
        where they are too timid; None where it cannot be told.
    """

    expected: float
    observed: float
    ratio: float | None
    ratio_interval: Interval | None
    slope: float | None
    slope_interval: Interval | None


def agreement(
    label: np.ndarray,
    score: np.ndarray,
    *,
    blocks: Blocks = ROWS,
    weight: np.ndarray | None = None,
    confidence: float = CONFIDENCE,
) -> Agreement:
    """Compare probabilities with what happened.

    Parameters
    ----------
    label
        True for fraud.
    score
        Calibrated probability of fraud.
    blocks
        What stands or falls together.
    weight
        How many transactions each one stands for; absent: itself.

    References
    ----------
    Cox (1958), Two further applications of a model for binary regression: slope of the recalibration.
    """
    label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=np.float64)
    expected, observed = float(weight @ score), float(weight @ label)
    if not observed or not expected or label.all():
        return Agreement(expected, observed, None, None, None, None)
    units = units_of(len(label), blocks.days, blocks.entities, [np.arange(len(label))])
    reach = standard_errors(confidence, units.holding(label))
    ratio = observed / expected
    error = reach * _error_of_sum(weight * (label - ratio * score), units.codes) / observed
    within = Interval(ratio * float(np.exp(-error)), ratio * float(np.exp(error)))
    slope, slope_error = _slope(label, score, weight, units.codes)
    if slope is None:
        return Agreement(expected, observed, ratio, within, None, None)
    around = Interval(slope - reach * slope_error, slope + reach * slope_error)
    return Agreement(expected, observed, ratio, within, slope, around)


def _slope(label: np.ndarray, score: np.ndarray, weight: np.ndarray, codes: np.ndarray) -> tuple[float | None, float]:
    """Slope and its standard error, by logistic regression on the log-odds."""
    held = np.clip(score, _EXTREME, 1 - _EXTREME)
    odds = np.log(held / (1 - held))
    if np.ptp(odds) == 0:
        return None, 0.0
    design = np.stack([np.ones(len(odds)), odds])
    rate = np.average(label, weights=weight)
    found = np.array([np.log(rate / (1 - rate)), 0.0])
    for _ in range(_ROUNDS):
        probability = _probability(found, design)
        information = (design * (weight * probability * (1 - probability))) @ design.T
        if np.linalg.cond(information) > _SINGULAR:
            return None, 0.0  # the scores part frauds from the rest without a mistake
        step = np.linalg.solve(information, design @ (weight * (label - probability)))
        found = found + _shortened(found, step, design, label, weight)
        if np.abs(step).max() < 1e-8:
            break
    else:
        return None, 0.0
    spread = np.stack([np.bincount(codes, weights=row * weight * (label - probability)) for row in design])
    inverse = np.linalg.inv(information)
    return float(found[1]), float(np.sqrt((inverse @ (spread @ spread.T) @ inverse)[1, 1]))


def _probability(found: np.ndarray, design: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(found @ design, -40, 40)))


def _shortened(
    found: np.ndarray, step: np.ndarray, design: np.ndarray, label: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Newton's step, halved until it leads uphill: from scores that are far too extreme a whole one leads astray."""
    before = _likelihood(found, design, label, weight)
    for _ in range(_HALVINGS):
        if _likelihood(found + step, design, label, weight) >= before:
            break
        step = step / 2
    return step


def _likelihood(found: np.ndarray, design: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    margin = found @ design
    return float(weight @ (label * margin - np.logaddexp(0.0, margin)))


def _error_of_sum(values: np.ndarray, codes: np.ndarray) -> float:
    """Standard error of a sum whose terms are independent between units only."""
    return float(np.sqrt(np.square(np.bincount(codes, weights=values)).sum()))
