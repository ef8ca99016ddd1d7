"""Ensembles of trees, each by what is quickest for it; compared with the estimator itself before it is used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.training.compiled.trees import SMALLEST
from fraudops.training.probabilities import probability
from fraudops.trees import Tree, UnlikeError
from fraudops.trees.reading import forest_trees

log = logging.getLogger(__name__)

Matrix = NDArray[Any]
Probability = Callable[[Matrix], NDArray[np.float64]]
_PROBES = 200
_FEW_FOR_XGBOOST = 8
"""Up to so many rows its trees are walked by another engine; setting up its own takes longer than that."""


def compile_trees(estimator: Any, width: int) -> Probability | None:
    """An ensemble's probability of fraud; None where it is none that is known, or LightGBM does not work here.

    Parameters
    ----------
    width
        Columns of its matrices.
    """
    for kind, compiled in _KINDS.items():
        if any(base.__name__ == kind for base in type(estimator).__mro__):
            try:
                return compiled(estimator, width)
            except (ImportError, OSError, NotAlikeError) as error:
                log.warning("A %s is called as in training: %s", kind, error)
    return None


class NotAlikeError(Exception):
    """What was compiled does not give the estimator's own bits, or it has something that is not done here."""


def _lightgbm(estimator: Any, width: int) -> Probability:
    from fraudops.training.compiled.lightgbm_calls import NativeBooster

    booster = estimator.booster_
    native = NativeBooster(booster, width, rounds=booster.best_iteration if booster.best_iteration > 0 else -1)
    return lambda matrix: native.predict(matrix)[:, 0]


def _xgboost(estimator: Any, width: int) -> Probability:
    from fraudops.training.compiled.xgboost_calls import NativeXgboost, XgboostTrees

    many = NativeXgboost(estimator).probability
    try:
        walked = XgboostTrees(estimator, width)
        _must_be_alike(walked.probability, estimator, _probes(walked.trees, width))
    except (UnlikeError, NotAlikeError, ImportError, OSError) as error:
        log.warning("XGBoost scores single rows by its own engine: %s", error)
        return many
    few = walked.probability

    def either(matrix: Matrix) -> NDArray[np.float64]:
        return few(matrix) if len(matrix) <= _FEW_FOR_XGBOOST and not _tiny(matrix) else many(matrix)

    return either


def _forest(estimator: Any, width: int) -> Probability:
    from fraudops.training.compiled.forests import forest_engine

    trees = forest_trees(estimator)
    engine = forest_engine(trees, width)
    _must_be_alike(lambda matrix: engine.predict(matrix)[:, 0], estimator, _probes(trees, width, missing=False))

    def walked(matrix: Matrix) -> NDArray[np.float64]:
        # A forest has no place for missing values; of what it does with one it is asked itself.
        strange = _tiny(matrix) or np.isnan(matrix).any()
        return probability(estimator, matrix) if strange else engine.predict(matrix)[:, 0]

    return walked


_KINDS: dict[str, Callable[[Any, int], Probability]] = {
    "LGBMClassifier": _lightgbm,
    "XGBClassifier": _xgboost,
    "ForestClassifier": _forest,
}


def _must_be_alike(compiled: Probability, estimator: Any, probes: Matrix) -> None:
    given, known = compiled(probes), probability(estimator, probes)
    if not np.array_equal(given, known):
        raise NotAlikeError(f"{np.count_nonzero(given != known)} of {len(probes)} probes have other bits")


def _probes(trees: Sequence[Tree], width: int, *, missing: bool = True) -> NDArray[np.float32]:
    """Rows of the trees' own thresholds, where a comparison done otherwise would be seen, and of missing values."""
    random = np.random.default_rng(0)
    inner = [tree.left >= 0 for tree in trees]
    columns = np.concatenate([tree.column[where] for tree, where in zip(trees, inner, strict=True)])
    at = np.concatenate([tree.threshold[where] for tree, where in zip(trees, inner, strict=True)])
    probes = np.zeros((_PROBES, width), np.float32)
    for column in range(width):
        own = at[columns == column].astype(np.float32)
        if len(own):
            chosen = random.choice(own, _PROBES)
            above = random.random(_PROBES) < 1 / 3
            probes[:, column] = np.where(above, np.nextafter(chosen, np.float32(np.inf)), chosen)
    if missing:
        probes[random.random(probes.shape) < 1 / 10] = np.nan
    probes[np.abs(probes) <= SMALLEST] = 0
    return probes


def _tiny(matrix: Matrix) -> bool:
    """Whether a value is so small that LightGBM's engine takes it for 0."""
    if matrix.dtype == np.float32:
        # Its bits without the sign, less one: of 0 that is the largest number there is.
        return bool((((matrix.view(np.uint32) << _ONE) - _ONE) < _SMALLEST_BITS).any())
    size = np.abs(matrix)
    return bool(((size <= SMALLEST) & (size > 0)).any())


_ONE = np.uint32(1)
_SMALLEST_BITS = np.float32(SMALLEST).view(np.uint32) << _ONE
