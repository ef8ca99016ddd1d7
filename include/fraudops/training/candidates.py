"""Trains one candidate of a run: fit, calibrate, set thresholds, measure, write down. The registry registers it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from fraudops import __version__
from fraudops.errors import ContractError
from fraudops.evaluation.importance import REPEATS, ROWS, permutation_importance
from fraudops.evaluation.metrics import Metrics, evaluate
from fraudops.portfolio import Portfolio
from fraudops.store import canonical_json, sha256_of
from fraudops.training import dataset as datasets
from fraudops.training.dataset import Dataset, parquet_bytes
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.training.environment import environment
from fraudops.training.model import FraudModel, fit_model, refit_model
from fraudops.training.money import cost_model
from fraudops.training.probabilities import probability
from fraudops.training.splits import TEST, TRAIN, VALIDATION
from fraudops.workspace import Workspace

_PREDICTED = ("transaction_id", "event_time", "partition_key")
_SCORINGS = 150
"""Bounds the cost of permutation importance: columns × repeats, each of :data:`ROWS` rows. More columns than this
are scored once, with fewer rows the more there are."""
_FEWEST_ROWS = 1_000


@dataclass(frozen=True)
class TrainedCandidate:
    """A candidate that is fitted, measured and written down.

    Attributes
    ----------
    summary
        Of the data set that it was trained on.
    model
        What is registered; after a refit the second one.
    test
        On the test slice.
    metrics, lineage
        As the registry keeps them: JSON-able, nothing confidential.
    """

    summary: DatasetSummary
    model: FraudModel
    test: Metrics
    validation: Metrics
    metrics: dict[str, Any]
    lineage: dict[str, Any]


def train(ws: Workspace, portfolio: Portfolio, *, run_id: str, candidate: str, jobs: int = 1) -> TrainedCandidate:
    """Train a candidate on a run's data set.

    Fits on the training slice, calibrates and sets thresholds on the validation slice, measures on both that
    and the test slice. A candidate with ``refit`` is then fitted again on all rows whose labels were known when
    the test slice began: that model is the candidate's, and measured on the test slice, while the first one's scores of
    the validation slice stand, which it had not seen. Writes ``predictions_<candidate>.parquet`` beside the data set.

    Parameters
    ----------
    run_id
        A run whose data set has been assembled.
    candidate
        Name in ``training.candidates``.
    jobs
        Threads; the result does not depend on it.

    Raises
    ------
    ContractError
        There is no such candidate or data set, or a parameter is refused.
    EstimatorUnavailableError
        The estimator's library does not work on this machine.
    """
    specification = portfolio.training.candidates.get(candidate)
    if specification is None:
        raise ContractError(
            f"there is no candidate {candidate!r}",
            where=f"{portfolio.name} training.candidates",
            remedy=f"choose one of {', '.join(sorted(portfolio.training.candidates))}",
        )
    data = datasets.load(ws, portfolio, run_id)
    selected = _fit(portfolio, data, candidate, jobs)
    model = _refit(portfolio, data, selected, jobs) if specification.refit else selected
    predictions = _predict(portfolio, selected, model, data, jobs)
    test, validation = (_measure(portfolio, data, model, predictions, name) for name in (TEST, VALIDATION))
    content = parquet_bytes(predictions)
    ws.store.put(content, "training", portfolio.name, run_id, f"predictions_{candidate}.parquet")
    return TrainedCandidate(
        summary=data.summary,
        model=model,
        test=test,
        validation=validation,
        metrics=_metrics(data, model, test, validation),
        lineage=_lineage(data.summary, sha256_of(content)),
    )


def _fit(portfolio: Portfolio, data: Dataset, candidate: str, jobs: int) -> FraudModel:
    summary = data.summary
    return fit_model(
        portfolio.name,
        candidate,
        portfolio.training.candidates[candidate],
        summary.columns,
        data.rows_of(TRAIN),
        data.rows_of(VALIDATION),
        days=summary.slices[VALIDATION].days,
        policy=portfolio.policy,
        costs=cost_model(portfolio),
        seed=summary.seed,
        jobs=jobs,
        members=portfolio.training.members_of(candidate),
        gap=summary.delay,
        facts={"trained_until": summary.trained_until.isoformat(), "dataset_sha256": summary.sha256},
    )


def _refit(portfolio: Portfolio, data: Dataset, model: FraudModel, jobs: int) -> FraudModel:
    candidates, members = portfolio.training.candidates, portfolio.training.members_of(model.candidate)
    return refit_model(model, candidates[model.candidate], data.rows_before_gate(), members=members, jobs=jobs)


def _predict(portfolio: Portfolio, selected: FraudModel, model: FraudModel, data: Dataset, jobs: int) -> pd.DataFrame:
    """Scores of rows that the estimator has not learned from, with the entities, to draw rows by."""
    rows = data.frame[data.frame["slice"].isin([VALIDATION, TEST]).to_numpy()].reset_index(drop=True)
    amount = ["amount_minor"] if portfolio.has_amount else []
    columns = [*_PREDICTED, *amount, *dict.fromkeys(portfolio.entities.values()), "label", "slice"]
    score = model.score(rows, jobs=jobs)
    if selected is not model:
        held_out = (rows["slice"] == VALIDATION).to_numpy()
        score[held_out] = selected.score(rows[held_out], jobs=jobs)
    return rows[columns].assign(score=score)


def _measure(portfolio: Portfolio, data: Dataset, model: FraudModel, predictions: pd.DataFrame, name: str) -> Metrics:
    rows = predictions[(predictions["slice"] == name).to_numpy()]
    score = rows["score"].to_numpy()
    amount = rows["amount_minor"].to_numpy() if portfolio.has_amount else None
    return evaluate(
        rows["label"].to_numpy(),
        score,
        amount,
        days=data.summary.slices[name].days,
        alerts_per_day=portfolio.policy.alerts_per_day,
        review=model.thresholds.review,
        block=model.thresholds.block,
        decision=model.decide(score, amount),
        costs=cost_model(portfolio),
        seed=data.summary.seed,
    )


def _importance(model: FraudModel, data: Dataset) -> list[dict[str, Any]]:
    rows = data.rows_of(TEST)
    columns = len(set(model.origins))
    found = permutation_importance(
        # Calibration does not change the order.
        partial(probability, model.estimator),
        lambda chosen: model.matrix(rows.iloc[chosen]),
        rows["label"].to_numpy(),
        model.origins,
        seed=data.summary.seed,
        rows=max(_FEWEST_ROWS, min(ROWS, ROWS * _SCORINGS // columns)),
        repeats=max(1, min(REPEATS, _SCORINGS // columns)),
    )
    return [importance.to_dict() for importance in found]


def _metrics(data: Dataset, model: FraudModel, test: Metrics, validation: Metrics) -> dict[str, Any]:
    return {
        **test.to_dict(),
        "slice": TEST,
        "split": data.summary.split,
        "promotable": data.summary.promotable,
        "validation": validation.to_dict(),
        "importance": _importance(model, data),
        "model": model.describe(),
    }


def _lineage(summary: DatasetSummary, predictions_sha256: str) -> dict[str, Any]:
    return {
        "dataset_sha256": summary.sha256,
        "predictions_sha256": predictions_sha256,
        "inputs": {
            "partitions": len(summary.inputs),
            "first": summary.first_key,
            "last": summary.last_key,
            "digest": sha256_of(canonical_json(summary.inputs)),
        },
        "config": summary.config,
        "code": __version__,
        "environment": environment(),
        "seed": summary.seed,
        "split": summary.split,
        "promotable": summary.promotable,
    }
