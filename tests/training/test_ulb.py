"""The real ULB credit cards, split by time: boosters hold where their own defaults collapse."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fraudops.evaluation.bootstrap import paired_bootstrap
from fraudops.evaluation.ranking import average_precision
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, Policy
from fraudops.training.model import FraudModel, fit_model

COLUMNS = ModelColumns(("amount", *(f"V{n}" for n in range(1, 29)), "hour"), ())


@pytest.mark.real_data
def test_average_precision_on_the_last_fifth(real_data: Path) -> None:
    rows = pd.read_csv(real_data / "ulb_creditcard.csv.gz").rename(columns={"Amount": "amount", "Class": "label"})
    rows["hour"] = rows["Time"] // 3_600 % 24
    first, second = int(0.6 * len(rows)), int(0.8 * len(rows))
    train, validation, test = rows.iloc[:first], rows.iloc[first:second], rows.iloc[second:]
    # A third of the genuine rows is enough to see a collapse, and takes a third of the time.
    train = train[(train["label"] == 1) | (train.index % 3 == 0)]

    def fit(estimator: str) -> FraudModel:
        return fit_model(
            "ulb",
            estimator,
            Candidate(estimator=estimator),
            COLUMNS,
            train,
            validation,
            days=0.4,
            policy=Policy(alerts_per_day=150),
            seed=42,
        )

    label = test["label"].to_numpy(dtype=bool)
    score = {name: fit(name).score(test) for name in ("lightgbm", "logistic_regression")}
    found = {name: average_precision(label, scores) or 0.0 for name, scores in score.items()}
    assert found["lightgbm"] > 0.77
    assert found["logistic_regression"] > 0.72
    assert score["lightgbm"].sum() == pytest.approx(label.sum(), rel=0.25)
    difference = paired_bootstrap(label, score["lightgbm"], score["logistic_regression"])
    assert difference is not None
    assert difference.better > 0.8
