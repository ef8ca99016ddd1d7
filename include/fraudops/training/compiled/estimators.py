"""Fitted estimators, called on their lowest level: a function from a matrix to raw probabilities of fraud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.training.blending import BlendedEstimator, Member
from fraudops.training.compiled.ensembles import compile_trees
from fraudops.training.probabilities import probability
from fraudops.training.sampling import Sampled, corrected

Matrix = NDArray[Any]
Probability = Callable[[Matrix], NDArray[np.float64]]


def compile_estimator(estimator: Any, width: int) -> tuple[Probability, bool]:
    """What gives the bits of :func:`fraudops.training.probabilities.probability`, and whether it does without the
    estimator's Python.

    Parameters
    ----------
    width
        Columns of its matrix.
    """
    if isinstance(estimator, BlendedEstimator):
        return _blend(estimator)
    if isinstance(estimator, Sampled):
        inner, whole = compile_estimator(estimator.estimator, width)
        rate = estimator.negative_rate
        return lambda matrix: corrected(inner(matrix), rate), whole
    if hasattr(estimator, "coef_"):
        return lambda matrix: probability(estimator, matrix), True
    found = compile_trees(estimator, width)
    return (lambda matrix: probability(estimator, matrix), False) if found is None else (found, True)


def _blend(blend: BlendedEstimator) -> tuple[Probability, bool]:
    compiled = [compile_estimator(member.estimator, member.stop - member.start) for member in blend.members]
    pairs = list(zip(blend.members, [found for found, _ in compiled], strict=True))

    def averaged(matrix: Matrix) -> NDArray[np.float64]:
        return blend.average_of([found(_part(matrix, member)) for member, found in pairs])

    return averaged, all(whole for _, whole in compiled)


def _part(matrix: Matrix, member: Member) -> Matrix:
    if member.start == 0 and member.stop == matrix.shape[1]:
        return matrix
    return np.ascontiguousarray(matrix[:, member.start : member.stop])
