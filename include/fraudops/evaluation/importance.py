"""Permutation importance: how much worse a model gets when one column is shuffled, on rows it has not learned.

Unlike a forest's own importance it is measured on held-out rows, by average precision, in the model's own
columns (a category is one column, however many indicators it becomes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

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
    score: Callable[[pd.DataFrame], np.ndarray],
    frame: pd.DataFrame,
    label: np.ndarray,
    columns: Sequence[str],
    *,
    seed: int,
    rows: int = ROWS,
    repeats: int = REPEATS,
) -> tuple[Importance, ...]:
    """Importance of each column, the largest first.

    The average precision is that of a sample in which fraud is commoner than in life, so the losses are to
    be compared with each other, not with the slice's own average precision.

    Parameters
    ----------
    score
        Scores rows; such as ``model.score``.
    frame
        Held-out rows with the model's columns.
    label
        True for fraud, one per row.

    Returns
    -------
    tuple of Importance
        Empty where there is no fraud among the rows.
    """
    label = np.asarray(label, dtype=bool)
    random = np.random.default_rng(seed)
    chosen = _sample(label, rows, random)
    frame, label = frame.iloc[chosen].reset_index(drop=True), label[chosen]
    whole = average_precision(label, score(frame)) if len(frame) else None
    if whole is None:
        return ()
    orders = [random.permutation(len(frame)) for _ in range(repeats)]
    found = []
    for column in columns:
        losses = []
        for order in orders:
            shuffled = frame.copy(deep=False)
            shuffled[column] = frame[column].take(order).set_axis(frame.index)
            losses.append(whole - (average_precision(label, score(shuffled)) or 0.0))
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
