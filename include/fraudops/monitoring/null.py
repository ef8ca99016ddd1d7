"""What chance alone would show: windows and references drawn from the reference's own days.

Days are drawn in runs of a week (a circular moving-block bootstrap) where the reference has two weeks or more: a run
keeps weekdays together, and what lasts for days, such as a compromised terminal. With fewer days single days are drawn.
Both sides of the comparison are drawn, since the reference is a sample too. Where the window holds fewer transactions
than its draw, as many are drawn from it.

Because the days vary among themselves, more transactions a day make no difference significant that another week of
the reference shows as well.

References
----------
Politis and Romano (1992), A circular block-resampling procedure for stationary data. Westfall and Young (1993),
Resampling-based multiple testing: the largest of all standardised distances is what each has to exceed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudops.monitoring.distances import stability_index

WEEK = 7
_SEED = 20_260
FEWEST_UNITS = 4
"""Days of the reference without which nothing can be said about chance."""


@dataclass(frozen=True, eq=False)
class Findings:
    """Distances of one window, and how surprising they are.

    Attributes
    ----------
    value
        Population stability index, shape (features,).
    usual
        What chance alone exceeds in one look of twenty, feature by feature.
    chance
        How often chance alone shows a distance as unusual in *any* of the features that are judged.
    """

    value: np.ndarray
    usual: np.ndarray
    chance: np.ndarray


def compare(
    now: np.ndarray, then: np.ndarray, valid: np.ndarray, judged: np.ndarray, *, units: int, resamples: int
) -> Findings:
    """Compare a window with a reference.

    Parameters
    ----------
    now
        Counts of the window, shape (features, bins).
    then
        Counts of each day of the reference, shape (features, days, bins).
    judged
        Features among which the largest distance is looked for, shape (features,).
    units
        Days of the window.
    """
    value = stability_index(now, then.sum(axis=1), valid)
    random = np.random.default_rng(_SEED)
    features, days, bins = then.shape
    by_day = then.transpose(1, 0, 2).reshape(days, features * bins)
    length = WEEK if days >= 2 * WEEK else 1
    windows = multiplicities(random, days, units, length, resamples) @ by_day
    references = multiplicities(random, days, days, length, resamples) @ by_day
    drawn = _thinned(random, windows.reshape(resamples, features, bins), now.sum(axis=-1))
    null = stability_index(drawn, references.reshape(resamples, features, bins), valid)
    mean, spread = null.mean(axis=0), np.maximum(null.std(axis=0), 1e-12)
    highest = ((null - mean) / spread)[:, judged].max(axis=1, initial=-np.inf)
    exceeded = (highest[:, None] >= (value - mean) / spread).sum(axis=0)
    return Findings(value, np.quantile(null, 0.95, axis=0), (1 + exceeded) / (resamples + 1))


def multiplicities(random: np.random.Generator, days: int, take: int, length: int, samples: int) -> np.ndarray:
    """How often each day was drawn, shape (samples, days): runs of ``length`` days until there are ``take``."""
    runs = -(-take // length)
    starts = random.integers(0, days, size=(samples, runs))
    places = (starts[:, :, None] + np.arange(length)) % days
    places = places.reshape(samples, runs * length)[:, :take]
    drawn = np.zeros((samples, days))
    np.add.at(drawn, (np.arange(samples)[:, None], places), 1.0)
    return drawn


def _thinned(random: np.random.Generator, counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """As many transactions as the window holds, where the draw holds more."""
    totals = counts.sum(axis=-1)
    fewer = rows < 0.95 * totals.mean(axis=0)
    if not fewer.any():
        return counts
    part = counts[:, fewer]
    chances = part / np.maximum(part.sum(axis=-1, keepdims=True), 1e-300)
    chances[..., -1] += np.clip(1 - chances.sum(axis=-1), 0.0, None)
    found = counts.copy()
    found[:, fewer] = random.multinomial(np.rint(rows[fewer]).astype(np.int64), chances)
    return found
