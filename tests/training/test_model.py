"""Every estimator: it learns, it can be scored row by row, and neither threads nor repetition change a bit."""

from __future__ import annotations

import io
import json
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.evaluation.ranking import average_precision
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, Policy
from fraudops.training import model as models
from fraudops.training.estimators import ESTIMATORS, EstimatorUnavailableError, make
from fraudops.training.model import FraudModel, fit_model

from tests.training import history

COLUMNS = ModelColumns(("amount", "age"), ("channel",))
SMALL = {
    "random_forest": {"n_estimators": 15},
    "extra_trees": {"n_estimators": 15},
    "lightgbm": {"n_estimators": 30},
    "xgboost": {"n_estimators": 30},
    "hist_gradient_boosting": {"max_iter": 30},
    "logistic_regression": {},
}


def _rows() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rows = history.transactions().rename(columns={"fraud": "label"})
    return rows.iloc[:3_000], rows.iloc[3_000:4_000], rows.iloc[4_000:]


def _fit(estimator: str, *, jobs: int = 1, train: pd.DataFrame | None = None) -> FraudModel:
    learn, validation, _ = _rows()
    return fit_model(
        "shop",
        estimator,
        Candidate(estimator=estimator, parameters=SMALL[estimator]),
        COLUMNS,
        learn if train is None else train,
        validation,
        days=8,
        policy=Policy(alerts_per_day=5),
        seed=1,
        jobs=jobs,
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_estimator_keeps_its_promises(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = _fit(estimator)
        *_, test = _rows()
        score = model.score(test)
        found = average_precision(test["label"].to_numpy(), score)
        assert found is not None
        assert found > 3 * test["label"].mean()
        assert score.min() > 0
        assert score.max() < 1
        assert score.sum() == pytest.approx(test["label"].sum(), rel=0.5)

        content = model.to_bytes()
        assert content == model.to_bytes()
        assert content == _fit(estimator, jobs=2).to_bytes()
        assert (joblib.load(io.BytesIO(content)).score(test) == score).all()

        one_by_one = np.concatenate([model.score(test.iloc[[row]]) for row in range(10)])
        assert (one_by_one == score[:10]).all()
        monkeypatch.setattr(models, "_ROWS_AT_ONCE", 100)
        assert (model.score(test, jobs=3) == score).all()


def test_unseen_categories_missing_values_and_no_rows_are_scored() -> None:
    model = _fit("random_forest")
    *_, test = _rows()
    strange = test.iloc[:3].assign(channel=["telegraph", None, "shop"], age=np.nan, amount=[1e12, 0, np.nan])
    assert np.isfinite(model.score(strange)).all()
    assert model.score(test.iloc[:0]).shape == (0,)
    assert model.decide(model.score(test.iloc[:0])).shape == (0,)


def test_an_absent_column_is_named() -> None:
    with pytest.raises(ContractError, match="age, channel"):
        _fit("logistic_regression").score(_rows()[2].drop(columns=["age", "channel"]))


def test_preprocessing_sees_training_rows_only() -> None:
    train, *_ = _rows()
    model = _fit("logistic_regression", train=train.iloc[:2_000])
    filled = model.transform.named_transformers_["numbers"][0]
    assert filled.medians_[1] == pytest.approx(train["age"].iloc[:2_000].median(), rel=1e-6)
    assert model.background["age"] == train["age"].iloc[:2_000].median()
    assert model.background["channel"] == train["channel"].iloc[:2_000].mode()[0]


def test_the_columns_of_the_matrix_have_their_origins() -> None:
    model = _fit("random_forest")
    *_, test = _rows()
    assert model.matrix(test).shape == (len(test), len(model.origins))
    assert set(model.origins) == set(COLUMNS.all)


def test_columns_that_never_vary_teach_nothing() -> None:
    train, *_ = _rows()
    with pytest.raises(ContractError, match="none of the 3 columns"):
        _fit("xgboost", train=train.assign(amount=1.0, age=np.nan, channel="online"))


def test_it_describes_itself() -> None:
    model = _fit("xgboost")
    found = model.describe()
    assert json.loads(json.dumps(found)) == found
    assert found["estimator"] == "xgboost"
    assert found["parameters"] == {"n_estimators": 30}
    assert found["rows"] == 3_000
    assert found["calibration"]["method"] == "sigmoid"


def test_an_unknown_parameter_is_named() -> None:
    candidate = Candidate(estimator="random_forest", parameters={"n_trees": 3})
    with pytest.raises(ContractError, match=r"no parameter 'n_trees' .*n_estimators"):
        make(candidate, seed=1)


def test_a_refused_value_is_quoted() -> None:
    train, validation, _ = _rows()
    candidate = Candidate(estimator="random_forest", parameters={"n_estimators": -3})
    with pytest.raises(ContractError, match=r"training.candidates.rf.*n_estimators"):
        fit_model(
            "shop", "rf", candidate, COLUMNS, train, validation, days=8, policy=Policy(), seed=1
        )  # fmt: skip


@pytest.mark.parametrize(("estimator", "module"), [("lightgbm", "lightgbm"), ("xgboost", "xgboost")])
def test_a_library_that_does_not_load_is_named(
    estimator: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(EstimatorUnavailableError, match=r"libgomp\.so\.1"):
        make(Candidate(estimator=estimator), seed=1)
    monkeypatch.delitem(sys.modules, module, raising=False)
