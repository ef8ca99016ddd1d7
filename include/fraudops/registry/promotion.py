"""Who decided that which version is the champion: promotion, refusal, rollback.

A promotion, the person who approved it, the reason and the ledger entry commit in one transaction, under a lock
per portfolio: of two at once one wins, and the other is told that the champion has changed since its verdict.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord, Verdict
from fraudops.errors import ConflictError, ContractError
from fraudops.notices import model_messages
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import verdict_of
from fraudops.registry.locks import lock_champion
from fraudops.registry.requests import is_same_person, requested_by
from fraudops.registry.shadow import end_where_promoted
from fraudops.registry.versions import artifact_bytes, history, newest_promotion, version
from fraudops.workspace import Workspace

DECLINED, OVERTAKEN = "promotion_declined", "promotion_overtaken"

_NEXT = timedelta(microseconds=1)


@dataclass(frozen=True)
class PromotionSummary:
    """A change of champion, with what a notice about it needs."""

    portfolio: str
    kind: str
    """``promotion`` or ``rollback``."""
    version: str
    candidate: str
    artifact_sha256: str
    previous: str | None
    """Version that was champion until now."""
    effective_from: str
    """First moment at which the version is in force, ISO."""
    approved_by: str
    reason: str
    promoted_at: str
    ledger_number: int
    run_id: str | None
    """Training run whose verdict was carried out; none for a rollback."""
    verdict: str | None
    """The verdict's sentence."""
    report: str | None
    """Page of the training run in the store."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """A few numbers on the test slice: average precision with its interval, ROC AUC."""
    already: bool = False
    """It had been carried out before: nothing was changed now."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; nothing confidential."""
        return asdict(self)


