"""Gathers a pack: reads what the run and the ledger left, measures segments, fits nothing anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord
from fraudops.database import Verdict as VerdictRow
from fraudops.errors import IntegrityError
from fraudops.explanation.methods import method_of
from fraudops.labels.origins import changed_since
from fraudops.labels.selective import WEIGHT
from fraudops.portfolio import Portfolio, format_duration
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.registry.versions import champion, of_run
from fraudops.reports.evidence import populations
from fraudops.reports.evidence.contents import (
    Card,
    Decision,
    InputFacts,
    LabelFacts,
    LedgerLine,
    Lineage,
    Pack,
    Picture,
    SliceFacts,
    Verdict,
)
from fraudops.reports.evidence.expectations import in_force
from fraudops.reports.evidence.inputs import feature_facts
from fraudops.reports.evidence.limitations import REFIT, Seen, limitations
from fraudops.reports.evidence.results import results
from fraudops.reports.evidence.rolling import rolling
from fraudops.reports.figures import Figure, draw
from fraudops.store import canonical_json, sha256_of
from fraudops.training import dataset
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.training.splits import GAP, SLICES, TEST, TRAIN, VALIDATION
from fraudops.workspace import Workspace

FILED = "evidence_filed"
"""Ledger action of a pack; left out of packs, which would never come to an end otherwise."""
_PURPOSES = {
    "train": "fitted on it: preprocessing and model",
    "gap": "left out of the fit: its labels would not have been known yet",
    "validation": "selected, calibrated, thresholds set",
    "test": "the gates; nothing was fitted or chosen on it",
}
_DECISIONS = {
    "promoted": "promoted",
    "rolled_back": "made champion again",
    "promotion_declined": "declined",
    "promotion_overtaken": "overtaken by another promotion",
    "model_refused": "refused: not the registered file",
}


@dataclass(frozen=True)
class Run:
    """What a training run left, read once for all its versions."""

    ws: Workspace
    portfolio: Portfolio
    summary: DatasetSummary
    test: pd.DataFrame
    """The test slice with every column."""
    missing: dict[str, float]
    """Column of the model → share of the training rows without a value."""
    labels: LabelFacts
    models: list[ModelVersion]
    verdicts: list[VerdictRow]
    """On the run, and on its versions after they had been in shadow; the newest first."""

    @classmethod
    def read(cls, ws: Workspace, portfolio: Portfolio, run_id: str) -> Run:
        """Read a run.

        Raises
        ------
        ContractError
            It has no data set.
        IntegrityError
            Its data set is not the one that was written.
        """
        with ws.transaction() as session:
            models = of_run(session, portfolio.name, run_id)
            about = or_(VerdictRow.run_id == run_id, VerdictRow.challenger_id.in_([model.id for model in models]))
            query = (
                select(VerdictRow)
                .where(VerdictRow.portfolio == portfolio.name, about)
                .options(joinedload(VerdictRow.challenger), joinedload(VerdictRow.champion))
                .order_by(VerdictRow.id.desc())
            )
            verdicts = list(session.scalars(query))
        data = dataset.load(ws, portfolio, run_id)
        learned = data.frame.loc[(data.frame["slice"] == TRAIN).to_numpy(), list(data.summary.columns.all)]
        missing = {str(name): float(share) for name, share in learned.isna().mean().items()}
        said = data.summary.labels
        changed = changed_since(ws, portfolio, data.frame, data.summary.first_key)
        labels = LabelFacts(said.feeds, said.time, said.corrected, changed)
        return cls(ws, portfolio, data.summary, data.rows_of(TEST), missing, labels, models, verdicts)


def gather(run: Run, model: ModelVersion) -> tuple[Pack, list[Figure]]:
    """The pack of one version of the run, and its figures.

    Raises
    ------
    IntegrityError
        The version's predictions are not those that were written, or not of the run's test slice.
    """
    ws, portfolio = run.ws, run.portfolio
    figures = draw(ws, portfolio, [model, *(other for other in run.models if other.id != model.id)])
    with ws.transaction() as session:
        entries = _entries(session, model)
        decisions = _decisions(session, model, entries)
        in_use = champion(session, portfolio.name)
    verdicts = _verdicts(run, model)
    rows = _test_rows(run, model)
    flagged = populations.flagged_by(model, rows)
    columns = run.summary.columns
    card, lineage, measured = _card(run, model), _lineage(run, model), results(model.metrics)
    features = feature_facts(portfolio, columns, run.missing, model.metrics.get("importance", []))
    segments = populations.segments(portfolio, columns, rows, flagged)
    fairness = populations.fairness(ws, portfolio, columns, rows, flagged)
    weighted = WEIGHT in rows and bool((rows[WEIGHT] != 1).any())
    seen = Seen(portfolio, card, measured, features, segments, fairness, lineage, weighted)
    pack = Pack(
        card=card,
        results=measured,
        rolling=rolling(ws, portfolio, model.candidate),
        pictures=tuple(Picture(f.file, f.title, f.caption, sha256_of(f.png)) for f in figures),
        verdict=next(iter(verdicts), None),
        earlier=tuple(verdicts[1:]),
        decisions=tuple(decisions),
        is_champion=in_use is not None and in_use.id == model.id,
        limitations=tuple(limitations(seen)),
        segments=tuple(segments),
        fairness=tuple(fairness),
        features=tuple(features),
        explanation=method_of(card.estimator),
        lineage=lineage,
        ledger=tuple(_line(entry) for entry in entries),
        expectations=in_force(_registered_on(entries, model).date()),
    )
    return pack, figures


def _test_rows(run: Run, model: ModelVersion) -> pd.DataFrame:
    """The test slice with the version's scores."""
    rows = run.test
    predicted = rows_of(read_predictions(run.ws, model), TEST)
    if list(predicted["transaction_id"]) != list(rows["transaction_id"]):
        raise IntegrityError(
            f"the predictions of {model.version} are not of the data set's test slice",
            where=f"{model.portfolio} {model.run_id}",
            remedy="train again in a new run",
        )
    return rows.assign(score=predicted["score"].to_numpy())


