"""Clocks counted, for the monthly pack of those who need to know: a clock that was missed stays missed.

Internal reviews are counted beside the reports: added up, nobody can tell from the sum whether there was a report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from fraudops.database import CaseEvent, CaseFile, Filing
from fraudops.filings.deadlines import local_day
from fraudops.filings.record import OPEN, missed_on, terms_of
from fraudops.portfolio import Portfolio

REVIEW = "review"
KINDS = ("sar", "sar_continuing", "ctr", REVIEW)
_UNREVIEWED = ("open", "in_review")


@dataclass(frozen=True)
class ClockCounts:
    """Clocks of one kind in a stretch of days. Confidential, but for the sum over all kinds.

    Attributes
    ----------
    started
        Clocks that count from a day of the stretch.
    met, late
        Filed (or reviewed) in the stretch: by the last day, or after one had passed.
    not_required
        Decided in the stretch that no report is needed.
    missed
        Clocks whose last day passed in the stretch without that, whatever became of them since.
    open_at_end, overdue_at_end
        Clocks that still ran when the stretch was over, and those of them whose last day had passed.
    """

    kind: str
    started: int = 0
    met: int = 0
    late: int = 0
    not_required: int = 0
    missed: int = 0
    open_at_end: int = 0
    overdue_at_end: int = 0


@dataclass(frozen=True)
class _Run:
    """What a clock did until the end of a stretch.

    Attributes
    ----------
    ended
        Day on which it ended; None: it runs on.
    over
        The last day that passed without that.
    """

    started: date
    ended: date | None
    over: date | None
    required: bool = True


def statistics(session: Session, portfolio: Portfolio, start: date, end: date) -> tuple[ClockCounts, ...]:
    """Counts of a stretch of days, from ``start`` until before ``end``; one for each of :data:`KINDS`, with zeros too.

    What was recorded after the stretch about its days counts: an officer may record on the 2nd what was filed on the
    31st.
    """
    found: dict[str, list[_Run]] = {kind: [] for kind in KINDS}
    for kind, run in _filings(session, portfolio, end):
        found[kind].append(run)
    found[REVIEW] += _reviews(session, portfolio, end)
    return tuple(_counts(kind, runs, start, end) for kind, runs in found.items())


# -- inside -------------------------------------------------------------------------------------------


def _filings(session: Session, portfolio: Portfolio, end: date) -> Iterable[tuple[str, _Run]]:
    zone = portfolio.zone
    query = select(Filing).where(Filing.portfolio == portfolio.name, Filing.trigger_on < end)
    for filing in session.scalars(query.options(selectinload(Filing.events)).order_by(Filing.id)):
        ended = filing.filed_on if filing.state not in OPEN else None
        ended = ended if ended is not None and ended < end else None
        over = missed_on(terms_of(filing, zone), ended, end)
        yield filing.kind, _Run(filing.trigger_on, ended, over, filing.state != "not_required")


def _reviews(session: Session, portfolio: Portfolio, end: date) -> Iterable[_Run]:
    """Cases that were to be closed or escalated by a day: the first time that they were is what counts."""
    zone = portfolio.zone
    reviewed = (
        select(CaseEvent.case_id, func.min(CaseEvent.at).label("at"))
        .where(CaseEvent.kind == "state", CaseEvent.details["after"].astext.not_in(_UNREVIEWED))
        .group_by(CaseEvent.case_id)
        .subquery()
    )
    # A day more, because days are the bank's; what lies behind the end is left out below.
    before = datetime.combine(end + timedelta(days=1), time(), tzinfo=UTC)
    query = (
        select(CaseFile.created_at, CaseFile.due_on, reviewed.c.at)
        .outerjoin(reviewed, reviewed.c.case_id == CaseFile.id)
        .where(CaseFile.portfolio == portfolio.name, CaseFile.due_on.is_not(None), CaseFile.created_at < before)
        .order_by(CaseFile.id)
    )
    for created_at, due_on, at in session.execute(query):
        opened = local_day(created_at, zone)
        ended = local_day(at, zone) if at is not None and local_day(at, zone) < end else None
        if opened < end:
            yield _Run(opened, ended, due_on if due_on < (ended or end) else None)


def _counts(kind: str, runs: Iterable[_Run], start: date, end: date) -> ClockCounts:
    counts = dict.fromkeys(("started", "met", "late", "not_required", "missed", "open_at_end", "overdue_at_end"), 0)
    for run in runs:
        counts["started"] += start <= run.started
        counts["missed"] += run.over is not None and start <= run.over
        counts["open_at_end"] += run.ended is None
        counts["overdue_at_end"] += run.ended is None and run.over is not None
        if run.ended is not None and start <= run.ended:
            counts["not_required" if not run.required else "met" if run.over is None else "late"] += 1
    return ClockCounts(kind, **counts)
