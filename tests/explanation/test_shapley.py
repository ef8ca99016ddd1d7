"""Our Shapley values of trees are those of the libraries that grew them."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from fraudops.explanation.shapley import TreeShap
from fraudops.trees.reading import lightgbm_trees, xgboost_trees


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(2_000, 6)).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    matrix[:, 5] = np.nan_to_num(matrix[:, 5])
    odds = np.nan_to_num(matrix[:, 0]) * 2 + np.nan_to_num(matrix[:, 1] * matrix[:, 2]) - 1
    return matrix, random.random(2_000) < 1 / (1 + np.exp(-odds))


def test_of_lightgbm(world: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, label = world
    booster = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=40, verbose=-1, n_jobs=1).fit(matrix, label).booster_
    shap, rows = TreeShap(lightgbm_trees(booster), 6), matrix[:100].copy()
    rows[0], rows[1, 5] = np.nan, np.nan
    known = booster.predict(rows, pred_contrib=True, num_threads=1)
    assert shap(rows) == pytest.approx(known[:, :-1], abs=1e-10)
    assert shap.base == pytest.approx(known[0, -1], abs=1e-10)
    # A row alone has the bits that it has among others.
    assert np.array_equal(np.concatenate([shap(rows[[row]]) for row in range(100)]), shap(rows))


def test_of_xgboost_stopped_early(world: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, label = world
    estimator = xgboost.XGBClassifier(n_estimators=30, learning_rate=1.0, early_stopping_rounds=2, n_jobs=1)
    estimator.fit(matrix[:1_500], label[:1_500], eval_set=[(matrix[1_500:], label[1_500:])], verbose=False)
    trees, score = xgboost_trees(estimator)
    rounds = (0, estimator.best_iteration + 1)
    assert len(trees) == rounds[1] < estimator.get_booster().num_boosted_rounds()
    data = xgboost.DMatrix(matrix[:100])
    known = estimator.get_booster().predict(data, pred_contribs=True, iteration_range=rounds)
    shap = TreeShap(trees, 6)
    assert shap(matrix[:100]) == pytest.approx(known[:, :-1], abs=1e-5)
    assert shap.base + np.log(score / (1 - score)) == pytest.approx(known[0, -1], abs=1e-5)
