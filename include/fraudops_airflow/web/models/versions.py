"""The list of model versions: what each is now, what was found about it, who put it in use; a page at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudops.database import ModelVersion, PromotionRecord, Shadow, Verdict
from fraudops.portfolio import Portfolio
from fraudops.registry.integrity import altered_files
from sqlalchemy import and_, false, or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, average_precision

PER_PAGE = 25

CHAMPION, FORMER, SHADOW = "champion", "was champion", "shadow"
CHALLENGER, REJECTED, CANDIDATE, ALTERED = "challenger", "rejected", "candidate", "altered"
STATES: dict[str, str] = {
    CHAMPION: "in use now",
    FORMER: "was in use; a rollback may bring it back",
    SHADOW: "scores beside the champion; nothing acts on it",
    CHALLENGER: "the best of its training run, and not shown to be unfit",
    REJECTED: "shown to be unfit by a gate",
    CANDIDATE: "trained beside a better one",
    ALTERED: "its file is not the one that was registered: it is not loaded",
}
"""What a version may be, and what that means."""


@dataclass(frozen=True)
class Line:
    """One version in the list."""

    id: int
    portfolio: Portfolio
    version: str
    candidate: str
    run_id: str
    states: tuple[str, ...]
    outcome: str | None
    average_precision: Figure | None
    first: str | None
    last: str | None
    partitions: int | None
    as_of: datetime
    approved_by: str | None
    promoted_at: datetime | None


@dataclass(frozen=True)
class Wanted:
    """What the reader filters by, and where in the list."""

    portfolio: str = ""
    state: str = ""
    candidate: str = ""
    before: int | None = None
    """Only versions registered before this one: the next page."""


@dataclass(frozen=True)
class Listed:
    """A page of the list."""

    lines: tuple[Line, ...]
    older: int | None
    """For the link to the next page; None on the last one."""


def listed(archive: Archive, session: Session, wanted: Wanted, most: int = PER_PAGE) -> Listed:
    """The versions that are wanted, the newest first."""
    names = [wanted.portfolio] if wanted.portfolio else list(archive.portfolios)
    altered = {name: {finding.version for finding in altered_files(session, name)} for name in names}
    newest, promoted = _newest_verdict(), _newest_promotion()
    query = (
        select(
            ModelVersion.id,
            ModelVersion.portfolio,
            ModelVersion.number,
            ModelVersion.candidate,
            ModelVersion.run_id,
            ModelVersion.as_of,
            # Only these of the many numbers: a version's metrics are tens of kilobytes.
            ModelVersion.metrics["average_precision"].label("value"),
            ModelVersion.metrics["average_precision_interval"].label("interval"),
            ModelVersion.lineage["inputs"].label("inputs"),
            newest.c.outcome,
            promoted.c.approved_by,
            promoted.c.promoted_at,
        )
        .outerjoin(newest, newest.c.challenger_id == ModelVersion.id)
        .outerjoin(promoted, promoted.c.model_id == ModelVersion.id)
        .where(ModelVersion.portfolio.in_(names))
        .order_by(ModelVersion.id.desc())
        .limit(most + 1)
    )
    if wanted.candidate:
        query = query.where(ModelVersion.candidate == wanted.candidate)
    if wanted.before is not None:
        query = query.where(ModelVersion.id < wanted.before)
    if wanted.state:
        query = query.where(_in_state(wanted.state, newest.c.outcome, promoted.c.model_id, altered))
    found = session.execute(query).all()
    now = _Now.read(session, names, altered)
    lines = tuple(_line(archive.portfolios[row.portfolio], row, now) for row in found[:most])
    return Listed(lines, lines[-1].id if len(found) > most else None)


def candidates(session: Session, names: Iterable[str]) -> list[str]:
    """Names of candidates that have been trained."""
    return list(
        session.scalars(
            select(ModelVersion.candidate)
            .where(ModelVersion.portfolio.in_(list(names)))
            .distinct()
            .order_by(ModelVersion.candidate)
        )
    )


def states_of(session: Session, model: ModelVersion) -> tuple[str, ...]:
    """What one version is now."""
    altered = {model.portfolio: {finding.version for finding in altered_files(session, model.portfolio)}}
    now = _Now.read(session, [model.portfolio], altered)
    outcome = session.scalar(
        select(Verdict.outcome).where(Verdict.challenger_id == model.id).order_by(Verdict.id.desc()).limit(1)
    )
    return now.states(model.portfolio, model.id, model.version, outcome)


# -- inside ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Now:
    """What is in use at this moment, in a few portfolios."""

    champions: frozenset[int]
    promoted: frozenset[int]
    shadows: frozenset[int]
    altered: dict[str, set[str]]

    @classmethod
    def read(cls, session: Session, names: list[str], altered: dict[str, set[str]]) -> _Now:
        return cls(
            frozenset(session.scalars(_champions().where(PromotionRecord.portfolio.in_(names)))),
            frozenset(
                session.scalars(select(PromotionRecord.model_id).where(PromotionRecord.portfolio.in_(names)).distinct())
            ),
            frozenset(session.scalars(_shadows().where(Shadow.portfolio.in_(names)))),
            altered,
        )

    def states(self, portfolio: str, model_id: int, version: str, outcome: str | None) -> tuple[str, ...]:
        if model_id in self.champions:
            state = CHAMPION
        elif model_id in self.promoted:
            state = FORMER
        elif outcome is None:
            state = CANDIDATE
        else:
            state = REJECTED if outcome == "REJECT" else CHALLENGER
        beside = [SHADOW] if model_id in self.shadows else []
        return (state, *beside, *([ALTERED] if version in self.altered.get(portfolio, ()) else []))


def _line(portfolio: Portfolio, row: Any, now: _Now) -> Line:
    inputs, version = row.inputs or {}, f"v{row.number}"
    measured = {"average_precision": row.value, "average_precision_interval": row.interval}
    return Line(
        id=row.id,
        portfolio=portfolio,
        version=version,
        candidate=row.candidate,
        run_id=row.run_id,
        states=now.states(portfolio.name, row.id, version, row.outcome),
        outcome=row.outcome,
        average_precision=average_precision(measured),
        first=inputs.get("first"),
        last=inputs.get("last"),
        partitions=inputs.get("partitions"),
        as_of=row.as_of,
        approved_by=row.approved_by,
        promoted_at=row.promoted_at,
    )


def _newest_verdict() -> Any:
    """One row for each challenger: what was found last."""
    return (
        select(Verdict.challenger_id, Verdict.outcome)
        .ext(distinct_on(Verdict.challenger_id))
        .order_by(Verdict.challenger_id, Verdict.id.desc())
        .subquery()
    )


def _newest_promotion() -> Any:
    """One row for each version that ever was champion: who made it so last."""
    return (
        select(PromotionRecord.model_id, PromotionRecord.approved_by, PromotionRecord.promoted_at)
        .ext(distinct_on(PromotionRecord.model_id))
        .order_by(PromotionRecord.model_id, PromotionRecord.id.desc())
        .subquery()
    )


def _champions() -> Any:
    later = aliased(PromotionRecord)
    is_newest = (
        ~select(later.id).where(later.portfolio == PromotionRecord.portfolio, later.id > PromotionRecord.id).exists()
    )
    return select(PromotionRecord.model_id).where(is_newest)


def _shadows() -> Any:
    return select(Shadow.model_id).where(Shadow.ended_at.is_(None))


def _in_state(state: str, outcome: Any, promoted: Any, altered: dict[str, set[str]]) -> Any:
    if state == ALTERED:
        keys = [(name, int(version.removeprefix("v"))) for name, found in altered.items() for version in found]
        return tuple_(ModelVersion.portfolio, ModelVersion.number).in_(keys) if keys else false()
    if state == SHADOW:
        return ModelVersion.id.in_(_shadows())
    never = promoted.is_(None)
    return {
        CHAMPION: ModelVersion.id.in_(_champions()),
        FORMER: and_(promoted.is_not(None), ModelVersion.id.not_in(_champions())),
        CHALLENGER: and_(never, or_(outcome == "PROMOTE", outcome == "HOLD")),
        REJECTED: and_(never, outcome == "REJECT"),
        CANDIDATE: and_(never, outcome.is_(None)),
    }[state]
