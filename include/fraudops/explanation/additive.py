"""Exact contributions to a margin, for the estimators that have them.

The margin is the log-odds of an estimator's own probability, before calibration. A boosted tree's margin is a sum
over trees, which have exact Shapley values (TreeSHAP, :mod:`fraudops.explanation.shapley`); a linear model's is a sum
over columns. A forest averages probabilities and has no such sum: it is explained by
:mod:`fraudops.explanation.exchange`.

References
----------
Lundberg, Erion, Lee (2018), Consistent individualized feature attribution for tree ensembles, arXiv 1802.03888.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.explanation.shapley import TreeShap
from fraudops.trees import UnlikeError
from fraudops.trees.reading import lightgbm_trees, xgboost_trees

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


Contributor = Callable[[NDArray[Any]], Additive]


def additive(estimator: Any, typical: NDArray[Any]) -> Contributor | None:
    """What gives the contributions of a matrix's columns; None for an estimator that has no exact ones.

    Parameters
    ----------
    estimator
        A fitted classifier.
    typical
        The row that a linear model's rows are compared with. Shape (1, columns). Trees are compared with the
        average of what they were trained on, which they carry within them.
    """
    if hasattr(estimator, "negative_rate"):
        return _sampled(additive(estimator.estimator, typical), float(estimator.negative_rate))
    if hasattr(estimator, "coef_"):
        return partial(_linear, estimator, typical)
    if hasattr(estimator, "booster_"):
        return _lightgbm(estimator, typical.shape[1])
    if hasattr(estimator, "get_booster"):
        return _xgboost(estimator, typical.shape[1])
    return None


def _sampled(inner: Contributor | None, rate: float) -> Contributor | None:
    """Of a classifier that saw a share of the genuine rows: its odds are that much too high, for every row."""
    if inner is None:
        return None
    shift = np.log(rate)

    def shifted(matrix: NDArray[Any]) -> Additive:
        found = inner(matrix)
        return replace(found, base=found.base + shift, margin=found.margin + shift)

    return shifted


def _linear(estimator: Any, typical: NDArray[Any], matrix: NDArray[Any]) -> Additive:
    weights = np.asarray(estimator.coef_[0], dtype=np.float64)
    level = float(estimator.intercept_[0])
    # einsum goes row by row: the same bits whatever the number of rows.
    margin = np.einsum("ij,j->i", matrix, weights) + level
    base = float(np.einsum("ij,j->i", typical, weights)[0]) + level
    return Additive(LINEAR, np.full(len(matrix), base), (matrix - typical) * weights, margin)


def _lightgbm(estimator: Any, width: int) -> Contributor | None:
    booster = estimator.booster_
    try:
        shap = TreeShap(lightgbm_trees(booster), width)
    except UnlikeError:
        return None

    def found(matrix: NDArray[Any]) -> Additive:
        margin = np.asarray(booster.predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)
        return Additive(TREE_SHAP, np.full(len(matrix), shap.base), shap(matrix), margin)

    return found


def _xgboost(estimator: Any, width: int) -> Contributor | None:
    booster = estimator.get_booster()
    try:
        trees, score = xgboost_trees(estimator)
    except UnlikeError:
        return None
    shap = TreeShap(trees, width)
    base = shap.base + float(np.log(float(score)) - np.log1p(-float(score)))
    # Of a model that was stopped early, only the trees that it scores with.
    rounds = (0, estimator.best_iteration + 1) if hasattr(estimator, "best_iteration") else (0, 0)

    def found(matrix: NDArray[Any]) -> Additive:
        margin = booster.inplace_predict(
            matrix, iteration_range=rounds, predict_type="margin", missing=estimator.missing, validate_features=False
        )
        return Additive(TREE_SHAP, np.full(len(matrix), base), shap(matrix), np.asarray(margin, np.float64))

    return found
