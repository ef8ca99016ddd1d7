"""How many different others an entity met in a window that moves on with each payment."""

from __future__ import annotations

import numpy as np

from fraudops.features.engine.timelines import Ints, stable_order


def distinct_until(start: Ints, others: Ints, codes: Ints) -> Ints:
    """Different others in the stretch [start, place] of each place.

    An occurrence stands for its other from its own place until the same other occurs again, or until the windows have
    moved past it. So the occurrences that stand at a place are as many as there are different others.

    Parameters
    ----------
    start
        Where the window of each place begins; never falls. Shape (n,).
    others
        The other as a small integer, −1 for none. Shape (n,).
    codes
        The entity, ascending. Shape (n,).
    """
    n = len(start)
    present = np.flatnonzero(others >= 0)
    if not len(present):
        return np.zeros(n, np.int64)
    by_pair = present[stable_order(others[present])]
    by_pair = by_pair[stable_order(codes[by_pair])]
    again = np.flatnonzero((np.diff(codes[by_pair]) == 0) & (np.diff(others[by_pair]) == 0))
    until = np.searchsorted(start, np.arange(n), side="right")
    until[by_pair[again]] = np.minimum(until[by_pair[again]], by_pair[again + 1])
    ended = np.bincount(until[present], minlength=n + 1)[:n]
    began = (others >= 0).astype(np.int64)
    return np.cumsum(began - ended)
