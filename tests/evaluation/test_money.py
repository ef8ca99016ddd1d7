"""Cost and savings of a slice, beside a slow reckoning of the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fraudops.evaluation.costs import CostModel, RowCosts
from fraudops.evaluation.metrics import evaluate
from fraudops.evaluation.money import CostCurve, measure

COSTS = CostModel(review=300, friction=2_000, recovered=0.9)


def _slice(rows: int = 3_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    # Rounded, so that there are ties.
    score = np.round(random.beta(0.2, 4, rows), 3)
    return random.random(rows) < score, score, random.integers(100, 50_000, rows)


def _decided(score: np.ndarray, review: float, block: float) -> np.ndarray:
    return np.where(score >= block, "block", np.where(score >= review, "review", "allow"))


def test_the_intervals_are_those_of_drawing_rows() -> None:
    label, score, amount = _slice()
    decision = _decided(score, 0.1, 0.6)
    found = measure(label, score, decision, amount, COSTS, block=0.6, seed=1, resamples=800)
    rows = RowCosts.of(label, decision, amount, COSTS)
    random = np.random.default_rng(2)
    drawn = [random.integers(0, len(label), len(label)) for _ in range(800)]
    plain = [RowCosts.of(label[d], decision[d], amount[d], COSTS) for d in drawn]
    assert found.cost == pytest.approx(rows.cost()[0], abs=0.5)
    assert found.savings == pytest.approx(rows.savings()[0])
    for interval, values in (
        (found.cost_interval, [p.cost()[0] for p in plain]),
        (found.savings_interval, [p.savings()[0] for p in plain]),
    ):
        low, high = np.percentile(values, [2.5, 97.5])
        assert interval is not None
        assert interval.low == pytest.approx(low, abs=0.15 * (high - low))
        assert interval.high == pytest.approx(high, abs=0.15 * (high - low))


def test_the_curve_is_the_cost_of_each_threshold_and_the_best_is_its_lowest_point() -> None:
    label, score, amount = _slice()
    curve = CostCurve.of(label, score, amount, COSTS, block=0.6)
    slow = {
        t: float(RowCosts.of(label, _decided(score, t, max(0.6, t)), amount, COSTS).cost()[0])
        for t in np.unique(score)
        if t <= 0.6
    }
    fast = dict(zip(curve.scores.tolist(), curve.cost.tolist(), strict=True))
    assert {t: fast[t] for t in slow} == pytest.approx(slow)
    assert curve.flagged[-1] == len(label)
    found = measure(label, score, _decided(score, 0.1, 0.6), amount, COSTS, block=0.6, resamples=20)
    assert found.best_threshold == min(fast, key=lambda t: fast[t])
    assert found.savings is not None
    assert found.best_savings is not None
    assert found.best_savings >= found.savings


def test_money_is_among_the_numbers_of_a_slice_where_there_are_costs() -> None:
    label, score, amount = _slice()
    given = {"days": 3.0, "alerts_per_day": 20, "review": 0.1, "block": 0.6, "resamples": 20}
    content = evaluate(label, score, amount, costs=COSTS, **given).to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["money"]["cost"] == round(
        float(RowCosts.of(label, _decided(score, 0.1, 0.6), amount, COSTS).cost()[0])
    )
    assert evaluate(label, score, amount, **given).to_dict()["money"] is None
    assert evaluate(label, score, None, costs=COSTS, **given).to_dict()["money"] is None


def test_decisions_that_a_score_alone_does_not_tell_are_counted_as_they_are() -> None:
    label, score, amount = _slice()
    decision = np.where(score * amount > 2_000, "review", "allow")
    found = evaluate(
        label, score, amount, days=3, alerts_per_day=20, review=0.0, decision=decision, costs=COSTS, resamples=20
    )
    review = found.confusion["review"]
    assert review.caught + review.false_alarms == (decision == "review").sum()
    assert found.amount_caught == amount[label & (decision == "review")].sum()


def test_a_slice_without_fraud_has_a_cost_and_no_savings() -> None:
    label, score, amount = _slice()
    found = measure(np.zeros_like(label), score, _decided(score, 0.1, 0.6), amount, COSTS, resamples=20)
    assert found.cost > 0
    assert (found.savings, found.savings_interval, found.best_savings) == (None, None, None)
