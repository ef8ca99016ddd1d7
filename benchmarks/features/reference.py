"""The reference: the features of chapter 3 of the Fraud Detection Handbook, in the way in which the book computes them.

Le Borgne, Siblini, Lebichot and Bontempi, "Reproducible Machine Learning for Credit Card Fraud Detection - Practical
Handbook" (Université Libre de Bruxelles, 2022), section "Baseline feature transformation". The program is our own
statement of that method: a function of Python over each date; the transactions grouped by customer, and each group's
rolling sums and counts over 1, 7 and 30 days; the same by terminal, where sums over the delay are taken from sums over
delay and window. Nothing is made faster than it is there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pandas as pd

from benchmarks.features.handbook import COLUMNS, DELAY, WINDOWS


def main() -> None:
    """Compute the features of a file, write them, and print the CPU seconds of the computation alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transactions", type=Path)
    parser.add_argument("features", type=Path, help="where the features go")
    options = parser.parse_args()
    transactions = pd.read_parquet(options.transactions)[
        ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"]
    ]
    begun = time.process_time()
    features = transform(transactions)
    spent = time.process_time() - begun
    features.set_index("TRANSACTION_ID")[list(COLUMNS)].sort_index().to_parquet(options.features)
    print(json.dumps({"cpu_seconds": spent, "rows": len(features)}))


def transform(transactions: pd.DataFrame) -> pd.DataFrame:
    """The transactions with their fourteen features, in the order of time."""
    transactions = transactions.copy()
    transactions["weekend"] = transactions["TX_DATETIME"].apply(_is_weekend)
    transactions["night"] = transactions["TX_DATETIME"].apply(_is_night)
    transactions = _by_group(transactions, "CUSTOMER_ID", _spending)
    return _by_group(transactions, "TERMINAL_ID", _risk)


def _is_weekend(moment: pd.Timestamp) -> int:
    return int(moment.weekday() >= 5)


def _is_night(moment: pd.Timestamp) -> int:
    return int(moment.hour <= 6)


def _by_group(transactions: pd.DataFrame, column: str, function: object) -> pd.DataFrame:
    parts = [function(part) for _, part in transactions.groupby(column)]  # type: ignore[operator]
    return pd.concat(parts).sort_values("TX_DATETIME").reset_index(drop=True)


def _spending(payments: pd.DataFrame) -> pd.DataFrame:
    """Count and mean amount of one customer's payments."""
    payments = payments.sort_values("TX_DATETIME")
    payments.index = pd.DatetimeIndex(payments["TX_DATETIME"])
    for days in WINDOWS:
        total = payments["TX_AMOUNT"].rolling(f"{days}D").sum()
        count = payments["TX_AMOUNT"].rolling(f"{days}D").count()
        payments[f"customer_count_{days}d"] = list(count)
        payments[f"customer_amount_mean_{days}d"] = list(total / count)
    payments.index = pd.Index(payments["TRANSACTION_ID"], name=None)
    return payments


def _risk(payments: pd.DataFrame) -> pd.DataFrame:
    """Number of one terminal's payments, and the share of frauds, in windows that end before the delay."""
    payments = payments.sort_values("TX_DATETIME")
    payments.index = pd.DatetimeIndex(payments["TX_DATETIME"])
    late_frauds = payments["TX_FRAUD"].rolling(f"{DELAY}D").sum()
    late_count = payments["TX_FRAUD"].rolling(f"{DELAY}D").count()
    for days in WINDOWS:
        frauds = payments["TX_FRAUD"].rolling(f"{DELAY + days}D").sum() - late_frauds
        count = payments["TX_FRAUD"].rolling(f"{DELAY + days}D").count() - late_count
        payments[f"terminal_matured_count_{days}d"] = list(count)
        payments[f"terminal_fraud_rate_{days}d"] = list(frauds / count)
    payments.index = pd.Index(payments["TRANSACTION_ID"], name=None)
    return payments.fillna(0)


if __name__ == "__main__":
    main()
