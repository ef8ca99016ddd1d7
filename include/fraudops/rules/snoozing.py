"""Snoozes: nobody is told of a rule's hits of one subject for a while, because somebody has looked and says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import RuleSnooze
from fraudops.errors import ConflictError, ContractError
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

SNOOZED, LIFTED = "rule_snoozed", "rule_snooze_lifted"


@dataclass(frozen=True)
class Snoozes:
    """The snoozes of a portfolio."""

    entries: tuple[tuple[str, str, datetime, datetime], ...]
    """Rule, subject, start, end."""

    @classmethod
    def read(cls, session: Session, portfolio: str) -> Snoozes:
        """As the database has them now."""
        found = session.scalars(select(RuleSnooze).where(RuleSnooze.portfolio == portfolio))
        return cls(tuple((item.rule, item.subject, item.starts_at, item.ends_at) for item in found))

    def cover(self, rule: str, subject: str, as_of: datetime) -> bool:
        """Whether hits of a partition that ends then are snoozed."""
        return any(
            (rule, subject) == (name, about) and start < as_of <= end for name, about, start, end in self.entries
        )


def snooze(
    ws: Workspace,
    portfolio: Portfolio,
    *,
    rule: str,
    subject: str,
    until: datetime,
    since: datetime | None = None,
    reason: str,
    by: str,
) -> RuleSnooze:
    """Tell nobody of a rule's hits of one customer or account; the ledger says who wanted that, and why.

    Parameters
    ----------
    subject
        Customer or account, as the hit names it.
    since, until
        Hits of partitions that end in between; from now on, unless said otherwise.

    Raises
    ------
    ContractError
        There is no reason, or the end does not lie after the start.
    """
    now = datetime.now(UTC)
    starts_at = since or now
    if not reason.strip():
        raise ContractError("a snooze needs a reason", where=rule, remedy="give --reason")
    if until <= starts_at:
        raise ContractError(f"it would end ({until:%Y-%m-%d}) before it begins", where=rule, remedy="give a later end")
    with ws.transaction() as session:
        found = RuleSnooze(
            portfolio=portfolio.name,
            rule=rule,
            subject=subject,
            starts_at=starts_at,
            ends_at=until,
            reason=reason.strip(),
            placed_by=by,
            placed_at=now,
        )
        session.add(found)
        session.flush()
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=by,
            action=SNOOZED,
            subject=f"{portfolio.name}/rules/{rule}/snoozes/{found.id}",
            details={
                "subject": subject,
                "from": starts_at.isoformat(),
                "until": until.isoformat(),
                "reason": found.reason,
            },
        )
    return found


def lift(
    ws: Workspace, portfolio: Portfolio, number: int, *, reason: str, by: str, now: datetime | None = None
) -> RuleSnooze:
    """End a snooze before its time: hits of partitions that end later are told of again. What was silent stays so.

    Parameters
    ----------
    now
        The present, unless a test says otherwise.

    Raises
    ------
    ContractError
        There is no such snooze, or no reason.
    ConflictError
        It has ended already.
    """
    moment = now or datetime.now(UTC)
    if not reason.strip():
        raise ContractError("to lift a snooze needs a reason", where=f"snooze {number}", remedy="give --reason")
    with ws.transaction() as session:
        query = select(RuleSnooze).where(RuleSnooze.portfolio == portfolio.name, RuleSnooze.id == number)
        found = session.scalars(query.with_for_update()).one_or_none()
        if found is None:
            raise ContractError(
                f"there is no snooze {number}", where=portfolio.name, remedy="see 'fraudops rules snoozes'"
            )
        if found.ends_at <= moment:
            raise ConflictError(
                f"it ended on {found.ends_at:%Y-%m-%d %H:%M} UTC", where=f"snooze {number}", remedy="nothing to lift"
            )
        before, found.ends_at = found.ends_at, max(moment, found.starts_at)
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=by,
            action=LIFTED,
            subject=f"{portfolio.name}/rules/{found.rule}/snoozes/{found.id}",
            details={
                "subject": found.subject,
                "until": found.ends_at.isoformat(),
                "before": before.isoformat(),
                "reason": reason.strip(),
            },
        )
    return found


def snoozes(session: Session, portfolio: str) -> list[RuleSnooze]:
    """In the order in which they were placed."""
    return list(session.scalars(select(RuleSnooze).where(RuleSnooze.portfolio == portfolio).order_by(RuleSnooze.id)))
