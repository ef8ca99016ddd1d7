"""What is in the outbox: for the status, the pages and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from fraudops.database.models import Delivery, Notice
from fraudops.errors import ContractError
from fraudops.notices.outbox.queueing import stored_key
from fraudops.workspace import Workspace


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
        raise unknown(notice_id)
    return found


def find(session: Session, portfolio: str, dedupe_key: str) -> Notice | None:
    """The notice that was queued under a key, with its deliveries; None where there is none."""
    key = stored_key(portfolio, dedupe_key)
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


def unknown(notice_id: int) -> ContractError:
    """The error about a notice that does not exist."""
    return ContractError(
        "there is no such notice", where=f"notice {notice_id}", remedy="'fraudops mail outbox' lists them"
    )


# -- inside -----------------------------------------------------------------------------------------------------


def _last(notice: Notice) -> Delivery | None:
    return notice.deliveries[-1] if notice.deliveries else None
