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

    @property
    def origins(self) -> Sequence[str]:
        """For each column of its matrix, the column that it is made of."""

    def matrix(self, frame: pd.DataFrame) -> NDArray[Any]:
        """What it computes with, made row by row."""

    def score_matrix(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        """Probability of fraud per row of such a matrix."""


def contributions(model: Explainable, frame: pd.DataFrame, groups: Sequence[Group]) -> NDArray[np.float64]:
    """Contribution of each group to each row's score, in log-odds; positive: towards fraud.

    Values are exchanged in the model's matrix: its rows are made once, not anew for every exchange.

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
    found = np.zeros((len(frame), len(groups)))
    origins = np.array(model.origins, dtype=object)
    places = [np.flatnonzero(np.isin(origins, group.columns)) for group in groups]
    # Of some columns the model learned that they say nothing.
    heard = [number for number, inside in enumerate(places) if len(inside)]
    if not heard:
        return found
    matrix, typical = model.matrix(frame), model.matrix(_typical(model))
    rows = max(1, _AT_ONCE // (2 * len(heard) + 1))
    for at in range(0, len(frame), rows):
        block = matrix[at : at + rows]
        found[at : at + rows, heard] = _block(model, block, typical, [places[number] for number in heard])
    return found


def _typical(model: Explainable) -> pd.DataFrame:
    """The row that others are compared with."""
    row = {name: [model.background.get(name, np.nan)] for name in model.columns.numeric}
    return pd.DataFrame(row | {name: [model.background.get(name)] for name in model.columns.categorical})


def _block(
    model: Explainable, rows: NDArray[Any], typical: NDArray[Any], places: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """One call of the model: the rows, a typical row, the rows without each group, each group's values alone."""
    n, g = len(rows), len(places)
    without, alone = np.tile(rows, (g, 1)), np.tile(typical, (n * g, 1))
    for number, inside in enumerate(places):
        own = slice(number * n, (number + 1) * n)
        without[own, inside], alone[own, inside] = typical[0, inside], rows[:, inside]
    odds = _log_odds(model.score_matrix(np.concatenate([rows, typical, without, alone])))
    actual, middle = odds[:n], odds[n]
    result: NDArray[np.float64] = (
        (actual - odds[n + 1 : n + 1 + n * g].reshape(g, n)) + (odds[n + 1 + n * g :].reshape(g, n) - middle)
    ).T / 2
    return result


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probability, dtype=np.float64), _SURE, 1 - _SURE)
    odds: NDArray[np.float64] = np.log(p / (1 - p))
    return odds
