"""Ours, from the same CSV to an evaluated model: the library's own steps, without Airflow and a store.

The rows are read, typed and checked by ``fraudops.intake``; a candidate of ``include/portfolios/ulb.yaml`` is
fitted, calibrated and given its thresholds by ``fraudops.training`` on the rows that may be learned from, and
measured with intervals by ``fraudops.evaluation`` on the test rows, which nothing has seen before.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from fraudops.evaluation.metrics import Metrics, evaluate
from fraudops.features import model_columns
from fraudops.features.compute import compute
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.mapping import Mapper
from fraudops.intake.merging import content_digests
from fraudops.intake.reading import read_batches
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.training.model import FraudModel, fit_model
from fraudops.training.money import cost_model
from fraudops.training.splits import TRAIN, VALIDATION, split_at_random

from benchmarks.processes import CHECKOUT
from benchmarks.tutorial.split import TIME, TUTORIAL, split

_CALIBRATED_ON = 0.1
"""Share of the rows to learn from that the calibration and the thresholds are found on."""
_ID = "transaction_id"


def main() -> None:
    """Run it on a CSV and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("scores", type=Path, help="where the scores of the test rows go")
    parser.add_argument("--candidate", default="xgboost")
    parser.add_argument("--seed", type=int, default=42, help="of the model")
    parser.add_argument("--split", choices=(TUTORIAL, TIME), default=TUTORIAL)
    options = parser.parse_args()

    portfolio = load_portfolio(CHECKOUT / "include" / "portfolios" / "ulb.yaml")
    rows = read(options.csv, portfolio)
    learned, tested = split(options.split, len(rows))
    train, validation = slices(rows.iloc[learned], options.split)
    days = (rows["event_time"].iloc[-1] - rows["event_time"].iloc[0]) / pd.Timedelta(days=1) / len(rows)
    model = fit_model(
        portfolio.name,
        options.candidate,
        portfolio.training.candidates[options.candidate],
        model_columns(portfolio),
        train,
        validation,
        days=days * len(validation),
        policy=portfolio.policy,
        costs=cost_model(portfolio),
        seed=options.seed,
        members=portfolio.training.members_of(options.candidate),
    )
    test = rows.iloc[tested]
    score = model.score(test)
    metrics = measure(portfolio, model, test, score, days=days * len(test))
    np.savez(options.scores, score=score, label=test["label"].to_numpy(dtype=bool))
    print(json.dumps({**metrics.to_dict(), "model": model.describe()}, default=str))


def read(csv: Path, portfolio: Portfolio) -> pd.DataFrame:
    """The file's rows as the intake types them, with the portfolio's features, in the order of the file."""
    feed = transactions_feed(portfolio)
    mapper = Mapper(feed, token_keys=b"nothing here is a card number")
    table = pa.concat_tables([mapper.map(batch).rows for batch in read_batches(csv, feed, [])]).combine_chunks()
    table = table.append_column(_ID, content_digests(table, feed.content))
    nothing_reported = pd.DataFrame(columns=[_ID, "label", "known_at"])
    features = compute(portfolio, table, nothing_reported, slice(0, table.num_rows))
    for name in features.column_names:
        if name not in table.column_names:
            table = table.append_column(name, features[name])
    return table.to_pandas()


def slices(rows: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to fit on and those to calibrate on; equal rows stay together, and time is respected."""
    if kind == TIME:
        cut = round(len(rows) * (1 - _CALIBRATED_ON))
        return rows.iloc[:cut], rows.iloc[cut:]
    shares = (1 - _CALIBRATED_ON, _CALIBRATED_ON, 0.0)
    # The same rows for each of the model's seeds.
    found = split_at_random(rows["label"].to_numpy(dtype=bool), rows[_ID].to_numpy(), shares, seed=42).slices
    return rows[found == TRAIN], rows[found == VALIDATION]


def measure(portfolio: Portfolio, model: FraudModel, test: pd.DataFrame, score: np.ndarray, *, days: float) -> Metrics:
    """Everything the library measures, intervals included."""
    amount = test["amount_minor"].to_numpy()
    return evaluate(
        test["label"].to_numpy(dtype=bool),
        score,
        amount,
        days=days,
        alerts_per_day=portfolio.policy.alerts_per_day,
        review=model.thresholds.review,
        block=model.thresholds.block,
        decision=model.decide(score, amount),
        costs=cost_model(portfolio),
    )


if __name__ == "__main__":
    main()
