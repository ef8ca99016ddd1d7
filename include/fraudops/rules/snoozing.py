"""Snoozes: nobody is told of a rule's hits of one subject for a while, because somebody has looked and says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import RuleSnooze
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

SNOOZED = "rule_snoozed"


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


def snoozes(session: Session, portfolio: str) -> list[RuleSnooze]:
    """In the order in which they were placed."""
    return list(session.scalars(select(RuleSnooze).where(RuleSnooze.portfolio == portfolio).order_by(RuleSnooze.id)))
