"""How much each group of columns moved a score, for any model.

A group's contribution is measured at both ends and averaged: how far the log-odds fall when the group takes its
typical values while all else stays, and how far they rise when a typical transaction takes the group's values.
These are the last and the first step of the paths over which Shapley values average; the first alone would hide
a group whose news another group also bears, the second one that matters only in combination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraudops.explanation.groups import Group
from fraudops.features import ModelColumns

_AT_ONCE = 50_000
"""Rows given to the model in one call: bounds the memory."""
_SURE = 1e-9
"""Probabilities are kept this far from 0 and 1, where log-odds are infinite."""


class Explainable(Protocol):
    """What a model must offer to be explained."""

    @property
    def columns(self) -> ModelColumns:
        """Columns that it reads."""

    @property
    def background(self) -> Mapping[str, Any]:
        """Column → median or most frequent value of the training rows."""

    def score(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of fraud per row."""


def contributions(model: Explainable, frame: pd.DataFrame, groups: Sequence[Group]) -> NDArray[np.float64]:
    """Contribution of each group to each row's score, in log-odds; positive: towards fraud.

    Parameters
    ----------
    frame
        Rows to explain, with the model's columns. Shape (n, …).
    groups
        Groups of the model's columns. Length g.

    Returns
    -------
    Array of shape (n, g)
    """
    rows = max(1, _AT_ONCE // (2 * len(groups) + 1))
    blocks = [_block(model, frame.iloc[at : at + rows], groups) for at in range(0, len(frame), rows)]
    return np.concatenate(blocks) if blocks else np.empty((0, len(groups)))


def _block(model: Explainable, frame: pd.DataFrame, groups: Sequence[Group]) -> NDArray[np.float64]:
    """One call of the model: the rows, a typical row, the rows without each group, each group's values alone."""
    n, g = len(frame), len(groups)
    number = {column: index for index, group in enumerate(groups) for column in group.columns}
    probe = pd.DataFrame({name: _probe(model, frame[name], number.get(name), g) for name in model.columns.all})
    odds = _log_odds(model.score(probe))
    actual, typical = odds[:n], odds[n]
    without = odds[n + 1 : n + 1 + n * g].reshape(g, n)
    alone = odds[n + 1 + n * g :].reshape(g, n)
    result: NDArray[np.float64] = ((actual - without) + (alone - typical)).T / 2
    return result


def _probe(model: Explainable, column: pd.Series, group: int | None, groups: int) -> pd.Series:
    """One column of the probe; ``group`` is the number of the group that it belongs to."""
    numeric = column.name in model.columns.numeric
    if numeric:
        actual = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        actual = column.astype(object).where(column.notna(), None).to_numpy()
    typical = model.background.get(str(column.name), np.nan if numeric else None)
    without = np.tile(actual, groups)
    alone = np.full(len(without), typical, dtype=actual.dtype)
    if group is not None:
        own = slice(group * len(actual), (group + 1) * len(actual))
        without[own], alone[own] = typical, actual
    values = np.concatenate([actual, np.full(1, typical, dtype=actual.dtype), without, alone])
    return pd.Series(values) if numeric else pd.Series(values, dtype=column.dtype)


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probability, dtype=np.float64), _SURE, 1 - _SURE)
    odds: NDArray[np.float64] = np.log(p / (1 - p))
    return odds