# -- the card ------------------------------------------------------------------------------------------------


def _card(run: Run, model: ModelVersion) -> Card:
    portfolio, summary = run.portfolio, run.summary
    stated, specification = portfolio.model_card, portfolio.training.candidates.get(model.candidate)
    described = dict(model.metrics.get("model", {}))
    told = ("portfolio", "candidate", "estimator", "parameters", "columns", "calibration", "thresholds")
    refit = REFIT in described
    known_currency = portfolio.has_amount and portfolio.currency not in portfolio.columns
    return Card(
        portfolio=portfolio.name,
        title=portfolio.title,
        owner=portfolio.owner,
        version=model.version,
        candidate=model.candidate,
        description=specification.description if specification else "",
        purpose=" ".join((stated.purpose or portfolio.description).split()),
        materiality=stated.materiality,
        materiality_reason=stated.materiality_reason,
        intended_use=stated.intended_use,
        not_for=stated.not_for,
        estimator=described.get("estimator", "unknown"),
        parameters=described.get("parameters", {}),
        facts={name: value for name, value in described.items() if name not in told},
        calibration=described.get("calibration", {}),
        thresholds=dict(model.thresholds),
        as_of=_moment(model.as_of),
        trained_until=_moment(model.trained_until),
        window=format_duration(summary.window),
        label_delay=format_duration(summary.delay),
        split=summary.split,
        seed=summary.seed,
        immature=summary.immature,
        labels=run.labels,
        slices=tuple(
            SliceFacts(name, _purpose(name, refit), held.rows, held.positives, held.first, held.last, held.days)
            for name in SLICES
            if (held := summary.slices.get(name)) is not None
        ),
        currency=portfolio.currency if known_currency else None,
        minor_digits=portfolio.minor_digits if portfolio.has_amount else None,
    )


