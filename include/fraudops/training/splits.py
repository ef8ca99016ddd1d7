"""Cutting the rows into slices: to learn from, to select and calibrate on, to gate on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

TRAIN, GAP, VALIDATION, TEST = "train", "gap", "validation", "test"
SLICES = (TRAIN, GAP, VALIDATION, TEST)


@dataclass(frozen=True)
class Split:
    """Which slice each row belongs to.

    Attributes
    ----------
    slices
        One of :data:`SLICES` per row.
    validation_from, test_from
        First moments of the two later slices; None in a random split, which has no such moment.
    """

    slices: np.ndarray
    validation_from: datetime | None = None
    test_from: datetime | None = None


def split_by_time(times: pd.Series, shares: tuple[float, float, float], gap: timedelta) -> Split:
    """Cut at two moments, so that the three slices hold about these shares of the rows.

    A boundary is a moment: rows at the same moment stay together. The gap ends where validation begins: what
    happened in it was not yet known to be fraud or not when a model would have been put to work there.

    Parameters
    ----------
    times
        Moments of the rows (UTC), ascending.
    shares
        Train, validation, test.
    gap
        Length of the gap: the label delay.
    """
    n = len(times)
    first = times.iloc[min(round(shares[0] * n), n - 1)]
    second = times.iloc[min(round((shares[0] + shares[1]) * n), n - 1)]
    # Ascending moments: a boundary's position is the number of rows before it.
    learned, selected, gated = (int((times < moment).sum()) for moment in (first - gap, first, second))
    slices = np.empty(n, dtype=object)
    slices[:learned], slices[learned:selected] = TRAIN, GAP
    slices[selected:gated], slices[gated:] = VALIDATION, TEST
    return Split(slices, first.to_pydatetime(), second.to_pydatetime())


def keep_copies_together(split: Split, groups: np.ndarray) -> Split:
    """Put each row into the slice of the first of its group.

    For rows whose time says no more than their place in a file: copies of one row lie at different moments there,
    and a model that has learned one must not be measured on another.

    Parameters
    ----------
    groups
        One value per row, equal for copies of a row; rows in the order of time.
    """
    _, first, codes = np.unique(groups, return_index=True, return_inverse=True)
    return Split(split.slices[first[codes]], split.validation_from, split.test_from)


def split_at_random(label: np.ndarray, groups: np.ndarray, shares: tuple[float, float, float], seed: int) -> Split:
    """Deal rows out at random, frauds and genuine ones in equal shares.

    It leaks (a stolen card's payments lie in all slices) and exists for comparison with published numbers.

    Parameters
    ----------
    label
        True for fraud.
    groups
        Rows with an equal value go to the same slice: copies of one row must not be learned and tested.
    """
    codes, distinct = pd.factorize(groups)
    size = np.bincount(codes, minlength=len(distinct))
    fraud = np.bincount(codes, weights=label, minlength=len(distinct)) > 0
    random = np.random.default_rng(seed)
    dealt = np.empty(len(distinct), dtype=object)
    for stratum in (True, False):
        members = random.permutation(np.flatnonzero(fraud == stratum))
        if len(members):
            done = np.cumsum(size[members]) - size[members] / 2
            place = done / size[members].sum()
            limits = [shares[0], shares[0] + shares[1]]
            dealt[members] = np.array([TRAIN, VALIDATION, TEST], dtype=object)[
                np.searchsorted(limits, place, side="right")
            ]
    return Split(dealt[codes])
