"""The outbox: notices from the moment they are queued until a mail server has them.

::

    waiting ──claim──> sending ──sent──────> sent
       ^                 │ ├──rejected─────> rejected ──release──> waiting
       ├──── refused ────┘ └──uncertain────> waiting (resend) or uncertain (hold) ──release──> waiting

A claim is a lease: when a sender dies the lease runs out, and as nobody knows how far it came its attempt is
recorded as uncertain. Delivery is thus at least once, and every attempt bears the same Message-ID.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from fraudops.database.models import Delivery, Notice
from fraudops.errors import ConfigurationError, ConflictError, ContractError
from fraudops.notices.transmission import Transmission
from fraudops.portfolio import Portfolio
from fraudops.portfolio.addresses import is_address
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

ACTOR = "service:notify"
SUBJECT_LENGTH = 160

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


@dataclass(frozen=True)
class Counts:
    """How many notices are in which state; ``waiting`` includes those being sent right now."""

    sent: int = 0
    waiting: int = 0
    uncertain: int = 0
    rejected: int = 0

    def to_dict(self) -> dict[str, int]:
        """For status output."""
        return {
            "sent": self.sent,
            "waiting": self.waiting,
            "uncertain": self.uncertain,
            "rejected": self.rejected,
        }


@dataclass(frozen=True)
class Unsent:
    """A notice that is not sent, for a person to look at."""

    notice_id: int
    portfolio: str
    state: str
    attempts: int
    queued_at: datetime
    subject: str
    last_attempt: str
    """How the latest attempt ended, and the server's words."""


# -- queueing -------------------------------------------------------------------------------------------------


