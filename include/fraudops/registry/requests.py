"""Who asked for a training run, and why: the first entry of a model's story."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.portfolio import Portfolio
from fraudops.registry.locks import lock_versions
from fraudops.workspace import Workspace

ACTION = "training_requested"


def record_request(
    ws: Workspace, portfolio: Portfolio, *, run_id: str, requested_by: str, reason: str, as_of: datetime
) -> bool:
    """Write a request for a training run into the ledger; once, however often the step runs again.

    Returns
    -------
    bool
        Whether it was written now.
    """
    subject = f"{portfolio.name}/training/{run_id}"
    with ws.transaction() as session:
        lock_versions(session, portfolio.name)
        known = select(LedgerEntry.number).where(LedgerEntry.action == ACTION, LedgerEntry.subject == subject)
        if session.scalar(known.limit(1)) is not None:
            return False
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=requested_by,
            action=ACTION,
            subject=subject,
            details={"reason": reason, "as_of": as_of.isoformat()},
        )
        return True


def requested_by(session: Session, portfolio: Portfolio, run_id: str) -> str | None:
    """Who asked for a training run: a user, or ``service:<workflow>``; None where the ledger does not say."""
    subject = f"{portfolio.name}/training/{run_id}"
    return session.scalar(
        select(LedgerEntry.actor).where(LedgerEntry.action == ACTION, LedgerEntry.subject == subject).limit(1)
    )


def is_same_person(user: str, other: str) -> bool:
    """Whether two names are one user's; capitals and spaces around do not make another person."""
    return user.strip().casefold() == other.strip().casefold()
