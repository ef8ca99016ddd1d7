from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fraudops.monitoring.bins import LADDER, MISSING, Bins, ladder


def test_histograms_of_two_days_add_up_to_that_of_both() -> None:
    random = np.random.default_rng(1)
    bins = Bins.of_numbers("amount", random.lognormal(3, 1, 5000), 10)
    first, second = pd.Series(random.lognormal(3, 1, 300)), pd.Series(random.lognormal(4, 1, 200))
    both = bins.counted(pd.concat([first, second]))
    assert np.array_equal(bins.counted(first) + bins.counted(second), both)
    assert both.sum() == 500


def test_bins_are_about_equally_full_and_a_heavy_value_has_its_own() -> None:
    random = np.random.default_rng(2)
    values = np.where(random.random(10_000) < 0.6, 0.0, random.exponential(1.0, 10_000))
    bins = Bins.of_numbers("count", values, 10)
    counts = bins.counted(pd.Series(values))
    zeros = bins.codes(pd.Series([0.0]))[0]
    assert counts[zeros] == (values == 0).sum()
    assert bins.codes(pd.Series([1e-9]))[0] != zeros
    assert counts[counts > 0].size >= 6


def test_missing_and_infinite_numbers_share_a_bin() -> None:
    bins = Bins.of_numbers("amount", np.arange(100.0), 10)
    assert bins.codes(pd.Series([np.nan, np.inf, -np.inf])).tolist() == [MISSING] * 3


def test_a_column_without_any_value_can_be_counted() -> None:
    bins = Bins.of_numbers("amount", np.full(5, np.nan), 10)
    assert bins.counted(pd.Series([np.nan, 3.0])).tolist() == [1.0, 1.0]


def test_rare_new_and_missing_categories_are_told_apart() -> None:
    seen = pd.Series([f"shop{n}" for n in range(40) for _ in range(40 - n)])
    bins = Bins.of_categories("shop", seen)
    codes = bins.codes(pd.Series(["shop0", "shop39", "elsewhere", None]))
    labels = bins.labels()
    assert [labels[code] for code in codes] == ["shop0", "rare", "new", "missing"]
    assert codes[2] == bins.new


def test_where_too_many_categories_were_seen_none_counts_as_new() -> None:
    bins = Bins.of_categories("merchant", pd.Series([f"m{n}" for n in range(5000)]))
    assert bins.labels()[bins.codes(pd.Series(["never seen"]))[0]] == "rare"


def test_bins_come_back_from_json() -> None:
    for bins in (Bins.of_numbers("a", np.arange(50.0), 7), Bins.of_categories("b", pd.Series(["x", "y", "x"]))):
        assert Bins.from_dict(bins.to_dict()) == bins
        assert len(bins.labels()) == bins.count


def test_the_ladder_puts_higher_scores_first_and_holds_certainty() -> None:
    steps = ladder(np.array([1.0, 0.9, 0.5, 0.01, 0.0]))
    assert steps.tolist() == sorted(steps.tolist())
    assert (steps[0], steps[-1]) == (0, LADDER - 1)


@pytest.mark.parametrize("score", [0.02, 0.3, 0.97])
def test_scores_that_differ_by_a_tenth_of_a_log_odd_are_a_step_apart(score: float) -> None:
    odds = np.log(score / (1 - score)) + 0.1
    higher = 1 / (1 + np.exp(-odds))
    assert ladder(np.array([score]))[0] - ladder(np.array([higher]))[0] == 1
