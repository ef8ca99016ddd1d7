"""Verdicts with their gates, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fraudops.database import ModelVersion, Verdict
from fraudops.portfolio import Portfolio
from fraudops.registry.gate_lines import GateLine, gate_lines
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.models.approvals import Decision, decision_on
from fraudops_airflow.web.verdicts import VerdictLine, verdict_line, verdicts


@dataclass(frozen=True)
class Judged:
    """A verdict on a version, with its gates."""

    kind: str
    """``training`` or ``shadow``."""
    run_id: str
    line: VerdictLine
    made_at: datetime
    gates: tuple[GateLine, ...]
    decision: Decision | None
    """Of a verdict PROMOTE: what there is to decide, or was decided."""


def judgements(session: Session, portfolio: Portfolio, model: ModelVersion, person: Person) -> tuple[Judged, ...]:
    """Every verdict on a version, the newest first."""
    found = session.scalars(verdicts().where(Verdict.challenger_id == model.id).order_by(Verdict.id.desc()))
    return tuple(judged_between(session, portfolio, verdict, person) for verdict in found)


def judged_between(session: Session, portfolio: Portfolio, verdict: Verdict, person: Person) -> Judged:
    """One verdict, for somebody who may have to decide on it."""
    return Judged(
        kind=verdict.kind,
        run_id=verdict.run_id,
        line=verdict_line(verdict),
        made_at=verdict.created_at,
        gates=tuple(gate_lines(verdict.gates)),
        decision=decision_on(session, portfolio, verdict, person) if verdict.outcome == "PROMOTE" else None,
    )
