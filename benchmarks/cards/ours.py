"""Candidates of the portfolio ``cards`` on a simulated world, and the ceiling of that world.

Four test weeks follow one another. For each the candidates are trained on the payments that had matured when it
began, with the labels as they were known then. What is tested leaves out the customers who were known to be defrauded
before the day.

The ceiling is that of the Handbook's protocol: it ranks at the top every fraud that can be seen – high amounts, stolen
cards, card testing, and payments at a compromised terminal once a fraud there is known – and orders the rest at random.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fraudops.evaluation.cards import CardPrecision, card_precision, known_compromised
from fraudops.evaluation.ranking import average_precision
from fraudops.intake.simulator.feed import payments_header, payments_text
from fraudops.intake.simulator.fraud import Scenario
from fraudops.intake.simulator.world import World, simulate
from fraudops.labels.known import matured
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.training.prequential import train_on

from benchmarks.observed import days, typed, with_features
from benchmarks.processes import CHECKOUT

START = date(2026, 1, 1)
WEEK = timedelta(days=7)
WEEKS = 4
_DRAWS = 5
_NEVER = 10**9
CEILING = "ceiling"


def main() -> None:
    """Print what was found in each week."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", nargs="+", required=True)
    parser.add_argument("--days", type=int, default=126, help="the last four weeks of them are tested")
    parser.add_argument("--payments", type=int, default=2_000, help="a day")
    parser.add_argument("--seed", type=int, default=42, help="of the world and of the models")
    options = parser.parse_args()
    cards = load_portfolio(CHECKOUT / "include" / "portfolios" / "cards.yaml")
    world = World(start=START, seed=options.seed, payments_per_day=options.payments)
    rows, known = lived(world, cards, options.days)
    begun = datetime(START.year, START.month, START.day, tzinfo=UTC)
    first = begun + timedelta(days=options.days) - WEEKS * WEEK
    found = [
        line
        for number in range(WEEKS)
        for line in week(cards, rows, known, first + number * WEEK, options.candidates, options.seed)
    ]
    print(json.dumps({"found": found, "alerts_per_day": cards.policy.alerts_per_day}))


def lived(world: World, cards: Portfolio, length: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The world's first ``length`` days: payments with features, ``truth`` and ``scenario``; and all reports."""
    last = world.start + timedelta(days=length - 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "payments.csv"
        lines = [payments_text(world, simulate(world, day)) for day in world.days(world.start, last)]
        file.write_bytes(payments_header() + b"".join(lines))
        table = typed(file, cards)
    said = world.chargebacks(world.start, last)
    known = pd.DataFrame(
        {
            "transaction_id": said["transaction_id"],
            "label": pd.array([True] * len(said), dtype="boolean"),
            # The end of the day on which the report arrived.
            "known_at": said["reported_at"].dt.floor("D") + timedelta(days=1),
        }
    )
    rows = with_features(table, known, cards)
    names = {scenario.text: int(scenario) for scenario in Scenario}
    truth = world.frauds(world.start, last).set_index("tx_id")["scenario"].map(names)
    scenario = truth.reindex(rows["transaction_id"]).fillna(0).to_numpy(np.int8)
    return rows.assign(scenario=scenario, truth=scenario > 0), known


def week(
    cards: Portfolio, rows: pd.DataFrame, known: pd.DataFrame, start: datetime, candidates: list[str], seed: int
) -> Iterator[dict[str, Any]]:
    """What each candidate and the ceiling are worth in the week that starts then."""
    moment = pd.Timestamp(start)
    past = rows[(rows["event_time"] < moment - cards.labels.delay).to_numpy()]
    label = matured(past, known[known["known_at"] <= moment], delay=cards.labels.delay, as_of=start)
    learned = past.assign(label=label.astype(bool))
    tested = without_known(rows, known, moment, cards)
    for name in candidates:
        model = train_on(cards, name, learned, where=f"{start:%Y-%m-%d}", seed=seed)
        yield {"model": name, **measure(tested, model.score(tested), cards, moment)}
    drawn = [measure(tested, ceiling(tested, draw), cards, moment) for draw in range(_DRAWS)]
    middle = {key: statistics.median(one[key] for one in drawn) for key in ("average_precision", "card_precision")}
    yield {"model": CEILING, **drawn[0], **middle}


def without_known(rows: pd.DataFrame, known: pd.DataFrame, moment: pd.Timestamp, cards: Portfolio) -> pd.DataFrame:
    """The week's payments, but for those of customers with a fraud that was known before the day.

    As the Handbook does, only frauds of the last two weeks before the test week, or later, are looked at.
    """
    when = known.drop_duplicates("transaction_id").set_index("transaction_id")["known_at"]
    at = when.reindex(rows["transaction_id"]).dt.floor("D")
    known_day = np.where(at.notna(), (at - pd.Timestamp(0, tz="UTC")).dt.days.to_numpy(), _NEVER)
    compromised = known_compromised(
        rows["customer_id"].to_numpy(),
        rows["day"].to_numpy(),
        rows["truth"].to_numpy(),
        known_day.astype(np.int64),
        since=int(days(pd.Series([moment - cards.labels.delay - WEEK]))[0]),
    )
    times = rows["event_time"]
    return rows[((times >= moment) & (times < moment + WEEK)).to_numpy() & ~compromised]


def ceiling(tested: pd.DataFrame, seed: int) -> np.ndarray:
    """Scores of somebody who knows the simulator's answer as far as it can be seen."""
    scenario = tested["scenario"].to_numpy()
    warned = tested["terminal_fraud_count_30d"].to_numpy() > 0
    seen = (scenario > 0) & ((scenario != Scenario.COMPROMISED_TERMINAL) | warned)
    return seen + np.random.default_rng(seed).random(len(tested))


def measure(tested: pd.DataFrame, score: np.ndarray, cards: Portfolio, moment: pd.Timestamp) -> dict[str, Any]:
    """Average precision, and card precision at the alert budget."""
    label = tested["truth"].to_numpy()
    precision = average_precision(label, score)
    k = round(cards.policy.alerts_per_day)
    found = card_precision(tested["customer_id"].to_numpy(), tested["day"].to_numpy(), label, score, k=k)
    if precision is None or not isinstance(found, CardPrecision):
        raise ValueError("the test week holds no fraud")
    return {
        "start": f"{moment:%Y-%m-%d}",
        "average_precision": precision,
        "card_precision": found.value,
        "n": len(tested),
        "positives": int(label.sum()),
    }


if __name__ == "__main__":
    main()
