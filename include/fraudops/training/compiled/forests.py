"""Forests of scikit-learn: the average of the trees' shares, added up in the order of the trees."""

from __future__ import annotations

from collections.abc import Sequence

from fraudops.training.compiled.lightgbm_calls import NativeBooster
from fraudops.training.compiled.trees import as_booster
from fraudops.trees import Tree


def forest_engine(trees: Sequence[Tree], width: int) -> NativeBooster:
    """Gives the probability of fraud by the trees of a forest; see :mod:`fraudops.training.compiled.trees`."""
    return NativeBooster(as_booster(trees, width, averaged=True), width)
