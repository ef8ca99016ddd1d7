"""How far two histograms with the same bins lie apart.

All take counts of shape (…, features, bins) and which bins each feature has, and give shape (…, features). Half a
count is added to every bin (Jeffreys), so that an empty one has no infinite say.

References
----------
Lin (1991), Divergence measures based on the Shannon entropy. Siddiqi (2006), Credit Risk Scorecards: the population
stability index. Yurdakul and Naranjo (2020), Statistical properties of the population stability index: its size
depends on how many were counted, so a fixed threshold alone says nothing.
"""

from __future__ import annotations

import numpy as np

_PRIOR = 0.5


def shares(counts: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Share of each bin; 0 where a feature has no such bin."""
    filled = np.where(valid, counts + _PRIOR, 0.0)
    total = filled.sum(axis=-1, keepdims=True)
    return filled / np.where(total > 0, total, 1.0)


def stability_index(now: np.ndarray, then: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Population stability index (PSI): the symmetric Kullback–Leibler divergence of the two."""
    p, q = shares(now, valid), shares(then, valid)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(valid, (p - q) * np.log(p / q), 0.0)
    return terms.sum(axis=-1)


def total_variation(now: np.ndarray, then: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Share of the transactions that would have to lie in another bin, 0 … 1; does not grow with how many there are."""
    return np.abs(shares(now, valid) - shares(then, valid)).sum(axis=-1) / 2


def jensen_shannon(now: np.ndarray, then: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Jensen–Shannon distance, 0 (the same) … 1 (nothing in common)."""
    p, q = shares(now, valid), shares(then, valid)
    middle = (p + q) / 2

    def against(part: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(part > 0, part * np.log2(part / middle), 0.0).sum(axis=-1)

    return np.sqrt(np.clip((against(p) + against(q)) / 2, 0.0, 1.0))


def earth_movers(now: np.ndarray, then: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Wasserstein distance in bins (equally full ones: in ranks), 0 … 1; says something for numbers only.

    The bin of missing values has no place in the order and is left out.
    """
    ordered = valid.copy()
    ordered[..., 0] = False
    apart = np.abs(np.cumsum(shares(now, ordered) - shares(then, ordered), axis=-1))
    steps = np.maximum(ordered.sum(axis=-1) - 1, 1)
    return (apart * ordered).sum(axis=-1) / steps
