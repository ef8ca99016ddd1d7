"""Models of all kinds over columns of all kinds, and rows as strange as they come."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, Policy
from fraudops.training.model import FraudModel, fit_model

from tests.training import history

COLUMNS = ModelColumns(("amount", "age", "online", "gap", "copy"), ("channel", "merchant", "same"))
SMALL: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 15},
    "extra_trees": {"n_estimators": 15},
    "lightgbm": {"n_estimators": 30},
    "xgboost": {"n_estimators": 30},
    "hist_gradient_boosting": {"max_iter": 30},
    "logistic_regression": {},
}
BLENDS = {
    "probability": ["lightgbm", "random_forest"],
    "log_odds": ["xgboost", "logistic_regression", "lightgbm"],
    "rank": ["lightgbm", "logistic_regression"],
}


@cache
def rows() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """To learn from, to calibrate on, to score."""
    found = history.transactions().rename(columns={"fraud": "label"})
    random = np.random.default_rng(3)
    found["online"] = (found["channel"] == "online").astype(float)
    found["gap"] = np.where(random.random(len(found)) < 0.5, np.nan, found["amount"] * random.random(len(found)))
    found["copy"] = found["amount"]
    # Many merchants, some of them rare: two numbers each. A tenth channel is seen but a few times.
    found["merchant"] = [f"m{n}" for n in random.zipf(1.4, len(found)) % 300]
    found.loc[random.random(len(found)) < 0.002, "channel"] = "post"
    found["same"] = "same"
    return found.iloc[:3_000], found.iloc[3_000:4_000], found.iloc[4_000:]


@cache
def model(name: str) -> FraudModel:
    """See :func:`fit`."""
    return fit(name, COLUMNS, *rows()[:2])


def fit(name: str, columns: ModelColumns, learn: pd.DataFrame, validation: pd.DataFrame) -> FraudModel:
    """One of each estimator; ``blend`` and its average for a blend; ``sampled`` learned from a third."""
    members: dict[str, Candidate] = {}
    if name.startswith("blend "):
        average = name.removeprefix("blend ")
        members = {member: _candidate(member) for member in BLENDS[average]}
        candidate = Candidate.model_validate({"blend": {"members": list(members), "average": average}})
    elif name == "sampled":
        candidate = _candidate("lightgbm").model_copy(update={"negative_rate": 0.3})
    else:
        candidate = _candidate(name)
    policy = Policy(alerts_per_day=5)
    return fit_model(
        "shop", name, candidate, columns, learn, validation, days=8, policy=policy, seed=1, members=members
    )


def _candidate(estimator: str) -> Candidate:
    return Candidate(estimator=estimator, parameters=SMALL[estimator])


def strange_rows() -> list[dict[str, Any]]:
    """Rows to score, with what a column may hold at worst."""
    usual = rows()[2].iloc[:60].to_dict("records")
    odd: dict[str, list[Any]] = {
        "amount": [0.0, -0.0, 1e300, -1e300, float("inf"), float("-inf"), float("nan"), None, 1e-40, -1e-40, 7, 3.5e38],
        "age": [None, True, False, 40, np.float32(1.1), -1.0],
        "online": [True, False, None, 1.0],
        "gap": [None, float("nan"), 1e-36],
        "channel": [None, float("nan"), "telegraph", "post", "(missing)", "", True, 5.0, 5],
        "merchant": [None, "m1", "m299", "never seen", float("nan")],
    }
    for name, values in odd.items():
        usual += [{**usual[place], name: value} for place, value in enumerate(values)]
    usual += [dict.fromkeys(COLUMNS.all)]
    return [{str(name): value for name, value in row.items()} for row in usual]


def frame(given: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows one after the other, each value as it is."""
    return pd.DataFrame({name: pd.Series([row[name] for row in given], dtype=object) for name in COLUMNS.all})
