"""Small histories with all that is awkward: ties, missing entities, refunds, late reports and corrections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from fraudops.aggregates import AGGREGATES
from fraudops.portfolio import EntityFeatures, Features, Portfolio
from fraudops.workspace import Workspace

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 60


def make_history(seed: int = 0, rows: int = 600) -> pa.Table:
    random = np.random.default_rng(seed)
    # Whole minutes on few entities: many ties in time, on purpose.
    minutes = np.sort(random.integers(0, DAYS * 24 * 60, rows))
    minutes[rows // 3 : rows // 3 + 4] = minutes[rows // 3]
    frame = pd.DataFrame(
        {
            "transaction_id": [f"t{n:05d}" for n in range(rows)],
            "event_time": pd.Timestamp(START) + pd.to_timedelta(minutes, unit="m"),
            "amount_minor": np.where(random.random(rows) < 0.05, -500, random.integers(0, 20_000, rows)),
            "customer_id": random.choice(["a", "b", "c", "d"], rows),
            "terminal_id": random.choice(["x", "y", None], rows),
            "card_token": random.choice(["k1", "k2", "k3"], rows),
        }
    )
    frame["event_time"] = frame["event_time"].dt.as_unit("us")
    return pa.Table.from_pandas(frame, preserve_index=False)


def make_known(history: pa.Table, seed: int = 1) -> pd.DataFrame:
    """A tenth of the payments reported as fraud, up to two weeks later; some of these reports taken back.

    Some are taken back by "genuine", some by an investigator who could not say.
    """
    random = np.random.default_rng(seed)
    frame = history.select(["transaction_id", "event_time"]).to_pandas()
    frauds = frame.sample(max(1, len(frame) // 10), random_state=2).sort_values("event_time")
    after = pd.to_timedelta(random.integers(1, 16, len(frauds)), unit="D")
    known = pd.DataFrame(
        {
            "transaction_id": frauds["transaction_id"].to_numpy(),
            "label": pd.array([True] * len(frauds), dtype="boolean"),
            "known_at": (frauds["event_time"] + after).dt.ceil("D").to_numpy(),
        }
    )
    taken_back = [None if place % 3 == 1 else False for place in range(len(known.iloc[::4]))]
    correction = known.iloc[::4].assign(label=pd.array(taken_back, dtype="boolean"))
    correction["known_at"] += pd.Timedelta(days=1)
    again = correction.iloc[::3].assign(label=pd.array([True] * len(correction.iloc[::3]), dtype="boolean"))
    again["known_at"] += pd.Timedelta(days=1)
    known = pd.concat([known, correction, again], ignore_index=True)
    known["known_at"] = pd.to_datetime(known["known_at"], utc=True).dt.as_unit("us")
    return known.sort_values(["known_at", "transaction_id"], kind="stable", ignore_index=True)


def with_everything(portfolio: Portfolio, *, delay: timedelta | None = None) -> Portfolio:
    """The portfolio with every aggregate that there is, of a customer, a terminal, and of both together."""
    windows, names = (timedelta(days=1), timedelta(days=7), timedelta(days=20)), tuple(AGGREGATES)
    groups = (
        EntityFeatures(entity="customer", windows=windows, aggregates=names, of="terminal"),
        EntityFeatures(entity="terminal", windows=windows, aggregates=names, of="customer"),
        EntityFeatures(entity=("customer", "terminal"), windows=windows[1:], aggregates=names, of="card"),
    )
    features = Features(calendar=("hour", "weekday", "night", "weekend"), behaviour=groups)
    labels = portfolio.labels if delay is None else portfolio.labels.model_copy(update={"delay": delay})
    return portfolio.model_copy(update={"features": features, "labels": labels})


def store_history(ws: Workspace, history: pa.Table) -> None:
    """Write a history into the store as transactions of ``cards``, with what its labels and investigators say."""
    n = history.num_rows
    history = history.append_column("amount", pc.divide(history["amount_minor"].cast(pa.float64()), 100.0))
    for name, value in (("currency", "EUR"), ("country", "DE"), ("channel", "online")):
        history = history.append_column(name, pa.array([value] * n))
    keys = pc.strftime(history["event_time"], "%Y-%m-%d")
    for key in sorted(pc.unique(keys).to_pylist()):
        ws.store.write("transactions", "cards", key, history.filter(pc.equal(keys, key)), config="c")
    reported, found = make_known(history), make_known(history, seed=7)
    _arrive(ws, "labels", reported.assign(label=reported["label"].fillna(False)))
    words = {True: "fraud", False: "not_fraud"}
    found["finding"] = [words.get(label, "insufficient") for label in found["label"].astype(object)]
    _arrive(ws, "dispositions", found.assign(by="ann").drop(columns="label"))


def _arrive(ws: Workspace, dataset: str, said: pd.DataFrame) -> None:
    arrived = (said["known_at"] - np.timedelta64(1, "s")).dt.strftime("%Y-%m-%d")
    for key, part in said.groupby(arrived):
        table = pa.Table.from_pandas(part.assign(reported_at=part["known_at"]), preserve_index=False)
        ws.store.write(dataset, "cards", str(key), table, config="c")
