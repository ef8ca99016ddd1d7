"""The Handbook's protocol: which payments are learned from and tested, against the book's own words."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from fraudops.features import model_columns
from fraudops.portfolio import Portfolio

from benchmarks.handbook import protocol, reference, rows
from benchmarks.observed import days
from benchmarks.rows import Row

START = protocol.TESTED[0]


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Five weeks of payments of few customers, of whom some are defrauded."""
    random = np.random.default_rng(3)
    n = 6_000
    seconds = np.sort(random.integers(0, 35 * 86_400, n))
    times = pd.Series(pd.Timestamp(START - timedelta(days=21)) + pd.to_timedelta(seconds, unit="s"))
    return pd.DataFrame(
        {
            "event_time": times,
            "customer_id": random.integers(0, 400, n).astype(str),
            "label": random.random(n) < 0.02,
            "day": days(times),
        }
    )


def _as_the_book_says(found: pd.DataFrame, start: datetime) -> list[int]:
    """Its get_train_test_set, day by day: which rows are tested."""
    first = int(days(pd.Series([pd.Timestamp(start)]))[0]) - 14
    frauds = found[found["label"]]
    known = set(frauds[(frauds["day"] >= first) & (frauds["day"] < first + 7)]["customer_id"])
    tested: list[int] = []
    for day in range(7):
        known |= set(frauds[frauds["day"] == first + 7 + day - 1]["customer_id"])
        today = found[found["day"] == first + 14 + day]
        tested += list(today[~today["customer_id"].isin(known)].index)
    return tested


def test_the_tested_payments_are_the_books(found: pd.DataFrame) -> None:
    tested = protocol.tested(found, START)
    assert list(tested.index) == _as_the_book_says(found, START)
    in_week = (found["event_time"] >= START) & (found["event_time"] < START + protocol.WEEK)
    assert len(tested) < in_week.sum()


def test_what_is_learned_is_known_and_the_books_week_is_the_last_of_it(found: pd.DataFrame) -> None:
    known = protocol.known(found, START)
    assert known["event_time"].max() < START - protocol.DELAY
    assert len(known) == (found["event_time"] < START - protocol.DELAY).sum()
    week = protocol.training_week(found, START)
    assert week["event_time"].min() >= pd.Timestamp("2018-07-25", tz="UTC")
    assert set(week.index) == set(known.index[known["event_time"] >= pd.Timestamp("2018-07-25", tz="UTC")])


def test_measures_are_of_the_given_scores(found: pd.DataFrame) -> None:
    tested = protocol.tested(found, START)
    perfect = protocol.measure(tested, tested["label"].to_numpy(dtype=float))
    assert (perfect.average_precision, perfect.roc_auc) == (1.0, 1.0)
    assert perfect.n == len(tested)
    assert perfect.positives == tested["label"].sum()
    frauds = tested[tested["label"]]
    assert (
        0 < perfect.card_precision <= frauds.groupby("day")["customer_id"].nunique().sum() / 7 / protocol.CARDS + 1e-9
    )


def _perfect_cards(tested: pd.DataFrame) -> float:
    found: set[str] = set()
    shares = []
    for _, today in tested.groupby("day"):
        left = today[~today["customer_id"].isin(found)]
        bad = set(left[left["label"]]["customer_id"])
        shares.append(len(bad) / min(protocol.CARDS, left["customer_id"].nunique()))
        found |= bad
    return float(np.mean(shares))


def test_the_books_features_are_its_fourteen_and_the_amount(portfolios: dict[str, Portfolio]) -> None:
    numeric = model_columns(reference.of_the_book(portfolios["handbook"])).numeric
    seen = [name for name in numeric if "fraud_count" not in name]
    assert len(seen) == 15
    assert not any("scenario" in name.lower() for name in model_columns(portfolios["handbook"]).all)


def test_rows_are_medians_of_seeds_and_means_of_weeks() -> None:
    ours = [
        {"start": start, "seed": seed, "average_precision": value, "roc_auc": 0.8}
        for start, seed, value in (("a", 42, 0.7), ("a", 43, 0.9), ("a", 44, 0.8), ("b", 42, 0.5))
    ]
    book = [
        {"model": model, "start": start, "average_precision": value}
        for model, start, value in (
            ("forest", "a", 0.4), ("forest", "b", 0.6), ("line", "a", 0.3), ("line", "b", 0.3),
            ("ceiling", "a", 0.9), ("ceiling", "b", 0.9),
        )
    ]  # fmt: skip
    one: Row = rows._first_week(rows.WEEK_AP, "average_precision", ours, book, {})
    assert (one.ours, one.reference, one.met) == (0.8, 0.4, True)
    all_weeks: Row = rows._all_weeks(rows.WEEKS_AP, "average_precision", ours, book, 4)
    assert (all_weeks.ours, all_weeks.reference, all_weeks.met) == (pytest.approx(0.6), pytest.approx(0.5), False)
    assert all_weeks.details["book"]["ceiling"] == 0.9
    assert rows._all_weeks(rows.WEEKS_AP, "average_precision", ours, book, 1).skipped
