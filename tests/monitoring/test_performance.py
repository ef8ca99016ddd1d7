from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.metrics import evaluate
from fraudops.monitoring.performance import Expectations, Outcomes, expect, measure, on_ladder, sums_of, within_budget

BUDGET = 12


def day(random: np.random.Generator, rows: int = 400, *, promise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels that come true as often as the scores say (times ``promise``)."""
    score = 1 / (1 + np.exp(-random.normal(-4.0, 2.2, rows)))
    return score, random.random(rows) < score * promise


def outcomes(days: list[tuple[np.ndarray, np.ndarray]]) -> Outcomes:
    return Outcomes(
        tuple(f"2026-03-{n:02d}" for n in range(1, len(days) + 1)),
        np.array([sums_of(s, y, s >= 0.5, BUDGET) for s, y in days]),
        np.array([on_ladder(s, y.astype(float)) for s, y in days]),
        np.array([on_ladder(s, (~y).astype(float)) for s, y in days]),
    )


def expectations(days: list[tuple[np.ndarray, np.ndarray]]) -> Expectations:
    return Expectations(
        tuple(f"2026-03-{n:02d}" for n in range(1, len(days) + 1)),
        np.array([on_ladder(s) for s, _ in days]),
        np.array([on_ladder(s, s) for s, _ in days]),
        np.full(len(days), float(BUDGET)),
        np.array([s[within_budget(s, BUDGET)].sum() for s, _ in days]),
    )


def many(seed: int, count: int, **facts: float) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    return [day(random, **facts) for _ in range(count)]  # type: ignore[arg-type]


def test_sums_and_ladders_tell_what_the_rows_tell() -> None:
    days = many(1, 10)
    found = measure(outcomes(days), None, confidence=0.95, resamples=100)
    score, label = np.concatenate([s for s, _ in days]), np.concatenate([y for _, y in days])
    exact = evaluate(label, score, None, days=10, alerts_per_day=BUDGET, review=0.5, block=None, resamples=10)
    # Scores within a tenth of a log-odd count as equal.
    assert found["average_precision"].value == pytest.approx(exact.average_precision, abs=0.01)
    assert found["brier"].value == pytest.approx(np.mean((score - label) ** 2))
    assert found["calibration"].value == pytest.approx(label.sum() / score.sum())
    assert found["alert_rate"].value == pytest.approx(np.mean(score >= 0.5))


def test_recall_is_within_each_days_budget() -> None:
    days = many(2, 6)
    caught = sum(int(y[np.argsort(-s, kind="stable")[:BUDGET]].sum()) for s, y in days)
    frauds = sum(int(y.sum()) for _, y in days)
    found = measure(outcomes(days), None, confidence=0.95, resamples=100)
    assert found["recall"].value == pytest.approx(caught / frauds)
    assert found["precision"].value == pytest.approx(caught / (6 * BUDGET))


def test_equal_worlds_are_seldom_told_apart_and_a_broken_promise_is_seen() -> None:
    apart = broken = 0
    for seed in range(30):
        reference = outcomes(many(100 + seed, 21))
        same = measure(outcomes(many(200 + seed, 21)), reference, confidence=0.99, resamples=200)
        recall = same["recall"]
        assert recall.difference_low is not None
        assert recall.difference_high is not None
        apart += not recall.difference_low <= 0 <= recall.difference_high
        worse = measure(outcomes(many(300 + seed, 21, promise=0.4)), reference, confidence=0.99, resamples=200)
        broken += not worse["calibration"].low <= 1 <= worse["calibration"].high
    assert apart <= 3
    assert broken >= 29


def test_the_estimate_is_right_where_scores_keep_their_promise() -> None:
    days = many(5, 28)
    estimated = expect(expectations(days), confidence=0.99, resamples=200)
    measured = measure(outcomes(days), None, confidence=0.99, resamples=200)
    for name in ("average_precision", "precision", "recall"):
        assert estimated[name].value == pytest.approx(measured[name].value, abs=0.06), name


def test_the_estimate_is_blind_to_what_the_scores_do_not_know() -> None:
    days = many(6, 28)
    # A new kind of fraud among the lowest scores.
    unseen = [(s, y | (s <= np.sort(s)[15])) for s, y in days]
    estimated = expect(expectations(unseen), confidence=0.99, resamples=200)["recall"]
    measured = measure(outcomes(unseen), None, confidence=0.99, resamples=200)["recall"]
    assert measured.high < estimated.low
