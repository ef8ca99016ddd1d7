"""Exact contributions to a margin, for the estimators that have them.

The margin is the log-odds of an estimator's own probability, before calibration. A boosted tree's margin is a sum
over trees, whose Shapley values the boosters themselves compute (TreeSHAP); a linear model's is a sum over columns.
A forest averages probabilities and has no such sum: it is explained by :mod:`fraudops.explanation.exchange`.

References
----------
Lundberg, Erion, Lee (2018), Consistent individualized feature attribution for tree ensembles, arXiv 1802.03888.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

TREE_SHAP, LINEAR = "tree_shap", "linear"


@dataclass(frozen=True, eq=False)
class Additive:
    """What each column of a matrix adds to each row's margin.

    Attributes
    ----------
    method
        :data:`TREE_SHAP` or :data:`LINEAR`.
    base
        Margin that the contributions start from. Shape (n,).
    columns
        Contribution of each column. Shape (n, columns of the matrix).
    margin
        The estimator's own margin of each row, computed apart from the contributions. Shape (n,).
    """

    method: str
    base: NDArray[np.float64]
    columns: NDArray[np.float64]
    margin: NDArray[np.float64]


def additive(estimator: Any, matrix: NDArray[Any], typical: NDArray[Any]) -> Additive | None:
    """Contributions of the matrix's columns; None for an estimator that has no exact ones.

    Parameters
    ----------
    estimator
        A fitted classifier.
    matrix
        Rows to explain. Shape (n, columns).
    typical
        The row that a linear model's rows are compared with. Shape (1, columns). Trees are compared with the
        average of what they were trained on, which they carry within them.
    """
    if hasattr(estimator, "negative_rate"):
        return _sampled(additive(estimator.estimator, matrix, typical), float(estimator.negative_rate))
    if hasattr(estimator, "coef_"):
        return _linear(estimator, matrix, typical)
    if hasattr(estimator, "booster_"):
        return _lightgbm(estimator, matrix)
    if hasattr(estimator, "get_booster"):
        return _xgboost(estimator, matrix)
    return None


def _sampled(found: Additive | None, rate: float) -> Additive | None:
    """Of a classifier that saw a share of the genuine rows: its odds are that much too high, for every row."""
    if found is None:
        return None
    shift = np.log(rate)
    return replace(found, base=found.base + shift, margin=found.margin + shift)


def _linear(estimator: Any, matrix: NDArray[Any], typical: NDArray[Any]) -> Additive:
    weights = np.asarray(estimator.coef_[0], dtype=np.float64)
    level = float(estimator.intercept_[0])
    # einsum goes row by row: the same bits whatever the number of rows.
    margin = np.einsum("ij,j->i", matrix, weights) + level
    base = float(np.einsum("ij,j->i", typical, weights)[0]) + level
    return Additive(LINEAR, np.full(len(matrix), base), (matrix - typical) * weights, margin)


def _lightgbm(estimator: Any, matrix: NDArray[Any]) -> Additive:
    booster = estimator.booster_
    found = np.asarray(booster.predict(matrix, pred_contrib=True), dtype=np.float64)
    margin = np.asarray(booster.predict(matrix, raw_score=True), dtype=np.float64)
    return Additive(TREE_SHAP, found[:, -1], found[:, :-1], margin)


def _xgboost(estimator: Any, matrix: NDArray[Any]) -> Additive:
    from xgboost import DMatrix

    # Of a model that was stopped early, only the trees that it scores with.
    rounds = (0, estimator.best_iteration + 1) if hasattr(estimator, "best_iteration") else (0, 0)
    data = DMatrix(matrix, missing=estimator.missing)
    found = np.asarray(estimator.get_booster().predict(data, pred_contribs=True, iteration_range=rounds), np.float64)
    margin = np.asarray(estimator.predict(matrix, output_margin=True), dtype=np.float64)
    return Additive(TREE_SHAP, found[:, -1], found[:, :-1], margin)
