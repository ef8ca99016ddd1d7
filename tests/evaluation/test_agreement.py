from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.agreement import agreement
from fraudops.evaluation.paired import Blocks


def _promised(seed: int, n: int = 6_000) -> tuple[np.ndarray, np.ndarray]:
    """Frauds that happen as often as is promised."""
    random = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(4 - 1.5 * random.normal(size=n)))
    return random.random(n) < score, score


def test_a_promise_that_is_kept_lies_within_its_interval_about_as_often_as_it_says() -> None:
    found = [agreement(*_promised(seed)) for seed in range(200)]
    ratio = [one.ratio_interval.low <= 1 <= one.ratio_interval.high for one in found if one.ratio_interval]
    slope = [one.slope_interval.low <= 1 <= one.slope_interval.high for one in found if one.slope_interval]
    assert len(ratio) == len(slope) == 200
    assert 0.9 <= np.mean(ratio) <= 0.99
    assert 0.9 <= np.mean(slope) <= 0.99


def test_twice_as_many_frauds_as_expected_are_seen() -> None:
    label, score = _promised(1)
    found = agreement(label, score / 2)
    assert found.observed / found.expected == found.ratio
    assert found.ratio == pytest.approx(2, abs=0.35)
    assert found.ratio_interval is not None
    assert found.ratio_interval.low > 1


def test_scores_that_are_too_extreme_have_a_slope_below_one() -> None:
    label, score = _promised(2, 20_000)
    odds = np.log(score / (1 - score))
    extreme, timid = (agreement(label, 1 / (1 + np.exp(-factor * odds))) for factor in (2.0, 0.5))
    assert extreme.slope == pytest.approx(0.5, abs=0.06)
    assert timid.slope == pytest.approx(2.0, abs=0.25)


def test_rows_that_stand_for_those_that_were_left_out_give_what_all_would_have_given() -> None:
    label, score = _promised(4, 20_000)
    random = np.random.default_rng(0)
    kept = label | (random.random(len(label)) < 0.1)
    weight = np.where(label, 1.0, 10.0)[kept]
    whole, weighed = agreement(label, score), agreement(label[kept], score[kept], weight=weight)
    naive = agreement(label[kept], score[kept])
    assert whole.ratio is not None
    assert whole.slope is not None
    assert weighed.ratio == pytest.approx(whole.ratio, abs=0.1)
    assert weighed.slope == pytest.approx(whole.slope, abs=0.1)
    assert naive.ratio is not None
    assert naive.ratio > 2 * whole.ratio


def test_frauds_that_come_together_make_the_intervals_wider() -> None:
    random = np.random.default_rng(3)
    bad_day = np.repeat(random.random(40) < 0.15, 100)
    label = bad_day & (random.random(4_000) < 0.3)
    score = np.full(4_000, label.mean()) * random.uniform(0.5, 1.5, 4_000)
    alone = agreement(label, score).ratio_interval
    together = agreement(label, score, blocks=Blocks(days=np.repeat(np.arange(40), 100))).ratio_interval
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("label", [np.zeros(50, dtype=bool), np.ones(50, dtype=bool)])
def test_nothing_to_compare_gives_no_ratio(label: np.ndarray) -> None:
    found = agreement(label, np.full(50, 0.1))
    assert (found.ratio, found.slope) == (None, None)


@pytest.mark.parametrize("score", [np.full(100, 0.1), np.where(np.arange(100) < 10, 0.9, 0.01)])
def test_a_slope_that_cannot_be_told_is_not_told(score: np.ndarray) -> None:
    found = agreement(np.arange(100) < 10, score)
    assert found.ratio is not None
    assert found.slope is None