def _purpose(name: str, refit: bool) -> str:
    again = "; then fitted on as well, as far as labels were known where the test slice begins"
    return _PURPOSES[name] + (again if refit and name in (GAP, VALIDATION) else "")


# -- lineage -------------------------------------------------------------------------------------------------


def _lineage(run: Run, model: ModelVersion) -> Lineage:
    summary = run.summary
    return Lineage(
        run_id=model.run_id,
        artifact=model.artifact,
        artifact_sha256=model.artifact_sha256,
        dataset_sha256=summary.sha256,
        predictions_sha256=model.lineage["predictions_sha256"],
        inputs=tuple(_inputs(summary.inputs)),
        partitions=dict(sorted(summary.inputs.items())),
        config=summary.config,
        config_now=run.portfolio.digest_of(*dataset.SECTIONS),
        code=str(model.lineage.get("code", "unknown")),
        environment=model.lineage.get("environment"),
    )


def _inputs(digests: dict[str, str]) -> list[InputFacts]:
    of: dict[str, dict[str, str]] = {}
    for name, digest in sorted(digests.items()):
        kind, _, key = name.partition("/")
        of.setdefault(kind, {})[key] = digest
    return [
        InputFacts(kind, len(keys), min(keys), max(keys), sha256_of(canonical_json(keys))) for kind, keys in of.items()
    ]


# -- verdict, decisions, ledger ------------------------------------------------------------------------------


def _verdicts(run: Run, model: ModelVersion) -> list[Verdict]:
    """Those about the version, the newest first; of a version that was no challenger the run's."""
    own = [found for found in run.verdicts if found.challenger_id == model.id]
    return [_verdict(found, model) for found in own or run.verdicts]


def _verdict(found: VerdictRow, model: ModelVersion) -> Verdict:
    return Verdict(
        run_id=found.run_id,
        outcome=found.outcome,
        reason=found.reason,
        challenger=f"{found.challenger.version} ({found.challenger.candidate})",
        is_challenger=found.challenger_id == model.id,
        champion=f"{found.champion.version} ({found.champion.candidate})" if found.champion else None,
        gates=tuple(found.gates),
    )


def _entries(session: Session, model: ModelVersion) -> list[LedgerEntry]:
    """Entries about the version or its run, in their order."""
    subjects = (f"{model.portfolio}/models/{model.version}", f"{model.portfolio}/training/{model.run_id}")
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.portfolio == model.portfolio, LedgerEntry.action != FILED)
        .where(or_(*(LedgerEntry.subject == subject for subject in subjects)))
        .order_by(LedgerEntry.number)
    )
    return list(session.scalars(query))


def _decisions(session: Session, model: ModelVersion, entries: list[LedgerEntry]) -> list[Decision]:
    effective = {
        record.ledger_number: _moment(record.effective_from)
        for record in session.scalars(select(PromotionRecord).where(PromotionRecord.model_id == model.id))
    }
    return [
        Decision(
            what=_DECISIONS[entry.action],
            by=entry.actor,
            reason=str(entry.details.get("reason") or entry.details.get("found") or ""),
            at=_moment(entry.at),
            effective_from=effective.get(entry.number),
            ledger_number=entry.number,
        )
        for entry in entries
        if entry.action in _DECISIONS
    ]


def _line(entry: LedgerEntry) -> LedgerLine:
    return LedgerLine(
        number=entry.number,
        at=_moment(entry.at),
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        details=entry.details,
        digest=entry.digest,
        previous=entry.previous,
    )


def _registered_on(entries: list[LedgerEntry], model: ModelVersion) -> datetime:
    """When the version was registered, by the ledger."""
    found = next((entry.at for entry in entries if entry.action == "trained"), model.created_at)
    return found.astimezone(UTC)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()
