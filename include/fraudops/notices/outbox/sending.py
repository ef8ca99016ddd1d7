"""Taking notices out of the outbox: claimed, sent, and how that ended.

A claim is a lease: when a sender dies the lease runs out, and as nobody knows how far it came its attempt is
recorded as uncertain. A sender that says who it is takes up its own claim at once. Delivery is thus at least once,
and every attempt bears the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from fraudops.database.models import Delivery, Notice
from fraudops.errors import ConflictError
from fraudops.notices.attachments import Attachment
from fraudops.notices.outbox.asking import unknown
from fraudops.notices.outbox.queueing import one_line
from fraudops.notices.transmission import Transmission
from fraudops.workspace import Workspace

ACTOR = "service:notify"

Uncertain = Literal["resend", "hold"]


@dataclass(frozen=True)
class Claim:
    """One sender's right to send one notice until the lease ends. Its content is kept out of ``repr``."""

    notice_id: int
    attempt: int
    portfolio: str
    kind: str
    message_id: str
    queued_at: datetime
    on_uncertain: Uncertain
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    """All of them, as the message's header names them."""
    remaining: tuple[str, ...] = field(repr=False)
    """Those who do not have it yet."""
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()


def waiting(ws: Workspace, limit: int = 50, portfolio: str | None = None) -> list[int]:
    """Ids of notices to send now, ascending; includes those whose sender died.

    Where there are more than ``limit``, those with fewer attempts come first, so that notices which a server
    keeps deferring do not hold up the others.
    """
    now = datetime.now(UTC)
    due = or_(Notice.state == "waiting", and_(Notice.state == "sending", Notice.claimed_until <= now))
    query = select(Notice.id).where(due).order_by(Notice.attempts, Notice.id).limit(limit)
    if portfolio is not None:
        query = query.where(Notice.portfolio == portfolio)
    with ws.transaction() as session:
        return sorted(session.scalars(query))


def claim(
    ws: Workspace,
    notice_id: int,
    *,
    on_uncertain: Uncertain = "resend",
    lease: timedelta = timedelta(minutes=10),
    holder: str | None = None,
) -> Claim | None:
    """Take a notice for sending; None where there is nothing to send: another sender has it, or it is done.

    Parameters
    ----------
    on_uncertain
        The portfolio's ``notices.uncertain``: what becomes of this notice if an attempt's outcome is unknown.
    lease
        How long other senders keep their hands off; longer than an attempt can take.
    holder
        Who sends: one that is never at work twice at once, such as a task of a run. When it comes again its
        earlier try is dead, and nobody waits for the end of the lease.
    """
    now = datetime.now(UTC)
    with ws.transaction() as session:
        notice = session.execute(
            select(Notice).where(Notice.id == notice_id).with_for_update(skip_locked=True)
        ).scalar_one_or_none()
        if notice is None:
            return None
        is_own = holder is not None and notice.claimed_by == holder
        if notice.state == "sending" and (is_own or _lapsed(notice, now)):
            _end_attempt(notice, "uncertain", "the sender ended without a result")
            _set_uncertain(ws, session, notice, on_uncertain)
        if notice.state != "waiting":
            return None
        remaining = _remaining(notice)
        if not remaining:
            _set_sent(ws, session, notice)
            return None
        notice.state, notice.claimed_until, notice.claimed_by = "sending", now + lease, holder
        notice.attempts += 1
        notice.deliveries.append(Delivery(started_at=now, outcome="started", accepted=[], refused={}, detail=""))
        return Claim(
            notice_id=notice.id,
            attempt=notice.attempts,
            portfolio=notice.portfolio,
            kind=notice.kind,
            message_id=notice.message_id,
            queued_at=notice.queued_at,
            on_uncertain=on_uncertain,
            sender=notice.sender,
            recipients=tuple(notice.recipients),
            remaining=remaining,
            subject=notice.subject,
            text=notice.text,
            html=notice.html,
            attachments=tuple(
                Attachment(found.name, found.media_type, found.path, found.size, found.sha256)
                for found in notice.attachments
            ),
        )


def record(ws: Workspace, claimed: Claim, result: Transmission) -> str:
    """Record how an attempt ended; returns the notice's state afterwards."""
    if result.outcome == "sent":
        return sent(ws, claimed, accepted=result.accepted, refused=result.refused, detail=result.detail)
    if result.outcome == "rejected":
        return rejected(ws, claimed, result.detail, recipients=result.refused)
    if result.outcome == "uncertain":
        return uncertain(ws, claimed, result.detail)
    return refused(ws, claimed, result.detail)


def sent(
    ws: Workspace,
    claimed: Claim,
    *,
    accepted: Iterable[str] | None = None,
    refused: dict[str, str] | None = None,
    detail: str = "",
) -> str:
    """A server took the notice over; it is done when every recipient has it or was refused for good.

    Parameters
    ----------
    accepted
        Recipients who have it now (default: all who remained).
    refused
        Recipients refused for good → the server's reply.
    """
    taken = list(claimed.remaining if accepted is None else accepted)
    with ws.transaction() as session:
        notice = _locked(session, claimed.notice_id)
        current = _is_current(notice, claimed)
        _end_attempt(notice, "sent", detail, attempt=claimed.attempt, accepted=taken, refused=refused or {})
        # A sender that comes back after its lease knows what was uncertain until now; but while another one
        # is sending, that one's result decides.
        if current or notice.state in ("waiting", "uncertain"):
            if _remaining(notice):
                notice.state, notice.claimed_until = "waiting", None
            else:
                _set_sent(ws, session, notice)
        return notice.state


