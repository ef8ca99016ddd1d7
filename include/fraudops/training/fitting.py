"""Fits what a candidate specifies: one estimator with its preprocessing, or the members of a blend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.compose import ColumnTransformer

from fraudops.errors import ContractError
from fraudops.portfolio import Candidate
from fraudops.training import estimators
from fraudops.training.blending import BlendedEstimator, Member, SideBySide, shares
from fraudops.training.lessons import Lesson, Matrix, matrix_of
from fraudops.training.preprocessing import Family, origins
from fraudops.training.sampling import Sampled
from fraudops.training.search import settle


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator with its preprocessing.

    Attributes
    ----------
    parameters
        Those that the estimator was fitted with beside its defaults: after a search the winner's.
    facts
        How they were found, what was sampled, what the members are.
    """

    transform: ColumnTransformer | SideBySide
    origins: tuple[str, ...]
    estimator: Any
    parameters: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)


def fit_candidate(candidate: Candidate, members: Mapping[str, Candidate], lesson: Lesson) -> Fitted:
    """Fit a candidate's estimator, or its members and their blend.

    Parameters
    ----------
    members
        A blend's, by name and in its order.

    Raises
    ------
    EstimatorUnavailableError
        A library does not work on this machine.
    ContractError
        A parameter is unknown or refused, or no column varies.
    """
    if candidate.blend is None:
        chosen, facts = settle(candidate, lesson)
        matrix = matrix_of(chosen, lesson)
        estimator = _fit(chosen, matrix, lesson)
        return Fitted(matrix.transform, origins(matrix.transform), estimator, dict(chosen.parameters), facts)
    return _blend(candidate, members, lesson)


def as_settled(candidate: Candidate, parameters: Mapping[str, Any]) -> Candidate:
    """A candidate with the parameters that a search found before: nothing is searched again."""
    return candidate.model_copy(update={"parameters": dict(parameters), "search": None, "early_stopping": None})


def _blend(candidate: Candidate, members: Mapping[str, Candidate], lesson: Lesson) -> Fitted:
    """Members that want the same rows in the same form share one matrix."""
    blend = candidate.blend
    if blend is None or set(members) != set(blend.members):
        raise ContractError("a blend is fitted with its members", where=lesson.where, remedy="pass all of them")
    weights = shares(blend.weights, len(blend.members))
    matrices: dict[tuple[Family, float], Matrix] = {}
    starts: dict[tuple[Family, float], int] = {}
    found, told, width = [], {}, 0
    for name, weight in zip(blend.members, weights, strict=True):
        chosen, facts = settle(members[name], lesson)
        form = (estimators.ESTIMATORS[chosen.kind].family, chosen.negative_rate)
        if form not in matrices:
            matrices[form], starts[form] = matrix_of(chosen, lesson), width
            width += matrices[form].values.shape[1]
        stop = starts[form] + matrices[form].values.shape[1]
        estimator = _fit(chosen, matrices[form], lesson)
        found.append(Member(name, chosen.kind, weight, starts[form], stop, estimator))
        told[name] = {"estimator": chosen.kind, "weight": weight, "parameters": dict(chosen.parameters), **facts}
    transform = SideBySide(tuple(matrix.transform for matrix in matrices.values()))
    return Fitted(
        transform,
        transform.origins,
        BlendedEstimator(tuple(found), blend.average),
        {"average": blend.average, "members": list(blend.members), "weights": weights},
        {"members": told},
    )


def _fit(candidate: Candidate, matrix: Matrix, lesson: Lesson) -> Any:
    estimator = estimators.make(candidate, seed=lesson.seed, jobs=lesson.jobs, where=lesson.where)
    estimators.fit(
        candidate, estimator, matrix.values, matrix.label, jobs=lesson.jobs, where=lesson.where, weight=matrix.weight
    )
    return Sampled(estimator, candidate.negative_rate) if candidate.negative_rate < 1 else estimator