def queue(
    session: Session,
    *,
    portfolio: Portfolio,
    kind: str,
    dedupe_key: str,
    recipients: Iterable[str],
    subject: str,
    text: str,
    html: str,
    as_of: datetime,
) -> bool:
    """Put a notice into the outbox, in the caller's transaction.

    Parameters
    ----------
    dedupe_key
        Names what the notice tells about; unique within the portfolio. A second notice with the same key is
        not queued, so a step that runs again writes to nobody twice.
    subject
        Put on one line and shortened to 160 characters.

    Returns
    -------
    bool
        False where the notice was there already.

    Raises
    ------
    ConfigurationError
        No recipient, or an address that is none.
    """
    key = _dedupe_key(portfolio.name, dedupe_key)
    sender = _address(portfolio.notices.sender, where=f"{portfolio.name}.yaml: notices.sender")
    statement = (
        insert(Notice)
        .values(
            portfolio=portfolio.name,
            kind=kind,
            dedupe_key=key,
            message_id=_message_id(portfolio.name, key, sender),
            recipients=_recipients(portfolio, recipients),
            sender=sender,
            subject=one_line(subject, SUBJECT_LENGTH),
            text=_storable(text),
            html=_storable(html),
            state="waiting",
            attempts=0,
            as_of=as_of,
            queued_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
        .returning(Notice.id)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def one_line(text: str, length: int | None = None) -> str:
    """Text on one line: line breaks, control and direction characters become spaces.

    Examples
    --------
    >>> one_line("T1\\r\\nBcc: x@evil.example")
    'T1 Bcc: x@evil.example'
    >>> one_line("a long subject", 8)
    'a long…'
    """
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    line = " ".join(visible.split())
    return line if length is None or len(line) <= length else line[: length - 1].rstrip() + "…"


# -- sending --------------------------------------------------------------------------------------------------


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
) -> Claim | None:
    """Take a notice for sending; None where there is nothing to send: another sender has it, or it is done.

    Parameters
    ----------
    on_uncertain
        The portfolio's ``notices.uncertain``: what becomes of this notice if an attempt's outcome is unknown.
    lease
        How long other senders keep their hands off; longer than an attempt can take.
    """
    now = datetime.now(UTC)
    with ws.transaction() as session:
        notice = session.execute(
            select(Notice).where(Notice.id == notice_id).with_for_update(skip_locked=True)
        ).scalar_one_or_none()
        if notice is None:
            return None
        if notice.state == "sending" and _lapsed(notice, now):
            _end_attempt(notice, "uncertain", "the sender ended without a result")
            _set_uncertain(ws, session, notice, on_uncertain)
        if notice.state != "waiting":
            return None
        remaining = _remaining(notice)
        if not remaining:
            _set_sent(ws, session, notice)
            return None
        notice.state, notice.claimed_until = "sending", now + lease
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


# -- asking ---------------------------------------------------------------------------------------------------


def state(ws: Workspace, notice_id: int) -> str:
    """A notice's state.

    Raises
    ------
    ContractError
        There is no such notice.
    """
    with ws.transaction() as session:
        found = session.scalar(select(Notice.state).where(Notice.id == notice_id))
    if found is None:
        raise _unknown(notice_id)
    return found


def find(session: Session, portfolio: str, dedupe_key: str) -> Notice | None:
    """The notice that was queued under a key, with its deliveries; None where there is none."""
    key = _dedupe_key(portfolio, dedupe_key)
    return session.scalar(select(Notice).where(Notice.dedupe_key == key).options(selectinload(Notice.deliveries)))


def counts(session: Session, portfolio: str) -> Counts:
    """How many notices of a portfolio are in which state."""
    rows = session.execute(
        select(Notice.state, func.count().label("number")).where(Notice.portfolio == portfolio).group_by(Notice.state)
    )
    found: dict[str, int] = {row.state: row.number for row in rows}
    return Counts(
        sent=found.get("sent", 0),
        waiting=found.get("waiting", 0) + found.get("sending", 0),
        uncertain=found.get("uncertain", 0),
        rejected=found.get("rejected", 0),
    )


def unsent(ws: Workspace, limit: int = 200) -> list[Unsent]:
    """Notices that are not sent, the oldest first."""
    query = select(Notice).where(Notice.state != "sent").order_by(Notice.id).limit(limit)
    with ws.transaction() as session:
        return [
            Unsent(
                notice_id=notice.id,
                portfolio=notice.portfolio,
                state=notice.state,
                attempts=notice.attempts,
                queued_at=notice.queued_at,
                subject=notice.subject,
                last_attempt=f"{last.outcome}: {last.detail}" if (last := _last(notice)) else "",
            )
            for notice in session.scalars(query.options(selectinload(Notice.deliveries)))
        ]


# -- inside ---------------------------------------------------------------------------------------------------


def _dedupe_key(portfolio: str, name: str) -> str:
    return _bounded(_storable(f"{portfolio}/{name}"))


def _locked(session: Session, notice_id: int) -> Notice:
    notice = session.execute(select(Notice).where(Notice.id == notice_id).with_for_update()).scalar_one_or_none()
    if notice is None:
        raise _unknown(notice_id)
    return notice


def _unknown(notice_id: int) -> ContractError:
    return ContractError(
        "there is no such notice", where=f"notice {notice_id}", remedy="'fraudops mail outbox' lists them"
    )


def _last(notice: Notice) -> Delivery | None:
    return notice.deliveries[-1] if notice.deliveries else None


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


def _recipients(portfolio: Portfolio, addresses: Iterable[str]) -> list[str]:
    """Checked, each once, in the given order."""
    where = f"{portfolio.name}.yaml: notices"
    found: dict[str, str] = {}
    for address in addresses:
        checked = _address(address, where=where)
        found.setdefault(checked.casefold(), checked)
    if not found:
        raise ConfigurationError(
            "the notice has no recipient", where=where, remedy="name one, such as compliance@bank.example"
        )
    return list(found.values())


def _address(address: str, *, where: str) -> str:
    if not is_address(address.strip()):
        raise ConfigurationError(
            f"{one_line(address, 80)!r} is not an e-mail address",
            where=where,
            remedy="write it as name@domain, without a display name, in ASCII",
        )
    return address.strip()


def _message_id(portfolio: str, key: str, sender: str) -> str:
    """Follows from what the notice tells about, so that it is the same in every attempt."""
    domain = sender.rpartition("@")[2]
    # A longer one would be folded in the header, which some mail clients do not unfold.
    if "." not in domain or len(domain) > 36:
        domain = "fraudops.invalid"
    digest = sha256_of(f"{portfolio}\n{key}".encode("utf-8", "replace"))
    return f"<{digest[:32]}@{domain}>"


def _bounded(key: str) -> str:
    """The key, its end replaced by a digest where the column could not hold it."""
    return key if len(key) <= 400 else f"{key[:330]}…{sha256_of(key.encode())}"


def _storable(text: str) -> str:
    """Without what PostgreSQL or UTF-8 cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
