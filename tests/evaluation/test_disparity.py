from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.disparity import OTHERS, group_rates, ratio


def _rows(*groups: tuple[str, int, int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups of (name, caught, missed, false alarms, passed)."""
    names, labels, flags = [], [], []
    for name, caught, missed, false, passed in groups:
        names += [name] * (caught + missed + false + passed)
        labels += [True] * (caught + missed) + [False] * (false + passed)
        flags += [True] * caught + [False] * missed + [True] * false + [False] * passed
    return np.array(names, dtype=object), np.array(labels), np.array(flags)


def test_rates_are_compared_with_those_of_the_largest_group() -> None:
    large, small = group_rates(*_rows(("b", 5, 1, 4, 190), ("a", 3, 1, 12, 84)), fewest=50)
    assert (large.group, large.n, large.frauds, large.flagged, large.false_alarms) == ("b", 200, 6, 9, 4)
    assert large.selection_ratio is None
    assert small.selection_rate == pytest.approx(0.15)
    assert small.false_positive_rate == pytest.approx(12 / 96)
    assert small.selection_ratio is not None
    assert small.selection_ratio.value == pytest.approx(0.15 / 0.045)
    assert small.selection_ratio.marked
    assert small.false_positive_ratio is not None
    assert small.false_positive_ratio.value == pytest.approx((12 / 96) / (4 / 194))


def test_small_groups_are_put_together_and_stand_last() -> None:
    found = group_rates(*_rows(("b", 1, 0, 2, 97), ("x", 0, 0, 1, 59), ("y", 0, 0, 0, 70)), fewest=80)
    assert [(rates.group, rates.n) for rates in found] == [("b", 100), (OTHERS, 130)]


def test_the_four_fifths_line_has_two_sides() -> None:
    for cases, marked in ((79, True), (80, False), (125, False), (126, True)):
        found = ratio(cases, 1_000, 100, 1_000)
        assert found is not None
        assert found.marked is marked


def test_where_the_reference_has_no_case_there_is_an_interval_and_no_value() -> None:
    found = ratio(3, 100, 0, 100)
    assert found is not None
    assert found.value is None
    assert found.low is not None
    assert found.low > 0
    assert not found.marked
    assert ratio(0, 0, 1, 10) is None


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    held = 0
    for a, b in zip(random.binomial(800, 0.03, 2_000), random.binomial(2_000, 0.02, 2_000), strict=True):
        found = ratio(int(a), 800, int(b), 2_000)
        assert found is not None
        held += found.low <= 1.5 <= found.high
    assert 0.93 < held / 2_000 < 0.97
