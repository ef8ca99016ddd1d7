from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fraudops.evaluation.metrics import Metrics, alert_budget, confusion, evaluate, reliability, wilson
from fraudops.evaluation.ranking import Ranking
from sklearn.metrics import brier_score_loss, classification_report, confusion_matrix


def _evaluate(label: np.ndarray, score: np.ndarray, **other: Any) -> Metrics:
    settings = {"days": 2.0, "alerts_per_day": 10, "review": 0.3, "block": 0.8, "resamples": 50}
    amounts = np.arange(len(label)) * 100
    return evaluate(label, score, amounts, **{**settings, **other})


def _sample(rows: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    score = random.beta(0.3, 4, rows)
    return random.random(rows) < score, score


def test_confusion_and_report_are_those_of_scikit_learn() -> None:
    label, score = _sample()
    found = confusion(label, score, 0.3)
    tn, fp, fn, tp = confusion_matrix(label, score >= 0.3).ravel()
    assert (found.passed, found.false_alarms, found.missed, found.caught) == (tn, fp, fn, tp)
    expected = classification_report(label, score >= 0.3, output_dict=True)
    report = found.report()
    for ours, theirs in (("fraud", "True"), ("genuine", "False")):
        for name, key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert report[ours][name] == pytest.approx(expected[theirs][key])
    assert report["accuracy"] == pytest.approx(expected["accuracy"])


def test_every_number_of_the_contract_is_there_and_is_json() -> None:
    label, score = _sample()
    found = _evaluate(label, score).to_dict()
    names = {"average_precision", "average_precision_interval", "roc_auc", "precision_at_k", "recall_at_k"}
    names |= {"brier", "confusion", "report", "n", "positives", "calibration", "k", "value_recall"}
    assert names <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["brier"] == pytest.approx(brier_score_loss(label, score))
    assert found["k"] == 20
    top = np.argsort(-score)[:20]
    assert found["precision_at_k"] == pytest.approx(label[top].mean())
    assert found["recall_at_k"] == pytest.approx(label[top].sum() / label.sum())
    low, high = found["average_precision_interval"]
    assert low < found["average_precision"] < high


def test_without_amounts_nothing_is_measured_in_money() -> None:
    found = evaluate(np.array([True, False]), np.array([0.9, 0.1]), None, days=1, alerts_per_day=1, review=0.5)
    assert (found.amount_fraud, found.amount_caught, found.value_recall) == (None, None, None)
    assert found.average_precision == 1


def test_amounts_caught() -> None:
    found = evaluate(
        np.array([True, True, False]),
        np.array([0.9, 0.1, 0.8]),
        np.array([300, 100, 5_000]),
        days=1,
        alerts_per_day=1,
        review=0.5,
    )
    assert (found.amount_caught, found.amount_fraud, found.value_recall) == (300, 400, 0.75)
    assert set(found.confusion) == {"review", "half"}


def test_a_slice_without_frauds_is_measured_as_far_as_it_can_be() -> None:
    found = _evaluate(np.zeros(50, dtype=bool), np.linspace(0, 1, 50))
    assert found.average_precision is None
    assert found.recall_at_k is None
    assert found.precision_at_k == 0.0
    assert found.value_recall is None
    json.dumps(found.to_dict(), allow_nan=False)


def test_recall_at_a_false_positive_rate() -> None:
    label = np.zeros(2_000, dtype=bool)
    label[[0, 5, 900]] = True
    found = _evaluate(label, -np.arange(2_000) / 2_000 + 1)
    # One in a thousand of 1,997 genuine ones: one false alarm is allowed.
    assert found.recall_at_fpr[0.001] == pytest.approx(1 / 3)
    assert found.recall_at_fpr[0.01] == pytest.approx(2 / 3)
    few = Ranking.of(np.array([True] + [False] * 50), np.arange(51.0))
    from fraudops.evaluation.metrics import recall_at_fpr

    assert recall_at_fpr(few, 0.001) is None


def test_reliability_of_calibrated_scores_lies_on_the_diagonal() -> None:
    label, score = _sample(40_000)
    bins = reliability(label, score)
    assert len(bins) == 10
    assert sum(found.n for found in bins) == 40_000
    assert sum(found.positives for found in bins) == label.sum()
    outside = [found for found in bins if not found.low <= found.mean_score <= found.high]
    assert len(outside) <= 2


def test_equal_scores_share_a_bin() -> None:
    bins = reliability(np.array([True, False] * 50), np.full(100, 0.5))
    assert [(found.n, found.fraud_rate) for found in bins] == [(100, 0.5)]
    assert reliability(np.zeros(0, dtype=bool), np.zeros(0)) == ()
    assert [found.n for found in reliability(np.array([True, False]), np.zeros(2))] == [2]


def test_the_budget_is_at_least_one_alert() -> None:
    assert alert_budget(15, 2.0, 10_000) == 30
    assert alert_budget(0.1, 1.0, 10_000) == 1
    assert alert_budget(1_000, 1.0, 7) == 7
    assert alert_budget(10, 1.0, 0) == 0


def test_wilson() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(5, 10)
    assert (low, high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