@dataclass(frozen=True)
class RefusalSummary:
    """A verdict that was not carried out: a person said no, or another one was faster."""

    portfolio: str
    run_id: str
    version: str
    candidate: str
    declined_by: str
    """Who said no, or whose yes came too late."""
    reason: str
    ledger_number: int
    already: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; nothing confidential."""
        return asdict(self)


def promote(ws: Workspace, portfolio: Portfolio, *, run_id: str, approved_by: str, reason: str) -> PromotionSummary:
    """Make the challenger of a run's verdict the champion; the same verdict again changes nothing.

    Parameters
    ----------
    run_id
        Training run whose verdict is carried out.
    approved_by
        Who answers for it: a person's user name, or the policy that asks for no approval.
    reason
        Why, in that person's words.

    Raises
    ------
    ContractError
        There is no such verdict, it is not PROMOTE, the approver or the reason is missing, or the approver is who
        asked for the training run.
    ConflictError
        The champion has changed since the verdict was made.
    IntegrityError
        The artifact is not the one that was gated.
    """
    approved_by, reason = _named(portfolio, approved_by, reason)
    with ws.transaction() as session:
        verdict = verdict_of(session, portfolio, run_id)
        model, outcome = verdict.challenger, verdict.outcome
    if outcome != "PROMOTE":
        raise ContractError(
            f"the verdict on {model.version} is {outcome}, so it cannot become champion",
            where=f"{portfolio.name} {run_id}",
            remedy="read the report page; train again when there are more labels",
        )
    artifact_bytes(ws, model)
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        verdict = verdict_of(session, portfolio, run_id)
        carried_out = _promotion_of(session, verdict)
        if carried_out is not None:
            return _summary(session, carried_out, verdict, already=True)
        _require_other_than_author(session, portfolio, verdict, approved_by)
        require_open(session, portfolio, verdict)
        record = _change_champion(
            ws, session, portfolio, verdict.challenger, verdict=verdict, approved_by=approved_by, reason=reason
        )
        return _summary(session, record, verdict)


def decline(ws: Workspace, portfolio: Portfolio, *, run_id: str, declined_by: str, reason: str) -> RefusalSummary:
    """Record that a verdict was not carried out; the same refusal again is recorded once.

    Raises
    ------
    ContractError
        There is no such verdict.
    ConflictError
        It has been carried out already.
    """
    declined_by = declined_by.strip() or "nobody"
    reason = reason.strip() or "no reason was given"
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        verdict = verdict_of(session, portfolio, run_id)
        _require_not_carried_out(session, portfolio, verdict)
        return _record_refusal(ws, session, verdict, DECLINED, by=declined_by, reason=reason)


def stand_back(ws: Workspace, portfolio: Portfolio, *, run_id: str, approved_by: str) -> RefusalSummary:
    """Record that a verdict cannot be carried out any more, because the champion has changed; tell the model owner.

    Parameters
    ----------
    approved_by
        Whose yes came too late; ``nobody`` where it had not been asked for yet.

    Raises
    ------
    ContractError
        There is no such verdict, or it still can be carried out.
    """
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        verdict = verdict_of(session, portfolio, run_id)
        try:
            require_open(session, portfolio, verdict)
        except ConflictError as error:
            by = approved_by.strip() or "nobody"
            model_messages.overtaken(session, ws, portfolio, verdict, by=by, reason=error.what)
            return _record_refusal(ws, session, verdict, OVERTAKEN, by=by, reason=error.what)
        raise ContractError(
            "the champion has not changed since the verdict, so it can still be carried out",
            where=f"{portfolio.name} {run_id}",
            remedy="clear the task 'promote', so that it runs again",
        )


def rollback(ws: Workspace, portfolio: Portfolio, *, version: str, approved_by: str, reason: str) -> PromotionSummary:
    """Make a former champion the champion again; what it scored, and what others scored, stays as it is.

    Parameters
    ----------
    version
        Such as ``v3``; it must have been champion before, for only that has passed the gates.

    Raises
    ------
    ContractError
        There is no such version, it never was champion, or the approver or the reason is missing.
    ConflictError
        It is the champion.
    IntegrityError
        Its artifact is not the one that was registered.
    """
    approved_by, reason = _named(portfolio, approved_by, reason)
    with ws.transaction() as session:
        model = _former_champion(session, portfolio, version)
    artifact_bytes(ws, model)
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        newest = newest_promotion(session, portfolio.name)
        if newest is not None and newest.model_id == model.id:
            if (newest.kind, newest.approved_by, newest.reason) == ("rollback", approved_by, reason):
                return _summary(session, newest, None, already=True)
            raise ConflictError(
                f"{model.version} is the champion already",
                where=portfolio.name,
                remedy="choose another version with 'fraudops models list'",
            )
        record = _change_champion(ws, session, portfolio, model, verdict=None, approved_by=approved_by, reason=reason)
        return _summary(session, record, None)


def require_open(session: Session, portfolio: Portfolio, verdict: Verdict) -> None:
    """Refuse a verdict that cannot be carried out any more.

    Raises
    ------
    ConflictError
        It has been carried out already, or the champion is not the one it was compared with.
    """
    _require_not_carried_out(session, portfolio, verdict)
    newest = newest_promotion(session, portfolio.name)
    if (newest.model_id if newest else None) == verdict.champion_id:
        return
    now = newest.model.version if newest else "none"
    then = verdict.champion.version if verdict.champion else "none"
    raise ConflictError(
        f"the champion has changed since the verdict was made: it was {then}, it is {now}",
        where=f"{portfolio.name} {verdict.run_id}",
        remedy=f"train again, so that the challenger is compared with {now}",
    )


# -- inside -------------------------------------------------------------------------------------------


def _named(portfolio: Portfolio, approved_by: str, reason: str) -> tuple[str, str]:
    approved_by, reason = approved_by.strip(), reason.strip()
    for value, name in ((approved_by, "approver"), (reason, "reason")):
        if not value:
            raise ContractError(
                f"the {name} is missing",
                where=portfolio.name,
                remedy="a champion changes only on a named person's word, with a reason",
            )
    return approved_by, reason


def _promotion_of(session: Session, verdict: Verdict) -> PromotionRecord | None:
    return session.scalar(select(PromotionRecord).where(PromotionRecord.verdict_id == verdict.id))


def _require_not_carried_out(session: Session, portfolio: Portfolio, verdict: Verdict) -> None:
    if _promotion_of(session, verdict) is not None:
        raise ConflictError(
            f"{verdict.challenger.version} has been promoted already",
            where=f"{portfolio.name} {verdict.run_id}",
            remedy="roll back with 'fraudops models rollback' to undo it",
        )


def _require_other_than_author(session: Session, portfolio: Portfolio, verdict: Verdict, approved_by: str) -> None:
    """The last of the doors: whatever let the answer through, nobody promotes their own work."""
    author = requested_by(session, portfolio, verdict.challenger.run_id)
    if author is not None and is_same_person(author, approved_by):
        raise ContractError(
            f"{approved_by} asked for the training run, and nobody decides on their own work",
            where=f"{portfolio.name} {verdict.run_id}",
            remedy="let another approver answer",
        )


def _record_refusal(
    ws: Workspace, session: Session, verdict: Verdict, action: str, *, by: str, reason: str
) -> RefusalSummary:
    """The ledger entry, written once however often the step runs again."""
    details = {"run_id": verdict.run_id, "declined_by": by, "reason": reason}
    subject = f"{verdict.portfolio}/models/{verdict.challenger.version}"
    recorded = session.scalar(
        select(LedgerEntry).where(
            LedgerEntry.portfolio == verdict.portfolio,
            LedgerEntry.action == action,
            LedgerEntry.subject == subject,
            LedgerEntry.details == details,
        )
    )
    entry = recorded or ws.record(
        session, portfolio=verdict.portfolio, actor=by, action=action, subject=subject, details=details
    )
    return RefusalSummary(
        portfolio=verdict.portfolio,
        run_id=verdict.run_id,
        version=verdict.challenger.version,
        candidate=verdict.challenger.candidate,
        declined_by=by,
        reason=reason,
        ledger_number=entry.number,
        already=recorded is not None,
    )


def _former_champion(session: Session, portfolio: Portfolio, name: str) -> ModelVersion:
    model = version(session, portfolio.name, name)
    if all(record.model_id != model.id for record in history(session, portfolio.name)):
        raise ContractError(
            f"{model.version} has never been champion",
            where=portfolio.name,
            remedy="roll back to a version that passed the gates; see 'fraudops models list'",
        )
    return model


def _change_champion(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    model: ModelVersion,
    *,
    verdict: Verdict | None,
    approved_by: str,
    reason: str,
) -> PromotionRecord:
    """The record and its ledger entry; the caller holds the lock and commits."""
    newest = newest_promotion(session, portfolio.name)
    effective_from = _effective_from(ws, portfolio, model)
    entry = ws.record(
        session,
        portfolio=portfolio.name,
        actor=approved_by,
        action="promoted" if verdict else "rolled_back",
        subject=f"{portfolio.name}/models/{model.version}",
        details={
            "previous": newest.model.version if newest else None,
            "artifact_sha256": model.artifact_sha256,
            "run_id": verdict.run_id if verdict else None,
            "effective_from": effective_from.isoformat(),
            "reason": reason,
        },
    )
    record = PromotionRecord(
        portfolio=portfolio.name,
        model_id=model.id,
        previous_id=newest.model_id if newest else None,
        verdict_id=verdict.id if verdict else None,
        kind="promotion" if verdict else "rollback",
        effective_from=effective_from,
        approved_by=approved_by,
        reason=reason,
        promoted_at=entry.at,
        ledger_number=entry.number,
    )
    session.add(record)
    session.flush()
    end_where_promoted(ws, session, model, by=approved_by)
    return record


def _effective_from(ws: Workspace, portfolio: Portfolio, model: ModelVersion) -> datetime:
    """Not before the model could be known, and after the end of every partition that another one scored.

    A partition belongs to whoever is in force at its very end, so *after* is the next microsecond: else the newest one
    would be scored anew, by the new champion, by the next run that comes to it.
    """
    scored = ws.store.keys("scores", portfolio.name)
    if not scored:
        return model.as_of.astimezone(UTC)
    return max(model.as_of.astimezone(UTC), portfolio.partitioning.end(scored[-1]) + _NEXT)


def _summary(
    session: Session, record: PromotionRecord, verdict: Verdict | None, *, already: bool = False
) -> PromotionSummary:
    model = record.model
    previous = session.get(ModelVersion, record.previous_id) if record.previous_id else None
    return PromotionSummary(
        portfolio=record.portfolio,
        kind=record.kind,
        version=model.version,
        candidate=model.candidate,
        artifact_sha256=model.artifact_sha256,
        previous=previous.version if previous else None,
        effective_from=record.effective_from.astimezone(UTC).isoformat(),
        approved_by=record.approved_by,
        reason=record.reason,
        promoted_at=record.promoted_at.astimezone(UTC).isoformat(),
        ledger_number=record.ledger_number,
        run_id=verdict.run_id if verdict else None,
        verdict=verdict.reason if verdict else None,
        report=verdict.report if verdict else None,
        metrics=_headline(model.metrics),
        already=already,
    )


def _headline(metrics: dict[str, Any]) -> dict[str, Any]:
    """The few numbers that fit into a mail."""
    return {
        name: metrics[name]
        for name in ("average_precision", "average_precision_interval", "roc_auc", "n", "positives")
        if name in metrics
    }
