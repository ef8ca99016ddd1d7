"""Explanations of rows without a frame are those of a frame of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fraudops.explanation import Explainer, explain
from fraudops.features import model_columns
from fraudops.training.compiled import compile_model

from tests.training import history
from tests.training.compiled.models import fit, rows


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "random_forest", "logistic_regression", "blend log_odds"])
def test_rows_are_explained_as_a_frame_is(name: str) -> None:
    shop = history.portfolio()
    columns = model_columns(shop)
    learn, validation, test = (part.assign(**dict.fromkeys(columns.numeric[2:], 1.0)) for part in rows())
    for number, column in enumerate(columns.numeric[2:], 1):
        for part in (learn, validation, test):
            part[column] = (part["amount"] * 7 * number % 5).round()
    model = fit(name, columns, learn, validation)
    explainer = Explainer(model, shop, matrix=compile_model(model).matrix)
    frame = test.iloc[:20]
    given = [
        {**row, "event_time": datetime.fromtimestamp(row["event_time"].timestamp(), UTC)}
        for row in frame.to_dict("records")
    ]
    known = explain(model, frame, shop)
    assert [explainer.explain([row])[0] for row in given] == known
    assert explainer.explain(given) == known
    assert all(len(explainer.codes(one)) == len(one.reasons) for one in known)
    assert {code for one in known for code in explainer.codes(one)} <= {
        "customer.amount_unusual",
        "customer.count",
        "column.channel",
        "column.age",
        "transaction.time_of_day",
        "score.combination",
    }
