"""What decisions cost, told from a handful of rows."""

from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.costs import CostModel, RowCosts

COSTS = CostModel(review=300, friction=1_000)
LABEL = np.array([True, True, True, False, False, False])
DECISION = np.array(["allow", "review", "block", "allow", "review", "block"])
AMOUNT = np.array([9_000, 5_000, 2_000, 700, 800, 900])


def test_each_outcome_has_its_price() -> None:
    found = RowCosts.of(LABEL, DECISION, AMOUNT, COSTS)
    assert found.decided.tolist() == [9_000, 300, 0, 0, 300, 1_000]
    assert found.allowing.tolist() == [9_000, 5_000, 2_000, 0, 0, 0]
    assert found.blocking.tolist() == [0, 0, 0, 1_000, 1_000, 1_000]
    assert found.cost().tolist() == [10_600]


def test_savings_are_measured_against_the_cheaper_of_doing_without_a_model() -> None:
    # Blocking all costs 3,000, allowing all 16,000.
    assert RowCosts.of(LABEL, DECISION, AMOUNT, COSTS).savings()[0] == pytest.approx(1 - 10_600 / 3_000)
    dear = CostModel(review=300, friction=100_000)
    assert RowCosts.of(LABEL, DECISION, AMOUNT, dear).savings()[0] == pytest.approx(1 - 109_600 / 16_000)


@pytest.mark.parametrize(("decision", "expected"), [("allow", 0.0), ("block", 1 - 3_000_000 / 16_000)])
def test_deciding_alike_for_all_saves_nothing_or_less(decision: str, expected: float) -> None:
    costs = CostModel(review=300, friction=1_000_000)
    assert RowCosts.of(LABEL, np.full(6, decision), AMOUNT, costs).savings()[0] == pytest.approx(expected)


def test_a_review_that_comes_late_saves_only_a_share() -> None:
    late = CostModel(review=300, friction=1_000, recovered=0.6)
    found = RowCosts.of(LABEL, DECISION, AMOUNT, late)
    assert found.decided[1] == pytest.approx(300 + 0.4 * 5_000)
    assert found.decided[2] == 0
    assert found.decided[4] == 300


def test_a_refund_is_lost_to_nobody() -> None:
    found = RowCosts.of(np.array([True]), np.array(["allow"]), np.array([-4_000]), COSTS)
    assert found.decided.tolist() == [0]


def test_weights_give_what_drawing_the_rows_gives() -> None:
    random = np.random.default_rng(3)
    found = RowCosts.of(LABEL, DECISION, AMOUNT, COSTS)
    drawn = random.integers(0, 6, (5, 6))
    weights = np.stack([np.bincount(rows, minlength=6) for rows in drawn])
    for rows, cost, savings in zip(drawn, found.cost(weights), found.savings(weights), strict=True):
        again = RowCosts.of(LABEL[rows], DECISION[rows], AMOUNT[rows], COSTS)
        assert again.cost()[0] == pytest.approx(cost)
        assert again.savings()[0] == pytest.approx(savings, nan_ok=True)


def test_without_fraud_there_is_nothing_to_save() -> None:
    assert np.isnan(RowCosts.of(np.zeros(2, dtype=bool), np.array(["allow"] * 2), np.ones(2), COSTS).savings()[0])


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="none of allow"):
        RowCosts.of(LABEL, np.full(6, "maybe"), AMOUNT, COSTS)
