"""Challenger against champion, on the same held-out rows that neither has seen.

The challenger is the candidate with the best average precision on the *validation* slice; the *test* slice, on
which nothing was fitted, selected or calibrated, is for the gates alone (:mod:`fraudops.registry.gates`). Of the
test slice the champion has seen whatever lies before its own ``trained_until``: only later rows compare the two.

The numbers are measured with the registered artifacts themselves, so that what is gated is what can be promoted.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from fraudops.database import ModelVersion, Verdict
from fraudops.errors import ContractError, IntegrityError
from fraudops.evaluation.metrics import alert_budget
from fraudops.evaluation.ranking import average_precision
from fraudops.portfolio import Portfolio
from fraudops.registry import measures
from fraudops.registry.evidence import AgainstChampion, Compared, Evidence, Footprint, Rows
from fraudops.registry.footprint import footprint
from fraudops.registry.judging import Judgement, cannot_be_told_from_the_baseline, judge
from fraudops.registry.locks import lock_versions
from fraudops.registry.measures import Scored
from fraudops.registry.versions import artifact_bytes, champion, load, of_run
from fraudops.store import sha256_of
from fraudops.training import dataset
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.training.splits import TEST, VALIDATION
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from fraudops.training.model import FraudModel


@dataclass(frozen=True)
class VerdictSummary:
    """A verdict, with what a notice about it needs."""

    portfolio: str
    run_id: str
    outcome: str
    """PROMOTE, HOLD or REJECT."""
    reason: str
    """One sentence with the numbers."""
    challenger: str
    challenger_candidate: str
    challenger_sha256: str
    champion: str | None
    champion_candidate: str | None
    gates: list[dict[str, Any]]
    as_of: str
    report: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; nothing confidential."""
        return asdict(self)


def compare(ws: Workspace, portfolio: Portfolio, *, run_id: str, as_of: datetime) -> VerdictSummary:
    """Choose a run's challenger, gate it, and write the verdict down with its ledger entry.

    A run that has a verdict keeps it.

    Raises
    ------
    ContractError
        The run registered no candidate, or not the baseline.
    IntegrityError
        An artifact, the data set or the predictions are not what the run left.
    """
    with ws.transaction() as session:
        known = _find(session, portfolio.name, run_id)
        if known is not None:
            return _summary(known)
        models = of_run(session, portfolio.name, run_id)
        in_use = champion(session, portfolio.name)
    run = _Run.read(ws, portfolio, run_id, models)
    challenger, evidence = run.put_forward(in_use)
    judgement = judge(evidence)
    with ws.transaction() as session:
        lock_versions(session, portfolio.name)
        known = _find(session, portfolio.name, run_id)
        if known is None:
            _write(ws, session, challenger, in_use, judgement, as_of)
        return _summary(verdict_of(session, portfolio, run_id))


def verdict_of(session: Session, portfolio: Portfolio, run_id: str) -> Verdict:
    """A run's verdict, its challenger and champion loaded.

    Raises
    ------
    ContractError
        The run has none.
    """
    found = _find(session, portfolio.name, run_id)
    if found is None:
        raise ContractError(
            "the training run has no verdict",
            where=f"{portfolio.name} {run_id}",
            remedy=f"give the run id of a finished run of {portfolio.dag_id('train')}",
        )
    return found


def read_predictions(ws: Workspace, model: ModelVersion) -> pd.DataFrame:
    """What a registered candidate predicted on the validation and the test slice.

    Raises
    ------
    IntegrityError
        They are gone, or not those that were written.
    """
    name = f"predictions_{model.candidate}.parquet"
    try:
        content = ws.store.get("training", model.portfolio, model.run_id, name)
    except FileNotFoundError:
        content = b""
    if sha256_of(content) != model.lineage["predictions_sha256"]:
        raise IntegrityError(
            f"{name} is {'not the file that was written' if content else 'gone'}",
            where=f"{model.portfolio} {model.run_id}",
            remedy="train again in a new run",
        )
    return pq.read_table(io.BytesIO(content)).to_pandas()


def rows_of(predictions: pd.DataFrame, name: str) -> pd.DataFrame:
    """Predictions on one slice."""
    return predictions[(predictions["slice"] == name).to_numpy()].reset_index(drop=True)


# -- the verdict's row --------------------------------------------------------------------------------


def _find(session: Session, portfolio_name: str, run_id: str) -> Verdict | None:
    return session.scalar(
        select(Verdict)
        .where(Verdict.portfolio == portfolio_name, Verdict.run_id == run_id)
        .options(joinedload(Verdict.challenger), joinedload(Verdict.champion))
    )


