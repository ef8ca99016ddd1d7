"""Sixty days after a promotion, monitored one after the other, in simulated worlds with and without a new fraud.

::

    python -m benchmarks.monitoring.worlds --seeds 1 2 3           # quiet worlds
    python -m benchmarks.monitoring.worlds --seeds 42 --late 70    # card testing begins on day 70

Prints a JSON object per world: partitions with each status, when each status began and why, CPU seconds a day.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fraudops.decisions.scoring import score_many
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.simulation import World, write_history
from fraudops.intake.validation import publish
from fraudops.monitoring.looks import checks_of, states
from fraudops.monitoring.watch import monitor
from fraudops.monitoring.wording import sentences
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.stack.scratch import scratch_workspace
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace

START, HISTORY = date(2026, 1, 5), 76
_RUN = "manual__1"
_CANDIDATES = ("logistic_regression", "lightgbm")
_NEVER = 9_999


def main() -> None:
    """Run the worlds that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--late", type=int, default=_NEVER, help="day on which card testing begins (default: never)")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--payments-per-day", type=int, default=2000)
    options = parser.parse_args()
    cards = load_portfolio(Path(__file__).resolve().parents[2] / "include" / "portfolios" / "cards.yaml")
    chosen = {name: cards.training.candidates[name] for name in _CANDIDATES}
    cards = cards.model_copy(update={"training": cards.training.model_copy(update={"candidates": chosen})})
    for seed in options.seeds:
        world = World(seed=seed, start=START, payments_per_day=options.payments_per_day, late_fraud_after=options.late)
        with scratch_workspace() as ws:
            print(json.dumps({"seed": seed, "late": options.late, **lived(ws, cards, world, options.days)}), flush=True)


def lived(ws: Workspace, cards: Portfolio, world: World, days: int) -> dict[str, Any]:
    """Train on the history, promote, score and monitor so many days."""
    folder = ws.landing / cards.name
    write_history(folder, world, START, START + timedelta(days=HISTORY + days - 1))
    keys = sorted(land(ws, cards, find_files(ws, cards)).keys)
    for key in keys:
        publish(ws, cards, key, actor="benchmark")
    build(ws, cards, keys)
    last = (START + timedelta(days=HISTORY - 1)).isoformat()
    as_of = cards.partitioning.end(last)
    assemble(ws, cards, run_id=_RUN, as_of=as_of)
    for name in cards.training.candidates:
        train(ws, cards, run_id=_RUN, candidate=name)
    compare(ws, cards, run_id=_RUN, as_of=as_of)
    promote(ws, cards, run_id=_RUN, approved_by="benchmark", reason="benchmark")
    later = [key for key in keys if key > last]
    score_many(ws, cards, later)
    began = time.process_time()
    for key in later:
        monitor(ws, cards, [key], may_retrain=False)
    spent = time.process_time() - began
    found = states(ws, cards)
    changes = [
        s for s, before in zip(found, [None, *found], strict=False) if before is None or s.status != before.status
    ]
    return {
        "statuses": dict(Counter(state.status for state in found)),
        "changes": [[s.key, s.status, sentences(checks_of(ws, cards, s.key), s.reasons)] for s in changes],
        "cpu_seconds_a_day": round(spent / len(later), 3),
    }


if __name__ == "__main__":
    main()
