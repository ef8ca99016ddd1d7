"""The Handbook's payments as the library sees them: typed at intake, with the features that the portfolio declares."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fraudops.features.compute import compute
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from fraudops.labels.known import reports_in
from fraudops.portfolio import Portfolio, load_portfolio

from benchmarks.processes import CHECKOUT

_END = datetime(2100, 1, 1, tzinfo=UTC)
"""After everything: each feature looks only at the reports that it could have known."""
_ID = "transaction_id"


def portfolio() -> Portfolio:
    """The portfolio ``handbook`` of this checkout."""
    return load_portfolio(CHECKOUT / "include" / "portfolios" / "handbook.yaml")


def read(path: Path, handbook: Portfolio) -> pd.DataFrame:
    """All payments in the order of time, with the portfolio's features and ``day``, a whole number."""
    feed = transactions_feed(handbook)
    mapper = Mapper(feed, token_key=b"nothing here is a card number")
    table = pa.concat_tables([mapper.map(batch).rows for batch in read_batches(path, feed, [])]).combine_chunks()
    table = table.sort_by([("event_time", "ascending"), (_ID, "ascending")])
    known = reports_in(table, handbook.labels.delay, _END).to_pandas()
    features = compute(handbook, table, known.sort_values(["known_at", _ID], kind="stable"), slice(0, table.num_rows))
    for name in features.column_names:
        if name not in table.column_names:
            table = table.append_column(name, features[name])
    frame = table.to_pandas()
    return frame.assign(day=days(frame["event_time"]), label=frame["label"].astype(bool))


def scenarios(path: Path, ids: pd.Series) -> np.ndarray:
    """Which of the simulator's three scenarios each payment is of, 0 for none: the answer, for the ceiling alone."""
    table = pq.read_table(path, columns=["TRANSACTION_ID", "TX_FRAUD_SCENARIO"]).to_pandas()
    found = table.set_index(table["TRANSACTION_ID"].astype(str))["TX_FRAUD_SCENARIO"]
    return found.reindex(ids.astype(str)).to_numpy()


def days(times: pd.Series) -> np.ndarray:
    """Days since 1970 of some moments (UTC)."""
    return times.dt.floor("D").astype("datetime64[us, UTC]").astype("int64").to_numpy() // 86_400_000_000
