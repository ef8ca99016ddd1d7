"""A champion that blocks hides what it blocks: learned from naively its successor goes blind, weighted it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fraudops.decisions.exploration import explore
from fraudops.evaluation.ranking import average_precision
from fraudops.features import ModelColumns
from fraudops.labels.selective import WEIGHT, weigh
from fraudops.portfolio import Candidate, Exploration, Policy, Portfolio
from fraudops.training.dataset import assemble, load
from fraudops.training.model import FraudModel, fit_model
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

from tests.training import history

COLUMNS = ModelColumns(("risk", "other"), ())
SHARE, RATE = 0.1, 0.02
THRESHOLDS = Thresholds(0.2, 0.5, 0.0, None, 0, pass_blocks=SHARE, sample_below=RATE)
SELECTIVE = history.portfolio(labels={"delay": "5d", "source": {"path": "x.csv"}, "blocked": "unlabelled"})
ONLY_LOOKED_AT = history.portfolio(
    labels={"delay": "5d", "source": {"path": "x.csv"}, "blocked": "unlabelled", "unreported": "unknown"}
)


@dataclass(frozen=True)
class World:
    """Payments whose fraud follows two columns; a champion that knows the first of them decided on each."""

    rows: pd.DataFrame
    """With ``label``: what really was."""
    decision: np.ndarray
    route: np.ndarray
    propensity: np.ndarray


def _world(portfolio: Portfolio, rows: int, seed: int) -> World:
    random = np.random.default_rng(seed)
    risk, other = random.normal(size=(2, rows))
    label = random.random(rows) < 1 / (1 + np.exp(5 - 2.5 * risk - 1.5 * other))
    # The champion is well calibrated on what it knows.
    score = 1 / (1 + np.exp(4.2 - 2.1 * risk))
    ids = [f"{seed}-{row}" for row in range(rows)]
    found = explore(portfolio, THRESHOLDS.decide(score), ids, THRESHOLDS, key=b"k" * 32)
    frame = pd.DataFrame({"risk": risk, "other": other, "label": label})
    return World(frame, found.decision, found.route, found.propensity)


def _naive(world: World) -> pd.DataFrame:
    """What was blocked was never reported, and so counts as genuine."""
    return world.rows.assign(label=world.rows["label"] & (world.decision != "block"))


def _only_reported(world: World) -> pd.DataFrame:
    """What somebody looked at, each row standing for itself."""
    return world.rows[world.decision == "review"].reset_index(drop=True)


def _weighted(portfolio: Portfolio, world: World) -> pd.DataFrame:
    """What is known, each row standing for those whose label is not."""
    weight = weigh(
        portfolio.labels,
        decision=world.decision,
        route=world.route,
        propensity=world.propensity,
        reported=world.decision == "review",
    )
    return world.rows.assign(**{WEIGHT: weight})[weight > 0].reset_index(drop=True)


def _fit(train: pd.DataFrame, validation: pd.DataFrame, estimator: str = "lightgbm") -> FraudModel:
    parameters = {"n_estimators": 80} if estimator == "lightgbm" else {}
    candidate = Candidate(estimator=estimator, parameters=parameters)
    return fit_model(
        "shop", "c", candidate, COLUMNS, train, validation, days=10, policy=Policy(alerts_per_day=50), seed=1
    )


@pytest.fixture(scope="module")
def later() -> pd.DataFrame:
    """What really happens later, nothing hidden."""
    return _world(SELECTIVE, 100_000, 9).rows


def _quality(model: FraudModel, later: pd.DataFrame) -> tuple[float, float]:
    """Average precision, and frauds expected for one that happens."""
    score, label = model.score(later), later["label"].to_numpy()
    found = average_precision(label, score)
    assert found is not None
    return found, float(score.sum() / label.sum())


@pytest.mark.parametrize(("estimator", "lost"), [("lightgbm", 0.1), ("logistic_regression", 0.015)])
def test_a_successor_of_a_champion_that_blocks_sees_what_it_blocked(
    estimator: str, lost: float, later: pd.DataFrame
) -> None:
    train, validation = _world(SELECTIVE, 60_000, 1), _world(SELECTIVE, 30_000, 2)
    truth, _ = _quality(_fit(train.rows, validation.rows, estimator), later)
    naive, naive_expected = _quality(_fit(_naive(train), _naive(validation), estimator), later)
    weighted = _weighted(SELECTIVE, train), _weighted(SELECTIVE, validation)
    found, expected = _quality(_fit(*weighted, estimator), later)
    # Naively the blocked sixth of the frauds vanishes from the model's world, and the ranking suffers for it.
    assert naive_expected < 0.85
    assert naive < truth - lost
    assert expected == pytest.approx(1, abs=0.05)
    assert found > truth - 0.015


def test_where_only_the_suspicious_is_looked_at_samples_bring_the_rest_back(later: pd.DataFrame) -> None:
    train, validation = _world(ONLY_LOOKED_AT, 200_000, 3), _world(ONLY_LOOKED_AT, 100_000, 4)
    _, naive = _quality(_fit(_only_reported(train), _only_reported(validation)), later)
    weighted = _weighted(ONLY_LOOKED_AT, train), _weighted(ONLY_LOOKED_AT, validation)
    _, found = _quality(_fit(*weighted), later)
    assert naive > 1.1
    assert found == pytest.approx(1, abs=0.08)


def test_weights_add_up_to_what_there_was() -> None:
    world = _world(SELECTIVE, 200_000, 5)
    assert _weighted(SELECTIVE, world)[WEIGHT].sum() == pytest.approx(len(world.rows), rel=0.01)
    world = _world(ONLY_LOOKED_AT, 200_000, 5)
    assert _weighted(ONLY_LOOKED_AT, world)[WEIGHT].sum() == pytest.approx(len(world.rows), rel=0.05)


def test_samples_take_their_share_of_the_budget_and_no_more() -> None:
    policy = Policy(alerts_per_day=100, exploration=Exploration(sample_below=0.001))
    world = _world(SELECTIVE, 30_000, 6)
    candidate = Candidate(estimator="logistic_regression")

    def chosen(policy: Policy) -> Thresholds:
        model = fit_model("shop", "c", candidate, COLUMNS, world.rows, world.rows, days=1, policy=policy, seed=1)
        return model.thresholds

    # 30 samples a day would be more than a fifth of the budget: 20 are drawn, and 80 alerts are left.
    found = chosen(policy)
    assert found.sample_below == pytest.approx(20 / 30_000)
    assert found.alerts_per_day == pytest.approx(100, abs=0.5)
    assert found.review > chosen(Policy(alerts_per_day=100)).review
    generous = Policy(alerts_per_day=100, exploration=Exploration(sample_below=0.001, budget_share=0.5))
    assert chosen(generous).sample_below == 0.001


def test_a_data_set_leaves_out_what_was_blocked_and_weighs_what_was_passed(ws: Workspace, shop: Portfolio) -> None:
    labels = shop.labels.model_copy(update={"blocked": "unlabelled"})
    real = shop.model_copy(update={"labels": labels})
    rows = history.transactions()
    key = "2026-03-10"
    ids = rows.loc[rows["event_time"].dt.strftime("%Y-%m-%d") == key, "transaction_id"].tolist()
    decision = ["block"] * 10 + ["review"] * (len(ids) - 10)
    scores = pa.table(
        {
            "transaction_id": pa.array(ids),
            "score": pa.array(np.full(len(ids), 0.5)),
            "decision": pa.array(decision),
            "route": pa.array(["policy"] * 10 + ["passed_block"] * 5 + ["policy"] * (len(ids) - 15)),
            "propensity": pa.array([0.2] * 15 + [1.0] * (len(ids) - 15)),
        }
    )
    ws.store.write("scores", shop.name, key, scores, config="c")
    plain = assemble(ws, shop, run_id="plain", as_of=history.end())
    assert WEIGHT not in load(ws, shop, "plain").frame
    assert "scores/2026-03-10" not in plain.inputs

    summary = assemble(ws, real, run_id="real", as_of=history.end())
    frame = load(ws, real, "real").frame.set_index("transaction_id")
    assert summary.withheld == 10
    assert summary.immature == plain.immature
    assert not set(ids[:10]) & set(frame.index)
    assert frame.loc[ids[10:15], WEIGHT].tolist() == [5.0] * 5
    assert set(frame.drop(ids[10:15])[WEIGHT]) == {1.0}
    assert "scores/2026-03-10" in summary.inputs


def test_scores_from_before_chance_decided_anything_count_as_the_policy_s(ws: Workspace, shop: Portfolio) -> None:
    real = shop.model_copy(update={"labels": shop.labels.model_copy(update={"blocked": "unlabelled"})})
    rows = history.transactions()
    ids = rows.loc[rows["event_time"].dt.strftime("%Y-%m-%d") == "2026-03-11", "transaction_id"].tolist()
    decision = ["block"] * 3 + ["allow"] * (len(ids) - 3)
    old = pa.table({"transaction_id": ids, "score": np.full(len(ids), 0.5), "decision": decision})
    ws.store.write("scores", shop.name, "2026-03-11", old, config="c")
    summary = assemble(ws, real, run_id="old", as_of=history.end(), window=timedelta(days=30))
    assert summary.withheld == 3
    assert set(load(ws, real, "old").frame[WEIGHT]) == {1.0}