def refused(ws: Workspace, claimed: Claim, detail: str) -> str:
    """Nothing was delivered, and another attempt may succeed: the notice waits again."""
    with ws.transaction() as session:
        notice = _locked(session, claimed.notice_id)
        if _is_current(notice, claimed):
            _end_attempt(notice, "refused", detail)
            notice.state, notice.claimed_until = "waiting", None
        return notice.state


def rejected(ws: Workspace, claimed: Claim, detail: str, *, recipients: dict[str, str] | None = None) -> str:
    """Nothing was delivered, and the server will never take it: a person has to look (see :func:`release`)."""
    with ws.transaction() as session:
        notice = _locked(session, claimed.notice_id)
        if not _is_current(notice, claimed):
            return notice.state
        _end_attempt(notice, "rejected", detail, refused=recipients or {})
        if any(delivery.accepted for delivery in notice.deliveries):
            # The others have it since an earlier attempt.
            _set_sent(ws, session, notice)
        else:
            notice.state, notice.claimed_until = "rejected", None
            _enter(ws, session, notice, "notice_rejected")
        return notice.state


def uncertain(ws: Workspace, claimed: Claim, detail: str) -> str:
    """Nobody knows whether it was delivered: recorded as such, then resent or held as the claim says."""
    with ws.transaction() as session:
        notice = _locked(session, claimed.notice_id)
        if _is_current(notice, claimed):
            _end_attempt(notice, "uncertain", detail)
            _set_uncertain(ws, session, notice, claimed.on_uncertain)
        return notice.state


def release(ws: Workspace, notice_id: int, *, actor: str) -> None:
    """Send a held or rejected notice (again): a person has found out that it is needed.

    Raises
    ------
    ConflictError
        The notice is neither held nor rejected.
    """
    with ws.transaction() as session:
        notice = _locked(session, notice_id)
        if notice.state not in ("uncertain", "rejected"):
            raise ConflictError(
                f"the notice is {notice.state}, so there is nothing to release", where=f"notice {notice_id}"
            )
        notice.state = "waiting"
        _enter(ws, session, notice, "notice_released", actor=actor)


# -- inside -----------------------------------------------------------------------------------------------------


def _locked(session: Session, notice_id: int) -> Notice:
    notice = session.execute(select(Notice).where(Notice.id == notice_id).with_for_update()).scalar_one_or_none()
    if notice is None:
        raise unknown(notice_id)
    return notice


def _lapsed(notice: Notice, now: datetime) -> bool:
    return notice.claimed_until is None or notice.claimed_until <= now


def _is_current(notice: Notice, claimed: Claim) -> bool:
    """Whether the claim still holds: nobody took over after its lease had run out."""
    return notice.state == "sending" and notice.attempts == claimed.attempt


def _end_attempt(
    notice: Notice,
    outcome: str,
    detail: str,
    *,
    attempt: int | None = None,
    accepted: list[str] | None = None,
    refused: dict[str, str] | None = None,
) -> None:
    """Write down how an attempt (counted from 1; default: the latest) ended."""
    delivery = notice.deliveries[(attempt or notice.attempts) - 1]
    delivery.outcome, delivery.ended_at = outcome, datetime.now(UTC)
    delivery.accepted, delivery.refused = accepted or [], refused or {}
    delivery.detail = one_line(detail, 500)


def _remaining(notice: Notice) -> tuple[str, ...]:
    """Recipients who neither have the notice nor were refused for good when others got it."""
    done = {
        address
        for delivery in notice.deliveries
        if delivery.outcome == "sent"
        for address in [*delivery.accepted, *delivery.refused]
    }
    return tuple(address for address in notice.recipients if address not in done)


def _set_sent(ws: Workspace, session: Session, notice: Notice) -> None:
    notice.state, notice.claimed_until = "sent", None
    accepted = {address for delivery in notice.deliveries for address in delivery.accepted}
    _enter(
        ws,
        session,
        notice,
        "notice_sent",
        recipients=len(accepted),
        refused=len(notice.recipients) - len(accepted),
    )


def _set_uncertain(ws: Workspace, session: Session, notice: Notice, policy: Uncertain) -> None:
    notice.state, notice.claimed_until = "waiting" if policy == "resend" else "uncertain", None
    _enter(ws, session, notice, "notice_uncertain", then=policy)


def _enter(ws: Workspace, session: Session, notice: Notice, action: str, *, actor: str = ACTOR, **facts: Any) -> None:
    """The ledger entry: which notice, never to whom or what it says."""
    ws.record(
        session,
        portfolio=notice.portfolio,
        actor=actor,
        action=action,
        subject=f"{notice.portfolio}/notice/{notice.id}",
        details={"kind": notice.kind, "message_id": notice.message_id, "attempt": notice.attempts, **facts},
    )
