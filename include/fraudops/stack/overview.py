"""Where a local installation stands, in numbers: for ``fraudops status`` and the demo's summary."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from fraudops.database import Alert, CaseFile, ModelVersion, PromotionRecord, RuleHit, Verdict
from fraudops.portfolio import Portfolio
from fraudops.store import Store
from fraudops.workspace import Workspace

PRIMARY_METRIC = "average_precision"


@dataclass(frozen=True)
class Champion:
    """The model in use, and how it came to be."""

    version: str
    candidate: str
    metrics: dict[str, Any]
    """Of the held-out slice that gated it."""
    kind: str
    approved_by: str
    reason: str
    promoted_at: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the metrics are those that are plain numbers."""
        plain = {name: value for name, value in self.metrics.items() if isinstance(value, int | float)}
        return {
            "version": self.version,
            "candidate": self.candidate,
            "metrics": {PRIMARY_METRIC: self.metrics.get(PRIMARY_METRIC)} | plain,
            "kind": self.kind,
            "approved_by": self.approved_by,
            "reason": self.reason,
            "promoted_at": self.promoted_at,
        }


@dataclass(frozen=True)
class PortfolioOverview:
    """One portfolio. A number is None where the database that knows it does not run."""

    name: str
    partitions: int
    newest: str | None
    rows: int
    quarantined: int
    champion: Champion | None = None
    pending: int | None = None
    history: int | None = None
    stale: int | None = None
    """Scored from what has changed since; ``reconcile`` scores them again."""
    scored: int = 0
    alerts: int | None = None
    decisions: dict[str, int] = field(default_factory=dict)
    """Alerts per decision."""
    hits: int | None = None
    """Hits of the rules of law and policy; None where the portfolio has none."""
    cases: dict[str, int] | None = None
    """Cases that are open, and all that there were."""
    notices: dict[str, int | None] = field(default_factory=lambda: {"sent": None, "waiting": None})
    alarms: tuple[str, ...] = ()
    """A sentence per model file that is not the one registered, and one where notices wait too long."""
    punctuality: dict[str, Any] | None = None
    """What is late; None where the portfolio has no deadline."""
    in_time: str | None = None
    """The same in words."""
    shadow: str | None = None
    """A sentence about the challenger that scores beside the champion."""
    monitoring: str | None = None
    """A sentence about what monitoring says."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "champion": self.champion.to_dict() if self.champion else None,
            "partitions": self.partitions,
            "newest": self.newest,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "scored": self.scored,
            "pending": self.pending,
            "history": self.history,
            "stale": self.stale,
            "alerts": self.alerts,
            "decisions": self.decisions,
            "hits": self.hits,
            "cases": self.cases,
            "notices": self.notices,
            "alarms": list(self.alarms),
            "punctuality": self.punctuality,
            "shadow": self.shadow,
            "monitoring": self.monitoring,
        }


@dataclass(frozen=True)
class CandidateLine:
    """A candidate of a training run."""

    version: str
    candidate: str
    metrics: dict[str, Any]


@dataclass(frozen=True)
class VerdictLine:
    """What a comparison found."""

    outcome: str
    reason: str
    challenger: str
    report: str | None
    as_of: datetime


def portfolio_overview(
    store: Store, portfolio: Portfolio, ws: Workspace | None, *, now: datetime | None = None
) -> PortfolioOverview:
    """Numbers of one portfolio.

    Parameters
    ----------
    ws
        The open workspace; None where the database does not run, and only the store is asked.
    now
        The moment at which it is asked what is late; None: it is not asked.
    """
    keys = store.keys("transactions", portfolio.name)
    counted: dict[str, Any] = {
        "name": portfolio.name,
        "partitions": len(keys),
        "newest": keys[-1] if keys else None,
        "rows": sum(store.require("transactions", portfolio.name, key).rows for key in keys),
        "quarantined": quarantined_rows(store, portfolio.name),
        "scored": len(store.keys("scores", portfolio.name)),
    }
    if ws is None:
        return PortfolioOverview(**counted)

    from fraudops.decisions.pending import history_keys, pending_keys, stale_keys
    from fraudops.decisions.timeliness import punctuality
    from fraudops.notices.lateness import late
    from fraudops.notices.outbox import counts
    from fraudops.registry.integrity import altered_files
    from fraudops.registry.shadow import progress

    in_time = punctuality(ws, portfolio, now=now) if now is not None else None
    with ws.transaction() as session:
        alerts = session.execute(
            select(Alert.decision, func.count()).where(Alert.portfolio == portfolio.name).group_by(Alert.decision)
        )
        decisions = {row[0]: row[1] for row in alerts}
        shadow = progress(store, session, portfolio)
        findings = [*altered_files(session, portfolio.name), late(session, portfolio)]
        return PortfolioOverview(
            **counted,
            champion=champion(session, portfolio.name),
            pending=len(pending_keys(ws, portfolio)),
            history=len(history_keys(ws, portfolio)),
            stale=len(stale_keys(ws, portfolio)),
            alerts=sum(decisions.values()),
            decisions=decisions,
            hits=_count(session, RuleHit, portfolio) if portfolio.compliance is not None else None,
            cases={
                "open": _count(session, CaseFile, portfolio, CaseFile.closed_at.is_(None)),
                "all": _count(session, CaseFile, portfolio),
            },
            notices=dict(counts(session, portfolio.name).to_dict()),
            alarms=tuple(finding.sentence for finding in findings if finding is not None),
            punctuality=in_time.to_dict() if in_time else None,
            in_time=in_time.sentence if in_time else None,
            shadow=shadow.sentence if shadow else None,
            monitoring=monitoring(ws, portfolio),
        )


def _count(session: Session, table: type[RuleHit | CaseFile], portfolio: Portfolio, *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(table.portfolio == portfolio.name, *which)
    return session.scalar(query) or 0


def monitoring(ws: Workspace, portfolio: Portfolio) -> str | None:
    """What monitoring says about the champion, in a sentence; None where it has not looked yet."""
    from fraudops.monitoring.looks import checks_of, states
    from fraudops.monitoring.wording import sentences

    found = states(ws, portfolio)
    if not found:
        return None
    state = found[-1]
    reasons = sentences(checks_of(ws, portfolio, state.key), state.reasons)
    return f"monitoring says {state.status} since {state.since}" + (f": {'; '.join(reasons)}" if reasons else "")


def champion(session: Session, portfolio: str) -> Champion | None:
    """The model in use, or None."""
    record = session.scalar(
        select(PromotionRecord)
        .where(PromotionRecord.portfolio == portfolio)
        .order_by(PromotionRecord.id.desc())
        .limit(1)
        .options(joinedload(PromotionRecord.model))
    )
    if record is None:
        return None
    return Champion(
        version=record.model.version,
        candidate=record.model.candidate,
        metrics=gating_metrics(record.model.metrics),
        kind=record.kind,
        approved_by=record.approved_by,
        reason=record.reason,
        promoted_at=record.promoted_at.isoformat(),
    )


def candidates(session: Session, portfolio: str, run_id: str) -> list[CandidateLine]:
    """The candidates of a training run, the best first."""
    found = session.scalars(
        select(ModelVersion).where(ModelVersion.portfolio == portfolio, ModelVersion.run_id == run_id)
    )
    lines = [CandidateLine(m.version, m.candidate, gating_metrics(m.metrics)) for m in found]
    return sorted(lines, key=lambda line: -(line.metrics.get(PRIMARY_METRIC) or 0.0))


def verdict(session: Session, portfolio: str, run_id: str) -> VerdictLine | None:
    """What the comparison of a training run found, or None."""
    found = session.scalar(
        select(Verdict)
        .where(Verdict.portfolio == portfolio, Verdict.run_id == run_id)
        .options(joinedload(Verdict.challenger))
    )
    if found is None:
        return None
    return VerdictLine(found.outcome, found.reason, found.challenger.version, found.report, found.as_of)


def newest_training_run(session: Session, portfolio: str) -> str | None:
    """Run id of the newest verdict, or None."""
    return session.scalar(
        select(Verdict.run_id)
        .where(Verdict.portfolio == portfolio, Verdict.kind == "training")
        .order_by(Verdict.id.desc())
        .limit(1)
    )


def gating_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics of the slice that gates, whether they stand alone or beside those of the other slices."""
    found = metrics.get("test", metrics)
    return found if isinstance(found, dict) else {}


def quarantined_rows(store: Store, portfolio: str) -> int:
    """How many rows lie in quarantine."""
    area = store.root / "quarantine" / f"portfolio={portfolio}"
    if not area.exists():
        return 0
    files = (folder / "rows.parquet" for folder in area.iterdir())
    return sum(pq.read_metadata(io.BytesIO(file.read_bytes())).num_rows for file in files if file.exists())
