"""Reads the trees of fitted ensembles."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.trees.tree import Tree, UnlikeError

_CATEGORICAL, _MISSING_LEFT = 1, 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


def forest_trees(forest: Any) -> list[Tree]:
    """The trees of a fitted forest of scikit-learn; a leaf's value is the share of the second class."""
    return [_of_scikit(estimator.tree_) for estimator in forest.estimators_]


def xgboost_trees(estimator: Any) -> tuple[list[Tree], np.float32]:
    """The trees that a fitted ``XGBClassifier`` predicts with, and the probability that they start from.

    Raises
    ------
    UnlikeError
        It is no ``gbtree`` with ``binary:logistic``, or has categories of its own.
    """
    learner = json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree" or learner["objective"]["name"] != "binary:logistic":
        raise UnlikeError(f"{booster['name']}, {learner['objective']['name']}")
    if not np.isnan(estimator.missing):
        raise UnlikeError("a value that stands for missing ones")
    trees, ends = booster["model"]["trees"], booster["model"]["iteration_indptr"]
    # Of a model that was stopped early, only the trees that it scores with.
    best = getattr(estimator, "best_iteration", None)
    used = trees if best is None else trees[: ends[best + 1]]
    score = json.loads(learner["learner_model_param"]["base_score"])
    return [_of_xgboost(tree) for tree in used], np.float32(np.ravel(score)[0])


def lightgbm_trees(booster: Any) -> list[Tree]:
    """The trees that a ``lightgbm.Booster`` predicts with.

    Raises
    ------
    UnlikeError
        It has categories of its own, takes 0 for missing, or has models in its leaves.
    """
    text = booster.model_to_string(num_iteration=booster.best_iteration or -1)
    return [_of_lightgbm(part) for part in text.split("\nend of trees")[0].split("\nTree=")[1:]]


def _of_scikit(fitted: Any) -> Tree:
    inner = fitted.children_left >= 0
    return Tree(
        left=np.asarray(fitted.children_left, np.int64),
        right=np.asarray(fitted.children_right, np.int64),
        column=np.where(inner, fitted.feature, 0).astype(np.int64),
        threshold=np.asarray(fitted.threshold, np.float64),
        missing_left=np.asarray(fitted.missing_go_to_left, np.bool_),
        value=np.asarray(fitted.value[:, 0, 1], np.float64),
        cover=np.asarray(fitted.weighted_n_node_samples, np.float64),
    )


def _of_xgboost(told: dict[str, Any]) -> Tree:
    if any(told["split_type"]):
        raise UnlikeError("splits by categories")
    conditions = np.array(told["split_conditions"], np.float32)
    left = np.array(told["left_children"], np.int64)
    return Tree(
        left=left,
        right=np.array(told["right_children"], np.int64),
        column=np.array(told["split_indices"], np.int64),
        # Below the threshold: up to the number before it.
        threshold=np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        missing_left=np.array(told["default_left"], np.bool_),
        value=np.where(left < 0, conditions, np.float32(0)).astype(np.float64),
        cover=np.array(told["sum_hessian"], np.float64),
    )


def _of_lightgbm(text: str) -> Tree:
    """LightGBM numbers inner nodes and leaves apart, these as -1, -2, …; here leaves come after the inner nodes."""
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if told["num_cat"] != "0" or told.get("is_linear", "0") != "0":
        raise UnlikeError("splits by categories, or models in leaves")
    leaves, inner = int(told["num_leaves"]), int(told["num_leaves"]) - 1
    ends = np.full(leaves, -1)
    kind = _numbers(told, "decision_type", inner).astype(np.int64)
    threshold, missing = _numbers(told, "threshold", inner), kind >> 2
    if (missing == _MISSING_ZERO).any() or (kind & _CATEGORICAL).any():
        raise UnlikeError("splits by categories, or zeros that are missing values")
    # Where training knew no missing value, one is taken for 0.
    missing_left = np.where(missing == _MISSING_NONE, threshold >= 0, (kind & _MISSING_LEFT) > 0)
    children = (_numbers(told, name, inner).astype(np.int64) for name in ("left_child", "right_child"))
    left, right = (np.where(child < 0, inner + ~child, child) for child in children)
    none = np.zeros(leaves)
    return Tree(
        left=np.concatenate([left, ends]),
        right=np.concatenate([right, ends]),
        column=np.concatenate([_numbers(told, "split_feature", inner), none]).astype(np.int64),
        threshold=np.concatenate([threshold, none]),
        missing_left=np.concatenate([missing_left, none > 0]),
        value=np.concatenate([np.zeros(inner), _numbers(told, "leaf_value", leaves)]),
        cover=np.concatenate([_numbers(told, "internal_count", inner), _numbers(told, "leaf_count", leaves)]),
    )


def _numbers(told: dict[str, str], name: str, count: int) -> NDArray[np.float64]:
    # A tree of one leaf says nothing of nodes, nor of how many rows reached it.
    values = told.get(name, "").split()
    return np.array(values, np.float64) if values else np.ones(count)
