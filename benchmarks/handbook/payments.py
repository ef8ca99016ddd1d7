"""The Handbook's payments, with the features of the portfolio ``handbook``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from fraudops.labels.known import reports_in
from fraudops.portfolio import Portfolio, load_portfolio

from benchmarks.observed import typed, with_features
from benchmarks.processes import CHECKOUT

_END = datetime(2100, 1, 1, tzinfo=UTC)
"""After everything."""


def portfolio() -> Portfolio:
    """The portfolio ``handbook`` of this checkout."""
    return load_portfolio(CHECKOUT / "include" / "portfolios" / "handbook.yaml")


def read(path: Path, handbook: Portfolio) -> pd.DataFrame:
    """All payments in the order of time, with the portfolio's features and ``day``, a whole number."""
    table = typed(path, handbook)
    frame = with_features(table, reports_in(table, handbook.labels.delay, _END).to_pandas(), handbook)
    return frame.assign(label=frame["label"].astype(bool))


def scenarios(path: Path, ids: pd.Series) -> np.ndarray:
    """Which of the simulator's three scenarios each payment is of, 0 for none: the answer, for the ceiling alone."""
    table = pq.read_table(path, columns=["TRANSACTION_ID", "TX_FRAUD_SCENARIO"]).to_pandas()
    found = table.set_index(table["TRANSACTION_ID"].astype(str))["TX_FRAUD_SCENARIO"]
    return found.reindex(ids.astype(str)).to_numpy()
