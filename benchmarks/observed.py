"""Payments as the library sees them: typed at intake, with the features that a portfolio declares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from fraudops.features.compute import compute
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from fraudops.portfolio import Portfolio

_ID = "transaction_id"


def typed(path: Path, portfolio: Portfolio) -> pa.Table:
    """A file's rows, typed, in the order of time."""
    feed = transactions_feed(portfolio)
    mapper = Mapper(feed, token_keys=b"nothing here is a real card")
    table = pa.concat_tables([mapper.map(batch).rows for batch in read_batches(path, feed, [])]).combine_chunks()
    return table.sort_by([("event_time", "ascending"), (_ID, "ascending")])


def with_features(table: pa.Table, known: pd.DataFrame, portfolio: Portfolio) -> pd.DataFrame:
    """Payments in the order of time with the portfolio's features, and ``day``, a whole number.

    Parameters
    ----------
    known
        All that was ever said about them, see :func:`fraudops.labels.reports`: each feature looks only at what could
        have been known.
    """
    features = compute(portfolio, table, known.sort_values(["known_at", _ID], kind="stable"), slice(0, table.num_rows))
    for name in features.column_names:
        if name not in table.column_names:
            table = table.append_column(name, features[name])
    frame = table.to_pandas()
    return frame.assign(day=days(frame["event_time"]))


def days(times: pd.Series) -> np.ndarray:
    """Days since 1970 of some moments (UTC)."""
    return times.dt.floor("D").astype("datetime64[us, UTC]").astype("int64").to_numpy() // 86_400_000_000
