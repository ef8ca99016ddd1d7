"""Sums, extremes and deviations over any stretch: exact, whatever the size of the numbers."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from fraudops.features.engine.columns import Column
from hypothesis import example, given, settings
from hypothesis import strategies as st

Numbers = list[int]
amounts = st.lists(st.integers(-(10**12), 10**12) | st.integers(0, 50_000), min_size=2, max_size=30)


def _stretches(n: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(start, stop) for start in range(n) for stop in range(start + 1, n + 1)]
    start, stop = np.array(pairs, np.int64).T
    return start, stop


def _deviation(values: Numbers) -> float:
    """Computed with whole numbers of any length."""
    n = len(values)
    if n < 2:
        return float("nan")
    variance = Fraction(n * sum(v * v for v in values) - sum(values) ** 2, n * (n - 1))
    scaled = variance * 10**40
    return isqrt(int(scaled)) / 1e20


@settings(deadline=None)
@given(amounts)
@example([7, 7, 7, 7])
@example([10**12] * 20)
@example([10**12, 10**12 + 1])
@example([2**24 - 1, 2**24, -1])
def test_every_stretch_is_exact(values: Numbers) -> None:
    column = Column(np.array(values, np.int64))
    start, stop = _stretches(len(values))
    parts = [values[a:b] for a, b in zip(start, stop, strict=True)]
    assert column.total(start, stop).tolist() == [sum(part) for part in parts]
    assert column.largest(start, stop).tolist() == [max(part) for part in parts]
    assert (-column.negative.largest(start, stop)).tolist() == [min(part) for part in parts]
    np.testing.assert_allclose(column.deviation(start, stop), [_deviation(part) for part in parts], rtol=1e-9)


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(2, 200))
def test_equal_values_do_not_deviate_at_all(value: int, count: int) -> None:
    column = Column(np.full(count, value, np.int64))
    assert column.deviation(np.array([0]), np.array([count])).tolist() == [0.0]


@settings(deadline=None)
@given(amounts, st.integers(1, 20))
def test_what_lies_before_a_stretch_changes_no_bit(values: Numbers, before: int) -> None:
    part = np.array(values, np.int64)
    longer = np.concatenate([np.random.default_rng(before).integers(-(10**15), 10**15, before), part])
    start, stop = _stretches(len(values))
    alone, within = Column(part), Column(longer)
    assert np.array_equal(alone.deviation(start, stop), within.deviation(start + before, stop + before), equal_nan=True)


def test_running_sums_may_wrap_around() -> None:
    huge = np.array([2**62, 2**62, 2**62, 5, 6], np.int64)
    assert Column(huge).total(np.array([3]), np.array([5])).tolist() == [11]


@pytest.mark.parametrize("length", [1, 2, 3, 64, 65, 1000])
def test_the_largest_of_long_stretches(length: int) -> None:
    values = np.random.default_rng(length).integers(0, 10**6, length)
    column = Column(values)
    for start in (0, length // 3):
        assert column.largest(np.array([start]), np.array([length])).tolist() == [values[start:].max()]
