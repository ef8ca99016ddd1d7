"""The row about the Handbook's features, on a small file with its columns: both sides find the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.data import HANDBOOK
from benchmarks.features import rows
from benchmarks.features.comparison import compare
from benchmarks.features.handbook import COLUMNS
from benchmarks.rows import Conditions
from tests.benchmarks.conftest import HereRunner

ROWS = 1_500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sixty days of payments of few customers at few terminals; some of them in the same second."""
    random = np.random.default_rng(3)
    seconds = np.sort(random.integers(0, 60 * 86_400, ROWS))
    seconds[100:104] = seconds[100]
    frame = pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(ROWS),
            "TX_DATETIME": (pd.Timestamp("2018-04-01") + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]"),
            "CUSTOMER_ID": random.integers(0, 12, ROWS),
            "TERMINAL_ID": random.integers(0, 9, ROWS),
            "TX_AMOUNT": random.integers(1, 30_000, ROWS) / 100,
            "TX_FRAUD": (random.random(ROWS) < 0.05).astype("int64"),
        }
    )
    path = tmp_path / "data" / HANDBOOK
    path.parent.mkdir()
    frame.to_parquet(path)
    return path.parent


def test_ours_equal_the_books(here: type[HereRunner], folder: Path, tmp_path: Path) -> None:
    (row,) = rows.measure(Conditions(folder, tmp_path, quick=True, say=lambda text: None))
    assert row.name == rows.CPU
    equality = row.details["equality"]
    moments = pd.read_parquet(folder / Path(HANDBOOK).name)["TX_DATETIME"]
    first_days = int((moments < moments.min() + pd.Timedelta(days=45)).sum())
    assert 0 < first_days < ROWS
    assert (equality["same_rows"], equality["rows"], equality["other_rows_that_differ"]) == (True, first_days, 0)
    assert equality["tied_rows"] >= equality["tied_rows_that_differ"]
    assert row.ratio == row.reference / row.ours
    assert [len(row.details["runs"][side]) for side in ("ours", "reference")] == [3, 1]


def test_a_difference_is_told_apart_by_whether_the_moment_is_shared() -> None:
    ids = pd.Index(range(4), name="TRANSACTION_ID")
    moments = pd.to_datetime(["2018-04-01", "2018-04-02", "2018-04-03", "2018-04-03"])
    transactions = pd.DataFrame({"TX_DATETIME": moments, "CUSTOMER_ID": 1, "TERMINAL_ID": [1, 2, 3, 4]}, index=ids)
    same = pd.DataFrame(1.0, index=ids, columns=list(COLUMNS))
    other = same.copy()
    other.loc[2:3, "customer_count_1d"] = 2.0
    found = compare(transactions, same, other)
    assert (found["tied_rows"], found["tied_rows_that_differ"], found["other_rows_that_differ"]) == (2, 2, 0)
    other.loc[3, "terminal_fraud_rate_7d"] = 2.0
    other.loc[0, "night"] = np.nan
    assert compare(transactions, same, other)["other_rows_that_differ"] == 2
    assert not compare(transactions, same.iloc[:3], other)["same_rows"]
