"""Notices that have waited too long for their delivery: shown, recorded, and told once mail works again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database.models import Notice
from fraudops.notices.outbox.sending import ACTOR
from fraudops.notices.rendering import count_of, dag_link, queue_rendered
from fraudops.notices.words import say
from fraudops.portfolio import Portfolio
from fraudops.portfolio.durations import format_duration
from fraudops.workspace import Workspace

LATE = "late"
"""Kind of the notice that tells of others; it is never late itself."""
RECORDED = "notices_late"
_UNDELIVERED = ("waiting", "sending")


@dataclass(frozen=True)
class Late:
    """Notices of a portfolio that wait longer than its ``notices.warn_after``.

    Attributes
    ----------
    number
        How many.
    oldest
        Number of the one that has waited longest.
    since
        When that was queued.
    """

    number: int
    oldest: int
    since: datetime

    @property
    def sentence(self) -> str:
        """For people."""
        waits = "1 notice waits" if self.number == 1 else f"{self.number:,} notices wait"
        return f"{waits} too long for delivery, the oldest since {_time(self.since)}"


def late(session: Session, portfolio: Portfolio, *, now: datetime | None = None) -> Late | None:
    """What waits too long at this moment; None where nothing does.

    Parameters
    ----------
    now
        The present, unless a test says otherwise.
    """
    before = (now or datetime.now(UTC)) - portfolio.notices.warn_after
    query = select(func.count(), func.min(Notice.id), func.min(Notice.queued_at)).where(
        Notice.portfolio == portfolio.name,
        Notice.kind != LATE,
        Notice.state.in_(_UNDELIVERED),
        Notice.queued_at <= before,
    )
    number, oldest, since = session.execute(query).one()
    return Late(number, oldest, since) if number else None


def warn(ws: Workspace, portfolio: Portfolio, *, now: datetime | None = None) -> Late | None:
    """Record what waits too long, and queue a notice about it, which goes out when mail works again.

    There is one warning for an outage, however long it lasts and however often this is called: none is queued
    while an earlier one still waits, nor a second one about the same oldest notice.
    """
    with ws.transaction() as session:
        found = late(session, portfolio, now=now)
        if found is None or _is_told(session, portfolio):
            return found
        if _queue(session, ws, portfolio, found):
            ws.record(
                session,
                portfolio=portfolio.name,
                actor=ACTOR,
                action=RECORDED,
                subject=f"{portfolio.name}/notice/{found.oldest}",
                details={"number": found.number, "since": found.since.astimezone(UTC).isoformat()},
            )
        return found


# -- inside ---------------------------------------------------------------------------------------------------


def _is_told(session: Session, portfolio: Portfolio) -> bool:
    """Whether a warning waits itself."""
    query = select(func.count()).where(
        Notice.portfolio == portfolio.name, Notice.kind == LATE, Notice.state.in_(_UNDELIVERED)
    )
    return bool(session.scalar(query))


def _queue(session: Session, ws: Workspace, portfolio: Portfolio, found: Late) -> bool:
    notify = portfolio.dag_id("notify")
    count = count_of(found.number, "notice")
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=LATE,
        template="facts",
        dedupe_key=f"{LATE}/{found.oldest}",
        recipients=portfolio.notices.compliance,
        as_of=found.since,
        severity="high",
        subject=say("{name}: {count} could not be delivered in time", name=portfolio.name, count=count),
        reference=say("{name}: {count} late", name=portfolio.name, count=count),
        link=dag_link(ws, notify),
        content={
            "heading": say("{count} could not be delivered in time", count=count),
            "sentence": say(
                "The mail server did not take them. They were not lost: they go out before this one, in the "
                "order in which they were queued. Alerts were raised all the same."
            ),
            "facts": [
                (say("Oldest"), say("notice {number}, queued {at}", number=str(found.oldest), at=_time(found.since))),
                (say("Late after"), format_duration(portfolio.notices.warn_after)),
            ],
            "advice": say(
                "Find out why: the runs of {dag} and 'fraudops mail outbox' say how each attempt ended.", dag=notify
            ),
        },
    )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
