"""The book's own features and models in each test week, and what could be reached at all.

The features are those of the book's chapter 3, declared to the library's engine (which gives what the book's loops
give, see the benchmark of features); the models are its random forest and its logistic regression, standardised, fitted
on its training week.

The ceiling knows the simulator's answer. It ranks at the top every fraud that can be seen: large amounts, stolen cards,
and payments at a compromised terminal once a fraud there is known. The rest it orders at random.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fraudops.features import model_columns
from fraudops.portfolio import EntityFeatures, Features, Portfolio
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.handbook import payments, protocol

_WINDOWS = ("1d", "7d", "30d")
_DRAWS = 5
_TERMINAL = 2
"""The scenario of the compromised terminals; the others show in the payment itself or in the customer's habits."""


def main() -> None:
    """Run it on the Parquet file and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--weeks", type=int, default=4)
    options = parser.parse_args()
    book = of_the_book(payments.portfolio())
    rows = payments.read(options.file, book)
    rows["scenario"] = payments.scenarios(options.file, rows["transaction_id"])
    print(
        json.dumps({"found": [line for start in protocol.TESTED[: options.weeks] for line in _week(book, rows, start)]})
    )


def of_the_book(handbook: Portfolio) -> Portfolio:
    """The portfolio with the fourteen features of the book's chapter 3."""
    behaviour = [
        EntityFeatures.model_validate({"entity": entity, "windows": _WINDOWS, "aggregates": aggregates})
        for entity, aggregates in (
            ("customer", ["count", "amount_mean"]),
            ("terminal", ["matured_count", "fraud_rate", "fraud_count"]),
        )
    ]
    features = Features(calendar=("night", "weekend"), behaviour=tuple(behaviour))
    return handbook.model_copy(update={"features": features})


def _week(book: Portfolio, rows: pd.DataFrame, start: datetime) -> Iterator[dict[str, Any]]:
    learned, tested = protocol.training_week(rows, start), protocol.tested(rows, start)
    # Fraud counts are for the ceiling; the book's models see the risk, their share.
    columns = [name for name in model_columns(book).numeric if "fraud_count" not in name]
    for name, model in (
        ("random forest", RandomForestClassifier(random_state=0)),
        ("logistic regression", LogisticRegression(random_state=0)),
    ):
        fitted = make_pipeline(StandardScaler(), model).fit(learned[columns], learned["label"])
        yield _line(name, start, protocol.measure(tested, fitted.predict_proba(tested[columns])[:, 1]))
    yield _line("ceiling", start, _middle([protocol.measure(tested, _ceiling(tested, seed)) for seed in range(_DRAWS)]))


def _ceiling(tested: pd.DataFrame, seed: int) -> np.ndarray:
    scenario = tested["scenario"].to_numpy()
    known = tested["terminal_fraud_count_30d"].to_numpy() > 0
    seen = (scenario > 0) & ((scenario != _TERMINAL) | known)
    return seen + np.random.default_rng(seed).random(len(tested))


def _middle(drawn: list[protocol.Found]) -> protocol.Found:
    """The median of each measure."""
    names = ("average_precision", "card_precision", "roc_auc")
    return replace(drawn[0], **{name: statistics.median(getattr(one, name) for one in drawn) for name in names})


def _line(name: str, start: datetime, found: protocol.Found) -> dict[str, Any]:
    return {"model": name, "start": f"{start:%Y-%m-%d}", **found.to_dict()}


if __name__ == "__main__":
    main()
