"""Rows to learn from, and the matrix that an estimator sees of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from fraudops.errors import ContractError
from fraudops.features import ModelColumns
from fraudops.labels.selective import WEIGHT
from fraudops.portfolio import Candidate
from fraudops.training.estimators import ESTIMATORS
from fraudops.training.preprocessing import prepare, preprocessor
from fraudops.training.sampling import kept


@dataclass(frozen=True)
class Lesson:
    """Rows to learn from, and how.

    Attributes
    ----------
    rows
        With the model's columns, ``event_time`` and ``label``, in the order of time.
    gap
        Label delay: what a search holds out begins this much after the last row that its trials learn from.
    seed, jobs
        Of everything random; threads, which change nothing.
    where
        Named in errors.
    """

    columns: ModelColumns
    rows: pd.DataFrame
    gap: timedelta = timedelta(0)
    seed: int = 42
    jobs: int = 1
    where: str = "candidate"

    def held_back(self, share: float) -> tuple[Lesson, pd.DataFrame]:
        """The lesson without its last share of rows and the gap before them, and those last rows."""
        times = self.rows["event_time"]
        moment = times.iloc[round(len(times) * (1 - share))]
        return replace(self, rows=self.rows[(times < moment - self.gap).to_numpy()]), self.rows[times >= moment]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows as an estimator takes them, with the preprocessing that was fitted on them.

    Attributes
    ----------
    weight
        How many transactions each row stands for; None: itself.
    """

    transform: ColumnTransformer
    values: np.ndarray
    label: np.ndarray
    weight: np.ndarray | None = None


def matrix_of(candidate: Candidate, lesson: Lesson) -> Matrix:
    """What a candidate's estimator learns from: all frauds, and the share of the genuine rows that it asks for.

    Raises
    ------
    ContractError
        No column varies.
    """
    label = lesson.rows["label"].to_numpy(dtype=bool)
    rows = kept(label, candidate.negative_rate, lesson.seed)
    learned = lesson.rows if len(rows) == len(label) else lesson.rows.iloc[rows]
    transform = preprocessor(lesson.columns, ESTIMATORS[candidate.kind].family)
    label = label[rows].astype(np.int64)
    values = np.ascontiguousarray(transform.fit_transform(prepare(learned, lesson.columns), label))
    if not values.shape[1]:
        raise ContractError(
            f"none of the {len(lesson.columns.all)} columns of the model varies in the training rows",
            where=lesson.where,
            remedy="give the portfolio columns or features that differ between transactions",
        )
    return Matrix(transform, values, label, weights_of(learned))


def weights_of(rows: pd.DataFrame) -> np.ndarray | None:
    """How many transactions each row stands for; None where each stands for itself."""
    return rows[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in rows else None