def _write(
    ws: Workspace,
    session: Session,
    challenger: ModelVersion,
    in_use: ModelVersion | None,
    judgement: Judgement,
    as_of: datetime,
) -> None:
    session.add(
        Verdict(
            portfolio=challenger.portfolio,
            run_id=challenger.run_id,
            challenger_id=challenger.id,
            champion_id=in_use.id if in_use else None,
            outcome=judgement.outcome,
            reason=judgement.reason,
            gates=[gate.to_dict() for gate in judgement.gates],
            report=None,
            as_of=as_of,
            created_at=datetime.now(UTC),
        )
    )
    session.flush()
    ws.record(
        session,
        portfolio=challenger.portfolio,
        actor="service:train",
        action="verdict",
        subject=f"{challenger.portfolio}/models/{challenger.version}",
        details={
            "outcome": judgement.outcome,
            "reason": judgement.reason,
            "run_id": challenger.run_id,
            "champion": in_use.version if in_use else None,
            "artifact_sha256": challenger.artifact_sha256,
            "failed_gates": [gate.name for gate in judgement.gates if gate.decides and not gate.passed],
        },
    )


def _summary(verdict: Verdict) -> VerdictSummary:
    challenger, against = verdict.challenger, verdict.champion
    return VerdictSummary(
        portfolio=verdict.portfolio,
        run_id=verdict.run_id,
        outcome=verdict.outcome,
        reason=verdict.reason,
        challenger=challenger.version,
        challenger_candidate=challenger.candidate,
        challenger_sha256=challenger.artifact_sha256,
        champion=against.version if against else None,
        champion_candidate=against.candidate if against else None,
        gates=verdict.gates,
        as_of=verdict.as_of.astimezone(UTC).isoformat(),
        report=verdict.report,
    )


