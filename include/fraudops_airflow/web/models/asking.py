"""What the forms of a portfolio offer, and to whom: they start runs of DAGs, which Airflow records by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fraudops.database import ModelVersion, PromotionRecord, Verdict
from fraudops.portfolio import Portfolio, format_duration
from fraudops.registry.shadow import running
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.models.approvals import approvers_of

_MOST_CHALLENGERS = 50
_SHADOW_DAYS = 14


@dataclass(frozen=True)
class Choice:
    """A version that a form offers."""

    version: str
    candidate: str
    note: str


@dataclass(frozen=True)
class Asking:
    """What may be started for a portfolio.

    Attributes
    ----------
    former
        Champions of the past, to go back to.
    challengers
        Versions that may be a shadow.
    shadow
        The one that runs.
    may_roll_back
        Whether the person is among those who may.
    """

    champion: str | None
    former: tuple[Choice, ...]
    challengers: tuple[Choice, ...]
    shadow: str | None
    approvers: tuple[str, ...]
    may_roll_back: bool
    window: str
    candidates: tuple[str, ...]
    baseline: str
    evaluated: tuple[str, ...]
    shadow_days: int


def asking(session: Session, portfolio: Portfolio, person: Person) -> Asking:
    """What the forms of a portfolio offer to somebody."""
    newest = session.scalar(_promotions(portfolio).limit(1))
    shadow = running(session, portfolio.name)
    approvers = approvers_of(portfolio, person.everybody)
    training, rule = portfolio.training, portfolio.promotion.shadow
    in_use = newest.model_id if newest else None
    return Asking(
        champion=newest.model.version if newest else None,
        former=tuple(_former(session, portfolio, in_use)),
        challengers=tuple(_challengers(session, portfolio, in_use)),
        shadow=shadow.model.version if shadow else None,
        approvers=approvers,
        may_roll_back=person.name in approvers,
        window=format_duration(training.window),
        candidates=tuple(training.candidates),
        baseline=training.baseline,
        evaluated=tuple(training.prequential.candidates or training.candidates),
        shadow_days=rule.days if rule else _SHADOW_DAYS,
    )


# -- inside ---------------------------------------------------------------------------------------------


def _promotions(portfolio: Portfolio) -> Any:
    return (
        select(PromotionRecord).where(PromotionRecord.portfolio == portfolio.name).order_by(PromotionRecord.id.desc())
    )


def _former(session: Session, portfolio: Portfolio, in_use: int | None) -> list[Choice]:
    found: dict[int, Choice] = {}
    for record in session.scalars(_promotions(portfolio)):
        if record.model_id != in_use and record.model_id not in found:
            since = f"in force from {record.effective_from:%Y-%m-%d}"
            found[record.model_id] = Choice(record.model.version, record.model.candidate, since)
    return list(found.values())


def _challengers(session: Session, portfolio: Portfolio, in_use: int | None) -> list[Choice]:
    """Those whose newest verdict lets them be a shadow."""
    newest = (
        select(Verdict.challenger_id, Verdict.outcome)
        .where(Verdict.portfolio == portfolio.name)
        .ext(distinct_on(Verdict.challenger_id))
        .order_by(Verdict.challenger_id, Verdict.id.desc())
        .subquery()
    )
    rows = session.execute(
        select(ModelVersion.id, ModelVersion.number, ModelVersion.candidate, newest.c.outcome)
        .join(newest, newest.c.challenger_id == ModelVersion.id)
        .where(newest.c.outcome.in_(("PROMOTE", "HOLD")))
        .order_by(ModelVersion.id.desc())
        .limit(_MOST_CHALLENGERS)
    )
    return [Choice(f"v{row.number}", row.candidate, row.outcome) for row in rows if row.id != in_use]
