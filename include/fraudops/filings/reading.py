"""Clocks as people see them: with the case, what is left of their time, and everything that was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from fraudops.cases.deadlines import calendar_of
from fraudops.database import CaseFile, Filing, FilingEvent
from fraudops.filings.deadlines import act_by, local_day
from fraudops.filings.definition import Clocks
from fraudops.filings.record import OPEN, jurisdiction_of, missed_on, terms_of, unknown
from fraudops.portfolio import Portfolio
from fraudops.rules.calendar import BusinessCalendar
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Event:
    """One line of a clock's history."""

    at: datetime
    by: str
    kind: str
    details: dict[str, Any]


@dataclass(frozen=True)
class ClockView:
    """A clock at a moment.

    Attributes
    ----------
    number
        How people name it.
    clock, title
        Which clock of ``include/clocks`` it is, and what that is called.
    case
        Number of its case; None where it has none.
    act_by
        Last business day that is not later than ``due_on``.
    first_due_on
        The last day that counted first, where another one counts now; both are shown.
    days_left
        Calendar days until the last day; negative once it is over. None where the clock has ended.
    missed_on
        The last day that passed without a filing; None where none has. It stays, whatever is recorded later.
    recorded_late
        Whether a filing in time was recorded only after the last day.
    """

    number: int
    portfolio: str
    kind: str
    clock: str
    title: str
    case: int | None
    subject_kind: str
    subject: str
    trigger_on: date
    suspect_known: bool | None
    review_on: date | None
    due_on: date
    act_by: date
    first_due_on: date | None
    state: str
    settled_on: date | None
    settled_by: str | None
    reference: str | None
    reason: str | None
    previous: int | None
    days_left: int | None
    missed_on: date | None
    recorded_late: bool
    history: tuple[Event, ...]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in OPEN


def find_clocks(
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    as_of: datetime,
    *,
    settled: bool = False,
    case: int | None = None,
) -> list[ClockView]:
    """A portfolio's clocks, the first to end first; with ``settled`` also those that have ended.

    Parameters
    ----------
    case
        Only those of the case with this number.
    """
    today = local_day(as_of, portfolio.zone)
    query = select(Filing).where(Filing.portfolio == portfolio.name, Filing.trigger_on <= today)
    if not settled:
        query = query.where(or_(Filing.state.in_(OPEN), Filing.filed_on > today))
    if case is not None:
        of_case = select(CaseFile.id).where(CaseFile.portfolio == portfolio.name, CaseFile.number == case)
        query = query.where(Filing.case_id.in_(of_case))
    with ws.transaction() as session:
        query = query.options(selectinload(Filing.events)).order_by(Filing.due_on, Filing.id)
        return clock_views(session, ws, portfolio, clocks, as_of, session.scalars(query).all())


@dataclass(frozen=True)
class NextClock:
    """A clock that runs, in short.

    Attributes
    ----------
    days_left
        Calendar days until the last day; negative once it is over.
    """

    number: int
    kind: str
    case: int | None
    due_on: date
    days_left: int


def next_clocks(session: Session, portfolio: Portfolio, as_of: datetime, *, most: int) -> tuple[int, list[NextClock]]:
    """How many clocks of a portfolio run, and those of them that end first. Confidential, as everything here."""
    today = local_day(as_of, portfolio.zone)
    running = (Filing.portfolio == portfolio.name, Filing.state.in_(OPEN), Filing.trigger_on <= today)
    count = session.scalar(select(func.count()).select_from(Filing).where(*running)) or 0
    rows = session.execute(
        select(Filing.id, Filing.kind, CaseFile.number, Filing.due_on)
        .outerjoin(CaseFile, CaseFile.id == Filing.case_id)
        .where(*running)
        .order_by(Filing.due_on, Filing.id)
        .limit(most)
    )
    return count, [NextClock(number, kind, case, due, (due - today).days) for number, kind, case, due in rows]


def read_clock(ws: Workspace, portfolio: Portfolio, clocks: Clocks, number: int, as_of: datetime) -> ClockView:
    """One clock.

    Raises
    ------
    ContractError
        There is none of this number.
    """
    query = select(Filing).where(Filing.portfolio == portfolio.name, Filing.id == number)
    with ws.transaction() as session:
        found = clock_views(session, ws, portfolio, clocks, as_of, session.scalars(query).all())
    if not found:
        raise unknown(portfolio, number)
    return found[0]


def clock_views(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    as_of: datetime,
    filings: Iterable[Filing],
) -> list[ClockView]:
    """Some clocks as people see them at a moment, in the order given."""
    filings = list(filings)
    calendar, zone = calendar_of(ws, portfolio, as_of), portfolio.zone
    cases = {item.case_id for item in filings if item.case_id is not None}
    rows = session.execute(select(CaseFile.id, CaseFile.number).where(CaseFile.id.in_(cases)))
    numbers: dict[int, int] = dict(rows.all())
    jurisdiction = jurisdiction_of(portfolio)
    found = []
    for filing in filings:
        definition = clocks.of(filing.kind, jurisdiction)
        names = (definition.id, definition.title) if definition is not None else (filing.kind, filing.kind)
        case = numbers.get(filing.case_id) if filing.case_id is not None else None
        found.append(_view(filing, names, case, calendar, zone, local_day(as_of, zone)))
    return found


# -- inside -------------------------------------------------------------------------------------------


def _view(
    filing: Filing, names: tuple[str, str], case: int | None, calendar: BusinessCalendar, zone: ZoneInfo, today: date
) -> ClockView:
    terms = terms_of(filing, zone)
    # What was settled later was due then.
    is_open = filing.state in OPEN or (filing.filed_on is not None and filing.filed_on > today)
    earliest = min((term.due_on for term in terms), default=filing.due_on)
    return ClockView(
        number=filing.id,
        portfolio=filing.portfolio,
        kind=filing.kind,
        clock=names[0],
        title=names[1],
        case=case,
        subject_kind=filing.subject_kind,
        subject=filing.subject,
        trigger_on=filing.trigger_on,
        suspect_known=filing.suspect_known,
        review_on=filing.review_on,
        due_on=filing.due_on,
        act_by=act_by(filing.due_on, calendar),
        first_due_on=earliest if earliest != filing.due_on else None,
        state="due" if is_open and filing.state not in OPEN else filing.state,
        settled_on=None if is_open else filing.filed_on,
        settled_by=None if is_open else filing.filed_by,
        reference=None if is_open else filing.reference,
        reason=None if is_open else filing.reason,
        previous=filing.previous_id,
        days_left=(filing.due_on - today).days if is_open else None,
        missed_on=missed_on(terms, None if is_open else filing.filed_on, today),
        recorded_late=_recorded_late(filing, zone),
        history=tuple(Event(e.at.astimezone(UTC), e.by, e.kind, e.details) for e in filing.events),
    )


def _recorded_late(filing: Filing, zone: ZoneInfo) -> bool:
    ends = [event for event in filing.events if event.kind in ("filed", "corrected")]
    return any(_in_time_but_recorded_after(filing, event, zone) for event in ends)


def _in_time_but_recorded_after(filing: Filing, event: FilingEvent, zone: ZoneInfo) -> bool:
    return date.fromisoformat(event.details["settled_on"]) <= filing.due_on < local_day(event.at, zone)
