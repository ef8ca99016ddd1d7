"""Contributions of every estimator: they add up to the margin, and the margin is the score's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fraudops.explanation import contributions as module
from fraudops.explanation.additive import Additive, Contributor
from fraudops.explanation.contributions import TOLERANCE, Contributions, contributions
from fraudops.explanation.groups import Group, Member
from fraudops.explanation.methods import method_of
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, Policy
from fraudops.training.estimators import ESTIMATORS
from fraudops.training.model import FraudModel, fit_model

from tests.training import history

COLUMNS = ModelColumns(("amount", "age"), ("channel",))
GROUPS = [
    Group("amount", (Member("amount"),)),
    Group("column", (Member("age"),)),
    Group("column", (Member("channel"),)),
]
SMALL: Mapping[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 15},
    "extra_trees": {"n_estimators": 15},
    "lightgbm": {"n_estimators": 30},
    "xgboost": {"n_estimators": 30},
    "hist_gradient_boosting": {"max_iter": 30},
}
METHODS = {"logistic_regression": "linear", "lightgbm": "tree_shap", "xgboost": "tree_shap"}
EXACT = sorted(METHODS)


@cache
def _rows() -> pd.DataFrame:
    return history.transactions().rename(columns={"fraud": "label"})


def _candidate(estimator: str, **settings: Any) -> Candidate:
    return Candidate(estimator=estimator, parameters=SMALL.get(estimator, {}), **settings)


@cache
def _model(estimator: str) -> FraudModel:
    return _fitted(_candidate(estimator))


@cache
def _blend(average: str, *members: str) -> FraudModel:
    blend = Candidate.model_validate(
        {"blend": {"members": members, "average": average, "weights": [2, 1][: len(members)]}}
    )
    return _fitted(blend, members={name: _candidate(name) for name in members})


def _fitted(candidate: Candidate, **arguments: Any) -> FraudModel:
    return fit_model(
        "shop",
        "candidate",
        candidate,
        COLUMNS,
        _rows().iloc[:3_000],
        _rows().iloc[3_000:4_000],
        days=8,
        policy=Policy(alerts_per_day=5),
        seed=1,
        **arguments,
    )


def _found(estimator: str) -> tuple[Contributions, pd.DataFrame]:
    rows = _rows().iloc[4_000:4_300]
    return contributions(_model(estimator), rows, GROUPS), rows


@pytest.mark.parametrize("estimator", EXACT)
def test_exact_contributions_add_up_to_the_margin(estimator: str) -> None:
    found, _ = _found(estimator)
    assert found.method == METHODS[estimator]
    np.testing.assert_allclose(found.base + found.groups.sum(axis=1), found.margin, rtol=0, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_margin_is_the_score_before_calibration(estimator: str) -> None:
    found, rows = _found(estimator)
    model = _model(estimator)
    # An edge keeps the log-odds of a forest's 0 finite.
    edge = 0.0 if estimator in EXACT else model.calibration.edge
    expected = (model.raw(rows) + edge) / (1 + 2 * edge)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.margin)), expected, rtol=1e-5)


@pytest.mark.parametrize("estimator", sorted(set(ESTIMATORS) - set(EXACT)))
def test_where_there_is_no_exact_method_the_remainder_closes_the_sum(estimator: str) -> None:
    found, _ = _found(estimator)
    assert found.method == "exchange"
    np.testing.assert_allclose(found.base + found.groups.sum(axis=1) + found.remainder, found.margin)
    assert np.isfinite(found.groups).all()
    assert np.abs(found.remainder).max() > TOLERANCE


@pytest.mark.parametrize("estimator", ["lightgbm", "xgboost"])
def test_two_rows_that_differ_in_one_column_differ_by_its_sign(estimator: str) -> None:
    model, rows = _model(estimator), _rows().iloc[[4_000] * 2].copy()
    rows["channel"] = ["online", "shop"]
    found = contributions(model, rows, GROUPS)
    assert found.groups[0, 2] > 0 > found.groups[1, 2]
    np.testing.assert_allclose(found.base[0], found.base[1])
    moved = found.groups.sum(axis=1)
    assert moved[0] - moved[1] == pytest.approx(found.margin[0] - found.margin[1], abs=1e-5)


def test_what_a_linear_model_adds_is_its_weight_times_the_distance_from_the_typical_row() -> None:
    model, rows = _model("logistic_regression"), _rows().iloc[4_000:4_010].copy()
    typical = pd.DataFrame([dict(model.background)])
    for name in COLUMNS.all:
        rows[name] = typical[name].iloc[0]
    found = contributions(model, rows, GROUPS)
    np.testing.assert_allclose(found.groups, 0, atol=1e-12)
    np.testing.assert_allclose(found.margin, found.base)


def test_contributions_that_do_not_add_up_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = module.additive

    def wrong(*arguments: Any) -> Contributor | None:
        exact = real(*arguments)
        assert exact is not None

        def off(matrix: Any) -> Additive:
            found = exact(matrix)
            return Additive(found.method, found.base + 0.1, found.columns, found.margin)

        return off

    monkeypatch.setattr(module, "additive", wrong)
    with caplog.at_level(logging.WARNING):
        found, _ = _found("lightgbm")
    assert found.method == "exchange"
    assert "do not add up" in caplog.text


AVERAGES = ("probability", "log_odds", "rank")


@pytest.mark.parametrize("average", AVERAGES)
def test_a_blend_of_exact_members_adds_up_to_its_own_margin(average: str) -> None:
    model, rows = _blend(average, "lightgbm", "logistic_regression"), _rows().iloc[4_000:4_300]
    found = contributions(model, rows, GROUPS)
    assert found.method == "blend"
    np.testing.assert_allclose(found.base + found.groups.sum(axis=1), found.margin, rtol=0, atol=1e-4)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.margin)), model.raw(rows), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("average", AVERAGES)
def test_a_blend_with_a_forest_says_what_is_left_over(average: str) -> None:
    model, rows = _blend(average, "xgboost", "random_forest"), _rows().iloc[4_000:4_100]
    found = contributions(model, rows, GROUPS)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.margin)), model.raw(rows), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.base + found.groups.sum(axis=1) + found.remainder, found.margin)


def test_an_average_of_log_odds_weighs_its_members_by_their_weights() -> None:
    rows = _rows().iloc[4_000:4_050]
    found = contributions(_blend("log_odds", "lightgbm", "logistic_regression"), rows, GROUPS)
    first, second = (contributions(_model(name), rows, GROUPS) for name in ("lightgbm", "logistic_regression"))
    # But for the edge that keeps votes finite, which moves them by about a millionth.
    np.testing.assert_allclose(found.groups, (2 * first.groups + second.groups) / 3, atol=1e-3)


def test_what_was_learned_from_a_sample_adds_up_as_well() -> None:
    model, rows = _fitted(_candidate("lightgbm", negative_rate=0.3)), _rows().iloc[4_000:4_300]
    found = contributions(model, rows, GROUPS)
    assert found.method == "tree_shap"
    np.testing.assert_allclose(found.base + found.groups.sum(axis=1), found.margin, rtol=0, atol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-found.margin)), model.raw(rows), rtol=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_method_that_a_model_card_names_is_the_one_that_explains(estimator: str) -> None:
    assert method_of(_model(estimator).kind) == _found(estimator)[0].method
    assert method_of(_blend("probability", "lightgbm", "logistic_regression").kind) == "blend"
