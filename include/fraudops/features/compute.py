"""Features of some rows of a history, as the portfolio declares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.aggregates import AGGREGATES, Unit
from fraudops.features.columns import feature_names
from fraudops.features.engine import EntityHistory, History, Reported, Request
from fraudops.features.engine.calendar import hour, is_night, is_weekend, weekday
from fraudops.portfolio import Portfolio
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features

_CALENDAR: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hour": hour,
    "weekday": weekday,
    "night": is_night,
    "weekend": is_weekend,
}


def lookback(portfolio: Portfolio) -> timedelta:
    """How much history before a row its features can depend on.

    Label windows end one delay ago and reports up to two delays late count, so the longest window is
    followed by two delays.
    """
    return max(portfolio.features.longest_window, portfolio.features.reach) + 2 * portfolio.labels.delay


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
    start, stop, _ = rows.indices(history.num_rows)
    times = history["event_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    columns = {"transaction_id": history["transaction_id"].slice(start, stop - start)}
    columns |= {name: pa.array(_CALENDAR[name](times[start:stop])) for name in portfolio.features.calendar}
    if portfolio.features.behaviour:
        columns |= dict(_behaviour(portfolio, history, times, known, slice(start, stop)))
    return pa.table({name: columns[name] for name in ("transaction_id", *feature_names(portfolio))})


def _behaviour(
    portfolio: Portfolio, history: pa.Table, times: np.ndarray, known: pd.DataFrame, rows: slice
) -> Iterator[tuple[str, pa.Array]]:
    """Columns of behaviour, entity by entity: what was prepared for one is given back before the next."""
    context = History(
        times=times,
        amounts=history["amount_minor"].to_numpy(),
        reported=_reported(history, times, known, portfolio.labels.delay),
        delay=microseconds(portfolio.labels.delay),
        margin=microseconds(lookback(portfolio)),
    )
    features = [feature for group in portfolio.features.behaviour for feature in behaviour_features(group)]
    features.sort(key=lambda feature: feature.entities)
    named = {name for feature in features for name in (*feature.entities, feature.of) if name is not None}
    # Each once: an entity may be declared alone, in combinations, and as what another one counts.
    codes = {name: _encoded(history[portfolio.entities[name]]) for name in named}
    for entities, group in groupby(features, key=lambda feature: feature.entities):
        own = list(group)
        others = {of: codes[of] for of in {f.of for f in own} if of is not None}
        entity = EntityHistory(_combined([codes[name] for name in entities]), context, others)
        requests = [_request(portfolio, feature) for feature in own]
        for feature, request, values in zip(own, requests, entity.measure(requests, rows), strict=True):
            if request.aggregate.unit is Unit.MONEY:
                values /= 10.0**portfolio.minor_digits
            yield feature.name, pa.array(values, from_pandas=True)


def _request(portfolio: Portfolio, feature: BehaviourFeature) -> Request:
    window = microseconds(feature.window or portfolio.features.longest_window)
    return Request(AGGREGATES[feature.aggregate], window, feature.of)


def microseconds(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return duration // timedelta(microseconds=1)


def _combined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """A small integer for each combination of entities; −1 where one of them is not named."""
    codes = parts[0]
    for second in parts[1:]:
        named = (codes >= 0) & (second >= 0)
        together = codes * (int(second.max(initial=0)) + 1) + second
        codes = _encoded(pa.chunked_array([pa.array(together, mask=~named)]))
    return codes


def _encoded(values: pa.ChunkedArray) -> np.ndarray:
    """A small integer for each different value; −1 where there is none."""
    indices = pc.dictionary_encode(values.combine_chunks()).indices
    return pc.fill_null(indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _reported(history: pa.Table, times: np.ndarray, known: pd.DataFrame, delay: timedelta) -> Reported:
    """Reports on transactions of the history, each from the moment on which it counts.

    A report that comes more than two delays after the payment no longer counts towards risk: that bounds
    how far back a feature can look, so that every way of computing it sees the same.
    """
    empty = np.empty(0, np.int64)
    if known.empty:
        return Reported(empty, empty, empty)
    row = _rows_of(known["transaction_id"], history["transaction_id"])
    said, row = known[row >= 0], row[row >= 0]
    # Whoever cannot say what it was does not say "fraud": what was said before is taken back.
    fraud = said["label"].fillna(False).to_numpy(dtype=np.int64)
    # What a report changes: a first "genuine" nothing, a repeated "fraud" nothing, a correction takes back.
    before = pd.Series(fraud).groupby(row).shift(1, fill_value=0).to_numpy()
    known_at = said["known_at"].dt.as_unit("us").astype("int64").to_numpy()
    late = microseconds(delay)
    effective = np.maximum(times[row] + late, known_at)
    counts = (fraud != before) & (known_at <= times[row] + 2 * late)
    return Reported(row[counts], effective[counts], (fraud - before)[counts])


def _rows_of(ids: pd.Series, all_ids: pa.ChunkedArray) -> np.ndarray:
    """Position of each id in the history, −1 where it is not there."""
    # Reports are few: the history is looked up in them, which is far quicker than the other way round.
    code, names = pd.factorize(ids)
    found = pc.index_in(all_ids, value_set=pa.array(names, all_ids.type)).combine_chunks()
    rows = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    position = np.full(len(names), -1, np.int64)
    # Backwards: an id that occurs again means its first row.
    position[found.drop_null().to_numpy()[::-1]] = rows[::-1]
    return position[code]
