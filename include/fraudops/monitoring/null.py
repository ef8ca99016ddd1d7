"""What chance alone would show: windows and references drawn from the reference's own days, or campaigns of fraud.

Days are drawn one by one, each for a day of the same weekday. Where whole weeks of the reference differ more than weeks
that were put together like this (what lasts for days: a compromised terminal, a sale), the draws are scaled up by as
much. Frauds are drawn by campaigns (:mod:`fraudops.monitoring.campaigns`): what one terminal brings stands or falls
together. Both sides of the comparison are drawn, since the reference is a sample too. Where the window holds fewer
transactions than its draw, as many are drawn from it.

Because days vary among themselves, more transactions a day make no difference significant that other weeks of the
reference show as well.

References
----------
Politis and Romano (1992), A circular block-resampling procedure for stationary data: the weeks. Westfall and Young
(1993), Resampling-based multiple testing: the largest of all standardised distances is what each has to exceed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from fraudops.monitoring.distances import stability_index

WEEK = 7
_SEED = 20_260
FEWEST_UNITS = 4
"""Days (or campaigns) of the reference without which nothing can be said about chance."""


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
    now: np.ndarray,
    then: np.ndarray,
    valid: np.ndarray,
    judged: np.ndarray,
    *,
    window: np.ndarray,
    strata: np.ndarray,
    resamples: int,
) -> Findings:
    """Compare a window with a reference.

    Parameters
    ----------
    now
        Counts of the window, shape (features, bins).
    then
        Counts of each day (or campaign) of the reference, shape (features, units, bins).
    judged
        Features among which the largest distance is looked for, shape (features,).
    window, strata
        Weekday of each day of the window, and of each unit of the reference; all equal where there are none.
    """
    value = stability_index(now, then.sum(axis=1), valid)
    random = np.random.default_rng(_SEED)
    features, units, bins = then.shape
    by_unit = then.transpose(1, 0, 2).reshape(units, features * bins)

    def distances(windows: np.ndarray, references: np.ndarray) -> np.ndarray:
        first, second = (((drawn @ by_unit).reshape(-1, features, bins)) for drawn in (windows, references))
        return stability_index(_thinned(random, first, now.sum(axis=-1)), second, valid)

    null = distances(drawn(random, strata, window, resamples), drawn(random, strata, strata, resamples))
    # As many units as there are have less spread among themselves than the world that they are from.
    null *= _widening(min(np.bincount(strata)[np.unique(strata)]) if _has_strata(strata, window) else units)
    if strata.any() and units >= 2 * WEEK and len(window) >= WEEK:
        in_one_piece = distances(
            multiplicities(random, units, len(window), WEEK, resamples),
            multiplicities(random, units, units, WEEK, resamples),
        )
        lasting = in_one_piece.mean(axis=0) * _widening(units / WEEK) / np.maximum(null.mean(axis=0), 1e-12)
        null *= np.maximum(lasting, 1.0)
    mean, spread = null.mean(axis=0), np.maximum(null.std(axis=0), 1e-12)
    highest = ((null - mean) / spread)[:, judged].max(axis=1, initial=-np.inf)
    exceeded = (highest[:, None] >= (value - mean) / spread).sum(axis=0)
    return Findings(value, np.quantile(null, 0.95, axis=0), (1 + exceeded) / (resamples + 1))


def weekdays(units: Sequence[str]) -> np.ndarray:
    """Weekday of each day, Monday being 0."""
    return np.array([date.fromisoformat(unit).weekday() for unit in units], dtype=np.int64)


def drawn(random: np.random.Generator, strata: np.ndarray, wanted: np.ndarray, samples: int) -> np.ndarray:
    """How often each unit was drawn, shape (samples, units), when each of the wanted is drawn from its own stratum.

    Where a stratum has fewer than two units, all are drawn from all.
    """
    found = np.zeros((samples, len(strata)))
    together = not _has_strata(strata, wanted)
    everything = np.arange(len(strata))
    rows = np.arange(samples)
    for stratum in wanted:
        choices = everything if together else everything[strata == stratum]
        np.add.at(found, (rows, random.choice(choices, size=samples)), 1.0)
    return found


def multiplicities(random: np.random.Generator, units: int, take: int, length: int, samples: int) -> np.ndarray:
    """How often each unit was drawn, shape (samples, units): runs of ``length`` units until there are ``take``."""
    runs = -(-take // length)
    starts = random.integers(0, units, size=(samples, runs))
    places = (starts[:, :, None] + np.arange(length)) % units
    places = places.reshape(samples, runs * length)[:, :take]
    found = np.zeros((samples, units))
    np.add.at(found, (np.arange(samples)[:, None], places), 1.0)
    return found


def _has_strata(strata: np.ndarray, wanted: np.ndarray) -> bool:
    sizes = np.bincount(strata, minlength=int(wanted.max(initial=0)) + 1)
    return bool((sizes[wanted] >= 2).all() and (sizes[strata] >= 2).all())


def _widening(units: float) -> float:
    """Distances are squares: what n units show is too small by (n − 1) / n."""
    return units / (units - 1) if units > 1 else 1.0


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
