"""Trains one candidate of a run and registers it: what the task ``train`` does for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fraudops.portfolio import Portfolio
from fraudops.registry.versions import register
from fraudops.training import candidates
from fraudops.training.candidates import TrainedCandidate
from fraudops.training.estimators import EstimatorUnavailableError
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class CandidateResult:
    """What became of one candidate.

    Attributes
    ----------
    version, model_id
        Name (``v3``) and database id of the registered model; None where it was skipped.
    skipped
        Why the candidate was left out, such as a library that does not work on this machine.
    average_precision, average_precision_interval, roc_auc, precision_at_k, k
        On the test slice.
    """

    candidate: str
    estimator: str
    version: str | None = None
    model_id: int | None = None
    skipped: str | None = None
    average_precision: float | None = None
    average_precision_interval: list[float] | None = None
    validation_average_precision: float | None = None
    roc_auc: float | None = None
    precision_at_k: float | None = None
    k: int | None = None
    n: int = 0
    positives: int = 0
    promotable: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return dict(self.__dict__)


def train(ws: Workspace, portfolio: Portfolio, *, run_id: str, candidate: str, jobs: int = 1) -> CandidateResult:
    """Train a candidate on a run's data set and register it.

    Parameters
    ----------
    run_id
        A run whose data set has been assembled.
    candidate
        Name in ``training.candidates``.
    jobs
        Threads; the result does not depend on it.

    Returns
    -------
    CandidateResult
        With ``skipped`` set where the estimator's library does not work on this machine: the other
        candidates go on.

    Raises
    ------
    ContractError
        There is no such candidate or data set, or a parameter is refused.
    """
    try:
        trained = candidates.train(ws, portfolio, run_id=run_id, candidate=candidate, jobs=jobs)
    except EstimatorUnavailableError as error:
        return CandidateResult(candidate, portfolio.training.candidates[candidate].kind, skipped=str(error))
    return _register(ws, portfolio, trained)


def _register(ws: Workspace, portfolio: Portfolio, trained: TrainedCandidate) -> CandidateResult:
    summary, model, test = trained.summary, trained.model, trained.test
    with ws.transaction() as session:
        registered = register(
            ws,
            session,
            portfolio,
            run_id=summary.run_id,
            candidate=model.candidate,
            as_of=summary.as_of,
            trained_until=summary.trained_until,
            model_bytes=model.to_bytes(),
            metrics=trained.metrics,
            thresholds=model.thresholds.to_dict(),
            lineage=trained.lineage,
        )
        version, model_id = registered.version, registered.id
    interval = test.average_precision_interval
    return CandidateResult(
        candidate=model.candidate,
        estimator=model.kind,
        version=version,
        model_id=model_id,
        average_precision=test.average_precision,
        average_precision_interval=None if interval is None else interval.to_list(),
        validation_average_precision=trained.validation.average_precision,
        roc_auc=test.roc_auc,
        precision_at_k=test.precision_at_k,
        k=test.k,
        n=test.n,
        positives=test.positives,
        promotable=summary.promotable,
    )
