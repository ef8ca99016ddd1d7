"""Shadows: a challenger that scores live partitions beside the champion, and on which nothing acts.

A portfolio has one at a time. It covers whole partitions from the end of what had been scored when it started, for
so many days; what it scored there is compared with the champion once its labels have matured
(:mod:`fraudops.registry.shadow_comparison`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from fraudops.database import ModelVersion, Shadow, Verdict
from fraudops.errors import ConflictError, ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry.locks import lock_champion
from fraudops.registry.versions import champion, version
from fraudops.store import Store
from fraudops.workspace import Workspace

DATASET = "shadow_scores"
"""Never read by anything that alerts."""
_FIT = ("PROMOTE", "HOLD")


def start(ws: Workspace, portfolio: Portfolio, *, model: str, days: int, started_by: str, reason: str) -> Shadow:
    """Let a challenger score beside the champion, from the next partition on.

    Parameters
    ----------
    model
        Version such as ``v7``: the challenger of a training run with the verdict PROMOTE or HOLD.
    days
        For so long.

    Raises
    ------
    ContractError
        There is no such version or no champion, it is the champion, its verdict does not allow it, or the reason is
        missing.
    ConflictError
        Another shadow runs.
    """
    reason = reason.strip()
    if not reason:
        raise ContractError("the reason is missing", where=portfolio.name, remedy="say why; it is recorded")
    if days < 1 or timedelta(days=days) < portfolio.partitioning.length:
        raise ContractError(
            f"{days} days hold no whole partition", where=portfolio.name, remedy="let the shadow run for longer"
        )
    with ws.transaction() as session:
        # No promotion, and no partition of the champion's, may come in between.
        lock_champion(session, portfolio.name)
        found = version(session, portfolio.name, model)
        _require_challenger(session, portfolio, found)
        _require_none_running(session, portfolio)
        starts_at = _next_partition(ws, portfolio, found)
        shadow = Shadow(
            portfolio=portfolio.name,
            model_id=found.id,
            model=found,
            days=days,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(days=days),
            started_by=started_by,
            reason=reason,
            started_at=datetime.now(UTC),
        )
        session.add(shadow)
        session.flush()
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=started_by,
            action="shadow_started",
            subject=_subject(shadow),
            details={
                "days": days,
                "starts_at": starts_at.isoformat(),
                "ends_at": shadow.ends_at.isoformat(),
                "artifact_sha256": found.artifact_sha256,
                "reason": reason,
            },
        )
        return shadow


def stop(ws: Workspace, portfolio: Portfolio, *, stopped_by: str, reason: str) -> Shadow:
    """End the running shadow without a comparison; what it scored stays.

    Raises
    ------
    ContractError
        None runs.
    """
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        shadow = running(session, portfolio.name)
        if shadow is None:
            raise ContractError(
                "no shadow runs", where=portfolio.name, remedy="see 'fraudops models shadow list' for those that did"
            )
        end(ws, session, shadow, by=stopped_by, outcome="stopped", reason=reason.strip())
        return shadow


def start_after_verdict(ws: Workspace, portfolio: Portfolio, verdict: Verdict, *, started_by: str) -> Shadow | None:
    """Start the shadow that the portfolio asks for after a training run's verdict; the same verdict again starts none.

    Returns
    -------
    Shadow or None
        The challenger's shadow, running or ended; None where the portfolio asks for none, there is no champion to
        stand beside, or another shadow runs.
    """
    rule, challenger = portfolio.promotion.shadow, verdict.challenger
    if rule is None or not comes_first(portfolio, verdict):
        return None
    with ws.transaction() as session:
        known = session.scalar(_shadows(portfolio.name).where(Shadow.model_id == challenger.id).limit(1))
    if known is not None:
        return known
    reason = f"promotion.shadow, after the verdict {verdict.outcome}"
    try:
        return start(ws, portfolio, model=challenger.version, days=rule.days, started_by=started_by, reason=reason)
    except ConflictError:
        return None


def comes_first(portfolio: Portfolio, verdict: Verdict) -> bool:
    """Whether nobody is asked about a training run's verdict before its challenger has been a shadow.

    Where another shadow runs, the challenger waits: a person may stop that one and start this one.
    """
    rule = portfolio.promotion.shadow
    return rule is not None and verdict.champion_id is not None and verdict.outcome in rule.verdicts


def running(session: Session, portfolio_name: str) -> Shadow | None:
    """The shadow that has not ended, its model loaded."""
    return session.scalar(_shadows(portfolio_name).where(Shadow.ended_at.is_(None)))


def shadows(session: Session, portfolio_name: str) -> list[Shadow]:
    """All of a portfolio, the newest first."""
    return list(session.scalars(_shadows(portfolio_name)))


@dataclass(frozen=True)
class Progress:
    """How far the running shadow is.

    Attributes
    ----------
    scored, published
        Of the partitions that it covers, those that it has scored, and those that there are.
    expected
        Those that there will be.
    """

    version: str
    candidate: str
    scored: int
    published: int
    expected: int
    ends_at: datetime
    matures_at: datetime

    @property
    def sentence(self) -> str:
        """For people."""
        missing = self.published - self.scored
        left_out = f" ({missing} left out so far: reconcile scores them)" if missing else ""
        return (
            f"{self.version} ({self.candidate}) in the shadow: {self.scored} of {self.expected} partitions{left_out}; "
            f"compared with the champion from {self.matures_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC on"
        )


def progress(store: Store, session: Session, portfolio: Portfolio) -> Progress | None:
    """Of the running shadow; None where none runs."""
    shadow = running(session, portfolio.name)
    if shadow is None:
        return None
    published = [key for key in store.keys("scores", portfolio.name) if covers(portfolio, shadow, key)]
    done = set(store.keys(DATASET, portfolio.name))
    return Progress(
        version=shadow.model.version,
        candidate=shadow.model.candidate,
        scored=len(done.intersection(published)),
        published=len(published),
        expected=int(timedelta(days=shadow.days) / portfolio.partitioning.length),
        ends_at=shadow.ends_at,
        matures_at=matures_at(portfolio, shadow),
    )


def covers(portfolio: Portfolio, shadow: Shadow, key: str) -> bool:
    """Whether a partition is among those that a shadow scores."""
    partitioning = portfolio.partitioning
    return partitioning.start(key) >= shadow.starts_at and partitioning.end(key) <= shadow.ends_at


def matures_at(portfolio: Portfolio, shadow: Shadow) -> datetime:
    """From when on its labels are known."""
    return shadow.ends_at + portfolio.labels.delay


def end(
    ws: Workspace,
    session: Session,
    shadow: Shadow,
    *,
    by: str,
    outcome: str,
    reason: str | None = None,
    verdict: Verdict | None = None,
) -> None:
    """End a shadow, with its ledger entry; the caller commits."""
    shadow.ended_at, shadow.ended_by, shadow.outcome = datetime.now(UTC), by, outcome
    shadow.verdict_id = verdict.id if verdict else None
    ws.record(
        session,
        portfolio=shadow.portfolio,
        actor=by,
        action="shadow_ended",
        subject=_subject(shadow),
        details={"outcome": outcome, "reason": reason, "verdict": verdict.outcome if verdict else None},
    )


def end_where_promoted(ws: Workspace, session: Session, model: ModelVersion, *, by: str) -> None:
    """End the shadow of a model that becomes champion: it stands beside itself."""
    shadow = running(session, model.portfolio)
    if shadow is not None and shadow.model_id == model.id:
        end(ws, session, shadow, by=by, outcome="promoted")


# -- inside -------------------------------------------------------------------------------------------


def _shadows(portfolio_name: str) -> Any:
    return (
        select(Shadow)
        .where(Shadow.portfolio == portfolio_name)
        .order_by(Shadow.id.desc())
        .options(joinedload(Shadow.model), joinedload(Shadow.verdict))
    )


def _require_challenger(session: Session, portfolio: Portfolio, model: ModelVersion) -> None:
    where = f"{portfolio.name} {model.version}"
    in_use = champion(session, portfolio.name)
    if in_use is None:
        raise ContractError(
            "there is no champion to stand beside", where=where, remedy="promote a first one; it needs no shadow"
        )
    if in_use.id == model.id:
        raise ContractError(f"{model.version} is the champion", where=where, remedy="choose a challenger")
    verdict = session.scalar(
        select(Verdict).where(Verdict.challenger_id == model.id).order_by(Verdict.id.desc()).limit(1)
    )
    if verdict is None or verdict.outcome not in _FIT:
        found = f"the verdict on it is {verdict.outcome}" if verdict else "it was no training run's challenger"
        raise ContractError(
            f"{model.version} cannot be a shadow: {found}",
            where=where,
            remedy=f"choose a challenger with the verdict {' or '.join(_FIT)}; see 'fraudops models list'",
        )


def _require_none_running(session: Session, portfolio: Portfolio) -> None:
    other = running(session, portfolio.name)
    if other is not None:
        raise ConflictError(
            f"{other.model.version} is a shadow already, until {other.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            where=portfolio.name,
            remedy="wait for its comparison, or stop it with 'fraudops models shadow stop'",
        )


def _next_partition(ws: Workspace, portfolio: Portfolio, model: ModelVersion) -> datetime:
    """Start of the first partition that the model cannot have seen and the champion has not scored."""
    partitioning, scored = portfolio.partitioning, ws.store.keys("scores", portfolio.name)
    moment = model.as_of.astimezone(UTC)
    if scored:
        moment = max(moment, partitioning.end(scored[-1]))
    start = partitioning.start(partitioning.key_of(moment))
    return start if start >= moment else start + partitioning.length


def _subject(shadow: Shadow) -> str:
    return f"{shadow.portfolio}/shadows/{shadow.model.version}"
