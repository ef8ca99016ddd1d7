"""Transactions as the online state gets them, from tables as the batch has them; and both sides' features, compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from fraudops.features.columns import feature_names
from fraudops.features.compute import compute
from fraudops.online import Transaction
from fraudops.online.reports import Report
from fraudops.portfolio import Portfolio


def transactions_of(history: pa.Table) -> list[Transaction]:
    """The rows of a history, in its order."""
    times = history["event_time"].cast(pa.int64()).to_pylist()
    rows = history.drop_columns(["event_time"]).to_pylist()
    return [
        Transaction(row["transaction_id"], time, row["amount_minor"], row)
        for time, row in zip(times, rows, strict=True)
    ]


def arrived(history: pa.Table, ids: set[str]) -> pa.Table:
    """The rows of a history that are there by then."""
    return history.filter(pc.is_in(history["transaction_id"], value_set=pa.array(sorted(ids), pa.string())))


def reports_of(known: pd.DataFrame, transactions: Sequence[Transaction]) -> list[Report]:
    """What :func:`fraudops.labels.reports` returns, as far as it is about some transactions."""
    by_id = {t.id: t for t in transactions}
    moments = known["known_at"].dt.as_unit("us").astype("int64")
    return [
        Report(t.id, t.event_time, t.amount_minor or 0, moment, None if pd.isna(label) else bool(label))
        for name, label, moment in zip(known["transaction_id"], known["label"], moments, strict=True)
        if (t := by_id.get(name)) is not None
    ]


def batch(portfolio: Portfolio, history: pa.Table, known: pd.DataFrame) -> dict[str, list[float]]:
    """What the batch computes for every row: transaction → features."""
    table = compute(portfolio, history, known, slice(0, history.num_rows))
    matrix = np.column_stack([table[name].to_numpy().astype(np.float64) for name in feature_names(portfolio)])
    return dict(zip(table["transaction_id"].to_pylist(), matrix.tolist(), strict=True))


def assert_same(portfolio: Portfolio, online: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    """Equal to the last bit, for each transaction that was computed online."""
    names = feature_names(portfolio)
    for transaction, values in online.items():
        for name, value, other in zip(names, values, expected[transaction], strict=True):
            same = value == other or (value != value and other != other)
            assert same, f"{name} of {transaction}: {value!r} online, {other!r} in the batch"
