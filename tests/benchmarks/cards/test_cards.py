"""The simulated cards: labels as they were known, who is tested, the ceiling, and how a row sums weeks up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fraudops.intake.simulator.fraud import Scenario
from fraudops.intake.simulator.world import World
from fraudops.portfolio import Portfolio, load_portfolio

from benchmarks.cards import ours, rows
from benchmarks.processes import CHECKOUT

WORLD = World(start=ours.START, payments_per_day=1_200, seed=1)
DAYS = 30


@pytest.fixture(scope="module")
def cards() -> Portfolio:
    return load_portfolio(Path(CHECKOUT) / "include" / "portfolios" / "cards.yaml")


@pytest.fixture(scope="module")
def lived(cards: Portfolio) -> tuple[pd.DataFrame, pd.DataFrame]:
    return ours.lived(WORLD, cards, DAYS)


def test_every_payment_has_features_and_the_truth(lived: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    found, known = lived
    last = WORLD.start + timedelta(days=DAYS - 1)
    truth = WORLD.frauds(WORLD.start, last)
    assert set(found.loc[found["truth"], "transaction_id"]) == set(truth["tx_id"])
    assert found["customer_count_7d"].max() > 0
    assert (known["known_at"].dt.hour == 0).all()
    assert known["known_at"].min() > pd.Timestamp(WORLD.start, tz="UTC")


def test_customers_with_a_fraud_known_before_the_day_are_left_out(
    cards: Portfolio, lived: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    found, known = lived
    moment = pd.Timestamp(date(2026, 1, 24), tz="UTC")
    tested = ours.without_known(found, known, moment, cards)
    first = moment - timedelta(days=14)
    when = known.set_index("transaction_id")["known_at"]
    frauds = found[found["truth"] & (found["event_time"] >= first) & found["transaction_id"].isin(when.index)]
    known_from = (
        frauds.assign(known=when.reindex(frauds["transaction_id"]).to_numpy()).groupby("customer_id")["known"].min()
    )
    in_week = found[(found["event_time"] >= moment) & (found["event_time"] < moment + ours.WEEK)]
    told = known_from.reindex(in_week["customer_id"]).to_numpy()
    before = pd.Series(told).le(in_week["event_time"].dt.floor("D").reset_index(drop=True)).to_numpy()
    assert 0 < before.sum() < len(in_week)
    assert tested["transaction_id"].tolist() == in_week.loc[~before, "transaction_id"].tolist()


def test_the_ceiling_sees_a_compromised_terminal_once_a_fraud_there_is_known() -> None:
    tested = pd.DataFrame(
        {
            "scenario": [0, int(Scenario.HIGH_AMOUNT), *[int(Scenario.COMPROMISED_TERMINAL)] * 2],
            "terminal_fraud_count_30d": [5.0, 0.0, 0.0, 1.0],
        }
    )
    assert (ours.ceiling(tested, 0) >= 1).tolist() == [False, True, False, True]


def test_a_week_measures_candidates_and_ceiling_on_the_same_rows(
    cards: Portfolio, lived: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    start = datetime(2026, 1, 24, tzinfo=UTC)
    baseline, ceiling = ours.week(cards, *lived, start, ["logistic_regression"], 1)
    assert (baseline["model"], ceiling["model"]) == ("logistic_regression", ours.CEILING)
    assert baseline["n"] == ceiling["n"]
    assert 0 < baseline["average_precision"] < ceiling["average_precision"] <= 1


def test_a_row_is_the_mean_over_the_weeks() -> None:
    found = [
        {"model": model, "start": start, "average_precision": value, "positives": 3}
        for model, values in (("lightgbm", (0.5, 0.7)), ("logistic_regression", (0.4, 0.4)), (ours.CEILING, (0.8, 0.8)))
        for start, value in zip(("2026-01-01", "2026-01-08"), values, strict=True)
    ]
    row = rows.row(rows.AP, "average_precision", found)
    assert row.ours == pytest.approx(0.6)
    assert row.ratio == pytest.approx(1.5)
    assert (row.details["ceiling"], row.details["of_the_ceiling"]) == (0.8, 0.75)
    assert np.isclose(row.details["means"]["logistic_regression"], 0.4)
