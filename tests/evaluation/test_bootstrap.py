"""Intervals: reproducible, about as wide as they should be, and cheap."""

from __future__ import annotations

import time

import numpy as np
import pytest
from fraudops.evaluation.bootstrap import paired_bootstrap, ranking_intervals
from sklearn.metrics import average_precision_score


def _scores(rows: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    label = random.random(rows) < share
    common = random.normal(size=rows) + 3 * label
    return label, common + random.normal(scale=0.4, size=rows), common + random.normal(scale=1.5, size=rows)


def test_intervals_agree_with_a_plain_bootstrap_of_rows() -> None:
    label, score, _ = _scores(3_000, 0.03)
    found = ranking_intervals(label, score, k=50, seed=1, resamples=600).average_precision
    random = np.random.default_rng(2)
    plain = []
    for _ in range(600):
        rows = random.integers(0, len(label), len(label))
        plain.append(average_precision_score(label[rows], score[rows]))
    low, high = np.percentile(plain, [2.5, 97.5])
    assert found is not None
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_the_seed_decides() -> None:
    label, score, _ = _scores(2_000, 0.03)
    first, again, other = (ranking_intervals(label, score, k=20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nothing_to_resample_gives_no_interval() -> None:
    found = ranking_intervals(np.zeros(10, dtype=bool), np.arange(10.0), k=3, seed=1)
    assert found.average_precision is None
    assert paired_bootstrap(np.zeros(10, dtype=bool), np.arange(10.0), np.arange(10.0)) is None


def test_a_better_model_is_seen_to_be_better() -> None:
    label, good, poor = _scores(5_000, 0.03)
    found = paired_bootstrap(label, good, poor)
    assert found is not None
    expected = average_precision_score(label, good) - average_precision_score(label, poor)
    assert found.difference == pytest.approx(expected, abs=1e-12)
    assert 0 < found.low < found.difference < found.high
    assert found.better > 0.99
    turned = paired_bootstrap(label, poor, good)
    assert turned is not None
    assert turned.low == pytest.approx(-found.high)
    assert (found.unit, found.units) == ("row", 5_000)


def test_equal_models_differ_by_nothing() -> None:
    label, score, _ = _scores(2_000, 0.05)
    found = paired_bootstrap(label, score, score * 2 + 1)
    assert found is not None
    assert (found.difference, found.low, found.high, found.better) == (0.0, 0.0, 0.0, 0.5)


@pytest.mark.parametrize(
    ("days", "entities", "unit", "units"),
    [(20, None, "day", 20), (19, None, "row", 1_000), (19, 50, "entity", 50), (25, 50, "day", 25)],
)
def test_whole_days_are_drawn_where_there_are_enough(days: int, entities: int | None, unit: str, units: int) -> None:
    label, a, b = _scores(1_000, 0.1)
    day = np.datetime64("2026-03-01") + np.arange(1_000) % days
    entity = None if entities is None else np.array([f"c{n % entities}" for n in range(1_000)], dtype=object)
    found = paired_bootstrap(label, a, b, days=day, entities=entity)
    assert found is not None
    assert (found.unit, found.units) == (unit, units)


def test_a_row_without_an_entity_stands_for_itself() -> None:
    label, a, b = _scores(1_000, 0.1)
    entity = np.array([None if n < 10 else f"c{n % 30}" for n in range(1_000)], dtype=object)
    found = paired_bootstrap(label, a, b, entities=entity)
    assert found is not None
    assert (found.unit, found.units) == ("entity", 40)


def test_tied_scores_do_not_depend_on_the_order_of_rows() -> None:
    label, a, b = _scores(1_000, 0.1)
    a, b = np.round(a), np.round(b)
    order = np.random.default_rng(5).permutation(1_000)
    first, second = paired_bootstrap(label, a, b), paired_bootstrap(label[order], a[order], b[order])
    assert first is not None
    assert second is not None
    assert first.difference == pytest.approx(second.difference, abs=1e-12)


def test_sixty_thousand_rows_take_little_processor_time() -> None:
    label, a, b = _scores(60_000, 0.002)
    start = time.process_time()
    ranking_intervals(label, a, k=100, seed=1)
    paired_bootstrap(label, a, b, days=np.arange(60_000) % 30)
    assert time.process_time() - start < 4
