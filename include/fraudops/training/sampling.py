"""Learning from all frauds and a sample of the genuine transactions, with probabilities put right again.

Where nine hundred and ninety-eight of a thousand rows are genuine, a tenth of these teaches nearly as much in a
fraction of the time. Frauds then look more common than they are; the estimator's probability is corrected for it
by the rate at which genuine rows were kept, which does not change the order.

References
----------
Dal Pozzolo, Caelen, Johnson and Bontempi (2015), Calibrating probability with undersampling for unbalanced
classification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudops.training.probabilities import probability


@dataclass(frozen=True, eq=False)
class Sampled:
    """A classifier that has learned from a sample of the genuine rows, and allows for it.

    Attributes
    ----------
    estimator
        As it was fitted.
    negative_rate
        Share of the genuine rows that it saw. Its margin (log-odds) lies ``-log(negative_rate)`` too high.
    """

    estimator: Any
    negative_rate: float

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Probabilities of genuine and of fraud among all rows. Shape (n, 2)."""
        fraud = corrected(probability(self.estimator, matrix), self.negative_rate)
        return np.column_stack([1 - fraud, fraud])


def kept(label: np.ndarray, rate: float, seed: int) -> np.ndarray:
    """Positions of all frauds and of a random share of the genuine rows, ascending.

    Parameters
    ----------
    label
        True for fraud.
    rate
        Share of the genuine rows to keep, above 0.
    """
    if rate >= 1:
        return np.arange(len(label))
    return np.flatnonzero(label | (np.random.default_rng(seed).random(len(label)) < rate))


def corrected(sampled: np.ndarray, rate: float) -> np.ndarray:
    """Probability among all rows, of one among all frauds and a share ``rate`` of the genuine rows."""
    return rate * sampled / (rate * sampled + (1 - sampled))
