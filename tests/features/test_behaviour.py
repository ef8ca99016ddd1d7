"""The features against a slow, obvious implementation, and against the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fraudops.features.columns import feature_names
from fraudops.features.compute import compute, lookback
from fraudops.portfolio import Portfolio

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 60


def _history(seed: int = 0, rows: int = 600) -> pa.Table:
    random = np.random.default_rng(seed)
    # Whole minutes on few entities: many ties in time, on purpose.
    minutes = np.sort(random.integers(0, DAYS * 24 * 60, rows))
    minutes[rows // 3 : rows // 3 + 4] = minutes[rows // 3]
    frame = pd.DataFrame(
        {
            "transaction_id": [f"t{n:05d}" for n in range(rows)],
            "event_time": pd.Timestamp(START) + pd.to_timedelta(minutes, unit="m"),
            "amount_minor": random.integers(0, 20_000, rows),
            "customer_id": random.choice(["a", "b", "c", "d"], rows),
            "terminal_id": random.choice(["x", "y", None], rows),
            "card_token": random.choice(["k1", "k2", "k3"], rows),
        }
    )
    frame["event_time"] = frame["event_time"].dt.as_unit("us")
    return pa.Table.from_pandas(frame, preserve_index=False)


def _known(history: pa.Table, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = history.select(["transaction_id", "event_time"]).to_pandas()
    frauds = frame.sample(60, random_state=2).sort_values("event_time")
    after = pd.to_timedelta(random.integers(1, 16, len(frauds)), unit="D")
    known = pd.DataFrame(
        {
            "transaction_id": frauds["transaction_id"].to_numpy(),
            "label": pd.array([True] * len(frauds), dtype="boolean"),
            "known_at": (frauds["event_time"] + after).dt.ceil("D").to_numpy(),
        }
    )
    correction = known.iloc[:5].assign(label=pd.array([False] * 5, dtype="boolean"))
    correction["known_at"] += pd.Timedelta(days=1)
    known = pd.concat([known, correction], ignore_index=True)
    known["known_at"] = pd.to_datetime(known["known_at"], utc=True)
    return known.sort_values(["known_at", "transaction_id"], kind="stable", ignore_index=True)


def _slowly(portfolio: Portfolio, history: pa.Table, known: pd.DataFrame, row: int) -> dict[str, float]:
    """One row's behaviour by scanning everything before it: the definition, written down plainly."""
    frame = history.to_pandas()
    delay = portfolio.labels.delay
    this = frame.iloc[row]
    now = this["event_time"]
    longest = portfolio.features.longest_window
    found: dict[str, float] = {}
    for group in portfolio.features.behaviour:
        column = portfolio.entities[group.entity]
        seen = frame.iloc[: row + 1]
        seen = seen[seen[column] == this[column]]
        for aggregate in group.aggregates:
            for window in sorted(group.windows) if not aggregate.startswith("seconds") else [longest]:
                inside = seen[seen["event_time"] > now - window]
                suffix = "" if aggregate.startswith("seconds") else f"_{window.days}d"
                name = f"{group.entity}_{aggregate}{suffix}"
                if this[column] is None or pd.isna(this[column]):
                    found[name] = np.nan
                    continue
                earlier = inside.iloc[:-1]
                past = frame[(frame[column] == this[column]) & (frame["event_time"] <= now - delay)]
                past = past[past["event_time"] > now - delay - window]
                frauds = 0
                everyone = frame[frame[column] == this[column]].set_index("transaction_id")["event_time"]
                state: dict[str, bool] = {}
                for said in known.itertuples():
                    if said.transaction_id not in everyone.index:
                        continue
                    happened = everyone[said.transaction_id]
                    changed = said.label != state.get(said.transaction_id, False)
                    state[said.transaction_id] = said.label
                    if not changed or said.known_at > happened + 2 * delay:
                        continue
                    effective = max(happened + delay, said.known_at)
                    if now - window < effective <= now:
                        frauds += 1 if said.label else -1
                found[name] = {
                    "count": lambda i=inside: len(i),
                    "amount_sum": lambda i=inside: i["amount_minor"].sum() / 100,
                    "amount_mean": lambda i=inside: i["amount_minor"].sum() / len(i) / 100,
                    "amount_max": lambda i=inside: i["amount_minor"].max() / 100,
                    "amount_ratio": lambda e=earlier: (
                        this["amount_minor"] * len(e) / e["amount_minor"].sum()
                        if len(e) and e["amount_minor"].sum() > 0
                        else np.nan
                    ),
                    "seconds_since_last": lambda e=earlier: (
                        (now - e["event_time"].iloc[-1]).total_seconds() if len(e) else np.nan
                    ),
                    "seconds_since_first": lambda i=inside: (now - i["event_time"].iloc[0]).total_seconds(),
                    "fraud_count": lambda f=frauds: f,
                    "fraud_rate": lambda f=frauds, p=past: f / max(len(p), 1),
                }[aggregate]()
    return found


@pytest.fixture(scope="module")
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def test_features_equal_their_plain_definition(cards: Portfolio) -> None:
    history, known = _history(), _known(_history())
    table = compute(cards, history, known, slice(0, history.num_rows)).to_pandas()
    assert list(table.columns) == ["transaction_id", *feature_names(cards)]
    assert table["terminal_fraud_count_30d"].max() > 2, "the example must exercise the label features"
    for row in range(0, history.num_rows, 19):
        for name, expected in _slowly(cards, history, known, row).items():
            np.testing.assert_allclose(table.loc[row, name], expected, rtol=1e-12, err_msg=f"{name}, row {row}")


def test_nothing_of_the_future_can_change_a_feature(cards: Portfolio) -> None:
    history, known = _history(), _known(_history())
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
    history, known = _history(), _known(_history())
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
    history = _history(rows=50)
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
    history = _history(rows=20)
    table = compute(cards, history, _known(_history()).iloc[:0], slice(0, 20)).to_pandas()
    times = history["event_time"].to_pandas()
    assert (table["hour"] == times.dt.hour).all()
    assert (table["weekday"] == times.dt.day_of_week).all()
    assert (table["night"] == (times.dt.hour <= 6)).all()
    assert (table["weekend"] == (times.dt.day_of_week >= 5)).all()
