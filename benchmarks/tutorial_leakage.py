"""What the tutorial's evaluation reads before and after it retrains: the same rows, once unseen, once learned.

::

    .venv/bin/python benchmarks/tutorial_leakage.py /path/to/ulb_creditcard.csv.gz              # two long fits
    .venv/bin/python benchmarks/tutorial_leakage.py /path/to/ulb_creditcard.csv.gz --trees 10   # to see the point

The steps are the tutorial's: missing values filled with the median of the whole file, categories one-hot encoded,
the amount standardised, a random split of 80 to 20, a forest of 150 trees, a cut at 0.5; then the forest fitted
again on everything there is, and measured on the same fifth.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from fraudops.evaluation.metrics import Confusion, confusion
from fraudops.evaluation.ranking import average_precision, roc_auc
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

SEED = 42


@dataclass(frozen=True)
class Reading:
    """What the evaluation says of one fitted forest."""

    name: str
    average_precision: float
    roc_auc: float
    at_half: Confusion


@dataclass(frozen=True)
class Preprocessing:
    """What the tutorial's preprocessing changes on a file."""

    filled: int
    """Missing values that ``fillna`` replaces."""
    encoded: int
    """Columns that ``get_dummies`` adds."""
    amount_correlation: float
    """Of ``normalized_amount`` with ``Amount``."""
    duplicates: int
    duplicated_frauds: int


def preprocess(rows: pd.DataFrame) -> tuple[pd.DataFrame, Preprocessing]:
    """The tutorial's preprocessing, and what it did."""
    filled = rows.fillna(rows.median(numeric_only=True))
    encoded = pd.get_dummies(filled)
    amount = encoded["Amount"]
    encoded["normalized_amount"] = (amount - amount.mean()) / amount.std()
    repeated = rows.duplicated()
    return encoded, Preprocessing(
        filled=int(rows.isna().sum().sum()),
        encoded=encoded.shape[1] - 1 - rows.shape[1],
        amount_correlation=float(encoded["normalized_amount"].corr(amount)),
        duplicates=int(repeated.sum()),
        duplicated_frauds=int(rows.loc[repeated, "Class"].sum()),
    )


def read_twice(encoded: pd.DataFrame, *, trees: int) -> list[Reading]:
    """Measure a forest on a fifth it has not seen, and one fitted on all rows on that same fifth."""
    features, label = encoded.drop(columns="Class"), encoded["Class"]
    train_x, test_x, train_y, test_y = train_test_split(features, label, test_size=0.2, random_state=SEED)
    return [
        _read("trained on 80 %", trees, train_x, train_y, test_x, test_y),
        _read("trained again, on all rows", trees, features, label, test_x, test_y),
    ]


def _read(
    name: str, trees: int, train_x: pd.DataFrame, train_y: pd.Series, test_x: pd.DataFrame, test_y: pd.Series
) -> Reading:
    forest = RandomForestClassifier(n_estimators=trees, random_state=SEED).fit(train_x, train_y)
    score = np.asarray(forest.predict_proba(test_x))[:, 1]
    truth = test_y.to_numpy(dtype=bool)
    precision, area = average_precision(truth, score), roc_auc(truth, score)
    if precision is None or area is None:
        raise SystemExit("the test rows hold no fraud: give the whole file")
    # `predict` says fraud where more than half of the trees do.
    return Reading(name, precision, area, confusion(truth, score, float(np.nextafter(0.5, 1))))


def main() -> None:
    """Print both readings."""
    parser = argparse.ArgumentParser(description="The tutorial's evaluation, before and after it retrains.")
    parser.add_argument("file", type=Path, help="the ULB credit-card file")
    parser.add_argument("--trees", type=int, default=150)
    options = parser.parse_args()
    encoded, found = preprocess(pd.read_csv(options.file))
    print(f"{len(encoded):,} rows; fillna replaces {found.filled} values, get_dummies adds {found.encoded} columns")
    print(f"normalized_amount and Amount have a correlation of {found.amount_correlation:.3f}")
    print(f"{found.duplicates:,} rows repeat another one, {found.duplicated_frauds} of them frauds")
    title = f"{options.trees} trees, measured on the same fifth"
    print(f"\n{title:<38}    AP   AUC  precision  recall (cut at 0.5)")
    for reading in read_twice(encoded, trees=options.trees):
        cut = reading.at_half
        print(
            f"{reading.name:<38} {reading.average_precision:.3f} {reading.roc_auc:.3f}"
            f"      {cut.precision or 0:.3f}   {cut.recall or 0:.3f}"
            f"  ({cut.caught} of {cut.caught + cut.missed} frauds, {cut.false_alarms} false alarms)"
        )


if __name__ == "__main__":
    main()
