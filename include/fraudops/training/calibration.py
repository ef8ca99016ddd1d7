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
"""Raw probabilities of 0 and 1 are moved this far inwards: their log-odds are infinite."""
_BLEND = 1e-3
"""Weight of the sigmoid under an isotonic curve: keeps the order within its steps."""


@dataclass(frozen=True)
class Sigmoid:
    """Platt's calibration on the log-odds: ``1 / (1 + exp(-(slope × log-odds + intercept)))``."""

    slope: float
    intercept: float

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of raw ones."""
        return _sigmoid(self.slope * log_odds(raw) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"method": "sigmoid", "slope": self.slope, "intercept": self.intercept}


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

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"method": "isotonic", "corners": len(self.raw), "blend": _BLEND}


Calibration = Sigmoid | Isotonic


def calibrate(label: np.ndarray, raw: np.ndarray) -> Calibration:
    """Learn a calibration: isotonic with 1,000 frauds or more, sigmoid with fewer.

    Parameters
    ----------
    label
        True for fraud; both kinds must occur.
    raw
        The estimator's probabilities of these rows, which it must not have learned from.
    """
    label, raw = np.asarray(label, dtype=bool), np.asarray(raw, dtype=np.float64)
    sigmoid = fit_sigmoid(label, raw)
    if label.sum() < ENOUGH_FOR_ISOTONIC:
        return sigmoid
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, label.astype(np.float64))
    return Isotonic(
        np.asarray(curve.X_thresholds_, dtype=np.float64),
        np.asarray(curve.y_thresholds_, dtype=np.float64),
        sigmoid,
    )


def fit_sigmoid(label: np.ndarray, raw: np.ndarray, rounds: int = 100) -> Sigmoid:
    """Platt's fit: maximum likelihood with targets drawn in a little, so that few frauds give no certainty.

    Where the rows contradict the estimator (a falling curve) only the level is fitted: a calibration never
    turns the ranking around.
    """
    odds = log_odds(raw)
    n_positive, n_negative = label.sum(), (~label).sum()
    target = np.where(label, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    level = float(np.log((n_positive + 1) / (n_negative + 1)))
    slope, intercept = _newton(odds, target, 1.0, level - float(odds.mean()), rounds, both=True)
    if not slope > 1e-3:
        slope, intercept = _newton(odds, target, 1.0, level - float(odds.mean()), rounds, both=False)
    return Sigmoid(float(slope), float(intercept))


def log_odds(raw: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, finite even for 0 and 1."""
    inside = np.clip(np.asarray(raw, dtype=np.float64), _EDGE, 1 - _EDGE)
    return np.log(inside) - np.log1p(-inside)


def _newton(
    odds: np.ndarray, target: np.ndarray, slope: float, intercept: float, rounds: int, *, both: bool
) -> tuple[float, float]:
    """Minimise the cross-entropy by Newton's method; a step that does not improve is halved."""
    loss = _cross_entropy(odds, target, slope, intercept)
    for _ in range(rounds):
        probability = _sigmoid(slope * odds + intercept)
        error, weight = probability - target, probability * (1 - probability)
        gradient = np.array([(error * odds).sum() if both else 0.0, error.sum()])
        curvature = np.array(
            [
                [(weight * odds * odds).sum() if both else 1.0, (weight * odds).sum() if both else 0.0],
                [(weight * odds).sum() if both else 0.0, weight.sum()],
            ]
        ) + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        scale = 1.0
        while scale > 1e-6:
            tried = (slope - scale * step[0], intercept - scale * step[1])
            new = _cross_entropy(odds, target, *tried)
            if new < loss:
                break
            scale /= 2
        else:
            break
        (slope, intercept), gained, loss = tried, loss - new, new
        if gained < 1e-10 * max(1.0, abs(loss)):
            break
    return slope, intercept


def _cross_entropy(odds: np.ndarray, target: np.ndarray, slope: float, intercept: float) -> float:
    margin = slope * odds + intercept
    return float((np.logaddexp(0.0, margin) - target * margin).sum())


def _sigmoid(margin: np.ndarray) -> np.ndarray:
    # Written with the smaller exponential, so that nothing overflows and small probabilities stay distinct.
    small = np.exp(-np.abs(margin))
    return np.where(margin >= 0, 1.0, small) / (1.0 + small)
