"""A challenger that is better on paper by luck is held, one that is truly better is put forward: on real card data.

The luckiest of several boosters that differ in nothing but their seed is chosen *on the very rows of the gates*,
which is more luck than an honest run can have, and fed in against each of the others as champion.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from fraudops.evaluation.ranking import average_precision
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import VerdictSummary, compare
from fraudops.registry.promotion import promote
from fraudops.training.calibration import calibrate
from fraudops.workspace import Workspace

from tests.registry.runs import leave_run

pytestmark = pytest.mark.real_data

Feed = Callable[[str, str], VerdictSummary]
SEEDS = range(6)
START = datetime(2026, 3, 1, tzinfo=UTC)
LEARNED, GENUINE = 0.4, 0.1
"""Share of the rows that boosters learn from, and of its genuine ones that they are given."""
JUDGED = 1 / 3
"""Share of the genuine ones among the others that they are judged on, with every fraud: it is frauds that decide."""
CALIBRATED = 0.25
SHARES = (0.5, 0.65)
"""Of the rows that are left: what scores are calibrated on, where the first run's rows end, and where the later run's
gates begin."""


@pytest.fixture(scope="module")
def scored(real_data: Path) -> pd.DataFrame:
    """The rows that no model has learned from, with each model's probability in a column of its own."""
    rows = pd.read_csv(real_data / "ulb_creditcard.csv.gz").drop_duplicates(ignore_index=True)
    first = int(LEARNED * len(rows))
    label, columns = rows["Class"].to_numpy(dtype=bool), [name for name in rows if name not in ("Time", "Class")]
    chosen = np.flatnonzero(label[:first] | (np.random.default_rng(0).random(first) < GENUINE))
    judged = label[first:] | (np.random.default_rng(1).random(len(rows) - first) < JUDGED)
    later = rows.iloc[first:][judged].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "transaction_id": [f"t{number}" for number in range(len(later))],
            "event_time": pd.Series(pd.to_datetime(START) + pd.to_timedelta(later["Time"], unit="s")).dt.as_unit("us"),
            "amount_minor": (100 * later["Amount"]).round().astype(np.int64),
            "label": later["Class"].astype(bool),
        }
    )
    frame["partition_key"] = frame["event_time"].dt.strftime("%Y-%m-%d")
    learned = rows.iloc[chosen]
    for seed in SEEDS:
        frame[f"seed_{seed}"] = _probability(learned, later, columns, seed)
    frame["knows_less"] = _probability(learned, later, [f"V{number}" for number in range(1, 11)], 0)
    return frame


def _probability(learned: pd.DataFrame, rows: pd.DataFrame, columns: list[str], seed: int) -> np.ndarray:
    model = lightgbm.LGBMClassifier(
        n_estimators=80, learning_rate=0.1, num_leaves=15, reg_lambda=5, subsample=0.6, subsample_freq=1,
        colsample_bytree=0.5, random_state=seed, n_jobs=1, verbose=-1,
    ).fit(learned[columns], learned["Class"])  # fmt: skip
    raw, early = model.predict_proba(rows[columns])[:, 1], int(CALIBRATED * len(rows))
    return calibrate(rows["Class"].to_numpy(dtype=bool)[:early], raw[:early]).apply(raw)


@pytest.fixture
def ulb(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["ulb"]


@pytest.fixture
def verdict(workspace: Workspace, ulb: Portfolio, scored: pd.DataFrame) -> Feed:
    """Feeds a challenger in against a champion, which was promoted on earlier rows."""

    def feed(champion: str, challenger: str) -> VerdictSummary:
        end, gates = (int(share * len(scored)) for share in SHARES)
        place = np.arange(len(scored))
        before = scored.iloc[:end].assign(slice=np.where(place[:end] < CALIBRATED * len(scored), "validation", "test"))
        after = scored.assign(slice=np.where(place < gates, "validation", "test"))
        floor = {"logistic_regression": "knows_less"}
        leave_run(workspace, ulb, before, {**floor, "random_forest": champion}, run_id="run-0")
        first = compare(workspace, ulb, run_id="run-0", as_of=START + timedelta(days=9))
        assert first.outcome == "PROMOTE", first.reason
        promote(workspace, ulb, run_id="run-0", approved_by="vera", reason="the first one")
        leave_run(workspace, ulb, after, {**floor, "lightgbm": challenger}, salt=1)
        return compare(workspace, ulb, run_id="run-1", as_of=START + timedelta(days=10))

    return feed


def _ranked(scored: pd.DataFrame) -> list[str]:
    """Boosters by their average precision on the gates' rows, the luckiest first."""
    gates = scored.iloc[int(SHARES[1] * len(scored)) :]
    found = {f"seed_{seed}": average_precision(gates["label"], gates[f"seed_{seed}"]) or 0.0 for seed in SEEDS}
    return sorted(found, key=lambda name: -found[name])


@pytest.mark.parametrize("place", [1, len(SEEDS) - 1])
def test_the_luckiest_of_equals_is_held(verdict: Feed, scored: pd.DataFrame, place: int) -> None:
    ranked = _ranked(scored)
    found = verdict(ranked[place], ranked[0])
    assert found.challenger_candidate == "lightgbm"
    better = next(gate for gate in found.gates if gate["name"] == "better than the champion")
    assert better["parts"][0]["value"] > 0
    assert found.outcome == "HOLD", found.reason


def test_one_that_knows_more_is_put_forward(verdict: Feed, scored: pd.DataFrame) -> None:
    found = verdict("knows_less", "seed_0")
    assert (found.outcome, found.challenger_candidate) == ("PROMOTE", "lightgbm"), found.reason


def test_one_that_knows_less_is_rejected(verdict: Feed, scored: pd.DataFrame) -> None:
    # Flattered where it is chosen, so that it is: what the gates are for.
    chosen_on = np.arange(len(scored)) < SHARES[1] * len(scored)
    scored["flattered"] = scored["seed_0"].where(chosen_on, scored["knows_less"])
    found = verdict("seed_1", "flattered")
    assert found.challenger_candidate == "lightgbm"
    assert found.outcome == "REJECT", found.reason
