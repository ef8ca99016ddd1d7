"""Ours: the same features, declared as in a portfolio's YAML and computed by the library."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fraudops.features.compute import compute
from fraudops.labels.known import reports_in

from benchmarks.features.handbook import COLUMNS, portfolio

_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Compute the features of a file, write them, and print the CPU seconds of the computation alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transactions", type=Path)
    parser.add_argument("features", type=Path, help="where the features go")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    declared = portfolio()
    history = _as_stored(pq.read_table(options.transactions, use_threads=False))
    known = _known(history, declared.labels.delay)
    before = _peak_mb()
    begun = time.process_time()
    features = compute(declared, history, known, slice(0, history.num_rows))
    spent = time.process_time() - begun
    answer = {
        "cpu_seconds": spent,
        "rows": features.num_rows,
        "peak_mb": round(_peak_mb()),
        "peak_before_mb": round(before),
        "result_mb": round(features.nbytes / 1e6),
    }
    frame = features.select(COLUMNS).to_pandas()
    frame.index = pd.Index(features["transaction_id"].to_pandas().astype("int64"), name="TRANSACTION_ID")
    frame.sort_index().to_parquet(options.features)
    print(json.dumps(answer))


def _as_stored(table: pa.Table) -> pa.Table:
    """The rows as partitions of transactions have them: names are text, times have a zone, amounts are whole cents."""
    cents = pc.round(pc.multiply(table["TX_AMOUNT"].cast(pa.float64()), 100.0)).cast(pa.int64())
    stored = pa.table(
        {
            "transaction_id": table["TRANSACTION_ID"].cast(pa.string()),
            "event_time": table["TX_DATETIME"].cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
            "amount_minor": cents,
            "customer_id": table["CUSTOMER_ID"].cast(pa.string()),
            "terminal_id": table["TERMINAL_ID"].cast(pa.string()),
            "label": pc.equal(table["TX_FRAUD"], 1),
        }
    )
    return stored.sort_by([("event_time", "ascending"), ("transaction_id", "ascending")])


def _known(history: pa.Table, delay: object) -> pd.DataFrame:
    """All reports that the file's label column makes."""
    end = pc.max(history["event_time"]).as_py() + 2 * delay  # type: ignore[operator]
    return reports_in(history, delay, end).to_pandas()  # type: ignore[arg-type]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e6


if __name__ == "__main__":
    main()
