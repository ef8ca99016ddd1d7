"""How much each group of columns moved a score, for any model.

On the margin, the log-odds of the estimator's own probability: where the estimator has exact contributions
(:mod:`fraudops.explanation.additive`) these, else those of an exchange (:mod:`fraudops.explanation.exchange`); of a
blend its members', as far as each moves it (:mod:`fraudops.explanation.blends`).
Calibration comes after the margin. A sigmoid stretches and shifts log-odds, which changes neither the order nor the
shares of contributions; an isotonic curve has no single stretch, and leaves the order as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraudops.explanation.additive import Additive, additive
from fraudops.explanation.blends import Blend, log_odds, walk
from fraudops.explanation.exchange import EXCHANGE, Margins, exchange
from fraudops.explanation.groups import Group
from fraudops.explanation.methods import BLEND
from fraudops.features import ModelColumns

log = logging.getLogger(__name__)

Matrix = NDArray[Any]
Places = Sequence[NDArray[np.intp]]
"""For each group, the places of its columns in a matrix."""
TOLERANCE = 1e-3
"""How far exact contributions may be from adding up to the margin, in log-odds: boosters compute in 32 bits."""


class Explainable(Protocol):
    """What a model must offer to be explained."""

    @property
    def columns(self) -> ModelColumns:
        """Columns that it reads."""

    @property
    def background(self) -> Mapping[str, Any]:
        """Column → median or most frequent value of the training rows."""

    @property
    def origins(self) -> Sequence[str]:
        """For each column of its matrix, the column that it is made of."""

    @property
    def estimator(self) -> Any:
        """The fitted classifier."""

    def matrix(self, frame: pd.DataFrame) -> NDArray[Any]:
        """What it computes with, made row by row."""

    def margins(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        """Log-odds before calibration of each row of such a matrix; finite."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """What moved the scores of n rows, in log-odds; positive: towards fraud.

    ``base + groups.sum(axis=1) + remainder`` is the margin.

    Attributes
    ----------
    method
        ``tree_shap``, ``linear``, ``blend`` or ``exchange``.
    base
        Where the contributions start: the margin of the average of what trees were trained on, or of the row of
        typical values. Shape (n,).
    groups
        Shape (n, groups).
    margin
        Shape (n,).
    """

    method: str
    base: NDArray[np.float64]
    groups: NDArray[np.float64]
    margin: NDArray[np.float64]

    @property
    def remainder(self) -> NDArray[np.float64]:
        """What belongs to no group by itself; nothing but rounding where the method is exact."""
        return self.margin - self.base - self.groups.sum(axis=1)


class Contributor:
    """What moves a model's scores; what depends on the model alone is found out once.

    Contributions that are called exact are held to it: where they do not add up to the margin, which would be a
    fault of a library, the rows are explained by exchange, and the log says so.

    Parameters
    ----------
    groups
        Groups that have each of the model's columns once.
    """

    def __init__(self, model: Explainable, groups: Sequence[Group]) -> None:
        typical = model.matrix(_typical(model))
        origins = np.array(model.origins, dtype=object)
        places = [np.flatnonzero(np.isin(origins, group.columns)) for group in groups]
        if hasattr(model.estimator, "members"):
            self._of = _blended(model.estimator, typical, places)
        else:
            self._of = _of_one(model.estimator, model.margins, typical, places)

    def __call__(self, matrix: Matrix) -> Contributions:
        """Contribution of each group to the margin of each row of the model's matrix."""
        return self._of(matrix)


def contributions(model: Explainable, frame: pd.DataFrame, groups: Sequence[Group]) -> Contributions:
    """Contributions to the margins of the rows of a frame with the model's columns; see :class:`Contributor`."""
    return Contributor(model, groups)(model.matrix(frame))


_Found = Callable[[Matrix], Contributions]


def _of_one(estimator: Any, margins: Margins, typical: Matrix, places: Places) -> _Found:
    exact = additive(estimator, typical)

    def found(matrix: Matrix) -> Contributions:
        if exact is not None:
            grouped = _grouped(exact(matrix), places)
            if _adds_up(grouped):
                return grouped
            log.warning("Contributions by %s do not add up to the margin; explaining by exchange", grouped.method)
        return _exchanged(margins, matrix, typical, places)

    return found


def _blended(blend: Blend, typical: Matrix, places: Places) -> _Found:
    """Each member's contributions, as far as it moves the blend."""
    members = [_of_member(member, typical, places) for member in blend.members]

    def found(matrix: Matrix) -> Contributions:
        of_members = [member(matrix) for member in members]
        bases, margins = (np.column_stack([getattr(one, name) for one in of_members]) for name in ("base", "margin"))
        way = walk(blend, bases, margins)
        of_groups = sum(way.stretch[:, [place]] * one.groups for place, one in enumerate(of_members))
        return Contributions(BLEND, way.base, np.asarray(of_groups), way.margin)

    return found


def _of_member(member: Any, typical: Matrix, places: Places) -> _Found:
    """Contributions to a member's own log-odds, from its own columns of the matrix."""
    start, stop = member.start, member.stop
    own = [inside[(inside >= start) & (inside < stop)] - start for inside in places]

    def margins(part: Matrix) -> NDArray[np.float64]:
        return log_odds(np.asarray(member.estimator.predict_proba(part)[:, 1], dtype=np.float64))

    of_part = _of_one(member.estimator, margins, np.ascontiguousarray(typical[:, start:stop]), own)
    return lambda matrix: of_part(np.ascontiguousarray(matrix[:, start:stop]))


def _typical(model: Explainable) -> pd.DataFrame:
    """The row that others are compared with."""
    row = {name: [model.background.get(name, np.nan)] for name in model.columns.numeric}
    return pd.DataFrame(row | {name: [model.background.get(name)] for name in model.columns.categorical})


def _grouped(exact: Additive, places: Places) -> Contributions:
    of_groups = np.zeros((len(exact.margin), len(places)))
    for number, inside in enumerate(places):
        of_groups[:, number] = exact.columns[:, inside].sum(axis=1)
    return Contributions(exact.method, exact.base, of_groups, exact.margin)


def _adds_up(found: Contributions) -> bool:
    return bool(np.all(np.abs(found.remainder) <= TOLERANCE * np.maximum(1.0, np.abs(found.margin))))


def _exchanged(margins: Margins, matrix: Matrix, typical: Matrix, places: Places) -> Contributions:
    of_groups = np.zeros((len(matrix), len(places)))
    # Of some columns the model learned that they say nothing.
    heard = [number for number, inside in enumerate(places) if len(inside)]
    found = exchange(margins, matrix, typical, [places[number] for number in heard])
    of_groups[:, heard] = found.blocks
    return Contributions(EXCHANGE, found.base, of_groups, found.margin)
