from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fraudops.evaluation.costs import CostModel, RowCosts
from fraudops.portfolio import Costs, Policy
from fraudops.training.thresholds import Thresholds, choose, decide


def _policy(budget: float, precision: float = 0.9, minimum: int = 5) -> Policy:
    return Policy(alerts_per_day=budget, block_precision=precision, block_minimum=minimum)


def test_the_budget_is_used_and_not_overdrawn() -> None:
    score = np.linspace(0.99, 0, 100)
    label = np.arange(100) % 7 == 0
    found = choose(label, score, days=2, policy=_policy(10))
    assert (score >= found.review).sum() == 20
    assert found.alerts_per_day == 10
    assert found.block is None


def test_equal_scores_at_the_edge_of_the_budget_are_left_out_together() -> None:
    score = np.array([0.9, 0.9, 0.5, 0.5, 0.5, 0.1])
    label = np.array([True, False, False, False, False, False])
    assert choose(label, score, days=1, policy=_policy(4)).review == 0.9
    # Nothing would remain: better too many alerts than none.
    assert choose(label, score, days=1, policy=_policy(1)).review == 0.9


def test_blocking_starts_at_the_lowest_score_that_is_precise_enough() -> None:
    score = np.linspace(0.99, 0, 100)
    label = np.zeros(100, dtype=bool)
    label[:9] = label[10:12] = True
    found = choose(label, score, days=1, policy=_policy(20))
    assert found.block == score[11]
    assert found.block_precision == 11 / 12
    assert found.block_rows == 12


def test_too_few_rows_block_nothing() -> None:
    score, label = np.linspace(0.99, 0, 100), np.arange(100) < 4
    assert choose(label, score, days=1, policy=_policy(20)).block is None
    assert choose(label, score, days=1, policy=_policy(20, minimum=4)).block == score[3]


def test_blocking_never_starts_below_review() -> None:
    score, label = np.linspace(0.99, 0, 100), np.arange(100) < 50
    found = choose(label, score, days=1, policy=_policy(10))
    assert found.block == found.review == score[9]
    assert found.block_rows == 10


def test_decisions() -> None:
    score = np.array([0.1, 0.5, 0.7, 0.9])
    assert decide(score, 0.5, 0.9).tolist() == ["allow", "review", "review", "block"]
    assert decide(score, 0.5, None).tolist() == ["allow", "review", "review", "review"]
    assert decide(np.empty(0), 0.5, 0.9).tolist() == []


COSTS = CostModel(review=300, friction=2_000)


