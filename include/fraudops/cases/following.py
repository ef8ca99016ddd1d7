"""Follows up decisions that were made at once: alerts, notices, cases and the ledger's entry commit together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from fraudops.cases.gathering import Gathered, gather_raised
from fraudops.cases.subjects import of_rows
from fraudops.decisions.immediate import following
from fraudops.decisions.immediate.following import ACTOR, Raised
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class FollowedUp:
    """What became of decisions that were made at once.

    Attributes
    ----------
    raised
        New alerts.
    notices
        Immediate ones, queued.
    opened, joined
        Cases.
    recorded
        Decisions that the ledger has now.
    """

    raised: int = 0
    notices: int = 0
    opened: int = 0
    joined: int = 0
    recorded: int = 0

    def __add__(self, other: FollowedUp) -> FollowedUp:
        return FollowedUp(
            *(mine + its for mine, its in zip(asdict(self).values(), asdict(other).values(), strict=True))
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def follow_up(ws: Workspace, portfolio: Portfolio, *, actor: str = ACTOR) -> FollowedUp:
    """Raise alerts, queue immediate notices and gather into cases what was decided at once, and record it.

    Harmless at any time and from any process: what is followed up stays so. What fails leaves all as it was.

    Parameters
    ----------
    actor
        Who gathers; alerts and the ledger's entries are the service's, whoever makes up for it.
    """
    done = FollowedUp()
    while True:
        with ws.transaction() as session:
            found, more = _round(ws, session, portfolio, actor)
        done += found
        if not more:
            return done


def _round(ws: Workspace, session: Session, portfolio: Portfolio, actor: str) -> tuple[FollowedUp, bool]:
    """One transaction's work, and whether there is more."""
    now = datetime.now(UTC)
    standing = following.lock_record(session, portfolio, now)
    raised = following.raise_waiting(ws, session, portfolio, now)
    gathered = sum((_gather(ws, session, portfolio, one, actor, now) for one in raised), Gathered())
    alerts, notices = sum(len(one.alerts) for one in raised), sum(one.notices for one in raised)
    details = {"alerts": alerts, "notices": notices, "opened": gathered.opened, "joined": gathered.joined}
    recorded = following.record(ws, session, portfolio, standing, now, details if raised else {})
    found = FollowedUp(alerts, notices, gathered.opened, gathered.joined, recorded)
    return found, sum(one.decisions for one in raised) >= following.AT_ONCE


def _gather(
    ws: Workspace, session: Session, portfolio: Portfolio, raised: Raised, actor: str, now: datetime
) -> Gathered:
    if not raised.alerts:
        return Gathered()
    subjects = of_rows(portfolio, raised.rows)
    return gather_raised(ws, session, portfolio, raised.key, raised.alerts, subjects, actor=actor, now=now)
