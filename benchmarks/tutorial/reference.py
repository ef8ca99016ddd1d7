"""The tutorial as published: read, fill, encode, normalise, split, fit a forest, predict, report.

Nothing is made faster or better than it was written there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, classification_report, confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split


def main() -> None:
    """Run it on a CSV and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("scores", type=Path, help="where the scores of the test rows go")
    parser.add_argument("--trees", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=1, help="threads; the forest does not depend on it")
    options = parser.parse_args()

    data = pd.read_csv(options.csv)
    data = data.fillna(data.median(numeric_only=True))
    data = pd.get_dummies(data)
    data["normalized_amount"] = (data["Amount"] - data["Amount"].mean()) / data["Amount"].std()
    features, label = data.drop(columns="Class"), data["Class"]
    learned, tested, known, truth = train_test_split(features, label, test_size=0.2, random_state=42)

    model = RandomForestClassifier(n_estimators=options.trees, random_state=42, n_jobs=options.jobs)
    model.fit(learned, known)
    predicted = model.predict(tested)
    score = model.predict_proba(tested)[:, 1]

    order = np.argsort(tested.index.to_numpy())
    np.savez(options.scores, score=score[order], label=truth.to_numpy(dtype=bool)[order])
    answer = {
        "report": classification_report(truth, predicted, output_dict=True),
        "confusion": confusion_matrix(truth, predicted).tolist(),
        "roc_auc": roc_auc_score(truth, score),
        "average_precision": average_precision_score(truth, score),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
