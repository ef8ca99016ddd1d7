"""Whether both sides found the same: the book's loops and ours, row by row."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.features.handbook import COLUMNS

_CLOSE = 1e-9
"""Of the largest value: the book adds and takes away floating-point amounts as its window moves on."""


def main() -> None:
    """Print how many rows agree: all of them, and those that share their moment with another of the same entity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transactions", type=Path)
    parser.add_argument("ours", type=Path)
    parser.add_argument("reference", type=Path)
    options = parser.parse_args()
    transactions = pd.read_parquet(options.transactions, columns=["TRANSACTION_ID", "TX_DATETIME", *_ENTITIES])
    transactions = transactions.set_index("TRANSACTION_ID").sort_index()
    ours, reference = pd.read_parquet(options.ours), pd.read_parquet(options.reference)
    print(json.dumps(compare(transactions, ours, reference)))


_ENTITIES = {"CUSTOMER_ID": "customer", "TERMINAL_ID": "terminal"}


def compare(transactions: pd.DataFrame, ours: pd.DataFrame, reference: pd.DataFrame) -> dict[str, object]:
    """Count the rows that differ in any of the features.

    Parameters
    ----------
    transactions, ours, reference
        Moments and entities, and both sides' features; the same index of transaction ids, ascending.
    """
    same_rows = ours.index.equals(reference.index) and ours.index.equals(transactions.index)
    tied = {
        entity: transactions.duplicated([column, "TX_DATETIME"], keep=False).to_numpy()
        for column, entity in _ENTITIES.items()
    }
    either = np.logical_or.reduce(list(tied.values()))
    differs, differs_untied, largest = np.zeros(len(ours), bool), np.zeros(len(ours), bool), 0.0
    for name in COLUMNS if same_rows else ():
        first, second = ours[name].to_numpy(np.float64), reference[name].to_numpy(np.float64)
        distance = np.abs(first - second)
        apart = ~(distance <= _CLOSE * max(1.0, np.abs(second).max()))
        own = tied.get(name.split("_")[0], np.zeros(len(ours), bool))
        differs |= apart
        differs_untied |= apart & ~own
        largest = max(largest, float(distance[~apart].max(initial=0.0)))
    return {
        "same_rows": bool(same_rows),
        "rows": len(ours),
        "tied_rows": int(either.sum()),
        "tied_rows_that_differ": int((differs & ~differs_untied).sum()),
        "other_rows_that_differ": int(differs_untied.sum()) if same_rows else len(ours),
        "largest_difference_of_equal": largest,
    }


if __name__ == "__main__":
    main()
