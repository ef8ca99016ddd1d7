"""Forests of scikit-learn: the average of the trees' shares, added up in the order of the trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fraudops.training.compiled.lightgbm_calls import NativeBooster
from fraudops.training.compiled.trees import Tree, as_booster


def forest_engine(trees: Sequence[Tree], width: int) -> NativeBooster:
    """Gives the probability of fraud by the trees of a forest; see :mod:`fraudops.training.compiled.trees`."""
    return NativeBooster(as_booster(trees, width, averaged=True), width)


def forest_trees(forest: Any) -> list[Tree]:
    """The trees of a fitted forest."""
    return [_tree(estimator.tree_) for estimator in forest.estimators_]


def _tree(fitted: Any) -> Tree:
    inner = fitted.children_left >= 0
    missing = getattr(fitted, "missing_go_to_left", np.zeros(len(inner)))
    return Tree(
        left=np.asarray(fitted.children_left, np.int64),
        right=np.asarray(fitted.children_right, np.int64),
        column=np.where(inner, fitted.feature, 0).astype(np.int64),
        threshold=np.asarray(fitted.threshold, np.float64),
        missing_left=np.asarray(missing, np.bool_),
        value=np.asarray(fitted.value[:, 0, 1], np.float64),
    )
