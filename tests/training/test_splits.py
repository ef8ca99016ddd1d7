from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from fraudops.training.splits import (
    GAP,
    TEST,
    TRAIN,
    VALIDATION,
    Split,
    keep_copies_together,
    split_at_random,
    split_by_time,
)

SHARES = (0.6, 0.2, 0.2)


def _times(hours: list[int]) -> pd.Series:
    return pd.Series(pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(hours, unit="h"))


def test_slices_follow_one_another_and_the_gap_ends_where_validation_begins() -> None:
    cut = split_by_time(_times(list(range(100))), SHARES, timedelta(hours=10))
    assert list(cut.slices) == [TRAIN] * 50 + [GAP] * 10 + [VALIDATION] * 20 + [TEST] * 20
    assert cut.validation_from == pd.Timestamp("2026-03-03T12:00", tz="UTC")
    assert cut.test_from == pd.Timestamp("2026-03-04T08:00", tz="UTC")


def test_rows_of_one_moment_stay_together() -> None:
    hours = [0] * 5 + [1] * 3 + [2] * 2
    cut = split_by_time(_times(hours), SHARES, timedelta(0))
    assert list(cut.slices) == [TRAIN] * 5 + [VALIDATION] * 3 + [TEST] * 2


def test_everything_at_one_moment_leaves_nothing_to_learn_from() -> None:
    assert set(split_by_time(_times([3] * 10), SHARES, timedelta(0)).slices) == {TEST}


def test_a_random_split_deals_both_kinds_in_the_same_shares() -> None:
    label = np.arange(5_000) % 50 == 0
    cut = split_at_random(label, np.arange(5_000), SHARES, seed=1)
    for name, share in ((TRAIN, 0.6), (VALIDATION, 0.2), (TEST, 0.2)):
        assert (cut.slices[label] == name).mean() == share
        assert abs((cut.slices[~label] == name).mean() - share) < 0.001
    again = split_at_random(label, np.arange(5_000), SHARES, seed=1)
    other = split_at_random(label, np.arange(5_000), SHARES, seed=2)
    assert (cut.slices == again.slices).all()
    assert (cut.slices != other.slices).any()


def test_copies_of_a_row_go_to_the_same_slice() -> None:
    groups = np.repeat(np.arange(300), 3)
    cut = split_at_random(np.repeat(np.arange(300) % 10 == 0, 3), groups, SHARES, seed=1)
    assert (pd.Series(cut.slices).groupby(groups).nunique() == 1).all()
    assert set(cut.slices) == {TRAIN, VALIDATION, TEST}


def test_copies_at_different_moments_go_where_the_first_of_them_is() -> None:
    split = Split(np.array([TRAIN, GAP, VALIDATION, TEST, TEST], dtype=object))
    groups = np.array([7, 3, 7, 3, 9])
    assert keep_copies_together(split, groups).slices.tolist() == [TRAIN, GAP, TRAIN, GAP, TEST]
