"""Permutation importance: how much worse a model gets when one column is shuffled, on rows it has not learned.

Unlike a forest's own importance it is measured on held-out rows, by average precision, in the model's own
columns (a category is one column, however many indicators it becomes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudops.evaluation.ranking import average_precision

ROWS = 3_000
"""At most this many rows are used, all frauds among them as far as they fit into half."""
REPEATS = 2


@dataclass(frozen=True)
class Importance:
    """One column: the loss of average precision when it is shuffled, its mean and spread over repeats."""

    column: str
    mean: float
    deviation: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def permutation_importance(
    score: Callable[[np.ndarray], np.ndarray],
    matrix: Callable[[np.ndarray], np.ndarray],
    label: np.ndarray,
    origins: Sequence[str],
    *,
    seed: int,
    rows: int = ROWS,
    repeats: int = REPEATS,
) -> tuple[Importance, ...]:
    """Importance of each column, the largest first.

    Preprocessing works row by row, so that shuffling a column and shuffling all that is made of it are the same;
    the second needs no preprocessing anew. The average precision is that of a sample in which fraud is commoner
    than in life: the losses are to be compared with each other, not with the slice's own average precision.

    Parameters
    ----------
    score
        Ranks rows of the estimator's matrix.
    matrix
        The estimator's matrix of the held-out rows at some positions.
    label
        True for fraud, one per held-out row.
    origins
        The model's column that each column of the matrix is made of.

    Returns
    -------
    tuple of Importance
        Empty where there is no fraud among the rows.
    """
    label = np.asarray(label, dtype=bool)
    random = np.random.default_rng(seed)
    chosen = _sample(label, rows, random)
    if not label[chosen].any():
        return ()
    values, label = matrix(chosen), label[chosen]
    whole = average_precision(label, score(values)) or 0.0
    orders = [random.permutation(len(values)) for _ in range(repeats)]
    places = np.array(origins, dtype=object)
    found = []
    for column in dict.fromkeys(origins):
        inside = np.flatnonzero(places == column)
        own, losses = values[:, inside], []
        for order in orders:
            values[:, inside] = own[order]
            losses.append(whole - (average_precision(label, score(values)) or 0.0))
        values[:, inside] = own
        found.append(Importance(column, float(np.mean(losses)), float(np.std(losses))))
    return tuple(sorted(found, key=lambda i: (-i.mean, i.column)))


def _sample(label: np.ndarray, rows: int, random: np.random.Generator) -> np.ndarray:
    """Positions of at most ``rows`` rows, in their order, with every fraud where these are few."""
    if len(label) <= rows:
        return np.arange(len(label))
    frauds, genuine = np.flatnonzero(label), np.flatnonzero(~label)
    keep = min(len(frauds), max(rows // 2, rows - len(genuine)))
    parts = [random.choice(frauds, keep, replace=False), random.choice(genuine, rows - keep, replace=False)]
    return np.sort(np.concatenate(parts))
