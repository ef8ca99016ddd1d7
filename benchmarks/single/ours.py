"""Scores and explains payments of the simulated cards one at a time and in batches, by each estimator.

The models learn from what had matured at the end of the simulated days; the last day's payments are scored, each row
another one. CPU time of this process is counted, from rows as mappings to calibrated probabilities or to reasons.
The reference is what the tutorial does: ``predict_proba`` of a forest of 150 trees, of one row of its matrix.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from fraudops.explanation import Explainer
from fraudops.intake.simulator.world import World
from fraudops.labels.known import matured
from fraudops.portfolio import load_portfolio
from fraudops.training.compiled import compile_model
from fraudops.training.model import FraudModel
from fraudops.training.prequential import train_on
from sklearn.ensemble import RandomForestClassifier

from benchmarks.cards.ours import lived
from benchmarks.processes import CHECKOUT

START = date(2026, 1, 1)
_ALONE, _BATCH, _EXPLAINED, _OF_THE_FOREST = 1_000, 1_000, 100, 50


def main() -> None:
    """Print microseconds a row, for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", nargs="+", required=True)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--payments", type=int, default=2_000, help="a day")
    options = parser.parse_args()
    cards = load_portfolio(CHECKOUT / "include" / "portfolios" / "cards.yaml")
    rows, known = lived(World(start=START, seed=42, payments_per_day=options.payments), cards, options.days)
    end = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(days=options.days)
    past = rows[(rows["event_time"] < pd.Timestamp(end) - cards.labels.delay).to_numpy()]
    label = matured(past, known[known["known_at"] <= pd.Timestamp(end)], delay=cards.labels.delay, as_of=end)
    learned = past.assign(label=label.astype(bool))
    models = {name: train_on(cards, name, learned, where="benchmark", seed=42) for name in options.candidates}
    test = rows.iloc[-_BATCH:].assign(amount_minor=lambda frame: (frame["amount"] * 100).round().astype(int))
    print(
        json.dumps(
            {
                "forest": _tutorial(models["random_forest"], learned, test),
                "models": {name: _measured(model, cards, test) for name, model in models.items()},
            }
        )
    )


def _tutorial(model: FraudModel, learned: pd.DataFrame, test: pd.DataFrame) -> float:
    """Of the tutorial's forest, asked for one row."""
    forest = RandomForestClassifier(150, random_state=42).fit(model.matrix(learned), learned["label"])
    matrix = model.matrix(test)[:_OF_THE_FOREST]
    return _microseconds(lambda: [forest.predict_proba(matrix[[row]]) for row in range(len(matrix))], len(matrix))


def _measured(model: FraudModel, cards: Any, test: pd.DataFrame) -> dict[str, Any]:
    began = time.process_time()
    compiled = compile_model(model)
    explainer = Explainer(model, cards, matrix=compiled.matrix)
    prepared = time.process_time() - began
    rows = test.to_dict("records")
    known = model.score(test)
    flagged = [rows[place] for place in np.argsort(-known)[:_EXPLAINED]]
    return {
        "kind": compiled.kind,
        "prepared_seconds": round(prepared, 2),
        "other_bits": int(np.count_nonzero(compiled.score(rows) != known)),
        "single": _microseconds(lambda: [compiled.score([row]) for row in rows[:_ALONE]], _ALONE),
        "batch": _microseconds(lambda: compiled.score(rows), len(rows)),
        "frame": _microseconds(lambda: [model.score(test.iloc[[row]]) for row in range(20)], 20),
        "reasons": _microseconds(lambda: [explainer.explain([row]) for row in flagged[:20]], 20),
        "reasons_batch": _microseconds(lambda: explainer.explain(flagged), len(flagged)),
    }


def _microseconds(function: Callable[[], Any], rows: int) -> float:
    """CPU time a row; the median of five, after one that does not count."""
    found = []
    for _ in range(6):
        began = time.process_time()
        function()
        found.append((time.process_time() - began) / rows * 1e6)
    return round(float(np.median(found[1:])), 1)


if __name__ == "__main__":
    main()
