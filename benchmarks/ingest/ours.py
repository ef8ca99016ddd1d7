"""Ours: the file is landed, and every partition of it validated and published, by the library's own steps."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import great_expectations  # noqa: F401 - imports are not counted, and this one would happen in between
import pyarrow as pa
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.validation import publish, validate
from fraudops.portfolio import load_portfolio
from fraudops.store import Store
from fraudops.workspace import Workspace

from benchmarks.processes import CHECKOUT


def main() -> None:
    """Ingest a file into an empty store and print the CPU time of each step, imports aside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("database", help="URL of a database with the tables of fraudops, and no rows")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    portfolio = load_portfolio(CHECKOUT / "include" / "portfolios" / "ulb.yaml")
    ws = Workspace(
        store=Store(options.store),
        landing=options.csv.parent,
        database_url=options.database,
        token_key=b"t" * 32,
        ledger_key=b"l" * 32,
    )
    begun = time.process_time()
    landed = land(ws, portfolio, FeedFiles([options.csv]))
    spent = {"land": time.process_time() - begun, "validate": 0.0, "publish": 0.0}
    failed = []
    for key in landed.changed_keys:
        started = time.process_time()
        outcome = validate(ws, portfolio, key)
        spent["validate"] += time.process_time() - started
        if not outcome.passed:
            failed.append(key)
            continue
        started = time.process_time()
        publish(ws, portfolio, key, actor="service:benchmark")
        spent["publish"] += time.process_time() - started
    answer = {
        "cpu_seconds": time.process_time() - begun,
        "steps": {name: round(seconds, 2) for name, seconds in spent.items()},
        "rows": landed.rows_accepted,
        "partitions": len(landed.changed_keys),
        "failed": failed,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
