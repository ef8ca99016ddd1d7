"""Soft voting: several fitted estimators, each with its own preprocessing, averaged row by row.

The average is taken in the order of the members with sums that depend neither on the number of rows nor on
threads, so that a blend's scores are the same to the bit however they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from fraudops.training.calibration import log_odds
from fraudops.training.preprocessing import origins
from fraudops.training.probabilities import probability

Average = Literal["probability", "log_odds", "rank"]
_EDGE = 1e-6
"""Probabilities are moved this far inwards before their log-odds are averaged: one member's certainty, a forest's
0 votes, must not outvote all others."""
_APART = 1e-6
"""Weight of the probability beside a rank: above the highest score that the ranks were taken from, and between
two of them, it keeps the order."""


@dataclass(frozen=True, eq=False)
class Member:
    """One fitted estimator of a model, and how much it counts.

    Attributes
    ----------
    name, kind
        Candidate and estimator.
    weight
        Share of the average; those of a model add up to 1.
    start, stop
        Its columns of the model's matrix.
    estimator
        Fitted; :class:`~fraudops.training.sampling.Sampled` where it learned from a sample.
    scale
        Its distinct scores of the selection slice, ascending, where ranks are averaged.
    """

    name: str
    kind: str
    weight: float
    start: int
    stop: int
    estimator: Any
    scale: np.ndarray | None = None

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """Its own probability of fraud for each row of the model's matrix."""
        if self.start == 0 and self.stop == matrix.shape[1]:
            return probability(self.estimator, matrix)
        return probability(self.estimator, np.ascontiguousarray(matrix[:, self.start : self.stop]))


@dataclass(frozen=True, eq=False)
class BlendedEstimator:
    """The weighted average over members: of probabilities, of log-odds, or of ranks."""

    members: tuple[Member, ...]
    average: Average

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Averages as probabilities of genuine and of fraud. Shape (n, 2)."""
        fraud = self.average_of([member.probability(matrix) for member in self.members])
        return np.column_stack([1 - fraud, fraud])

    def average_of(self, probabilities: Sequence[np.ndarray]) -> np.ndarray:
        """Probability of fraud of each row, of the members' own in their order."""
        total = np.zeros(len(probabilities[0]))
        for member, fraud in zip(self.members, probabilities, strict=True):
            total += member.weight * self.vote(member, fraud)
        return 1 / (1 + np.exp(-total)) if self.average == "log_odds" else np.clip(total, 0.0, 1.0)

    def scaled_on(self, matrix: np.ndarray) -> BlendedEstimator:
        """The same, with ranks among these rows; where no ranks are averaged, itself."""
        if self.average != "rank":
            return self
        members = [replace(member, scale=np.unique(member.probability(matrix))) for member in self.members]
        return replace(self, members=tuple(members))

    def scaled_as(self, other: BlendedEstimator) -> BlendedEstimator:
        """The same, with the ranks of another blend of the same members."""
        pairs = zip(self.members, other.members, strict=True)
        return replace(self, members=tuple(replace(member, scale=known.scale) for member, known in pairs))

    def vote(self, member: Member, fraud: np.ndarray) -> np.ndarray:
        """What is averaged of a member's own probabilities."""
        if self.average == "log_odds":
            return log_odds(fraud, _EDGE)
        if self.average == "rank" and member.scale is not None:
            place = np.interp(fraud, member.scale, np.linspace(0.0, 1.0, len(member.scale)))
            return (1 - _APART) * place + _APART * fraud
        return fraud


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Several fitted preprocessings of the same rows, their columns side by side in one matrix."""

    parts: tuple[ColumnTransformer, ...]

    def transform(self, prepared: pd.DataFrame) -> np.ndarray:
        """The matrix of all parts, in their order."""
        return np.hstack([part.transform(prepared) for part in self.parts])

    @property
    def origins(self) -> tuple[str, ...]:
        """For each column of the matrix, the model's column that it comes from."""
        return tuple(name for part in self.parts for name in origins(part))


def shares(weights: Sequence[float], members: int) -> list[float]:
    """Weights that add up to 1; equal ones where none are given."""
    if not weights:
        return [1 / members] * members
    return [weight / sum(weights) for weight in weights]