def _slice(rows: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels that happen with the very probability that the score says, and amounts in cents."""
    random = np.random.default_rng(seed)
    score = random.beta(0.02, 2, rows)
    return random.random(rows) < score, score, np.round(np.exp(random.normal(8, 1.2, rows))).astype(np.int64)


def _cost(label: np.ndarray, decision: np.ndarray, amount: np.ndarray, costs: CostModel = COSTS) -> float:
    return float(RowCosts.of(label, decision, amount, costs).cost()[0])


def _chosen(
    kind: str, budget: float = 20_000, costs: CostModel = COSTS, rows: int = 20_000, **other: Any
) -> Thresholds:
    label, score, amount = _slice(rows)
    major = Costs(review=costs.review / 100, friction=costs.friction / 100, recovered=costs.recovered)
    policy = Policy(alerts_per_day=budget, thresholds=kind, costs=major, **other)
    return choose(label, score, days=1, policy=policy, amount_minor=amount, costs=costs)


def test_with_costs_the_review_threshold_is_about_the_cheapest_and_leaves_budget_unspent() -> None:
    label, score, amount = _slice()
    found = _chosen("score")
    assert found.alerts_per_day < 5_000
    # On other transactions of the kind: no threshold of a fine grid is much cheaper.
    label, score, amount = _slice(200_000, seed=1)
    costs = [_cost(label, decide(score, t, found.block), amount) for t in np.geomspace(1e-3, 0.9, 60)]
    assert _cost(label, found.decide(score), amount) <= 1.01 * min(costs)


@pytest.mark.parametrize("kind", ["score", "value"])
def test_the_budget_is_a_limit_whatever_a_review_is_worth(kind: str) -> None:
    assert _chosen(kind).alerts_per_day > 100
    found = _chosen(kind, budget=100)
    assert 90 <= found.alerts_per_day <= 100


def test_a_dearer_review_is_asked_for_less_often() -> None:
    alerts = [_chosen("score", costs=CostModel(review, 10_000)).alerts_per_day for review in (100, 1_000, 10_000)]
    assert alerts[0] > alerts[1] > alerts[2]


def test_what_is_never_worth_a_review_leaves_the_highest_score() -> None:
    label, score, _ = _slice()
    costs = CostModel(review=300, friction=2_000)
    policy = Policy(alerts_per_day=50, costs=Costs(review=3, friction=20))
    found = choose(label, score, days=1, policy=policy, amount_minor=np.ones(len(label)), costs=costs)
    assert found.review == score.max()


def test_by_value_a_large_payment_needs_less_suspicion() -> None:
    found = _chosen("value", block_precision=1.0)
    assert found.review_value == COSTS.review
    assert found.block is None
    assert found.decide(np.array([0.5, 0.05, 0.05]), np.array([500, 500, 8_000])).tolist() == [
        "allow", "allow", "review",
    ]  # fmt: skip


def test_by_value_costs_less_than_by_score_and_both_less_than_the_budget_alone() -> None:
    label, score, amount = _slice(200_000, seed=1)
    by_score, by_value = _chosen("score", budget=400), _chosen("value", budget=400)
    other, other_score, _ = _slice()
    by_budget = choose(other, other_score, days=1, policy=_policy(400))
    costs = [_cost(label, t.decide(score, amount), amount) for t in (by_value, by_score, by_budget)]
    assert costs[0] < 0.95 * costs[1]
    assert costs[1] <= costs[2]


def test_by_value_sure_frauds_of_small_amounts_do_not_take_the_budget_of_large_ones() -> None:
    # 30 sure frauds of 5.00 each, and 30 likely ones of 500.00; 30 alerts can be looked at.
    score = np.concatenate([np.full(30, 0.99), np.full(30, 0.6), np.full(940, 0.0001)])
    amount = np.concatenate([np.full(30, 500), np.full(30, 50_000), np.full(940, 2_000)])
    label = np.arange(1_000) < 50
    policy = Policy(alerts_per_day=30, thresholds="value", costs=Costs(review=3, friction=20))
    found = choose(label, score, days=1, policy=policy, amount_minor=amount, costs=COSTS)
    assert found.block is None
    assert set(np.flatnonzero(found.decide(score, amount) == "review")) == set(range(30, 60))
    ample = policy.model_copy(update={"alerts_per_day": 60})
    found = choose(label, score, days=1, policy=ample, amount_minor=amount, costs=COSTS)
    assert found.block == 0.99
    assert (found.decide(score, amount)[:60] != "allow").all()


def test_a_review_that_saves_less_must_promise_more() -> None:
    found = _chosen("value", costs=CostModel(review=300, friction=2_000, recovered=0.5), block_precision=1.0)
    assert found.review_value == 600


def test_blocking_follows_from_the_costs_within_the_precision_asked_for() -> None:
    # Blocking costs (1 − p) × 2,000, a review 300: blocking is cheaper from p = 0.85 on.
    found = _chosen("score", block_precision=0.5)
    assert found.block == pytest.approx(0.85, abs=0.02)
    # A block that costs as little as a review is right from review on; the precision asked for is the limit.
    label, score, _ = _slice(200_000)
    cheap = _chosen("score", rows=200_000, costs=CostModel(review=300, friction=301), block_precision=0.8)
    assert cheap.block is not None
    assert cheap.block < 0.8
    assert 0.8 <= label[score >= cheap.block].mean() < 0.82
    # One that costs the earth is never right.
    assert _chosen("score", costs=CostModel(review=300, friction=10**9), block_precision=0.5).block is None


def test_a_row_counts_for_as_many_as_it_stands_for() -> None:
    label, score, amount = _slice(2_000)
    weight = np.where(np.arange(2_000) % 10 == 0, 3.0, 1.0)
    policy = Policy(alerts_per_day=60, costs=Costs(review=3, friction=20), block_precision=0.5)
    given = {"days": 1.0, "policy": policy, "costs": COSTS}
    weighted = choose(label, score, amount_minor=amount, weight=weight, **given)
    times = weight.astype(int)
    written_out = choose(
        np.repeat(label, times), np.repeat(score, times), amount_minor=np.repeat(amount, times), **given
    )
    assert (weighted.review, weighted.block) == (written_out.review, written_out.block)
    assert weighted.alerts_per_day == written_out.alerts_per_day


def test_amounts_are_asked_for_where_they_decide() -> None:
    with pytest.raises(ValueError, match="no amounts"):
        _chosen("value").decide(np.array([0.5]))


def test_thresholds_of_a_model_stored_before_they_could_go_by_value_still_decide() -> None:
    old = object.__new__(Thresholds)
    stored = {"review": 0.5, "block": 0.9, "alerts_per_day": 3.0, "block_precision": None, "block_rows": 0}
    old.__dict__.update(stored)  # as unpickling does
    assert old.decide(np.array([0.4, 0.6, 0.95])).tolist() == ["allow", "review", "block"]
    assert old.to_dict()["review_value"] is None