# -- the evidence -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """What a training run left behind."""

    ws: Workspace
    portfolio: Portfolio
    models: dict[str, ModelVersion]
    predictions: dict[str, pd.DataFrame]
    summary: DatasetSummary
    test: pd.DataFrame
    """The test slice with every model column."""

    @classmethod
    def read(cls, ws: Workspace, portfolio: Portfolio, run_id: str, models: Sequence[ModelVersion]) -> _Run:
        by_name = {model.candidate: model for model in models}
        where = f"{portfolio.name} {run_id}"
        if portfolio.training.baseline not in by_name:
            raise ContractError(
                f"the run registered {', '.join(sorted(by_name)) or 'no candidate'}, and the baseline "
                f"{portfolio.training.baseline} is missing",
                where=where,
                remedy="clear the failed train task and let it run again",
            )
        data = dataset.load(ws, portfolio, run_id)
        test = data.rows_of(TEST)
        predictions = {name: read_predictions(ws, model) for name, model in by_name.items()}
        for name, found in predictions.items():
            if list(rows_of(found, TEST)["transaction_id"]) != list(test["transaction_id"]):
                raise IntegrityError(
                    f"the predictions of {name} are not of the data set's test slice",
                    where=where,
                    remedy="train again",
                )
        return cls(ws, portfolio, by_name, predictions, data.summary, test)

    def challenger(self) -> ModelVersion:
        """Best average precision on the validation slice; of equal ones the baseline, then the YAML's order."""
        training = self.portfolio.training
        order = [training.baseline, *(name for name in training.candidates if name != training.baseline)]
        order += sorted(set(self.models) - set(order))

        def merit(name: str) -> tuple[float, int]:
            held_out = rows_of(self.predictions[name], VALIDATION)
            value = average_precision(measures.labels(held_out), _scores(held_out))
            return (-value if value is not None else 1.0, order.index(name))

        return self.models[min(self.models, key=merit)]

    def put_forward(self, in_use: ModelVersion | None) -> tuple[ModelVersion, Evidence]:
        """Whom the verdict is about, and the evidence.

        Where there is no champion, and the candidate that was chosen cannot be told from the baseline but seems to
        lie below it, the baseline itself goes forward: of two that may be equal the simpler one, rather than nobody.
        """
        chosen = self.challenger()
        evidence = self.evidence(chosen, in_use)
        if in_use is not None or not cannot_be_told_from_the_baseline(evidence) or evidence.over_baseline is None:
            return chosen, evidence
        baseline = self.models[self.portfolio.training.baseline]
        difference = evidence.over_baseline.average_precision.difference
        return baseline, replace(
            self.evidence(baseline, in_use),
            instead_of=f"It stands in for {_name(chosen)}, which was chosen on the validation slice, and whose average "
            f"precision on the test slice is {difference.signed} beside it: no better, and less simple.",
        )

    def evidence(self, challenger: ModelVersion, in_use: ModelVersion | None) -> Evidence:
        """Everything the gates look at, measured."""
        baseline = self.models[self.portfolio.training.baseline]
        model = load(self.ws, challenger)
        scored = self._of_registered(challenger, model)
        is_baseline = challenger.id == baseline.id
        # A champion is judged by the rows that it has not seen either.
        judged = self._unseen(in_use) if in_use else np.ones(len(self.test), dtype=bool)
        other = in_use or (None if is_baseline else baseline)
        return Evidence(
            challenger=_name(challenger),
            baseline=baseline.candidate,
            is_baseline=is_baseline,
            split=self.summary.split,
            minimum_positives=self.portfolio.training.minimum_positives,
            margin=self.portfolio.promotion.margin,
            test=self._rows(self.test),
            average_precision=measures.estimate(
                self.test, scored.score, k=self._k(self.test), seed=self.portfolio.training.seed
            ),
            over_baseline=None if is_baseline else self._compared(self.test, scored, self._of_predictions(baseline)),
            champion=self._against(challenger, scored, in_use, judged) if in_use else None,
            gates=self.portfolio.promotion.gates,
            calibration=measures.calibration(self.portfolio, self.test[judged], scored.score[judged]),
            footprint=self._footprint(challenger, model),
            other_footprint=self._footprint(other) if other else None,
        )

    def _of_registered(self, challenger: ModelVersion, model: FraudModel) -> Scored:
        """The registered artifact's scores of the test slice, which its predictions must be."""
        scores = model.score(self.test)
        # A forest adds up its trees in the order in which its threads finish.
        if not np.allclose(scores, self._of_predictions(challenger).score, rtol=0, atol=1e-9):
            raise IntegrityError(
                "the predictions are not those of the registered model",
                where=f"{challenger.portfolio} {challenger.version}, run {challenger.run_id}",
                remedy="train again",
            )
        return _scored(challenger, self.test, scores)

    def _of_predictions(self, model: ModelVersion) -> Scored:
        return _scored(model, self.test, _scores(rows_of(self.predictions[model.candidate], TEST)))

    def _unseen(self, in_use: ModelVersion) -> np.ndarray:
        return (self.test["event_time"] >= in_use.trained_until).to_numpy()

    def _against(
        self, challenger: ModelVersion, scored: Scored, in_use: ModelVersion, unseen: np.ndarray
    ) -> AgainstChampion:
        frame, ours = self.test[unseen], Scored(scored.score[unseen], scored.decision[unseen])
        found = AgainstChampion(
            name=_name(in_use),
            trained_until=f"{in_use.trained_until.astimezone(UTC):%Y-%m-%d %H:%M}",
            rows=self._rows(frame),
        )
        if challenger.artifact_sha256 == in_use.artifact_sha256:
            return replace(found, tie=f"{_name(challenger)} is the very artifact of {_name(in_use)}.")
        if frame.empty:
            return found
        model = load(self.ws, in_use)
        missing = _missing_columns(model, frame)
        if missing:
            what = f"Champion {_name(in_use)} needs {', '.join(missing)}, which the data set does not have."
            return replace(found, obstacle=what)
        theirs = _scored(in_use, frame, model.score(frame))
        if np.array_equal(ours.score, theirs.score):
            found = replace(
                found, tie=f"{_name(challenger)} and {_name(in_use)} give every transaction the same score."
            )
        return replace(
            found,
            compared=self._compared(frame, ours, theirs),
            calibration=measures.calibration(self.portfolio, frame, theirs.score),
        )

    def _compared(self, frame: pd.DataFrame, ours: Scored, theirs: Scored) -> Compared | None:
        return measures.compared(self.portfolio, frame, ours, theirs, k=self._k(frame))

    def _footprint(self, version: ModelVersion, model: FraudModel | None = None) -> Footprint | None:
        """What it takes to run a registered model; None where it cannot score these rows."""
        content = artifact_bytes(self.ws, version)
        model = model or load(self.ws, version)
        if self.test.empty or _missing_columns(model, self.test):
            return None
        return footprint(model, self.test, len(content))

    def _k(self, frame: pd.DataFrame) -> int:
        """How many of these rows of the test slice the alert budget lets people look at."""
        days = self.summary.slices[TEST].days * len(frame) / len(self.test)
        return alert_budget(self.portfolio.policy.alerts_per_day, days, len(frame))

    @staticmethod
    def _rows(frame: pd.DataFrame) -> Rows:
        if frame.empty:
            return Rows(None, None, 0, 0)
        keys = frame["partition_key"]
        return Rows(str(keys.min()), str(keys.max()), len(frame), int(frame["label"].sum()))


def _scored(model: ModelVersion, frame: pd.DataFrame, scores: np.ndarray) -> Scored:
    """With the decisions that the version's own thresholds lead to."""
    amount = frame["amount_minor"].to_numpy() if "amount_minor" in frame.columns else None
    return Scored(scores, Thresholds.read(model.thresholds).decide(scores, amount))


def _name(model: ModelVersion) -> str:
    return f"{model.version} ({model.candidate})"


def _missing_columns(model: FraudModel, frame: pd.DataFrame) -> list[str]:
    return [name for name in model.columns.all if name not in frame.columns]


def _scores(frame: pd.DataFrame) -> np.ndarray:
    return frame["score"].to_numpy(dtype=float)
