"""A small history in the store: card payments with two entities and a feed of chargebacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from fraudops.features import build
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 40
PER_DAY = 120

_YAML = {
    "name": "shop",
    "title": "Shop",
    "description": "Payments of a test.",
    "owner": "tests",
    "transactions": {"path": "*.csv"},
    "columns": {
        "transaction_id": {"role": "id"},
        "event_time": {"role": "time"},
        "amount": {"role": "amount"},
        "customer_id": {"role": "entity", "required": True},
        "channel": {"role": "category"},
        "age": {"role": "number"},
    },
    "labels": {"delay": "5d", "source": {"path": "chargebacks.csv"}},
    "features": {
        "calendar": ["hour"],
        "behaviour": [{"entity": "customer", "windows": ["1d", "7d"], "aggregates": ["count", "amount_ratio"]}],
    },
    "training": {
        "window": "365d",
        "candidates": {
            "logistic_regression": {"estimator": "logistic_regression"},
            "random_forest": {"estimator": "random_forest", "parameters": {"n_estimators": 20}},
            "xgboost": {"estimator": "xgboost", "parameters": {"n_estimators": 30}},
            "lightgbm": {"estimator": "lightgbm", "parameters": {"n_estimators": 30}},
        },
    },
    "policy": {"alerts_per_day": 5, "block_precision": 0.9},
    "notices": {"compliance": ["c@example.com"], "data_owner": ["d@example.com"]},
}


def portfolio(**changes: object) -> Portfolio:
    """The test's portfolio; top-level sections may be replaced."""
    return Portfolio.model_validate({**_YAML, **changes})


def transactions(seed: int = 0, days: int = DAYS) -> pd.DataFrame:
    """Payments with ``fraud``: large ones made online, mostly."""
    random = np.random.default_rng(seed)
    rows = days * PER_DAY
    seconds = np.sort(random.integers(0, days * 86_400, rows))
    amount = np.round(np.exp(random.normal(3, 1, rows)), 2)
    channel = random.choice(np.array(["online", "shop", "atm", None], dtype=object), rows, p=[0.4, 0.4, 0.15, 0.05])
    age = np.where(random.random(rows) < 0.2, np.nan, random.normal(40, 10, rows))
    odds = -5.5 + 1.2 * (np.log(amount) - 3) + 1.5 * (channel == "online")
    return pd.DataFrame(
        {
            "transaction_id": [f"t{n:06d}" for n in range(rows)],
            "event_time": (pd.Timestamp(START) + pd.to_timedelta(seconds, unit="s")).as_unit("us"),
            "amount": amount,
            "amount_minor": np.round(amount * 100).astype(np.int64),
            "customer_id": [f"c{n}" for n in random.integers(0, 60, rows)],
            "channel": channel,
            "age": age,
            "fraud": random.random(rows) < 1 / (1 + np.exp(-odds)),
        }
    )


def write(ws: Workspace, shop: Portfolio, rows: pd.DataFrame, *, with_labels: bool = True) -> None:
    """Publish the transactions, the chargebacks three days after each fraud, and the features."""
    days = rows["event_time"].dt.strftime("%Y-%m-%d")
    for key, part in rows.groupby(days):
        table = pa.Table.from_pandas(part.drop(columns="fraud"), preserve_index=False)
        ws.store.write("transactions", shop.name, str(key), table.replace_schema_metadata(None), config="c")
    frauds = rows[rows["fraud"]]
    arrival = frauds["event_time"].dt.floor("D") + pd.Timedelta(days=3)
    for day, part in frauds.groupby(arrival) if with_labels else ():
        known_at = day + pd.Timedelta(days=1)
        table = pa.table(
            {
                "transaction_id": pa.array(part["transaction_id"], pa.string()),
                "label": pa.array([True] * len(part)),
                "reported_at": pa.array([day] * len(part), pa.timestamp("us", tz="UTC")),
                "known_at": pa.array([known_at] * len(part), pa.timestamp("us", tz="UTC")),
            }
        )
        ws.store.write("labels", shop.name, f"{day:%Y-%m-%d}", table, config="c")
    build(ws, shop, ws.store.keys("transactions", shop.name))


def end(days: int = DAYS) -> datetime:
    """First moment after the history."""
    return START + timedelta(days=days)


def dispose(ws: Workspace, shop: Portfolio, rows: pd.DataFrame) -> None:
    """What investigators found about these payments, on the day after each."""
    arrival = rows["event_time"].dt.floor("D") + pd.Timedelta(days=1)
    for day, part in rows.groupby(arrival):
        moments = {"reported_at": day, "known_at": day + pd.Timedelta(days=1)}
        table = pa.table(
            {
                "transaction_id": pa.array(part["transaction_id"], pa.string()),
                "finding": pa.array(["fraud" if fraud else "not_fraud" for fraud in part["fraud"]], pa.string()),
                "by": pa.array(["ann"] * len(part), pa.string()),
                **{name: pa.array([at] * len(part), pa.timestamp("us", tz="UTC")) for name, at in moments.items()},
            }
        )
        ws.store.write("dispositions", shop.name, f"{day:%Y-%m-%d}", table, config="c")
