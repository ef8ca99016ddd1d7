from __future__ import annotations

import numpy as np
from fraudops.portfolio import Policy
from fraudops.training.thresholds import choose, decide


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
