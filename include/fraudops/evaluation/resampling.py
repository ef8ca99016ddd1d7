"""Drawing anew: what is drawn whole, how often each was drawn, and an interval from what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

ENOUGH_UNITS = 20
"""From this many distinct days on, whole days are drawn: payments of one day are not independent."""
CELLS_AT_ONCE = 2_000_000
"""Bounds the memory of a batch of resamples."""
_MANY = 10**9


@dataclass(frozen=True)
class Interval:
    """A range in which the number would probably lie on other transactions of the same kind."""

    low: float
    high: float

    def to_list(self) -> list[float]:
        """``[low, high]``, as it is written to JSON."""
        return [self.low, self.high]


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn whole.

    Attributes
    ----------
    kind
        ``day``, ``entity`` or ``row``.
    codes
        For each transaction, the number of its unit.
    sizes
        For each number, how many units it stands for: 1 for days and entities. Rows that nothing measured tells
        apart share a number, so that only how many of them were drawn has to be.
    members
        Transactions that make up one unit of each number.
    """

    kind: str
    codes: np.ndarray
    sizes: np.ndarray
    members: np.ndarray

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.sizes.sum())

    def holding(self, chosen: np.ndarray) -> int:
        """How many hold one of the chosen transactions (boolean, one per transaction)."""
        return int(chosen.sum()) if self.kind == "row" else len(np.unique(self.codes[chosen]))

    def draw(self, random: np.random.Generator, samples: int) -> np.ndarray:
        """How often each number was drawn, shape (numbers, samples)."""
        if self.kind == "row":
            return random.multinomial(self.count, self.sizes / self.count, size=samples).T.astype(np.float64)
        drawn = np.empty((len(self.sizes), samples))
        for sample in range(samples):
            drawn[:, sample] = np.bincount(random.integers(0, self.count, self.count), minlength=self.count)
        return drawn


def units_of(
    n: int, days: np.ndarray | None, entities: np.ndarray | None, told_apart_by: Sequence[np.ndarray]
) -> Units:
    """Whole days where there are at least 20 of them, else whole entities, else rows.

    Parameters
    ----------
    days, entities
        Of each transaction; one without an entity stands for itself.
    told_apart_by
        Values of each transaction; rows with equal ones count as the same.
    """
    if days is not None:
        codes, distinct = pd.factorize(np.asarray(days))
        if len(distinct) >= ENOUGH_UNITS:
            return _blocks("day", codes, len(distinct))
    if entities is not None:
        codes, distinct = pd.factorize(np.asarray(entities, dtype=object))
        alone = codes < 0
        codes = codes.copy()
        codes[alone] = len(distinct) + np.arange(int(alone.sum()))
        units = len(distinct) + int(alone.sum())
        # One entity for everything would leave nothing to draw.
        if units >= ENOUGH_UNITS:
            return _blocks("entity", codes, units)
    values = pd.DataFrame(dict(enumerate(told_apart_by)))
    alike = values.groupby(list(values.columns), sort=False).ngroup().to_numpy()
    _, first, sizes = np.unique(alike, return_index=True, return_counts=True)
    return Units("row", alike, sizes, first)


def batches(samples: int, cells: int) -> list[int]:
    """Sizes of batches whose arrays stay small, where one sample takes so many cells."""
    size = max(1, min(samples, CELLS_AT_ONCE // max(cells, 1)))
    return [min(size, samples - start) for start in range(0, samples, size)]


def percentiles(values: np.ndarray, confidence: float) -> Interval | None:
    """The middle of what was found; None where nothing was."""
    return _between(values[~np.isnan(values)], (1 - confidence) / 2)


def expanded_percentiles(values: np.ndarray, confidence: float, units: int) -> Interval | None:
    """Percentiles moved outwards for few units: a plain bootstrap of 20 days gives intervals that are too short.

    Parameters
    ----------
    units
        How many units the number rests on.

    References
    ----------
    Hesterberg (2015), What teachers should know about the bootstrap: expanded percentile interval.
    """
    return _between(values[~np.isnan(values)], float(ndtr(-standard_errors(confidence, units))))


def simultaneous(found: np.ndarray, values: np.ndarray, confidence: float, units: np.ndarray) -> list[Interval]:
    """Intervals of several numbers that hold for all of them at once.

    The largest deviation among the numbers, each in its own standard errors, is what the intervals have to reach:
    unlike a division of the error by how many there are, this takes into account that they move together.

    Parameters
    ----------
    found
        Shape (samples, numbers), from the same draws; not a number where a sample holds nothing to measure.
    values
        The numbers themselves.
    units
        How many units each rests on.

    References
    ----------
    Romano and Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing: first step.
    """
    errors = np.nanstd(found, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = np.where(errors > 0, np.abs(found - values) / errors, 0.0)
    reach = float(np.quantile(np.nanmax(deviations, axis=1), confidence)) if found.size else 0.0
    few = np.array([standard_errors(confidence, int(count)) for count in units]) / standard_errors(confidence, _MANY)
    half = reach * errors * few
    return [Interval(float(value - h), float(value + h)) for value, h in zip(values, half, strict=True)]


def standard_errors(confidence: float, units: int) -> float:
    """How many standard errors an interval reaches: Student's instead of the normal one, and a variance of n − 1."""
    units = max(units, 2)
    return float(stdtrit(units - 1, (1 + confidence) / 2)) * (units / (units - 1)) ** 0.5


def _blocks(kind: str, codes: np.ndarray, units: int) -> Units:
    return Units(kind, codes, np.ones(units, dtype=np.int64), np.arange(len(codes)))


def _between(values: np.ndarray, tail: float) -> Interval | None:
    if not len(values):
        return None
    low, high = np.percentile(values, [100 * tail, 100 - 100 * tail])
    return Interval(float(low), float(high))
