from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.ranking import average_precision
from fraudops.training.calibration import Isotonic, Sigmoid, calibrate, fit_sigmoid, log_odds
from sklearn.linear_model import LogisticRegression


def _sample(rows: int, *, distort: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, an estimator's overconfident output, and the true probabilities."""
    random = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(5 - random.normal(scale=2, size=rows)))
    raw = 1 / (1 + np.exp(-distort * log_odds(truth)))
    return random.random(rows) < truth, raw, truth


def test_the_sigmoid_is_the_likeliest_one() -> None:
    label, raw, _ = _sample(20_000)
    found = fit_sigmoid(label, raw)
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(log_odds(raw)[:, None], label)
    # Platt's targets draw in a little.
    assert found.slope == pytest.approx(expected.coef_[0, 0], rel=0.02)
    assert found.intercept == pytest.approx(expected.intercept_[0], abs=0.05)


@pytest.mark.parametrize(("rows", "kind"), [(3_000, Sigmoid), (60_000, Isotonic)])
def test_probabilities_come_true_and_the_ranking_stays(rows: int, kind: type) -> None:
    label, raw, truth = _sample(rows)
    calibration = calibrate(label, raw)
    assert isinstance(calibration, kind)
    found = calibration.apply(raw)
    assert found.sum() == pytest.approx(label.sum(), rel=0.05)
    assert np.abs(found - truth).mean() < 0.01
    assert average_precision(label, found) == pytest.approx(average_precision(label, raw), abs=1e-9)
    order = np.argsort(raw)
    assert (np.diff(found[order]) >= 0).all()
    assert found.min() > 0
    assert found.max() < 1


def test_rows_that_contradict_the_estimator_never_turn_the_ranking_around() -> None:
    label, raw, _ = _sample(4_000)
    calibration = calibrate(~label, raw)
    assert (np.diff(calibration.apply(np.linspace(0.01, 0.99, 50))) > 0).all()
    level = calibrate(label, 1 - raw)
    assert level.apply(1 - raw).sum() == pytest.approx(label.sum(), rel=0.1)


def test_certain_estimators_stay_finite() -> None:
    label = np.array([True] * 10 + [False] * 990)
    found = calibrate(label, label.astype(float)).apply(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(found).all()
    assert 0 < found[0] < found[1] < found[2] < 1
    votes = np.concatenate([np.full(900, 0.0), np.repeat([0.01, 0.1, 0.5, 1.0], 25)])
    fraud = np.concatenate([np.arange(900) % 300 == 0, np.tile([True, False, False, False, False], 20)])
    assert calibrate(fraud, votes).apply(votes).sum() == pytest.approx(fraud.sum(), rel=0.1)
    constant = calibrate(label, np.full(1_000, 0.3)).apply(np.array([0.3]))
    assert constant[0] == pytest.approx(0.01, abs=0.002)
