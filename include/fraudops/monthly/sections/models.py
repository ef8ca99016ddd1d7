"""Which model was in use, how well it did on matured labels, who promoted it, what drifted."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import ModelVersion, PromotionRecord, Verdict
from fraudops.evaluation.metrics import wilson
from fraudops.monitoring import OUTCOMES
from fraudops.monitoring.checks import FAMILIES
from fraudops.monitoring.looks import Desk, states
from fraudops.monitoring.measures import known_from, outcomes_of
from fraudops.monitoring.performance import measure
from fraudops.monitoring.status import ORDER, State
from fraudops.monthly.days import BLOCK, FRAUD, GENUINE, OPEN, REVIEW, Days
from fraudops.monthly.pack import Cell, Grid, Measured, Section, Share
from fraudops.monthly.sections.basis import labels_of, moment, span
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace

_CONFIDENCE, _RESAMPLES = 0.95, 400
_SHOWN = {
    "average_precision": ("Average precision", 3),
    "precision": ("Precision within the alert budget", 3),
    "recall": ("Recall within the alert budget", 3),
    "calibration": ("Observed over expected frauds", 2),
    "alert_rate": ("Share reviewed or blocked", 4),
}


def models(ws: Workspace, session: Session, portfolio: Portfolio, days: Days) -> tuple[Section, list[Manifest]]:
    """The models that scored the month, their precision and their performance; and the manifests it rests on."""
    if not days.versions:
        return Section("models", "Models", ("No model scored a partition of the month.",)), []
    known = {model.version: model for model in _versions(session, portfolio)}
    performance, used = _performance(ws, portfolio, days)
    section = Section(
        "models",
        "Models in use",
        grids=(_in_use(session, portfolio, days, known), _precision(days), performance),
    )
    return section, used


def governance(session: Session, portfolio: Portfolio, days: Days) -> Section:
    """Promotions, rollbacks and verdicts of the month."""
    month = days.month
    records = session.scalars(
        select(PromotionRecord)
        .where(
            PromotionRecord.portfolio == portfolio.name,
            PromotionRecord.effective_from >= month.start,
            PromotionRecord.effective_from < month.end,
        )
        .order_by(PromotionRecord.id)
    )
    promotions = tuple(
        (moment(record.effective_from), record.kind, _name(record.model), record.approved_by, record.reason,
         f"ledger entry {record.ledger_number}")
        for record in records
    )  # fmt: skip
    verdicts = session.scalars(
        select(Verdict)
        .where(Verdict.portfolio == portfolio.name, Verdict.as_of >= month.start, Verdict.as_of <= month.end)
        .order_by(Verdict.as_of, Verdict.id)
    )
    verdict_rows = tuple(
        (moment(found.as_of), _name(found.challenger), found.outcome, found.reason, found.run_id) for found in verdicts
    )
    return Section(
        "governance",
        "Promotions and verdicts",
        grids=(
            Grid(
                "promotions",
                "Promotions and rollbacks that came into force",
                ("In force from", "Kind", "Model", "Approved by", "Reason", "Recorded"),
                promotions,
                f"Promotions of {month.key}, in the database and the ledger.",
                "None: the champion did not change.",
                widths=(4, 3, 4, 3, 6, 4),
                named_by=3,
            ),
            Grid(
                "verdicts",
                "Verdicts on challengers",
                ("As of", "Challenger", "Verdict", "Reason", "Run"),
                verdict_rows,
                f"Comparisons as of moments in {month.key}.",
                "None: no challenger was compared.",
                widths=(4, 4, 3, 8, 5),
                named_by=2,
            ),
        ),
    )


def drift(ws: Workspace, portfolio: Portfolio, days: Days) -> tuple[Section, list[Manifest]]:
    """What monitoring said of the month, stretch by stretch; and the manifests it rests on."""
    desk = Desk(ws, portfolio)
    keys = set(days.expected)
    found = [state for state in states(ws, portfolio, until=days.expected[-1], desk=desk) if state.key in keys]
    unseen = sorted(key for listed in days.versions.values() for key in listed if key not in {s.key for s in found})
    sentences = ["A status changes only when several partitions agree; docs/monitoring.md says by which checks."]
    if unseen:
        sentences.append(f"Nobody looked at {span(unseen)}: monitoring had not run there.")
    rows = tuple(_stretch(list(stretch)) for _, stretch in groupby(found, key=lambda s: (s.version, s.status)))
    source = f"Looks at the ends of {span([state.key for state in found])}."
    section = Section(
        "drift",
        "Drift",
        tuple(sentences),
        (
            Grid(
                "drift",
                "Status of monitoring",
                ("From", "To", "Model", "Status", "Because of"),
                rows,
                source,
                "Monitoring looked at no partition of the month.",
                widths=(2, 2, 1, 1, 6),
                named_by=2,
            ),
        ),
    )
    manifests = [m for state in found if (m := desk.manifest("checks", state.key)) is not None]
    return section, manifests


def worst_status(section: Section) -> str:
    """The gravest status of a month, from its section."""
    found = [str(row[3]) for row in section.grids[0].rows]
    return max(found, key=lambda status: [*ORDER].index(status), default="not looked at")  # type: ignore[arg-type]


# -- inside -------------------------------------------------------------------------------------------


def _versions(session: Session, portfolio: Portfolio) -> list[ModelVersion]:
    return list(session.scalars(select(ModelVersion).where(ModelVersion.portfolio == portfolio.name)))


def _name(model: ModelVersion) -> str:
    return f"{model.version} ({model.candidate})"


def _in_use(session: Session, portfolio: Portfolio, days: Days, known: dict[str, ModelVersion]) -> Grid:
    records = session.scalars(
        select(PromotionRecord)
        .where(PromotionRecord.portfolio == portfolio.name, PromotionRecord.effective_from <= days.month.end)
        .order_by(PromotionRecord.id)
    )
    newest = {record.model.version: record for record in records}
    rows: list[tuple[Cell, ...]] = []
    for version, keys in days.versions.items():
        model, record = known.get(version), newest.get(version)
        rows.append(
            (
                _name(model) if model else version,
                span(keys),
                moment(record.effective_from) if record else None,
                record.approved_by if record else None,
                moment(model.trained_until) if model else None,
                model.artifact_sha256[:12] if model else None,
            )
        )
    columns = ("Model", "Scored", "In force from", "Approved by", "Trained until", "SHA-256 begins with")
    source = f"Scores of {span(days.keys)}; promotions in the database."
    return Grid("models_in_use", "Which model scored what", columns, tuple(rows), source, widths=(6, 6, 4, 3, 4, 4))


def _precision(days: Days) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for version, keys in days.versions.items():
        whole = days.added_up(keys)
        counts = [whole.total(outcome=o, decisions=(REVIEW, BLOCK)).number for o in (FRAUD, GENUINE, OPEN)]
        frauds, genuine, _ = counts
        share = Share(frauds, frauds + genuine, *wilson(frauds, frauds + genuine))
        rows.append((version, sum(counts), *counts, share))
    return Grid(
        "precision_by_model",
        "Precision of its alerts, by model",
        ("Model", "Alerts", "Fraud", "Genuine", "Not matured", "Precision"),
        tuple(rows),
        labels_of(days, decided=True),
        widths=(3, 2, 2, 2, 3, 5),
    )


def _performance(ws: Workspace, portfolio: Portfolio, days: Days) -> tuple[Grid, list[Manifest]]:
    desk = Desk(ws, portfolio)
    rows: list[tuple[Cell, ...]] = []
    used: list[Manifest] = []
    for version, keys in days.versions.items():
        due = [key for key in keys if known_from(portfolio, key) <= days.as_of]
        found = [m for key in due if (m := desk.manifest(OUTCOMES, key)) is not None]
        found = [m for m in found if m.facts["model_version"] == version]
        used += found
        measures = {}
        if found:
            outcomes = outcomes_of([desk.read(m) for m in found])
            measures = measure(outcomes, None, confidence=_CONFIDENCE, resamples=_RESAMPLES)
        for name, (words, digits) in _SHOWN.items():
            one = measures.get(name)
            value = Measured(one.value, one.low, one.high, digits) if one else None
            rows.append((version, words, value, span([m.key for m in found])))
    return (
        Grid(
            "performance",
            "Performance on matured labels, with 95 % intervals",
            ("Model", "Measure", "Value", "Matured partitions"),
            tuple(rows),
            f"Outcomes settled by {moment(days.as_of)}, each by the labels known when they were due. A dash: too few "
            "days, or no fraud among them.",
            widths=(1, 3, 3, 4),
            named_by=2,
        ),
        used,
    )


def _stretch(found: list[State]) -> tuple[Cell, ...]:
    reasons = sorted({reason for state in found for reason in state.reasons})
    because = "; ".join(FAMILIES.get(reason, reason) for reason in reasons)
    return (found[0].key, found[-1].key, found[0].version, found[0].status, because or None)
