"""The features of whole portfolios: against their plain definition, the future, and where the history begins."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fraudops.aggregates import AGGREGATES
from fraudops.features.columns import feature_names
from fraudops.features.compute import compute, lookback
from fraudops.portfolio import Portfolio
from fraudops.portfolio.feature_names import behaviour_features
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.histories import DAYS, START, make_history, make_known, with_everything
from tests.features.plainly import PLAINLY, Moment, changes_of, payments_of


@pytest.fixture(scope="module")
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return with_everything(portfolios["cards"])


def test_every_aggregate_has_a_plain_definition_to_be_measured_against() -> None:
    assert set(PLAINLY) == set(AGGREGATES), "write the new aggregate down in tests/features/plainly.py"


@pytest.mark.parametrize("delay", [timedelta(days=7), timedelta(days=1, hours=5), timedelta(0)], ids=str)
def test_features_equal_their_plain_definition(portfolios: dict[str, Portfolio], delay: timedelta) -> None:
    portfolio, history = with_everything(portfolios["cards"], delay=delay), make_history(rows=300)
    _equal_their_plain_definition(portfolio, history, make_known(history), every=7)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 24), days=st.integers(0, 9))
def test_so_they_do_in_the_smallest_histories(
    portfolios: dict[str, Portfolio], seed: int, rows: int, days: int
) -> None:
    portfolio = with_everything(portfolios["cards"], delay=timedelta(days=days))
    history = make_history(seed, rows)
    _equal_their_plain_definition(portfolio, history, make_known(history, seed), every=1)


def _equal_their_plain_definition(portfolio: Portfolio, history: pa.Table, known: pd.DataFrame, every: int) -> None:
    table = compute(portfolio, history, known, slice(0, history.num_rows)).to_pandas()
    assert list(table.columns) == ["transaction_id", *feature_names(portfolio)]
    for group in portfolio.features.behaviour:
        columns = [portfolio.entities[entity] for entity in group.entities]
        payments = payments_of(history, columns, portfolio.entities[group.of or ""])
        changes = changes_of(known, payments, portfolio.labels.delay)
        for feature in behaviour_features(group):
            window = feature.window or portfolio.features.longest_window
            for row in range(0, len(payments), every):
                moment = Moment(row, payments, changes, window, portfolio.labels.delay)
                missing = payments[row].entity is None
                expected = math.nan if missing else PLAINLY[feature.aggregate](moment)
                message = f"{feature.name}, row {row}"
                np.testing.assert_allclose(table.loc[row, feature.name], expected, 1e-12, 1e-12, err_msg=message)


def test_the_example_exercises_every_aggregate(cards: Portfolio) -> None:
    history = make_history()
    table = compute(cards, history, make_known(history), slice(0, history.num_rows)).to_pandas()
    for name in feature_names(cards):
        assert table[name].nunique() > 1, f"{name} is always the same"


def test_nothing_of_the_future_can_change_a_feature(cards: Portfolio) -> None:
    history = make_history()
    known = make_known(history)
    whole = compute(cards, history, known, slice(0, history.num_rows))
    random = np.random.default_rng(7)
    for cut in (200, 201, 202, 350, 599):
        frame = history.to_pandas()
        later = frame.index > cut
        # Whatever comes later is shuffled among rows and multiplied; labels not yet known are turned round.
        for column in ("amount_minor", "customer_id", "terminal_id", "card_token"):
            frame.loc[later, column] = random.permutation(frame.loc[later, column].to_numpy().copy())
        frame.loc[later, "amount_minor"] *= 1000
        changed = pa.Table.from_pandas(frame, schema=history.schema, preserve_index=False)
        now = frame.loc[cut, "event_time"]
        unknown = known["known_at"] > now
        turned = known.assign(label=known["label"].where(~unknown, ~known["label"]))
        again = compute(cards, changed, turned, slice(0, history.num_rows))
        assert again.slice(0, cut + 1).equals(whole.slice(0, cut + 1)), f"the future reached row {cut} or before"


def test_it_does_not_matter_where_the_loaded_history_begins(cards: Portfolio) -> None:
    history = make_history()
    known = make_known(history)
    whole = compute(cards, history, known, slice(0, history.num_rows))
    times = history["event_time"].to_pylist()
    row = next(i for i, t in enumerate(times) if t >= START + timedelta(days=DAYS - 2))
    begin = next(i for i, t in enumerate(times) if t >= times[row] - lookback(cards))
    assert begin > 0
    part = compute(cards, history.slice(begin), known, slice(row - begin, history.num_rows - begin))
    assert part.combine_chunks().equals(whole.slice(row).combine_chunks())


def test_without_a_delay_a_transactions_own_label_is_not_seen(portfolios: dict[str, Portfolio]) -> None:
    handbook = portfolios["handbook"]
    portfolio = handbook.model_copy(update={"labels": handbook.labels.model_copy(update={"delay": timedelta(0)})})
    history = make_history(rows=50)
    times = history["event_time"].to_pandas()
    everything_is_fraud = pd.DataFrame(
        {
            "transaction_id": history["transaction_id"].to_pandas(),
            "label": pd.array([True] * 50, dtype="boolean"),
            "known_at": times,
        }
    )
    table = compute(portfolio, history, everything_is_fraud, slice(0, 50)).to_pandas()
    frame = history.to_pandas()
    for row in range(50):
        terminal = frame.loc[row, "terminal_id"]
        if terminal is not None and not pd.isna(terminal):
            window = (frame["event_time"] > times[row] - timedelta(days=30)) & (frame["event_time"] < times[row])
            expected = int(((frame["terminal_id"] == terminal) & window).sum())
            assert abs(table.loc[row, "terminal_fraud_count_30d"] - expected) <= 1
            assert table.loc[row, "terminal_fraud_rate_30d"] <= 1.0


def test_calendar(portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    history = make_history(rows=20)
    table = compute(cards, history, make_known(make_history()).iloc[:0], slice(0, 20)).to_pandas()
    times = history["event_time"].to_pandas()
    assert (table["hour"] == times.dt.hour).all()
    assert (table["weekday"] == times.dt.day_of_week).all()
    assert (table["night"] == (times.dt.hour <= 6)).all()
    assert (table["weekend"] == (times.dt.day_of_week >= 5)).all()
