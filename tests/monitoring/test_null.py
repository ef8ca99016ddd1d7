"""False alarms and misses, on histograms of many simulated weeks."""

from __future__ import annotations

import numpy as np
from fraudops.monitoring.distances import earth_movers, jensen_shannon, stability_index, total_variation
from fraudops.monitoring.null import compare, drawn, multiplicities

FEATURES, BINS, DAYS = 12, 10, 28
VALID = np.ones((FEATURES, BINS), dtype=bool)
JUDGED = np.ones(FEATURES, dtype=bool)


def days(random: np.random.Generator, count: int, rows: int, shift: float = 0.0) -> np.ndarray:
    """Histograms of some days, shape (features, days, bins): days differ from each other, and weekends from the rest.

    ``shift`` moves the first feature's mass towards higher bins.
    """
    tilt = random.normal(0, 0.08, (FEATURES, count)) + 0.25 * (np.arange(count) % 7 >= 5)
    tilt[0] += shift
    place = np.linspace(-1, 1, BINS)
    share = np.exp(tilt[:, :, None] * place)
    share /= share.sum(axis=-1, keepdims=True)
    return random.multinomial(rows, share).astype(float)


def chance(seed: int, *, rows: int = 2000, later: int = 2000, shift: float = 0.0) -> np.ndarray:
    """What is said about a week after the reference."""
    random = np.random.default_rng(seed)
    reference = days(random, DAYS, rows)
    week = days(random, 7, later, shift).sum(axis=1)
    weekdays = np.arange(DAYS) % 7
    return compare(week, reference, VALID, JUDGED, window=weekdays[:7], strata=weekdays, resamples=200).chance


def test_weeks_of_the_same_world_are_seldom_called_unusual() -> None:
    # The twelve features together: one chance, not twelve.
    alarms = sum(chance(seed).min() <= 0.01 for seed in range(120))
    assert alarms <= 6, f"{alarms} of 120 quiet weeks"


def test_many_more_transactions_alone_are_not_unusual() -> None:
    alarms = sum(chance(seed, rows=2000, later=400_000).min() <= 0.01 for seed in range(60))
    assert alarms <= 3, f"{alarms} of 60 quiet weeks with 200 times the traffic"


def test_few_transactions_are_not_unusual_either() -> None:
    alarms = sum(chance(seed, rows=2000, later=40).min() <= 0.01 for seed in range(60))
    assert alarms <= 3, f"{alarms} of 60 quiet weeks with a fiftieth of the traffic"


def test_a_shifted_feature_is_found_and_no_other() -> None:
    found = [chance(seed, shift=0.8) for seed in range(20)]
    assert all(each[0] <= 0.01 for each in found)
    assert sum((each[1:] <= 0.01).any() for each in found) <= 2


def test_a_week_is_drawn_in_one_piece() -> None:
    drawn = multiplicities(np.random.default_rng(0), 28, 7, 7, 50)
    assert (drawn.sum(axis=1) == 7).all()
    assert (drawn.max(axis=1) == 1).all()
    # Seven days in a row hold each weekday once.
    assert (drawn.reshape(50, 4, 7).sum(axis=1) == 1).all()


def test_days_are_drawn_from_their_own_weekday() -> None:
    weekdays = np.arange(28) % 7
    found = drawn(np.random.default_rng(0), weekdays, np.array([5, 6]), 100)
    assert (found[:, weekdays == 5].sum(axis=1) == 1).all()
    assert (found[:, weekdays == 6].sum(axis=1) == 1).all()
    assert found[:, weekdays < 5].sum() == 0
    assert (found.sum(axis=0)[weekdays == 5] > 0).all()


def test_what_lasts_in_the_reference_is_no_alarm_later() -> None:
    """Four weeks are too few to tell exactly what chance makes of levels that last: the size says the rest."""
    weekdays = np.arange(DAYS) % 7
    alarms = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        level = np.zeros((FEATURES, DAYS + 7))
        for day in range(1, DAYS + 7):
            level[:, day] = 0.8 * level[:, day - 1] + random.normal(0, 0.09, FEATURES)
        share = np.exp(level[:, :, None] * np.linspace(-1, 1, BINS))
        counts = random.multinomial(2000, share / share.sum(axis=-1, keepdims=True)).astype(float)
        now, then = counts[:, DAYS:].sum(axis=1), counts[:, :DAYS]
        found = compare(now, then, VALID, JUDGED, window=weekdays[:7], strata=weekdays, resamples=200)
        alarms += ((found.chance <= 0.01) & (found.value >= 0.1)).any()
    assert alarms == 0


def test_campaigns_are_drawn_from_all() -> None:
    found = drawn(np.random.default_rng(0), np.zeros(40, dtype=int), np.zeros(40, dtype=int), 200)
    assert (found.sum(axis=1) == 40).all()
    assert found.max() >= 3


def test_distances_know_nothing_of_how_many_there_are() -> None:
    then, valid = np.array([[100.0, 300, 600]]), np.ones((1, 3), dtype=bool)
    for distance in (total_variation, jensen_shannon, earth_movers):
        same = distance(then * 1000, then * 7, valid)[0]
        apart = distance(then[:, ::-1] * 1000, then * 1000, valid)[0]
        assert same < 0.005 < 0.2 < apart <= 1, distance.__name__


def test_total_variation_is_the_share_that_lies_elsewhere() -> None:
    then, now = np.array([[0.0, 5e6, 5e6]]), np.array([[0.0, 4e6, 6e6]])
    assert abs(total_variation(now, then, np.ones((1, 3), dtype=bool))[0] - 0.1) < 1e-6


def test_stability_index_of_the_textbook() -> None:
    now, then = np.array([[2e8, 3e8, 5e8]]), np.array([[3e8, 3e8, 4e8]])
    expected = (0.2 - 0.3) * np.log(0.2 / 0.3) + (0.5 - 0.4) * np.log(0.5 / 0.4)
    assert abs(stability_index(now, then, np.ones((1, 3), dtype=bool))[0] - expected) < 1e-6
