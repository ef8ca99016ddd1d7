"""A trained model: all that is needed to score a row, in one object and one file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from fraudops.evaluation.costs import CostModel
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, Policy
from fraudops.training.blending import BlendedEstimator, Member, SideBySide
from fraudops.training.calibration import Calibration, calibrate, log_odds
from fraudops.training.fitting import as_settled, fit_candidate
from fraudops.training.lessons import Lesson, weights_of
from fraudops.training.preprocessing import prepare
from fraudops.training.probabilities import probability
from fraudops.training.thresholds import Thresholds, choose

_ROWS_AT_ONCE = 20_000
"""Rows scored in one piece: bounds memory, and is the unit of work of a thread."""


@dataclass(frozen=True, eq=False)
class FraudModel:
    """A fitted candidate with its preprocessing, calibration and thresholds.

    Attributes
    ----------
    columns
        Columns that rows to be scored must have.
    transform
        Preprocessing fitted on the training slice; from :func:`~fraudops.training.preprocessing.prepare`'s
        result to the estimator's matrix.
    origins
        For each column of that matrix, the model's column it comes from.
    kind
        The estimator's name, or ``blend``.
    parameters
        What the estimator was fitted with beside its defaults; after a search the winner's.
    estimator
        The fitted classifier, or the :class:`~fraudops.training.blending.BlendedEstimator` of several; its raw output
        is not yet a probability to rely on. See :attr:`members`.
    background
        Training median of each number, commonest text of each category: what a row is compared with in
        explanations. Not a number where training knew no value.
    facts
        Rows and frauds learned from, seed, digest of the data set; how a search went; a blend's members.
    """

    portfolio: str
    candidate: str
    kind: str
    parameters: dict[str, Any]
    columns: ModelColumns
    transform: ColumnTransformer | SideBySide
    origins: tuple[str, ...]
    estimator: Any
    calibration: Calibration
    thresholds: Thresholds
    background: dict[str, float | str]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        """The fitted estimators that it averages over, with their weights and their columns of the matrix; of a
        model that is no blend the one that it consists of."""
        if isinstance(self.estimator, BlendedEstimator):
            return self.estimator.members
        return (Member(self.candidate, self.kind, 1.0, 0, len(self.origins), self.estimator),)

    def score(self, frame: pd.DataFrame, *, jobs: int = 1) -> np.ndarray:
        """Calibrated probability of fraud of each row.

        Parameters
        ----------
        frame
            Rows with :attr:`columns`; others are not looked at. One row is fine.
        jobs
            Threads; the result does not depend on it.

        Raises
        ------
        ContractError
            A column is absent.
        """
        return self.calibration.apply(self.raw(frame, jobs=jobs))

    def raw(self, frame: pd.DataFrame, *, jobs: int = 1) -> np.ndarray:
        """The estimator's own output for each row, before calibration; see :meth:`score`."""
        starts = range(0, len(frame), _ROWS_AT_ONCE)
        pieces = [frame.iloc[start : start + _ROWS_AT_ONCE] for start in starts]
        if not pieces:
            prepare(frame, self.columns)
            return np.empty(0, dtype=np.float64)
        # Warnings are silenced around the threads: within them it would not be safe.
        with _quiet():
            if jobs == 1 or len(pieces) == 1:
                return np.concatenate([self._raw(piece) for piece in pieces])
            with ThreadPoolExecutor(jobs) as pool:
                return np.concatenate(list(pool.map(self._raw, pieces)))

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """What the estimator is given for these rows; :attr:`origins` says what its columns are."""
        with _quiet():
            return self._matrix(frame)

    def margins(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds, before calibration, of each row of :meth:`matrix`; finite where the estimator says 0 or 1."""
        with _quiet():
            return log_odds(probability(self.estimator, matrix), self.calibration.edge)

    def decide(self, scores: np.ndarray, amount_minor: np.ndarray | None = None) -> np.ndarray:
        """``allow``, ``review`` or ``block`` for each score; see :meth:`Thresholds.decide`."""
        return self.thresholds.decide(scores, amount_minor)

    def describe(self) -> dict[str, Any]:
        """What it is and what it was made from, as JSON-able values."""
        return {
            "portfolio": self.portfolio,
            "candidate": self.candidate,
            "estimator": self.kind,
            "parameters": self.parameters,
            "columns": {"numeric": list(self.columns.numeric), "categorical": list(self.columns.categorical)},
            "calibration": self.calibration.to_dict(),
            "thresholds": self.thresholds.to_dict(),
            **self.facts,
        }

    def to_bytes(self) -> bytes:
        """The model file. Training again on the same data gives the same bytes."""
        sink = io.BytesIO()
        joblib.dump(self, sink, compress=("zlib", 1))
        return sink.getvalue()

    def _raw(self, frame: pd.DataFrame) -> np.ndarray:
        return probability(self.estimator, self._matrix(frame))

    def _matrix(self, frame: pd.DataFrame) -> np.ndarray:
        return np.ascontiguousarray(self.transform.transform(prepare(frame, self.columns)))


def fit_model(
    portfolio: str,
    name: str,
    candidate: Candidate,
    columns: ModelColumns,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    *,
    days: float,
    policy: Policy,
    seed: int,
    costs: CostModel | None = None,
    jobs: int = 1,
    members: Mapping[str, Candidate] | None = None,
    gap: timedelta = timedelta(0),
    facts: dict[str, Any] | None = None,
) -> FraudModel:
    """Fit a candidate on one slice, calibrate it and set its thresholds on another.

    Parameters
    ----------
    name
        The candidate's name in the portfolio.
    train, validation
        Rows with the model's columns and ``label``; the preprocessing sees the training rows only. Where not all
        labels become known they have :data:`~fraudops.labels.selective.WEIGHT` as well.
    days
        Time that the validation slice covers, for the alert budget.
    members
        A blend's, see :meth:`~fraudops.portfolio.Training.members_of`.
    gap
        Label delay, which a search within the training rows keeps.
    costs
        What decisions cost; the validation rows then have ``amount_minor``.

    Raises
    ------
    EstimatorUnavailableError
        The estimator's library does not work on this machine.
    ContractError
        A parameter is unknown or refused.
    """
    where = f"{portfolio} training.candidates.{name}"
    lesson = Lesson(columns, train, gap=gap, seed=seed, jobs=jobs, where=where)
    with _quiet():
        fitted = fit_candidate(candidate, members or {}, lesson)
        matrix = np.ascontiguousarray(fitted.transform.transform(prepare(validation, columns)))
        estimator = fitted.estimator
        if isinstance(estimator, BlendedEstimator):
            estimator = estimator.scaled_on(matrix)
        raw = probability(estimator, matrix)
    truth, weight = validation["label"].to_numpy(dtype=bool), weights_of(validation)
    calibration = calibrate(truth, raw, weight)
    return FraudModel(
        portfolio=portfolio,
        candidate=name,
        kind=candidate.kind,
        parameters=fitted.parameters,
        columns=columns,
        transform=fitted.transform,
        origins=fitted.origins,
        estimator=estimator,
        calibration=calibration,
        thresholds=choose(
            truth,
            calibration.apply(raw),
            days=days,
            policy=policy,
            amount_minor=None if costs is None else validation["amount_minor"].to_numpy(),
            costs=costs,
            weight=weight,
        ),
        background=_background(lesson),
        facts={**_learned(lesson), **fitted.facts, **(facts or {})},
    )


def refit_model(
    model: FraudModel,
    candidate: Candidate,
    rows: pd.DataFrame,
    *,
    members: Mapping[str, Candidate] | None = None,
    jobs: int = 1,
) -> FraudModel:
    """The model, fitted again on more rows with the parameters that it was settled on.

    Calibration, thresholds and the scale of ranks stay those that :func:`fit_model` learned on rows which its
    estimator had not seen: on the rows of the second fit nothing could be calibrated any more.

    Parameters
    ----------
    rows
        The rows that the model learned from, and later ones; none of a slice that it is to be gated on.
    """
    where = f"{model.portfolio} training.candidates.{model.candidate}"
    seed = int(model.facts["seed"])
    lesson = Lesson(model.columns, rows, seed=seed, jobs=jobs, where=where)
    told = model.facts.get("members", {})
    settled = {name: as_settled(member, told[name]["parameters"]) for name, member in (members or {}).items()}
    with _quiet():
        fitted = fit_candidate(
            candidate if candidate.blend else as_settled(candidate, model.parameters), settled, lesson
        )
    estimator = fitted.estimator
    if isinstance(estimator, BlendedEstimator) and isinstance(model.estimator, BlendedEstimator):
        estimator = estimator.scaled_as(model.estimator)
    before = {key: model.facts[key] for key in ("rows", "positives")}
    return replace(
        model,
        transform=fitted.transform,
        origins=fitted.origins,
        estimator=estimator,
        background=_background(lesson),
        facts={**model.facts, **_learned(lesson), "calibrated_before_refit_on": before},
    )


def _learned(lesson: Lesson) -> dict[str, Any]:
    return {"rows": len(lesson.rows), "positives": int(lesson.rows["label"].sum()), "seed": lesson.seed}


def _background(lesson: Lesson) -> dict[str, float | str]:
    train, columns = lesson.rows, lesson.columns
    texts = prepare(train, ModelColumns((), columns.categorical))
    found: dict[str, float | str] = {}
    for name in columns.numeric:
        # Of the values as they are told, not as they are computed with.
        values = pd.to_numeric(train[name]).to_numpy(dtype=np.float64, na_value=np.nan)
        there = values[np.isfinite(values)]
        found[name] = float(np.median(there)) if len(there) else np.nan
    for name in columns.categorical:
        # The first in the alphabet where several are equally common.
        counts = texts[name].value_counts()
        found[name] = min(counts.index[counts == counts.iloc[0]])
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings about what is handled on purpose: empty columns, unseen categories, names of columns."""
    with warnings.catch_warnings():
        for message in (
            "Skipping features without any observed values",
            "Found unknown categories",
            "X does not have valid feature names",
        ):
            warnings.filterwarnings("ignore", message=message)
        yield
