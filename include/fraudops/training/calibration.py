"""From an estimator's raw output to a probability, learned on rows that the estimator has not seen.

Every calibration keeps the ranking strictly, so that average precision is the same before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

ENOUGH_FOR_ISOTONIC = 1_000
"""Frauds from which on an isotonic curve is safe; with fewer it learns noise."""
_EDGE = 1e-9
"""Raw probabilities are moved this far inwards, since the log-odds of 0 and 1 are infinite."""
_FLATTEST = 1e-3
"""A slope below it says that the estimator's order means nothing on these rows."""
_BLEND = 1e-3
"""Weight of the sigmoid under an isotonic curve: keeps the order within its steps."""


@dataclass(frozen=True)
class Sigmoid:
    """Platt's calibration on the log-odds: ``1 / (1 + exp(-(slope × log-odds + intercept)))``.

    Attributes
    ----------
    edge
        How far raw probabilities are moved inwards from 0 and 1. A forest says 0 where it means "less than one
        vote of all": an edge of half a vote keeps such rows from stretching the curve.
    """

    slope: float
    intercept: float
    edge: float = _EDGE

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of raw ones."""
        return _sigmoid(self.slope * log_odds(raw, self.edge) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"method": "sigmoid", "slope": self.slope, "intercept": self.intercept, "edge": self.edge}


@dataclass(frozen=True, eq=False)
class Isotonic:
    """An increasing curve through the observed rates, with a trace of the sigmoid to keep ties apart.

    Attributes
    ----------
    raw, probability
        Corners of the curve.
    """

    raw: np.ndarray
    probability: np.ndarray
    sigmoid: Sigmoid

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of raw ones."""
        curve = np.interp(raw, self.raw, self.probability)
        return (1 - _BLEND) * curve + _BLEND * self.sigmoid.apply(raw)

    @property
    def edge(self) -> float:
        """How far raw probabilities are moved inwards from 0 and 1."""
        return self.sigmoid.edge

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"method": "isotonic", "corners": len(self.raw), "blend": _BLEND}


Calibration = Sigmoid | Isotonic


def calibrate(label: np.ndarray, raw: np.ndarray, weight: np.ndarray | None = None) -> Calibration:
    """Learn a calibration: isotonic with 1,000 frauds or more, sigmoid with fewer.

    Parameters
    ----------
    label
        True for fraud; both kinds must occur.
    raw
        The estimator's probabilities of these rows, which it must not have learned from.
    weight
        How many transactions each row stands for; absent: itself.
    """
    label, raw = np.asarray(label, dtype=bool), np.asarray(raw, dtype=np.float64)
    sigmoid = fit_sigmoid(label, raw, weight)
    if label.sum() < ENOUGH_FOR_ISOTONIC:
        return sigmoid
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    curve.fit(raw, label.astype(np.float64), sample_weight=weight)
    return Isotonic(
        np.asarray(curve.X_thresholds_, dtype=np.float64),
        np.asarray(curve.y_thresholds_, dtype=np.float64),
        sigmoid,
    )


def fit_sigmoid(label: np.ndarray, raw: np.ndarray, weight: np.ndarray | None = None) -> Sigmoid:
    """Platt's fit: maximum likelihood with targets drawn in a little, so that few frauds give no certainty.

    Where the rows contradict the estimator (a falling curve) only the level is fitted: a calibration never
    turns the ranking around.

    References
    ----------
    Lin, Lin and Weng (2007), A note on Platt's probabilistic outputs for support vector machines.
    """
    edge = _edge(raw)
    odds = log_odds(raw, edge)
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=np.float64)
    n_positive, n_negative = int(label.sum()), int((~label).sum())
    target = np.where(label, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    level = float(np.log((weight[label].sum() + 1) / (weight[~label].sum() + 1)))
    # In units of its own spread the curve is found in a few steps, from "everything at the average rate".
    middle, spread = float(odds.mean()), float(odds.std())
    if spread > 0:
        slope, intercept = _newton((odds - middle) / spread, target, weight, np.array([0.0, level]))
        if slope / spread > _FLATTEST:
            return Sigmoid(float(slope / spread), float(intercept - slope * middle / spread), edge)
    return Sigmoid(1.0, _level(odds, weight, float((weight * target).sum())), edge)


def log_odds(raw: np.ndarray, edge: float = _EDGE) -> np.ndarray:
    """Log-odds of probabilities, finite even for 0 and 1."""
    raw = np.asarray(raw, dtype=np.float64)
    return np.log(raw + edge) - np.log1p(edge - raw)


def _edge(raw: np.ndarray) -> float:
    """Half the smallest probability that is not 0, where 0 occurs."""
    if raw.min() > 0 or not raw.max() > 0:
        return _EDGE
    return max(float(raw[raw > 0].min()) / 2, _EDGE)


def _newton(
    odds: np.ndarray, target: np.ndarray, weight: np.ndarray, start: np.ndarray, rounds: int = 200
) -> np.ndarray:
    """Slope and intercept of the least cross-entropy, by Newton's method with Levenberg's damping.

    Where nearly all probabilities are 0 or 1 the curvature says next to nothing; the damping grows until a step
    improves, and shrinks again while steps do.
    """
    found, loss, damping = start, _cross_entropy(odds, target, weight, start), 1e-3
    for _ in range(rounds):
        probability = _sigmoid(found[0] * odds + found[1])
        error, bend = weight * (probability - target), weight * probability * (1 - probability)
        gradient = np.array([np.dot(error, odds), error.sum()])
        mixed = np.dot(bend, odds)
        curvature = np.array([[np.dot(bend, odds * odds), mixed], [mixed, bend.sum()]])
        tried = found - np.linalg.solve(curvature + damping * np.eye(2), gradient)
        new = _cross_entropy(odds, target, weight, tried)
        if new > loss:
            damping *= 10
            continue
        gained, found, loss, damping = loss - new, tried, new, max(damping / 10, 1e-9)
        if gained < 1e-12 * max(1.0, loss):
            break
    return found


def _level(odds: np.ndarray, weight: np.ndarray, expected: float) -> float:
    """Intercept at which the probabilities add up to what is expected: found by halving."""
    low, high = -60.0 - float(odds.max()), 60.0 - float(odds.min())
    for _ in range(200):
        middle = (low + high) / 2
        if (weight * _sigmoid(odds + middle)).sum() < expected:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _cross_entropy(odds: np.ndarray, target: np.ndarray, weight: np.ndarray, curve: np.ndarray) -> float:
    margin = curve[0] * odds + curve[1]
    return float((weight * (np.logaddexp(0.0, margin) - target * margin)).sum())


def _sigmoid(margin: np.ndarray) -> np.ndarray:
    # Written with the smaller exponential, so that nothing overflows and small probabilities stay distinct.
    small = np.exp(-np.abs(margin))
    return np.where(margin >= 0, 1.0, small) / (1.0 + small)
