"""Features of some rows of a history, as the portfolio declares them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.features.behaviour import EntityHistory, Reported, microseconds
from fraudops.portfolio import EntityFeatures, Portfolio
from fraudops.portfolio.feature_names import WITHOUT_WINDOW, behaviour_name

_NIGHT_ENDS = 6
"""Last hour (UTC) that counts as night, as in the Fraud Detection Handbook."""
_MONEY = frozenset({"amount_sum", "amount_mean", "amount_max"})


def lookback(portfolio: Portfolio) -> timedelta:
    """How much history before a row its features can depend on.

    Label windows end one delay ago and reports up to two delays late count, so the longest window is
    followed by two delays.
    """
    return portfolio.features.longest_window + 2 * portfolio.labels.delay


def compute(portfolio: Portfolio, history: pa.Table, known: pd.DataFrame, rows: slice) -> pa.Table:
    """Features of a run of rows.

    Parameters
    ----------
    history
        Transactions sorted by (event_time, transaction_id), reaching back at least :func:`lookback`
        before the first of ``rows``.
    known
        Result of :func:`fraudops.labels.reports`; what became known after a row does not affect it.
    rows
        Positions for which features are wanted.

    Returns
    -------
    Table
        ``transaction_id`` and the columns of :func:`fraudops.features.feature_names`, in their order.
    """
    wanted = np.arange(*rows.indices(history.num_rows), dtype=np.int64)
    part = history.slice(rows.start, len(wanted))
    columns: dict[str, pa.Array] = {"transaction_id": part["transaction_id"]}
    columns |= {name: _calendar(name, part["event_time"]) for name in portfolio.features.calendar}
    if portfolio.features.behaviour:
        times = history["event_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
        amounts = history["amount_minor"].to_numpy()
        reported = _reported(history, times, known, portfolio.labels.delay)
        entities: dict[str, EntityHistory] = {}
        for group in portfolio.features.behaviour:
            if group.entity not in entities:
                codes = _codes(history[portfolio.entities[group.entity]])
                delay = microseconds(portfolio.labels.delay)
                entities[group.entity] = EntityHistory(codes, times, amounts, reported, delay)
            columns |= _group(portfolio, group, entities[group.entity], wanted)
    return pa.table(columns)


def _group(portfolio: Portfolio, group: EntityFeatures, entity: EntityHistory, rows: np.ndarray) -> dict[str, pa.Array]:
    scale = 10.0**portfolio.minor_digits
    found = {}
    for aggregate in group.aggregates:
        if aggregate in WITHOUT_WINDOW:
            windows = {behaviour_name(group.entity, aggregate): portfolio.features.longest_window}
        else:
            windows = {behaviour_name(group.entity, aggregate, w): w for w in sorted(group.windows)}
        for name, window in windows.items():
            values = entity.aggregate(aggregate, rows, microseconds(window))
            found[name] = pa.array(values / scale if aggregate in _MONEY else values, from_pandas=True)
    return found


def _calendar(name: str, times: pa.ChunkedArray) -> pa.Array:
    if name == "hour":
        return pc.cast(pc.hour(times), pa.int64())
    if name == "weekday":
        return pc.cast(pc.day_of_week(times), pa.int64())
    if name == "night":
        return pc.cast(pc.less_equal(pc.hour(times), _NIGHT_ENDS), pa.int64())
    return pc.cast(pc.greater_equal(pc.day_of_week(times), 5), pa.int64())


def _codes(entity: pa.ChunkedArray) -> np.ndarray:
    indices = pc.dictionary_encode(entity).combine_chunks().indices
    return pc.fill_null(indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _reported(history: pa.Table, times: np.ndarray, known: pd.DataFrame, delay: timedelta) -> Reported:
    """Reports on transactions of the history, each from the moment on which it counts.

    A report that comes more than two delays after the payment no longer counts towards risk: that bounds
    how far back a feature can look, so that every way of computing it sees the same.
    """
    empty = np.empty(0, np.int64)
    said = known.dropna(subset=["label"])
    if said.empty:
        return Reported(empty, empty, empty)
    position = pc.index_in(
        pa.array(said["transaction_id"], pa.string()), value_set=history["transaction_id"].combine_chunks()
    )
    here = pc.is_valid(position).to_numpy(zero_copy_only=False)
    row = pc.drop_null(position).to_numpy().astype(np.int64)
    said = said[here]
    fraud = said["label"].to_numpy(dtype=np.int64)
    # What a report changes: a first "genuine" nothing, a repeated "fraud" nothing, a correction takes back.
    before = pd.Series(fraud).groupby(row).shift(1, fill_value=0).to_numpy()
    known_at = said["known_at"].dt.as_unit("us").astype("int64").to_numpy()
    late = microseconds(delay)
    effective = np.maximum(times[row] + late, known_at)
    counts = (fraud != before) & (known_at <= times[row] + 2 * late)
    return Reported(row[counts], effective[counts], (fraud - before)[counts])
